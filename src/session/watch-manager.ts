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

export class WatchManager implements TreeListener {
  readonly #data = new WatchIndex<Watcher>();
  readonly #children = new WatchIndex<Watcher>();
  readonly #persistent = new WatchIndex<Watcher>();
  readonly #recursive = new WatchIndex<Watcher>();

  /** Watches of both tables; several modes of one connection at one path are one watch of a table. */
  get count(): number {
    return this.dataWatchCount + unionCount([this.#children, this.#persistent]);
  }

  /** Watches of the data table: what the `wchs` command and its kin speak of. */
  get dataWatchCount(): number {
    return unionCount(this.#dataTable);
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

  /** Arms the watch of getData or exists: creation, deletion or change of the node's data. */
  addDataWatch(path: string, watcher: Watcher): void {
    this.#data.add(path, watcher);
  }

  /** Arms the watch of getChildren: deletion of the node, creation or deletion of a child. */
  addChildWatch(path: string, watcher: Watcher): void {
    this.#children.add(path, watcher);
  }

  /** Arms a watch that stays until it is removed or the connection closes. */
  addLastingWatch(path: string, watcher: Watcher, mode: WatchMode): void {
    const index = mode === WatchMode.recursive ? this.#recursive : this.#persistent;
    index.add(path, watcher);
  }

  /** Whether the connection has a watch of the type at exactly this path. */
  has(path: string, watcher: Watcher, type: WatcherType): boolean {
    return this.#ofType(type).some((index) => index.has(path, watcher));
  }

  /** Removes the connection's watches of the type at exactly this path; false when it has none. */
  remove(path: string, watcher: Watcher, type: WatcherType): boolean {
    let isRemoved = false;
    for (const index of this.#ofType(type)) {
      if (index.remove(path, watcher)) isRemoved = true;
    }
    return isRemoved;
  }

  /** The connection is gone: so are its watches. */
  removeWatcher(watcher: Watcher): void {
    this.#data.removeWatcher(watcher);
    this.#children.removeWatcher(watcher);
    this.#persistent.removeWatcher(watcher);
    this.#recursive.removeWatcher(watcher);
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

  get #dataTable(): readonly WatchIndex<Watcher>[] {
    return [this.#data, this.#persistent, this.#recursive];
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
        return [this.#data, this.#children, this.#persistent, this.#recursive];
      case WatcherType.persistent:
        return [this.#persistent];
      case WatcherType.recursive:
        return [this.#recursive];
    }
  }

  /** Whom the data table names for the path; the one-shot watches among them are used up. */
  #takeData(path: string): Set<Watcher> | undefined {
    let watchers = this.#data.take(path);
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
    const watchers = this.#children.take(path);
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

/** Pairs that are in at least one of the indexes. */
function unionCount(indexes: readonly WatchIndex<Watcher>[]): number {
  const [first, ...rest] = indexes;
  let count = first?.count ?? 0;
  for (const [at, index] of rest.entries()) {
    const before = indexes.slice(0, at + 1);
    for (const [path, watchers] of index.byPath) {
      for (const watcher of watchers) {
        if (!before.some((other) => other.has(path, watcher))) count += 1;
      }
    }
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
