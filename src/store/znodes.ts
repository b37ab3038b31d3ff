/**
 * The znodes of a tree and all that follows from them: how many there are and how large, their digest,
 * who owns which, how far quotas are used, and what a checkpoint has to be told before a node changes.
 * Knows no transactions: what becomes of a node is for the caller to say.
 */

import { type Acl, OPEN_ACL, Perm } from '../base/acl.ts';
import { invariant } from '../base/assert.ts';
import { SESSION_NONE, type SessionId, ZXID_NONE, type Zxid } from '../base/ids.ts';
import { AclTable } from './acl-table.ts';
import type { ChangeTracker } from './change-tracker.ts';
import { TreeDigest } from './digest.ts';
import { Ephemerals } from './ephemerals.ts';
import { NodeTable } from './node-table.ts';
import { NodeKind, nodeKind } from './owner.ts';
import { PackRestorer, PLACEHOLDER } from './pack-restore.ts';
import { QuotaBook } from './quota.ts';
import { INT, NO_SLOT } from './stat-slab.ts';
import { type NodeFields, Znode } from './znode.ts';

const ZOOKEEPER_PATH = '/zookeeper';
const QUOTA_PATH = '/zookeeper/quota';
export const CONFIG_PATH = '/zookeeper/config';
const CONFIG_ACL: readonly Acl[] = [{ perms: Perm.read, scheme: 'world', id: 'anyone' }];
/** What data version and ACL version of the config node always show. */
export const CONFIG_VERSION = -1;
const EMPTY = new Uint8Array(0);
const SLASH = 0x2f;

export class Znodes {
  changes: ChangeTracker | undefined = undefined;
  readonly ephemerals: Ephemerals = new Ephemerals((slot) => this.#node(slot));
  readonly quotas: QuotaBook;
  readonly digest = new TreeDigest();
  readonly #extendedTypes: boolean;
  readonly #table = new NodeTable();
  readonly #acls = new AclTable();
  readonly #sweepable = new Set<number>();
  readonly #root: Znode;
  /** Parent of the node restored last, while a checkpoint is loaded. */
  #restoring: { readonly path: string; readonly node: Znode } | undefined;
  #count = 0;
  #dataSize = 0;

  /** Those that every tree has. */
  constructor(extendedTypes: boolean) {
    this.#extendedTypes = extendedTypes;
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

  get count(): number {
    return this.#count;
  }

  /** Sum over all nodes of path length (UTF-16 units) and data bytes. */
  get dataSize(): number {
    return this.#dataSize;
  }

  /** What a checkpoint needs for paths, data and ACLs of all nodes, at most. */
  get contentBytes(): number {
    const { dataBytes, wideNameCount } = this.#table;
    const content = this.#dataSize + this.#acls.storedBytes;
    if (wideNameCount === 0) return content;
    // A character takes up to three bytes; which paths hold such names is counted nowhere.
    return content + 2 * (this.#dataSize - dataBytes);
  }

  /** Containers and nodes with a time to live. */
  *sweepable(): Generator<Znode> {
    for (const slot of this.#sweepable) yield this.#node(slot);
  }

  find(path: string): Znode | undefined {
    return this.at(path, path.length);
  }

  /** The node at the part of a path before `end`. */
  at(path: string, end: number): Znode | undefined {
    const slot = this.#table.find(path, end);
    return slot === NO_SLOT ? undefined : this.#node(slot);
  }

  /** The child whose name follows the slash at `cut`. */
  child(parent: Znode, path: string, cut: number): Znode | undefined {
    const slot = this.#table.child(parent.slot, path, cut);
    return slot === NO_SLOT ? undefined : this.#node(slot);
  }

  /** All, parents before children. Nothing may change meanwhile. */
  *walk(): Generator<readonly [path: string, node: Znode]> {
    const pending: (readonly [string, Znode])[] = [['/', this.#root]];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      yield next;
      const [path, node] = next;
      const prefix = path === '/' ? path : `${path}/`;
      for (const child of node.children()) pending.push([prefix + child.name, child]);
    }
  }

  /** Of all nodes, in no order. Nodes may come, which may be left out, and go meanwhile. */
  *paths(): Generator<string> {
    const { slab, root } = this.#table;
    for (let slot = root; slot < slab.end; slot++) {
      if (slot === root || slab.int(slot, INT.parent) !== NO_SLOT) yield this.#node(slot).path;
    }
  }

  /** Before so many nodes are restored. */
  reserve(nodeCount: number): void {
    this.#table.reserve(nodeCount);
  }

  /**
   * Puts a node of a checkpoint into a tree that is being loaded, parents before children. False
   * when the parent is missing, the path cannot be one, or a node of every tree has an owner: the
   * checkpoint is damaged. `mark` becomes the node's `checkpointMark`.
   */
  restore(path: string, fields: NodeFields, mark: number): boolean {
    const cut = path.lastIndexOf('/');
    if (cut === -1 || (path.length > 1 && cut === path.length - 1)) return false;
    const parent = this.#parentToRestore(path, cut);
    if (parent === undefined) return false;
    let node = path.length === 1 ? this.#root : this.child(parent, path, cut);
    if (node === undefined) {
      const { acl, storedOwner, data } = fields;
      node = this.#insert(parent, path, acl, storedOwner, data?.length ?? 0);
    } else if (node.checkpointMark === PLACEHOLDER) {
      node = this.#settle(node.slot, path, fields.acl, fields.storedOwner);
    } else {
      if (node.storedOwner !== fields.storedOwner) return false;
      this.replaceAcl(node, fields.acl, fields.aversion);
      this.#dataSize -= node.dataLength;
    }
    node.recordFields(fields);
    node.checkpointMark = mark;
    this.#dataSize += node.dataLength;
    this.digest.contentChanged(node, path, fields.data);
    this.quotas.restored(path);
    return true;
  }

  /** Puts in the packs of a checkpoint, from the newest on. */
  restorer(): PackRestorer {
    return new PackRestorer({
      table: this.#table,
      acls: this.#acls,
      digest: this.digest,
      restoreNode: (path, fields, mark) => this.restore(path, fields, mark),
      came: (nodeCount, size) => {
        this.#count += nodeCount;
        this.#dataSize += size;
      },
    });
  }

  /** All that were to be restored are. */
  restored(): void {
    this.#restoring = undefined;
  }

  /** Links a new node under its parent, with the ACL, owner and data it is born with. */
  create(
    parent: Znode,
    path: string,
    acl: readonly Acl[],
    owner: SessionId,
    data: Uint8Array | null,
    zxid: Zxid,
    timeMs: number,
  ): Znode {
    const node = this.#insert(parent, path, acl, owner, data?.length ?? 0);
    this.#bear(node, path, data, zxid, timeMs);
    const changes = this.changes;
    if (changes !== undefined) {
      node.checkpointMark = changes.mark;
      changes.created(node, path);
    }
    this.quotas.created(path, node);
    return node;
  }

  replaceData(
    node: Znode,
    path: string,
    data: Uint8Array | null,
    version: number,
    zxid: Zxid,
    timeMs: number,
  ): void {
    this.beforeChange(node, path);
    this.#dataSize -= node.dataLength;
    node.recordData(data, version, zxid, timeMs);
    this.#dataSize += node.dataLength;
    this.digest.contentChanged(node, path, data);
  }

  replaceAcl(node: Znode, acl: readonly Acl[], aversion: number): void {
    const old = node.sharedAcl;
    node.recordAcl(this.#acls.acquire(acl), aversion);
    this.#acls.release(old);
  }

  /**
   * A node deleted by a validated transaction has no children; one overtaken on replay may. The node
   * itself stays readable until the caller releases it.
   */
  remove(node: Znode, path: string): void {
    if (node.numChildren > 0) {
      for (const child of [...node.children()]) {
        this.remove(child, `${path}/${child.name}`);
        child.release();
      }
    }
    this.changes?.beforeDelete(node, path);
    this.#unlink(node, path);
  }

  /** What a checkpoint under way has not written yet of the node, it has to take now. */
  beforeChange(node: Znode, path: string): void {
    const changes = this.changes;
    if (changes === undefined || node.checkpointMark === changes.mark) return;
    changes.beforeChange(node, path);
    node.checkpointMark = changes.mark;
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

  /** Quota bookkeeping: below `/zookeeper`, so no digest covers the node. */
  #rewrite(node: Znode, path: string, data: string): void {
    invariant(!node.isCounted, 'bookkeeping in a node that the digest covers');
    this.beforeChange(node, path);
    this.#dataSize += data.length - node.dataLength;
    node.recordText(data);
  }

  #node(slot: number): Znode {
    return new Znode(this.#table, this.#acls, slot);
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
    this.#count += 1;
    this.#dataSize += path.length;
    return node;
  }

  #bear(node: Znode, path: string, data: Uint8Array | null, zxid: Zxid, timeMs: number): void {
    node.recordBirth(data, zxid, timeMs);
    this.#dataSize += node.dataLength;
    this.digest.contentChanged(node, path, data);
  }

  #unlink(node: Znode, path: string): void {
    this.#table.remove(node.slot);
    if (node.isEphemeral) this.ephemerals.remove(node.storedOwner, node.slot);
    else if (node.kind !== NodeKind.persistent) this.#sweepable.delete(node.slot);
    this.digest.removed(node);
    this.#count -= 1;
    this.#dataSize -= path.length + node.dataLength;
    this.quotas.deleted(path, node);
  }
}
