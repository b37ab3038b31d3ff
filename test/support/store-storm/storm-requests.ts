/** What clients of a storm ask for: few paths and few sessions, so that requests meet each other. */

import { type Acl, type Identity, OPEN_ACL, Perm } from '../../../src/base/acl.ts';
import { makeSessionId, SESSION_NONE, type SessionId } from '../../../src/base/ids.ts';
import { CreateMode, OpCode } from '../../../src/base/op-code.ts';
import type { Prng } from '../../../src/base/prng.ts';
import type { WriteRequest } from '../../../src/base/write-request.ts';
import { request } from '../store-kit.ts';
import type { TreeModel } from '../tree-model.ts';

export interface StormRequest {
  readonly asked: WriteRequest;
  readonly sessionId: SessionId;
  readonly identities: readonly Identity[];
  readonly isLocal: boolean;
}

const PATHS = ['/a', '/b', '/a/x', '/a/y', '/b/x', '/a/x/ä', '/b/queue-'];
const SESSIONS = [1, 2, 3, 4].map((server) => makeSessionId(BigInt(server) << 56n));
const LOCAL = { scheme: 'ip', id: '127.0.0.1' };
const ALICE = { scheme: 'digest', id: 'alice:secret' };
const ACLS: readonly (readonly Acl[] | null)[] = [
  OPEN_ACL,
  OPEN_ACL,
  OPEN_ACL,
  [{ perms: Perm.all, ...LOCAL }],
  [
    { perms: Perm.read, scheme: 'world', id: 'anyone' },
    { perms: Perm.all, ...ALICE },
  ],
  null,
];
const MEMBERS_MAX = 4;
const DATA_MAX = 40;

export class RequestSource {
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** `model`: the tree as it will be when everything asked for so far is applied. */
  draw(model: TreeModel): StormRequest {
    const prng = this.#prng;
    const sessionId = this.#pick(SESSIONS);
    const isOpen = model.sessions.has(sessionId);
    const identities = prng.chance(0.9) ? [LOCAL, ALICE] : [LOCAL];
    const asker = { sessionId, identities, isLocal: false };
    if (prng.chance(isOpen ? 0.03 : 0.7)) {
      const durationMs = prng.between(1, 9) * 1000;
      return { ...asker, asked: request(OpCode.createSession, { durationMs }) };
    }
    if (prng.chance(0.08)) return { ...asker, asked: request(OpCode.closeSession) };
    if (prng.chance(0.04)) {
      const asked = request(OpCode.deleteContainer, { path: this.#path(model) });
      return { ...asker, sessionId: SESSION_NONE, asked };
    }
    return { ...asker, isLocal: !isOpen && prng.chance(0.3), asked: this.#drawWrite(model) };
  }

  #drawWrite(model: TreeModel): WriteRequest {
    if (!this.#prng.chance(0.15)) return this.#drawMember(model, false);
    const count = this.#prng.between(1, MEMBERS_MAX);
    const ops = Array.from({ length: count }, () => this.#drawMember(model, true));
    return request(OpCode.multi, { ops });
  }

  #drawMember(model: TreeModel, inMulti: boolean): WriteRequest {
    const prng = this.#prng;
    const kind = prng.between(0, inMulti ? 10 : 9);
    if (kind < 4) return this.#drawCreate(model);
    const path = this.#path(model);
    const node = model.nodes.get(path);
    const version = this.#version(node?.version ?? 0);
    if (kind < 7) return request(OpCode.delete, { path, version });
    if (kind < 9) return request(OpCode.setData, { path, version, data: this.#data() });
    if (kind === 10) return request(OpCode.check, { path, version });
    // A multi may not set an ACL.
    if (inMulti) return request(OpCode.check, { path, version });
    const acl = this.#pick(ACLS);
    return request(OpCode.setAcl, { path, acl, version: this.#version(node?.aversion ?? 0) });
  }

  #drawCreate(model: TreeModel): WriteRequest {
    const prng = this.#prng;
    const path = prng.chance(0.8) ? this.#pick(PATHS) : `${this.#path(model)}/z`;
    const flags = prng.chance(0.3) ? prng.between(2, 6) : prng.between(0, 1);
    const fields = { path, flags, data: this.#data(), acl: this.#pick(ACLS) };
    if (flags === CreateMode.container) return request(OpCode.createContainer, fields);
    if (flags > CreateMode.container) {
      return request(OpCode.createTtl, { ...fields, durationMs: prng.between(1, 100_000) });
    }
    return request(prng.chance(0.5) ? OpCode.create : OpCode.create2, fields);
  }

  #path(model: TreeModel): string {
    const prng = this.#prng;
    if (prng.chance(0.3)) return this.#pick(PATHS);
    const paths = [...model.nodes.keys()].filter((path) => path !== '/');
    return paths.length === 0 ? '/a' : this.#pick(paths);
  }

  /** Any, the right one, or one that is wrong by little. */
  #version(actual: number): number {
    const prng = this.#prng;
    if (prng.chance(0.4)) return -1;
    return prng.chance(0.6) ? actual : Math.max(-1, actual + prng.between(-2, 1));
  }

  #data(): Uint8Array | null {
    const prng = this.#prng;
    if (prng.chance(0.2)) return null;
    return new Uint8Array(prng.between(0, DATA_MAX)).fill(prng.between(0, 255));
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#prng.between(0, list.length - 1)] as T;
  }
}
