/**
 * The replicated state of a server: znodes and sessions, kept in memory and changed only by `apply`. Every replica that applies the same transactions in the same
 * order holds the same tree: time, session and final names come with the transaction, nothing from
 * a local clock, a random number or the order of a foreign map.
 *
 * Applying is total: the leader validated what it made a transaction of, and where a tree is
 * already ahead of it (an imported snapshot, taken while changes went on) it is overtaken quietly,
 * as the original does when it replays its log.
 */

import { invariant, unreachable } from '../base/assert.ts';
import { ErrorCode } from '../base/error-code.ts';
import { follows, type SessionId, ZXID_NONE, type Zxid } from '../base/ids.ts';
import type { Stat } from '../base/stat.ts';
import type { ChangeTracker } from './change-tracker.ts';
import type { Ephemerals } from './ephemerals.ts';
import type { PackRestorer } from './pack-restore.ts';
import type { QuotaBook } from './quota.ts';
import { SessionTable } from './session-table.ts';
import type { TreeListener } from './tree-listener.ts';
import {
  type CloseSessionTxn,
  type CreateTxn,
  type MultiTxn,
  type SetAclTxn,
  type SetDataTxn,
  type Txn,
  type TxnBody,
  TxnType,
} from './txn.ts';
import { type NodeFields, Znode } from './znode.ts';
import { CONFIG_PATH, CONFIG_VERSION, Znodes } from './znodes.ts';

/** What became of one operation. */
export interface OpResult {
  /** The transaction's type; `error` for every member of a failed multi. */
  readonly type: TxnType;
  readonly error: ErrorCode;
  /** The path operated on, for a create with its sequence number; null where there is none. */
  readonly path: string | null;
  /**
   * The node as it is right after this operation (create*, setData, setACL), else null. Outside a
   * multi it is the node itself, valid until the next transaction is applied: see `keptResult`.
   */
  readonly stat: Stat | null;
}

export interface ApplyResult extends OpResult {
  /** One per member of a multi (whose own `error` is ok even if it failed), else empty. */
  readonly results: readonly OpResult[];
}

export interface DataTreeOptions {
  /** Whether stored owners with the top byte 0xff mark nodes with a time to live. */
  readonly extendedTypes?: boolean;
}

/** The result in a form that no later transaction changes. */
export function keptResult(result: ApplyResult): ApplyResult {
  return result.stat instanceof Znode ? { ...result, stat: result.stat.snapshot() } : result;
}

const NO_RESULTS: readonly OpResult[] = Object.freeze([]);
/** What `apply` returns when nobody asked for the result. */
const UNWANTED: ApplyResult = Object.freeze({
  type: TxnType.error,
  error: ErrorCode.ok,
  path: null,
  stat: null,
  results: NO_RESULTS,
});

/** In a create of the oldest log format: one more than the parent has. */
const CVERSION_UNKNOWN = -1;

export class DataTree {
  listener: TreeListener | undefined = undefined;
  /** Read-only outside: changed by transactions. */
  readonly sessions: SessionTable = new SessionTable();
  /** Read-only outside: changed by transactions. */
  readonly ephemerals: Ephemerals;
  /** Read-only outside: kept current by transactions. */
  readonly quotas: QuotaBook;
  readonly #nodes: Znodes;
  /** What the operation being applied created or changed by itself; for its result. */
  #touched: Znode | undefined = undefined;
  #lastZxid: Zxid = ZXID_NONE;

  /** The tree of a database nothing was written to yet. */
  constructor(options: DataTreeOptions = {}) {
    this.#nodes = new Znodes(options.extendedTypes ?? false);
    this.ephemerals = this.#nodes.ephemerals;
    this.quotas = this.#nodes.quotas;
  }

  /** Hears of every change before it is made. */
  get changes(): ChangeTracker | undefined {
    return this.#nodes.changes;
  }

  set changes(changes: ChangeTracker | undefined) {
    this.#nodes.changes = changes;
  }

  /** Zxid of the last transaction applied, or of the checkpoint restored. */
  get lastZxid(): Zxid {
    return this.#lastZxid;
  }

  /** All nodes, the root and those of `/zookeeper` included. */
  get nodeCount(): number {
    return this.#nodes.count;
  }

  get ephemeralCount(): number {
    return this.ephemerals.count;
  }

  get sessionCount(): number {
    return this.sessions.size;
  }

  /** Sum over all nodes of path length (UTF-16 units) and data bytes, as `zk_approximate_data_size`. */
  get approximateDataSize(): number {
    return this.#nodes.dataSize;
  }

  /** As `Znodes.contentBytes`. */
  get contentBytes(): number {
    return this.#nodes.contentBytes;
  }

  /** Sum of the node digests modulo 2^64; see `digest.ts`. */
  get digest(): bigint {
    return this.#nodes.digest.value;
  }

  get digestHex(): string {
    return this.#nodes.digest.hex;
  }

  /** The node at a path, `""` being the root too. Paths are not validated: a bad one has no node. */
  find(path: string): Znode | undefined {
    return this.#nodes.at(path, path.length);
  }

  /** Every node with its path, parents before children. The tree must not change meanwhile. */
  walk(): Generator<readonly [path: string, node: Znode]> {
    return this.#nodes.walk();
  }

  /** As `Znodes.paths`. */
  paths(): Generator<string> {
    return this.#nodes.paths();
  }

  /** Containers and nodes with a time to live: what the leader's sweep looks at. */
  sweepable(): Generator<Znode> {
    return this.#nodes.sweepable();
  }

  /**
   * Applies the transaction that follows the last one. Copies the data it keeps. Without
   * `wantResult` the result is one shared constant that says nothing.
   */
  apply(zxid: Zxid, txn: Txn, wantResult: boolean): ApplyResult {
    invariant(follows(this.#lastZxid, zxid), 'transaction applied out of order');
    this.#lastZxid = zxid;
    const body = txn.body;
    if (body.type === TxnType.multi) return this.#applyMulti(zxid, txn, body, wantResult);
    const error = this.#applyOp(zxid, txn, body);
    return wantResult ? this.#result(body, error, this.#touched ?? null) : UNWANTED;
  }

  /**
   * Writes the membership text into `/zookeeper/config`. Not a transaction: each server of an
   * ensemble does it at every start, so the numbers must follow from the membership alone.
   */
  setConfig(text: Uint8Array, configZxid: Zxid): void {
    const node = this.find(CONFIG_PATH);
    invariant(node !== undefined, 'config node missing');
    this.#nodes.replaceData(node, CONFIG_PATH, text, CONFIG_VERSION, configZxid, node.mtimeMs);
    this.listener?.dataChanged(CONFIG_PATH, node);
  }

  /** Before a checkpoint of so many nodes is put in. */
  reserve(nodeCount: number): void {
    this.#nodes.reserve(nodeCount);
  }

  /** As `Znodes.restore`. */
  restoreNode(path: string, fields: NodeFields, mark = 0): boolean {
    return this.#nodes.restore(path, fields, mark);
  }

  /** As `Znodes.restorer`. */
  restorer(): PackRestorer {
    return this.#nodes.restorer();
  }

  restoreSession(sessionId: SessionId, timeoutMs: number): void {
    this.sessions.set(sessionId, timeoutMs);
  }

  /** Ends loading: the tree is as it was after this zxid. */
  restoreZxid(zxid: Zxid): void {
    invariant(this.#lastZxid === ZXID_NONE, 'checkpoint loaded into a used tree');
    this.#nodes.restored();
    this.#lastZxid = zxid;
  }

  /**
   * Deletes the ephemeral nodes of sessions that do not exist, as the original does when it has
   * loaded its data; returns their number. For imported data: here no session leaves any behind.
   */
  removeOrphans(): number {
    let count = 0;
    for (const owner of [...this.ephemerals.owners()]) {
      if (this.sessions.has(owner)) continue;
      for (const node of [...this.ephemerals.of(owner)]) {
        this.#delete(this.#lastZxid, node.path);
        count += 1;
      }
    }
    return count;
  }

  #applyMulti(zxid: Zxid, txn: Txn, multi: MultiTxn, wantResult: boolean): ApplyResult {
    const hasFailed = multi.ops.some((op) => op.type === TxnType.error);
    const results: OpResult[] = [];
    for (const op of multi.ops) {
      if (hasFailed) {
        const error = op.type === TxnType.error ? op.error : ErrorCode.ok;
        if (wantResult) results.push({ type: TxnType.error, error, path: null, stat: null });
        continue;
      }
      const error = this.#applyOp(zxid, txn, op);
      if (wantResult) results.push(this.#result(op, error, this.#touched?.snapshot() ?? null));
    }
    if (!wantResult) return UNWANTED;
    return { type: TxnType.multi, error: ErrorCode.ok, path: null, stat: null, results };
  }

  #applyOp(zxid: Zxid, txn: Txn, body: TxnBody): ErrorCode {
    this.#touched = undefined;
    switch (body.type) {
      case TxnType.create:
      case TxnType.create2:
      case TxnType.createContainer:
      case TxnType.createTtl:
        return this.#create(zxid, txn.timeMs, body);
      case TxnType.delete:
      case TxnType.deleteContainer:
        return this.#delete(zxid, body.path);
      case TxnType.setData:
        return this.#setData(zxid, txn.timeMs, body);
      case TxnType.setAcl:
        return this.#setAcl(body);
      case TxnType.check:
        return ErrorCode.ok;
      case TxnType.createSession:
        this.changes?.beforeSessionChange(txn.sessionId);
        this.sessions.set(txn.sessionId, body.timeoutMs);
        return ErrorCode.ok;
      case TxnType.closeSession:
        return this.#closeSession(zxid, txn.sessionId, body);
      case TxnType.error:
        return body.error;
      case TxnType.multi:
        // Decoders refuse a multi inside a multi, and no request makes one.
        return ErrorCode.marshallingError;
      default:
        return unreachable(body);
    }
  }

  #create(zxid: Zxid, timeMs: number, txn: CreateTxn): ErrorCode {
    const nodes = this.#nodes;
    const path = txn.path;
    const cut = path.lastIndexOf('/');
    const parent = nodes.at(path, cut);
    if (parent === undefined) return ErrorCode.noNode;
    const parentPath = cut === 0 ? '/' : path.slice(0, cut);
    nodes.beforeChange(parent, parentPath);
    const creates =
      txn.parentCversion === CVERSION_UNKNOWN ? parent.creates + 1 : txn.parentCversion;
    parent.recordChildCreated(creates, zxid);
    nodes.digest.statChanged(parent);
    const existing = nodes.child(parent, path, cut);
    if (existing !== undefined) {
      nodes.beforeChange(existing, path);
      nodes.replaceAcl(existing, txn.acl, existing.aversion);
      return ErrorCode.nodeExists;
    }
    const { acl, ephemeralOwner, data } = txn;
    const node = nodes.create(parent, path, acl, ephemeralOwner, data, zxid, timeMs);
    this.#touched = node;
    this.listener?.created(path, node);
    this.listener?.childrenChanged(parentPath, parent);
    return ErrorCode.ok;
  }

  #delete(zxid: Zxid, path: string): ErrorCode {
    const nodes = this.#nodes;
    const cut = path.lastIndexOf('/');
    const parent = nodes.at(path, cut);
    if (parent === undefined || path === '/') return ErrorCode.noNode;
    const parentPath = cut === 0 ? '/' : path.slice(0, cut);
    nodes.beforeChange(parent, parentPath);
    parent.recordChildDeleted(zxid);
    nodes.digest.statChanged(parent);
    const node = nodes.child(parent, path, cut);
    if (node === undefined) return ErrorCode.noNode;
    nodes.remove(node, path);
    this.listener?.deleted(path, node);
    this.listener?.childrenChanged(parentPath, parent);
    node.release();
    return ErrorCode.ok;
  }

  #setData(zxid: Zxid, timeMs: number, txn: SetDataTxn): ErrorCode {
    const nodes = this.#nodes;
    const node = nodes.find(txn.path);
    if (node === undefined) return ErrorCode.noNode;
    const bytesBefore = node.dataLength;
    nodes.replaceData(node, txn.path, txn.data, txn.version, zxid, timeMs);
    this.quotas.dataChanged(txn.path, node.dataLength - bytesBefore);
    this.#touched = node;
    this.listener?.dataChanged(txn.path, node);
    return ErrorCode.ok;
  }

  #setAcl(txn: SetAclTxn): ErrorCode {
    const nodes = this.#nodes;
    const node = nodes.find(txn.path);
    if (node === undefined) return ErrorCode.noNode;
    nodes.beforeChange(node, txn.path);
    nodes.replaceAcl(node, txn.acl, txn.version);
    nodes.digest.statChanged(node);
    this.#touched = node;
    return ErrorCode.ok;
  }

  /** Deletes the paths the leader listed, then what the session owns beyond them. */
  #closeSession(zxid: Zxid, sessionId: SessionId, txn: CloseSessionTxn): ErrorCode {
    for (const path of txn.paths) this.#delete(zxid, path);
    if (this.ephemerals.countOf(sessionId) > 0) {
      for (const node of [...this.ephemerals.of(sessionId)]) this.#delete(zxid, node.path);
    }
    this.changes?.beforeSessionChange(sessionId);
    this.sessions.delete(sessionId);
    return ErrorCode.ok;
  }

  #result(body: TxnBody, error: ErrorCode, stat: Stat | null): ApplyResult {
    const path = 'path' in body ? body.path : null;
    return { type: body.type, error, path, stat, results: NO_RESULTS };
  }
}
