/**
 * What the tree will be once every transaction already made, but not yet applied, has been applied:
 * records laid over the tree, one per path touched. A request is validated against this view; that
 * is what makes the leader's answers final before anything is agreed upon.
 *
 * A record holds absolute values and replaces the path's older one; it leaves when the transaction
 * that made it has been applied, because then the tree says the same.
 */

import { type Acl, OPEN_ACL } from '../base/acl.ts';
import { SESSION_NONE, type SessionId, type Zxid } from '../base/ids.ts';
import type { DataTree } from './data-tree.ts';

/** What validation needs to know of a node; both a `Znode` and a pending one satisfy it. */
export interface NodeView {
  readonly version: number;
  readonly aversion: number;
  /** Children ever created: the next sequence number. */
  readonly creates: number;
  readonly numChildren: number;
  readonly dataLength: number;
  readonly acl: readonly Acl[];
  readonly storedOwner: SessionId;
  readonly isEphemeral: boolean;
}

/** The number of no record. */
const NOTHING = -1;

class PendingNode implements NodeView {
  readonly path: string;
  readonly zxid: Zxid;
  exists: boolean;
  version: number;
  aversion: number;
  creates: number;
  numChildren: number;
  dataLength: number;
  acl: readonly Acl[];
  storedOwner: SessionId;
  isEphemeral: boolean;
  /** Number of the record this one replaced, for the case that its request is undone. */
  replaced: number;

  constructor(path: string, zxid: Zxid, view: NodeView) {
    this.path = path;
    this.zxid = zxid;
    this.exists = true;
    this.version = view.version;
    this.aversion = view.aversion;
    this.creates = view.creates;
    this.numChildren = view.numChildren;
    this.dataLength = view.dataLength;
    this.acl = view.acl;
    this.storedOwner = view.storedOwner;
    this.isEphemeral = view.isEphemeral;
    this.replaced = NOTHING;
  }
}

/** What a new node starts from. */
const NEWBORN: NodeView = {
  version: 0,
  aversion: 0,
  creates: 0,
  numChildren: 0,
  dataLength: 0,
  acl: OPEN_ACL,
  storedOwner: SESSION_NONE,
  isEphemeral: false,
};

/** Applied records at the front of the queue are cut off when they are this many. */
const COMPACT_LENGTH = 1024;

export class Outstanding {
  readonly #tree: DataTree;
  /**
   * Number of the newest record of each path. Not the record itself: a map that takes and loses
   * thousands of entries a second is copied again and again, and each copy it leaves behind would keep
   * its records until the next full garbage collection.
   */
  readonly #byPath = new Map<string, number>();
  /** Every record made and not yet applied, oldest first, from `#head` on. */
  #queue: (PendingNode | undefined)[] = [];
  #head = 0;
  /** Number of the record at the queue's beginning; numbers are given out in order. */
  #firstNumber = 0;
  /** Paths with a pending ephemeral node, by owner; a path may have changed its owner since. */
  readonly #ephemeralPaths = new Map<SessionId, Set<string>>();

  constructor(tree: DataTree) {
    this.#tree = tree;
  }

  /** Paths with pending changes. */
  get size(): number {
    return this.#byPath.size;
  }

  /** Whether a transaction not yet applied changes the node or its children. */
  isPending(path: string): boolean {
    return this.#byPath.has(path);
  }

  /** The node as it will be. Here and below the root is `"/"` only. */
  find(path: string): NodeView | undefined {
    if (this.#byPath.size > 0) {
      const pending = this.#newest(path);
      if (pending !== undefined) return pending.exists ? pending : undefined;
    }
    return this.#tree.find(path);
  }

  /** A node without children will appear; its parent is told by `childCreated`. */
  created(
    path: string,
    zxid: Zxid,
    dataLength: number,
    acl: readonly Acl[],
    owner: SessionId,
    isEphemeral: boolean,
  ): void {
    const record = new PendingNode(path, zxid, NEWBORN);
    record.dataLength = dataLength;
    record.acl = acl;
    record.storedOwner = owner;
    record.isEphemeral = isEphemeral;
    this.#push(record);
  }

  /** The node, until now `view`, will be gone; its parent is told by `childDeleted`. */
  deleted(path: string, zxid: Zxid, view: NodeView): void {
    const record = new PendingNode(path, zxid, view);
    record.exists = false;
    this.#push(record);
  }

  childCreated(parentPath: string, zxid: Zxid, parent: NodeView, creates: number): void {
    const record = new PendingNode(parentPath, zxid, parent);
    record.creates = creates;
    record.numChildren += 1;
    this.#push(record);
  }

  childDeleted(parentPath: string, zxid: Zxid, parent: NodeView): void {
    const record = new PendingNode(parentPath, zxid, parent);
    record.numChildren -= 1;
    this.#push(record);
  }

  dataSet(path: string, zxid: Zxid, view: NodeView, version: number, dataLength: number): void {
    const record = new PendingNode(path, zxid, view);
    record.version = version;
    record.dataLength = dataLength;
    this.#push(record);
  }

  aclSet(path: string, zxid: Zxid, view: NodeView, acl: readonly Acl[], aversion: number): void {
    const record = new PendingNode(path, zxid, view);
    record.acl = acl;
    record.aversion = aversion;
    this.#push(record);
  }

  /** What `rollback` goes back to. */
  get position(): number {
    return this.#queue.length;
  }

  /** Undoes everything since `position`, as if the request had never been looked at. */
  rollback(position: number): void {
    for (let at = this.#queue.length - 1; at >= position; at--) {
      const record = this.#queue[at];
      if (record === undefined) continue;
      if (record.replaced === NOTHING) this.#byPath.delete(record.path);
      else this.#byPath.set(record.path, record.replaced);
      this.#forgetEphemeral(record);
    }
    this.#queue.length = position;
  }

  /** The tree has applied everything up to this zxid. */
  applied(zxid: Zxid): void {
    let record = this.#queue[this.#head];
    while (record !== undefined && record.zxid <= zxid) {
      const number = this.#firstNumber + this.#head;
      if (this.#byPath.get(record.path) === number) this.#byPath.delete(record.path);
      this.#queue[this.#head] = undefined;
      this.#head += 1;
      this.#forgetEphemeral(record);
      record = this.#queue[this.#head];
    }
    if (this.#head >= COMPACT_LENGTH && this.#head * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#firstNumber += this.#head;
      this.#head = 0;
    }
  }

  /** Paths of the session's ephemeral nodes as they will be, in the order of their creation. */
  ephemeralPaths(sessionId: SessionId): string[] {
    const paths: string[] = [];
    for (const node of this.#tree.ephemerals.of(sessionId)) {
      if (this.#isOwner(sessionId, node.path)) paths.push(node.path);
    }
    const pending = this.#ephemeralPaths.get(sessionId);
    if (pending === undefined) return paths;
    const known = new Set(paths);
    for (const path of pending) {
      if (!known.has(path) && this.#isOwner(sessionId, path)) paths.push(path);
    }
    return paths;
  }

  clear(): void {
    this.#byPath.clear();
    this.#ephemeralPaths.clear();
    this.#firstNumber += this.#queue.length;
    this.#queue = [];
    this.#head = 0;
  }

  /** The newest record of the path; undefined when none is pending. */
  #newest(path: string): PendingNode | undefined {
    const number = this.#byPath.get(path);
    return number === undefined ? undefined : this.#queue[number - this.#firstNumber];
  }

  #push(record: PendingNode): void {
    record.replaced = this.#byPath.get(record.path) ?? NOTHING;
    this.#byPath.set(record.path, this.#firstNumber + this.#queue.length);
    this.#queue.push(record);
    if (!record.exists || !record.isEphemeral) return;
    let paths = this.#ephemeralPaths.get(record.storedOwner);
    if (paths === undefined) {
      paths = new Set();
      this.#ephemeralPaths.set(record.storedOwner, paths);
    }
    paths.add(record.path);
  }

  /** After a record left: forgets its path unless the record now on top says the same owner. */
  #forgetEphemeral(record: PendingNode): void {
    if (!record.isEphemeral) return;
    const top = this.#newest(record.path);
    if (top?.exists === true && top.storedOwner === record.storedOwner) return;
    const paths = this.#ephemeralPaths.get(record.storedOwner);
    if (paths === undefined) return;
    paths.delete(record.path);
    if (paths.size === 0) this.#ephemeralPaths.delete(record.storedOwner);
  }

  #isOwner(sessionId: SessionId, path: string): boolean {
    const view = this.find(path);
    return view?.isEphemeral === true && view.storedOwner === sessionId;
  }
}
