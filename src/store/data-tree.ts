/**
 * The replicated state of a server: znodes, sessions and who owns which ephemeral node, kept in
 * memory and changed only by `apply`. Every replica that applies the same transactions in the same
 * order holds the same tree: time, session and final names come with the transaction, nothing from
 * a local clock, a random number or the order of a foreign map.
 *
 * Applying is total: the leader validated what it made a transaction of, and where a tree is
 * already ahead of it (an imported snapshot, taken while changes went on) it is overtaken quietly,
 * as the original does when it replays its log.
 */

import { type Acl, OPEN_ACL, Perm } from '../base/acl.ts';
import { invariant, unreachable } from '../base/assert.ts';
import { ErrorCode } from '../base/error-code.ts';
import { follows, SESSION_NONE, type SessionId, ZXID_NONE, type Zxid } from '../base/ids.ts';
import type { Stat } from '../base/stat.ts';
import { AclTable } from './acl-table.ts';
import type { ChangeTracker } from './change-tracker.ts';
import { TreeDigest } from './digest.ts';
import { Ephemerals } from './ephemerals.ts';
import { NodeTable } from './node-table.ts';
import { NodeKind, nodeKind } from './owner.ts';
import { QuotaBook } from './quota.ts';
import { SessionTable } from './session-table.ts';
import { NO_SLOT } from './stat-slab.ts';
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

const ZOOKEEPER_PATH = '/zookeeper';
const QUOTA_PATH = '/zookeeper/quota';
const CONFIG_PATH = '/zookeeper/config';
const CONFIG_ACL: readonly Acl[] = [{ perms: Perm.read, scheme: 'world', id: 'anyone' }];
/** What data version and ACL version of the config node always show. */
const CONFIG_VERSION = -1;
const EMPTY = new Uint8Array(0);
/** In a create of the oldest log format: one more than the parent has. */
const CVERSION_UNKNOWN = -1;
const SLASH = 0x2f;

export class DataTree {
  listener: TreeListener | undefined = undefined;
  changes: ChangeTracker | undefined = undefined;
  /** Read-only outside: changed by transactions. */
  readonly sessions: SessionTable = new SessionTable();
  /** Read-only outside: changed by transactions. */
  readonly ephemerals: Ephemerals = new Ephemerals((slot) => this.#node(slot));
  /** Read-only outside: kept current by transactions. */
  readonly quotas: QuotaBook;
  readonly #extendedTypes: boolean;
  readonly #table = new NodeTable();
  readonly #acls = new AclTable();
  readonly #digest = new TreeDigest();
  readonly #sweepable = new Set<number>();
  readonly #root: Znode;
  /** What the operation being applied created or changed by itself; for its result. */
  #touched: Znode | undefined = undefined;
  /** Parent of the node restored last, while a checkpoint is loaded. */
  #restoring: { readonly path: string; readonly node: Znode } | undefined;
  #lastZxid: Zxid = ZXID_NONE;
  #nodeCount = 0;
  #dataSize = 0;

  /** The tree of a database nothing was written to yet. */
  constructor(options: DataTreeOptions = {}) {
    this.#extendedTypes = options.extendedTypes ?? false;
    this.quotas = new QuotaBook({
      find: (path) => this.find(path),
      rewrite: (node, path, data) => this.#rewrite(node, path, data),
    });
    this.#root = this.#settle(this.#table.root, '/', OPEN_ACL, SESSION_NONE);
    this.#bear(this.#root, '/', EMPTY, ZXID_NONE, 0);
    const zookeeper = this.#insert(this.#root, ZOOKEEPER_PATH, OPEN_ACL, SESSION_NONE, 0);
    this.#bear(zookeeper, ZOOKEEPER_PATH, EMPTY, ZXID_NONE, 0);
    const config = this.#insert(zookeeper, CONFIG_PATH, CONFIG_ACL, SESSION_NONE, 0);
    config.recordAcl(config.sharedAcl, CONFIG_VERSION);
    this.#bear(config, CONFIG_PATH, EMPTY, ZXID_NONE, 0);
    const quota = this.#insert(zookeeper, QUOTA_PATH, OPEN_ACL, SESSION_NONE, 0);
    this.#bear(quota, QUOTA_PATH, EMPTY, ZXID_NONE, 0);
  }

  /** Zxid of the last transaction applied, or of the checkpoint restored. */
  get lastZxid(): Zxid {
    return this.#lastZxid;
  }

  /** All nodes, the root and those of `/zookeeper` included. */
  get nodeCount(): number {
    return this.#nodeCount;
  }

  get ephemeralCount(): number {
    return this.ephemerals.count;
  }

  get sessionCount(): number {
    return this.sessions.size;
  }

  /** Sum over all nodes of path length (UTF-16 units) and data bytes, as `zk_approximate_data_size`. */
  get approximateDataSize(): number {
    return this.#dataSize;
  }

  /** Sum of the node digests modulo 2^64; see `digest.ts`. */
  get digest(): bigint {
    return this.#digest.value;
  }

  get digestHex(): string {
    return this.#digest.hex;
  }

  /** Containers and nodes with a time to live: what the leader's sweep looks at. */
  *sweepable(): Generator<Znode> {
    for (const slot of this.#sweepable) yield this.#node(slot);
  }

  /** The node at a path, `""` being the root too. Paths are not validated: a bad one has no node. */
  find(path: string): Znode | undefined {
    return this.#nodeAt(path, path.length);
  }

  /** Every node with its path, parents before children. The tree must not change meanwhile. */
  *walk(): Generator<readonly [path: string, node: Znode]> {
    const pending: (readonly [string, Znode])[] = [['/', this.#root]];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      yield next;
      const [path, node] = next;
      const prefix = path === '/' ? path : `${path}/`;
      for (const child of node.children()) pending.push([prefix + child.name, child]);
    }
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
    this.#replaceData(node, CONFIG_PATH, text, CONFIG_VERSION, configZxid, node.mtimeMs);
    this.listener?.dataChanged(CONFIG_PATH, node);
  }

  /** Before a checkpoint of so many nodes is put in. */
  reserve(nodeCount: number): void {
    this.#table.reserve(nodeCount);
  }

  /**
   * Puts a node of a checkpoint into a tree that is being loaded, parents before children. False
   * when the parent is missing, the path cannot be one, or a node of every tree has an owner: the
   * checkpoint is damaged. `mark` becomes the node's `checkpointMark`.
   */
  restoreNode(path: string, fields: NodeFields, mark = 0): boolean {
    const cut = path.lastIndexOf('/');
    if (cut === -1 || (path.length > 1 && cut === path.length - 1)) return false;
    const parent = this.#parentToRestore(path, cut);
    if (parent === undefined) return false;
    let node = path.length === 1 ? this.#root : this.#child(parent, path, cut);
    if (node === undefined) {
      const { acl, storedOwner, data } = fields;
      node = this.#insert(parent, path, acl, storedOwner, data?.length ?? 0);
    } else {
      if (node.storedOwner !== fields.storedOwner) return false;
      this.#replaceAcl(node, fields.acl, fields.aversion);
      this.#dataSize -= node.dataLength;
    }
    node.recordFields(fields);
    node.checkpointMark = mark;
    this.#dataSize += node.dataLength;
    this.#digest.contentChanged(node, path, fields.data);
    this.quotas.restored(path);
    return true;
  }

  /** Siblings follow each other in a checkpoint, so that most have the parent of the one before. */
  #parentToRestore(path: string, cut: number): Znode | undefined {
    const parentPath = path.slice(0, cut);
    const known = this.#restoring;
    if (known?.path === parentPath) return known.node;
    const node = this.find(parentPath);
    this.#restoring = node && { path: parentPath, node };
    return node;
  }

  restoreSession(sessionId: SessionId, timeoutMs: number): void {
    this.sessions.set(sessionId, timeoutMs);
  }

  /** Ends loading: the tree is as it was after this zxid. */
  restoreZxid(zxid: Zxid): void {
    invariant(this.#lastZxid === ZXID_NONE, 'checkpoint loaded into a used tree');
    this.#restoring = undefined;
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
    const path = txn.path;
    const cut = path.lastIndexOf('/');
    const parent = this.#nodeAt(path, cut);
    if (parent === undefined) return ErrorCode.noNode;
    const parentPath = cut === 0 ? '/' : path.slice(0, cut);
    this.#beforeChange(parent, parentPath);
    const creates =
      txn.parentCversion === CVERSION_UNKNOWN ? parent.creates + 1 : txn.parentCversion;
    parent.recordChildCreated(creates, zxid);
    this.#digest.statChanged(parent);
    const existing = this.#child(parent, path, cut);
    if (existing !== undefined) {
      this.#beforeChange(existing, path);
      this.#replaceAcl(existing, txn.acl, existing.aversion);
      return ErrorCode.nodeExists;
    }
    const node = this.#insert(parent, path, txn.acl, txn.ephemeralOwner, txn.data?.length ?? 0);
    this.#bear(node, path, txn.data, zxid, timeMs);
    const changes = this.changes;
    if (changes !== undefined) {
      node.checkpointMark = changes.mark;
      changes.created(node, path);
    }
    this.quotas.created(path, node);
    this.#touched = node;
    this.listener?.created(path, node);
    this.listener?.childrenChanged(parentPath, parent);
    return ErrorCode.ok;
  }

  #delete(zxid: Zxid, path: string): ErrorCode {
    const cut = path.lastIndexOf('/');
    const parent = this.#nodeAt(path, cut);
    if (parent === undefined || path === '/') return ErrorCode.noNode;
    const parentPath = cut === 0 ? '/' : path.slice(0, cut);
    this.#beforeChange(parent, parentPath);
    parent.recordChildDeleted(zxid);
    this.#digest.statChanged(parent);
    const node = this.#child(parent, path, cut);
    if (node === undefined) return ErrorCode.noNode;
    this.#removeSubtree(node, path);
    this.listener?.deleted(path, node);
    this.listener?.childrenChanged(parentPath, parent);
    node.release();
    return ErrorCode.ok;
  }

  #setData(zxid: Zxid, timeMs: number, txn: SetDataTxn): ErrorCode {
    const node = this.find(txn.path);
    if (node === undefined) return ErrorCode.noNode;
    const bytesBefore = node.dataLength;
    this.#replaceData(node, txn.path, txn.data, txn.version, zxid, timeMs);
    this.quotas.dataChanged(txn.path, node.dataLength - bytesBefore);
    this.#touched = node;
    this.listener?.dataChanged(txn.path, node);
    return ErrorCode.ok;
  }

  #setAcl(txn: SetAclTxn): ErrorCode {
    const node = this.find(txn.path);
    if (node === undefined) return ErrorCode.noNode;
    this.#beforeChange(node, txn.path);
    this.#replaceAcl(node, txn.acl, txn.version);
    this.#digest.statChanged(node);
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

  #replaceData(
    node: Znode,
    path: string,
    data: Uint8Array | null,
    version: number,
    zxid: Zxid,
    timeMs: number,
  ): void {
    this.#beforeChange(node, path);
    this.#dataSize -= node.dataLength;
    node.recordData(data, version, zxid, timeMs);
    this.#dataSize += node.dataLength;
    this.#digest.contentChanged(node, path, data);
  }

  /** Quota bookkeeping: below `/zookeeper`, so no digest covers the node. */
  #rewrite(node: Znode, path: string, data: string): void {
    invariant(!node.isCounted, 'bookkeeping in a node that the digest covers');
    this.#beforeChange(node, path);
    this.#dataSize += data.length - node.dataLength;
    node.recordText(data);
  }

  #replaceAcl(node: Znode, acl: readonly Acl[], aversion: number): void {
    const old = node.sharedAcl;
    node.recordAcl(this.#acls.acquire(acl), aversion);
    this.#acls.release(old);
  }

  #node(slot: number): Znode {
    return new Znode(this.#table, this.#acls, slot);
  }

  /** The node at the part of a path before `end`. */
  #nodeAt(path: string, end: number): Znode | undefined {
    const slot = this.#table.find(path, end);
    return slot === NO_SLOT ? undefined : this.#node(slot);
  }

  /** The child whose name follows the slash at `cut`. */
  #child(parent: Znode, path: string, cut: number): Znode | undefined {
    const slot = this.#table.child(parent.slot, path, cut);
    return slot === NO_SLOT ? undefined : this.#node(slot);
  }

  /** Links a new node under its parent, every number zero. */
  #insert(
    parent: Znode,
    path: string,
    acl: readonly Acl[],
    owner: SessionId,
    dataBytes: number,
  ): Znode {
    const slot = this.#table.insert(parent.slot, path, path.lastIndexOf('/'), dataBytes);
    return this.#settle(slot, path, acl, owner);
  }

  #settle(slot: number, path: string, acl: readonly Acl[], owner: SessionId): Znode {
    const node = this.#node(slot);
    const isCounted = !path.startsWith(ZOOKEEPER_PATH) || path.charCodeAt(10) !== SLASH;
    const kind = nodeKind(owner, this.#extendedTypes);
    node.recordNature(this.#acls.acquire(acl), owner, kind, isCounted);
    if (kind === NodeKind.ephemeral) this.ephemerals.add(owner, slot);
    else if (kind !== NodeKind.persistent) this.#sweepable.add(slot);
    this.#nodeCount += 1;
    this.#dataSize += path.length;
    return node;
  }

  #bear(node: Znode, path: string, data: Uint8Array | null, zxid: Zxid, timeMs: number): void {
    node.recordBirth(data, zxid, timeMs);
    this.#dataSize += node.dataLength;
    this.#digest.contentChanged(node, path, data);
  }

  /** A node deleted by a validated transaction has no children; one overtaken on replay may. */
  #removeSubtree(node: Znode, path: string): void {
    if (node.numChildren > 0) {
      for (const child of [...node.children()]) {
        this.#removeSubtree(child, `${path}/${child.name}`);
        child.release();
      }
    }
    this.changes?.beforeDelete(node, path);
    this.#remove(node, path);
  }

  /** Unlinks a node; its numbers, data and ACL stay readable until it is released. */
  #remove(node: Znode, path: string): void {
    this.#table.remove(node.slot);
    if (node.isEphemeral) this.ephemerals.remove(node.storedOwner, node.slot);
    else if (node.kind !== NodeKind.persistent) this.#sweepable.delete(node.slot);
    this.#digest.removed(node);
    this.#nodeCount -= 1;
    this.#dataSize -= path.length + node.dataLength;
    this.quotas.deleted(path, node);
  }

  #beforeChange(node: Znode, path: string): void {
    const changes = this.changes;
    if (changes === undefined || node.checkpointMark === changes.mark) return;
    changes.beforeChange(node, path);
    node.checkpointMark = changes.mark;
  }

  #result(body: TxnBody, error: ErrorCode, stat: Stat | null): ApplyResult {
    const path = 'path' in body ? body.path : null;
    return { type: body.type, error, path, stat, results: NO_RESULTS };
  }
}
