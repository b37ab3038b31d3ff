/** Random requests against a data tree, and a tree written out in full so that two can be compared. */

import { type Identity, OPEN_ACL } from '../../src/base/acl.ts';
import type { SessionId, Zxid } from '../../src/base/ids.ts';
import { makeEpoch, makeServerId, makeSessionId, makeZxid, nextZxid } from '../../src/base/ids.ts';
import { CreateMode, OpCode } from '../../src/base/op-code.ts';
import type { Prng } from '../../src/base/prng.ts';
import type { WriteRequest } from '../../src/base/write-request.ts';
import { DataTree } from '../../src/store/data-tree.ts';
import { Preparer } from '../../src/store/prepare.ts';
import type { Txn } from '../../src/store/txn.ts';

const NOBODY = makeServerId(0);
const IDENTITIES: readonly Identity[] = [{ scheme: 'ip', id: '127.0.0.1' }];
const NEUTRAL: WriteRequest = {
  op: OpCode.create,
  path: null,
  data: null,
  acl: null,
  flags: 0,
  version: -1,
  durationMs: -1,
  ops: [],
};
const ACLS = [OPEN_ACL, [{ perms: 31, scheme: 'ip', id: '127.0.0.1' }]];
/** Few names and a shallow tree, so that what was deleted often comes back under the same path. */
const NAMES = ['a', 'ä', 'a-longer-name'];
const DEPTH_MAX = 2;

/** A history that grows by random transactions; every one of them is kept. */
export class TreeHistory {
  readonly txns: Txn[] = [];
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** Prepares, keeps and applies one more transaction to a tree that holds all so far. */
  extend(tree: DataTree): void {
    const { request, sessionId } = this.#draw(tree);
    const zxid = zxidAt(this.txns.length);
    const body = new Preparer(tree).prepare(request, { sessionId, identities: IDENTITIES, zxid });
    const timeMs = 1_700_000_000_000 + this.txns.length;
    const txn = { sessionId, cxid: 0, timeMs, origin: NOBODY, requestId: 0, body };
    this.txns.push(txn);
    tree.apply(zxid, txn, false);
  }

  /** Applies what a tree lacks, up to a zxid. */
  replay(tree: DataTree, upTo: Zxid = zxidAt(this.txns.length)): void {
    for (const [index, txn] of this.txns.entries()) {
      const zxid = zxidAt(index);
      if (zxid > tree.lastZxid && zxid <= upTo) tree.apply(zxid, txn, false);
    }
  }

  /** The tree as it was after a transaction. */
  treeAt(zxid: Zxid): DataTree {
    const tree = new DataTree();
    this.replay(tree, zxid);
    return tree;
  }

  #draw(tree: DataTree): { request: WriteRequest; sessionId: SessionId } {
    const prng = this.#prng;
    const sessionId = makeSessionId(BigInt(prng.between(1, 6)) << 56n);
    const isOpen = tree.sessions.has(sessionId);
    if (!isOpen || prng.chance(0.15)) {
      const op = isOpen ? OpCode.closeSession : OpCode.createSession;
      return { sessionId, request: { ...NEUTRAL, op, durationMs: prng.between(1, 9) * 1000 } };
    }
    return { sessionId, request: this.#drawRequest(tree, true) };
  }

  #drawRequest(tree: DataTree, mayNest: boolean): WriteRequest {
    const prng = this.#prng;
    if (mayNest && prng.chance(0.1)) {
      const ops = [1, 2, 3].map(() => this.#drawRequest(tree, false));
      return { ...NEUTRAL, op: OpCode.multi, ops };
    }
    const nodes = [...tree.walk()];
    const path = this.#pick(nodes)?.[0] ?? '/';
    const acl = this.#pick(ACLS) ?? OPEN_ACL;
    const bytes = new Uint8Array(prng.between(0, 40)).fill(prng.uint32() & 0xff);
    const data = prng.chance(0.2) ? null : bytes;
    const kind = prng.between(0, 9);
    if (kind < 1) return { ...NEUTRAL, op: OpCode.setData, path, data };
    if (kind < 2) return { ...NEUTRAL, op: OpCode.setAcl, path, acl };
    if (kind < 6) {
      const leaf = this.#pick(nodes.filter(([, node]) => node.numChildren === 0));
      return { ...NEUTRAL, op: OpCode.delete, path: leaf?.[0] ?? '/' };
    }
    const isDeep = path.split('/').length > DEPTH_MAX;
    const child = `${path === '/' || isDeep ? '' : path}/${this.#pick(NAMES) ?? 'a'}`;
    if (kind < 7) {
      const flags = CreateMode.container;
      return { ...NEUTRAL, op: OpCode.createContainer, path: child, data, acl, flags };
    }
    const flags = prng.chance(0.1) ? prng.between(2, 3) : prng.between(0, 1);
    return { ...NEUTRAL, op: OpCode.create, path: child, data, acl, flags };
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[this.#prng.between(0, list.length - 1)];
  }
}

/** Zxid of the transaction at a place in a history, all of epoch 1. */
export function zxidAt(index: number): Zxid {
  return nextZxid(makeZxid(makeEpoch(1), index));
}

/** Everything a tree holds, as lines in an order of their own. */
export function describeTree(tree: DataTree): string[] {
  const lines: string[] = [];
  for (const [path, node] of tree.walk()) {
    const data = node.data === null ? null : Buffer.from(node.data).toString('hex');
    const stat = [node.czxid, node.mzxid, node.pzxid, node.ctimeMs, node.mtimeMs];
    const counts = [node.version, node.creates, node.aversion, node.numChildren];
    const owner = node.storedOwner.toString(16);
    lines.push(JSON.stringify([path, data, stat, counts, owner, node.kind, node.acl]));
  }
  for (const [sessionId, timeoutMs] of tree.sessions.entries()) {
    const owned = [...tree.ephemerals.of(sessionId)].map((node) => node.path).sort();
    lines.push(`session ${sessionId.toString(16)} ${timeoutMs} ${owned.join()}`);
  }
  lines.push(`${tree.lastZxid} ${tree.digestHex} ${tree.nodeCount} ${tree.approximateDataSize}`);
  return lines.sort();
}
