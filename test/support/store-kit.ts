/** A tree with its preparer, driven one request after the other as a server of one would. */

import assert from 'node:assert/strict';
import { type Acl, type Identity, OPEN_ACL } from '../../src/base/acl.ts';
import { invariant } from '../../src/base/assert.ts';
import { ErrorCode } from '../../src/base/error-code.ts';
import { makeSessionId, SERVER_NONE, type SessionId, type Zxid } from '../../src/base/ids.ts';
import { OpCode } from '../../src/base/op-code.ts';
import type { WriteRequest } from '../../src/base/write-request.ts';
import { type ApplyResult, DataTree } from '../../src/store/data-tree.ts';
import { Preparer } from '../../src/store/prepare.ts';
import type { QuotaExcess } from '../../src/store/quota.ts';
import { type Txn, type TxnBody, TxnType } from '../../src/store/txn.ts';
import type { NodeFields } from '../../src/store/znode.ts';

export const SESSION: SessionId = makeSessionId(0x100000000000001n);
export const OTHER_SESSION: SessionId = makeSessionId(0x100000000000002n);
const BASE_TIME_MS = 1_700_000_000_000;
const TIMEOUT_MS = 10_000;

/** A request with neutral values where none are given. */
export function request(op: OpCode, fields: Partial<WriteRequest> = {}): WriteRequest {
  return {
    op,
    path: null,
    data: null,
    acl: null,
    flags: 0,
    version: -1,
    durationMs: -1,
    ops: [],
    ...fields,
  };
}

export function create(path: string, fields: Partial<WriteRequest> = {}): WriteRequest {
  return request(OpCode.create, { path, acl: OPEN_ACL, ...fields });
}

export function remove(path: string, version = -1): WriteRequest {
  return request(OpCode.delete, { path, version });
}

export function setData(path: string, text: string, version = -1): WriteRequest {
  return request(OpCode.setData, { path, data: bytes(text), version });
}

export function setAcl(path: string, acl: readonly Acl[] | null, version = -1): WriteRequest {
  return request(OpCode.setAcl, { path, acl, version });
}

export function check(path: string, version = -1): WriteRequest {
  return request(OpCode.check, { path, version });
}

export function multi(...ops: WriteRequest[]): WriteRequest {
  return request(OpCode.multi, { ops });
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export interface Asker {
  readonly sessionId?: SessionId;
  readonly identities?: readonly Identity[];
  readonly isLocal?: boolean;
}

export interface StoreKitOptions {
  readonly extendedTypes?: boolean;
  readonly skipAcl?: boolean;
  readonly enforceQuota?: boolean;
  readonly quotaExceeded?: (excess: QuotaExcess) => void;
}

/** Starts with two sessions, created at zxid 1 and 2. Time is a fixed moment plus the zxid. */
export class StoreKit {
  readonly tree: DataTree;
  readonly preparer: Preparer;
  #prepared = 0 as Zxid;
  readonly #pending: (readonly [Zxid, Txn])[] = [];

  constructor(options: StoreKitOptions = {}) {
    this.tree = new DataTree(options);
    this.preparer = new Preparer(this.tree, options);
    const opening = request(OpCode.createSession, { durationMs: TIMEOUT_MS });
    this.run(opening, { sessionId: SESSION });
    this.run(opening, { sessionId: OTHER_SESSION });
  }

  /** Zxid of the last request prepared. */
  get zxid(): Zxid {
    return this.#prepared;
  }

  static timeMs(zxid: number): number {
    return BASE_TIME_MS + zxid;
  }

  /** Makes the transaction and leaves it unapplied. */
  prepare(asked: WriteRequest, asker: Asker = {}): TxnBody {
    const zxid = (this.#prepared + 1) as Zxid;
    this.#prepared = zxid;
    const sessionId = asker.sessionId ?? SESSION;
    const body = this.preparer.prepare(asked, {
      sessionId,
      identities: asker.identities ?? [],
      zxid,
      isLocal: asker.isLocal ?? false,
    });
    const timeMs = StoreKit.timeMs(zxid);
    this.#pending.push([
      zxid,
      { sessionId, cxid: 0, timeMs, origin: SERVER_NONE, requestId: 0, body },
    ]);
    return body;
  }

  /** Applies the oldest unapplied transaction. */
  applyNext(): ApplyResult {
    const next = this.#pending.shift();
    invariant(next !== undefined, 'nothing left to apply');
    const [zxid, txn] = next;
    const result = this.tree.apply(zxid, txn, true);
    this.preparer.applied(zxid);
    return result;
  }

  /** Prepares and applies, together with all that was left unapplied. */
  run(asked: WriteRequest, asker: Asker = {}): ApplyResult {
    this.prepare(asked, asker);
    while (this.#pending.length > 1) this.applyNext();
    return this.applyNext();
  }

  /** Puts numbers into a node that would take too long to count up to. */
  patch(path: string, numbers: Partial<Pick<NodeFields, 'version' | 'creates'>>): void {
    const node = this.tree.find(path);
    invariant(node !== undefined, 'no node to patch');
    const { data, acl, czxid, mzxid, pzxid, ctimeMs, mtimeMs, aversion, storedOwner } = node;
    const times = { czxid, mzxid, pzxid, ctimeMs, mtimeMs };
    const { version, creates } = { version: node.version, creates: node.creates, ...numbers };
    this.tree.restoreNode(path, { data, acl, ...times, version, creates, aversion, storedOwner });
  }

  /** Error codes of several requests in turn. */
  errors(...asked: WriteRequest[]): number[] {
    return asked.map((one) => this.run(one).error);
  }
}

/** A kit that has run these requests, all of which must succeed. */
export function kitWith(...asked: WriteRequest[]): StoreKit {
  const kit = new StoreKit();
  for (const error of kit.errors(...asked)) assert.equal(error, ErrorCode.ok);
  return kit;
}

/** What a body says of its request. */
export function errorOf(body: TxnBody): ErrorCode {
  return body.type === TxnType.error ? body.error : ErrorCode.ok;
}

/** Error codes of a multi's members. */
export function multiErrors(kit: StoreKit, ...ops: WriteRequest[]): number[] {
  return kit.run(multi(...ops)).results.map((result) => result.error);
}
