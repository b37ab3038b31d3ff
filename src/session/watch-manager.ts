/**
 * Who wants to hear of what. As in the original there are two tables: the data table for creation,
 * deletion and change of a node's data, the child table for its children and its deletion. A watch
 * is in them in one of three modes, which stand beside each other on one path without interfering:
 *
 * - one-shot, in one table (getData and exists in the data table, getChildren in the child table):
 *   what triggers it removes it;
 * - persistent, in both tables, until it is removed;
 * - recursive, in the data table, for the path and everything below it, until it is removed.
 *
 * Watches belong to a connection, not to a session. Whatever modes a connection has at a path, it is
 * told once per table and trigger.
 *
 * The tree calls this object while it applies a transaction (it is the tree's listener), and each
 * watcher is told at once, so that an event is in a connection's outgoing bytes before any reply
 * that could reveal its cause. Whoever may not read the node hears nothing, and its one-shot watch
 * is used up all the same.
 *
 * Setting, triggering and removing a watch cost O(1) for each connection concerned, whatever else is
 * watched; how many there are is counted along.
 */

import { type Acl, OPEN_ACL } from '../base/acl.ts';
import type { SessionId } from '../base/ids.ts';
import { EventType } from '../base/watch-event.ts';
import { WatcherType, WatchMode } from '../base/watch-mode.ts';
import type { TreeListener } from '../store/tree-listener.ts';
import type { Znode } from '../store/znode.ts';
import { WatchIndex } from './watch-index.ts';

/** A connection, as far as watches are concerned. */
export interface Watcher {
  /** The session it serves, for people who ask who watches what. */
  readonly sessionId: SessionId;
  /** Whether a node with this ACL may be read. */
  mayRead(acl: readonly Acl[]): boolean;
  /** Something happened at the path. Called inside the apply step: take note, do not act on the tree. */
  notify(type: EventType, path: string): void;
}

/** How much room watches may take, each one unit and more where its path is long. */
export interface WatchLimits {
  readonly perWatcher: number;
  readonly inAll: number;
}

const NO_LIMITS: WatchLimits = { perWatcher: Infinity, inAll: Infinity };

export class WatchManager implements TreeListener {
  readonly #limits: WatchLimits;
  readonly #data = new WatchIndex<Watcher>();
  readonly #children = new WatchIndex<Watcher>();
  readonly #persistent = new WatchIndex<Watcher>();
  readonly #recursive = new WatchIndex<Watcher>();
  readonly #all = [this.#data, this.#children, this.#persistent, this.#recursive] as const;
  readonly #dataTable = [this.#data, this.#persistent, this.#recursive] as const;
  readonly #childTable = [this.#children, this.#persistent] as const;

  /** Pairs of path and connection in each of the tables. */
  #dataTableCount = 0;
  #childTableCount = 0;

  constructor(limits: WatchLimits = NO_LIMITS) {
    this.#limits = limits;
  }

  /** Watches of both tables; several modes of one connection at one path are one watch of a table. */
  get count(): number {
    return this.#dataTableCount + this.#childTableCount;
  }

  /** Watches of the data table: what the `wchs` command and its kin speak of. */
  get dataWatchCount(): number {
    return this.#dataTableCount;
  }

  /** Paths with at least one watch in the data table. */
  get dataPathCount(): number {
    return keyCount(this.#dataTable.map((index) => index.byPath));
  }

  /** Connections with at least one watch in the data table. */
  get dataWatcherCount(): number {
    return keyCount(this.#dataTable.map((index) => index.byWatcher));
  }

  /** Paths with at least one watch in the data table, with who watches them. */
  get dataWatches(): ReadonlyMap<string, ReadonlySet<Watcher>> {
    if (!this.#hasLasting) return this.#data.byPath;
    return union(this.#dataTable.map((index) => index.byPath));
  }

  /** Connections with at least one watch in the data table, with what they watch. */
  get dataWatchers(): ReadonlyMap<Watcher, ReadonlySet<string>> {
    if (!this.#hasLasting) return this.#data.byWatcher;
    return union(this.#dataTable.map((index) => index.byWatcher));
  }

  /**
   * Arms the watch of getData or exists: creation, deletion or change of the node's data. Like the
   * other two it returns false, and arms nothing, where a limit is reached; what is armed already
   * is no matter of limits.
   */
  addDataWatch(path: string, watcher: Watcher): boolean {
    return this.#add(this.#data, path, watcher);
  }

  /** Arms the watch of getChildren: deletion of the node, creation or deletion of a child. */
  addChildWatch(path: string, watcher: Watcher): boolean {
    return this.#add(this.#children, path, watcher);
  }

  /** Arms a watch that stays until it is removed or the connection closes. */
  addLastingWatch(path: string, watcher: Watcher, mode: WatchMode): boolean {
    const index = mode === WatchMode.recursive ? this.#recursive : this.#persistent;
    return this.#add(index, path, watcher);
  }

  /** Whether the connection has a watch of the type at exactly this path. */
  has(path: string, watcher: Watcher, type: WatcherType): boolean {
    return this.#ofType(type).some((index) => index.has(path, watcher));
  }

  /** Removes the connection's watches of the type at exactly this path; false when it has none. */
  remove(path: string, watcher: Watcher, type: WatcherType): boolean {
    let isRemoved = false;
    for (const index of this.#ofType(type)) {
      if (!index.remove(path, watcher)) continue;
      this.#countPair(index, path, watcher, -1);
      isRemoved = true;
    }
    return isRemoved;
  }

  /** The connection is gone: so are its watches. */
  removeWatcher(watcher: Watcher): void {
    for (const index of this.#all) {
      const paths = index.byWatcher.get(watcher);
      if (paths === undefined) continue;
      index.removeWatcher(watcher);
      for (const path of paths) this.#countPair(index, path, watcher, -1);
    }
  }

  created(path: string, node: Pick<Znode, 'acl'>): void {
    notifyAll(this.#takeData(path), EventType.nodeCreated, path, node.acl);
  }

  /** A connection that watches both data and children of the node hears of its deletion once. */
  deleted(path: string, node: Pick<Znode, 'acl'>): void {
    const told = this.#takeData(path);
    const watchers = this.#takeChildren(path);
    notifyAll(told, EventType.nodeDeleted, path, node.acl);
    if (watchers === undefined) return;
    if (told !== undefined) for (const watcher of told) watchers.delete(watcher);
    notifyAll(watchers, EventType.nodeDeleted, path, node.acl);
  }

  dataChanged(path: string, node: Pick<Znode, 'acl'>): void {
    notifyAll(this.#takeData(path), EventType.nodeDataChanged, path, node.acl);
  }

  childrenChanged(parentPath: string, parent: Pick<Znode, 'acl'>): void {
    const watchers = this.#takeChildren(parentPath);
    notifyAll(watchers, EventType.nodeChildrenChanged, parentPath, parent.acl);
  }

  #add(index: WatchIndex<Watcher>, path: string, watcher: Watcher): boolean {
    if (index.has(path, watcher)) return true;
    if (this.#isFull(watcher)) return false;
    index.add(path, watcher);
    this.#countPair(index, path, watcher, 1);
    return true;
  }

  #isFull(watcher: Watcher): boolean {
    const { perWatcher, inAll } = this.#limits;
    let all = 0;
    let own = 0;
    for (const index of this.#all) {
      all += index.units;
      own += index.unitsOf(watcher);
    }
    return all >= inAll || own >= perWatcher;
  }

  /** A pair has come into an index (1) or gone from it (-1): no other mode stands for it in a table. */
  #countPair(index: WatchIndex<Watcher>, path: string, watcher: Watcher, change: 1 | -1): void {
    const isOfData = index !== this.#children;
    if (isOfData && !isInOther(this.#dataTable, index, path, watcher)) {
      this.#dataTableCount += change;
    }
    const isOfChildren = index === this.#children || index === this.#persistent;
    if (isOfChildren && !isInOther(this.#childTable, index, path, watcher)) {
      this.#childTableCount += change;
    }
  }

  /** Takes the one-shot watches of an index at the path. */
  #take(index: WatchIndex<Watcher>, path: string): Set<Watcher> | undefined {
    const watchers = index.take(path);
    if (watchers === undefined) return undefined;
    if (this.#hasLasting) {
      for (const watcher of watchers) this.#countPair(index, path, watcher, -1);
    } else if (index === this.#data) this.#dataTableCount -= watchers.size;
    else this.#childTableCount -= watchers.size;
    return watchers;
  }

  get #hasLasting(): boolean {
    return this.#persistent.count + this.#recursive.count > 0;
  }

  #ofType(type: WatcherType): readonly WatchIndex<Watcher>[] {
    switch (type) {
      case WatcherType.children:
        return [this.#children];
      case WatcherType.data:
        return [this.#data];
      case WatcherType.any:
        return this.#all;
      case WatcherType.persistent:
        return [this.#persistent];
      case WatcherType.recursive:
        return [this.#recursive];
    }
  }

  /** Whom the data table names for the path; the one-shot watches among them are used up. */
  #takeData(path: string): Set<Watcher> | undefined {
    let watchers = this.#take(this.#data, path);
    if (this.#persistent.count > 0) {
      watchers = withOthers(watchers, this.#persistent.byPath.get(path));
    }
    if (this.#recursive.count === 0) return watchers;
    // Only now is it worth a walk: the path itself, then every ancestor up to the root.
    const { byPath } = this.#recursive;
    let at = path;
    while (at.length > 1) {
      watchers = withOthers(watchers, byPath.get(at));
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
    }
    return withOthers(watchers, byPath.get('/'));
  }

  /** Whom the child table names for the path; the one-shot watches among them are used up. */
  #takeChildren(path: string): Set<Watcher> | undefined {
    const watchers = this.#take(this.#children, path);
    if (this.#persistent.count === 0) return watchers;
    return withOthers(watchers, this.#persistent.byPath.get(path));
  }
}

/** Adds watchers to a set that is the caller's own, which is made when there is none. */
function withOthers(
  watchers: Set<Watcher> | undefined,
  others: ReadonlySet<Watcher> | undefined,
): Set<Watcher> | undefined {
  if (others === undefined) return watchers;
  if (watchers === undefined) return new Set(others);
  for (const other of others) watchers.add(other);
  return watchers;
}

function notifyAll(
  watchers: ReadonlySet<Watcher> | undefined,
  type: EventType,
  path: string,
  acl: readonly Acl[],
): void {
  if (watchers === undefined) return;
  const isOpen = acl === OPEN_ACL;
  for (const watcher of watchers) {
    if (isOpen || watcher.mayRead(acl)) watcher.notify(type, path);
  }
}

function isInOther(
  table: readonly WatchIndex<Watcher>[],
  index: WatchIndex<Watcher>,
  path: string,
  watcher: Watcher,
): boolean {
  for (const other of table) if (other !== index && other.has(path, watcher)) return true;
  return false;
}

/** Keys that are in at least one of the maps: looked up only for those behind the first. */
function keyCount<Key>(maps: readonly ReadonlyMap<Key, unknown>[]): number {
  const [first, ...rest] = maps;
  let count = first?.size ?? 0;
  for (const [at, map] of rest.entries()) {
    const before = maps.slice(0, at + 1);
    for (const key of map.keys()) if (!before.some((other) => other.has(key))) count += 1;
  }
  return count;
}

function union<Key, Value>(
  maps: readonly ReadonlyMap<Key, ReadonlySet<Value>>[],
): ReadonlyMap<Key, ReadonlySet<Value>> {
  const merged = new Map<Key, Set<Value>>();
  for (const map of maps) {
    for (const [key, values] of map) {
      const known = merged.get(key);
      if (known === undefined) merged.set(key, new Set(values));
      else for (const value of values) known.add(value);
    }
  }
  return merged;
}
