/**
 * The watches of a client, by the server's paths: who is to be told, and what a new connection must
 * be told to watch. Servers know one watch per connection, path and kind; here each has its listeners.
 */

import { ErrorCode } from '../base/error-code.ts';
import { parseZxid } from '../base/ids.ts';
import { parentPath } from '../base/path.ts';
import { WatcherType } from '../base/watch-mode.ts';
import type { SetWatches2, WatcherEvent } from '../protocol/records/watch.ts';
import type { Chroot } from './chroot.ts';
import type { KeeperError } from './keeper-error.ts';
import type { Mailbox } from './mailbox.ts';
import {
  type NodeEvent,
  nodeEventType,
  type WatchEvent,
  type WatchListener,
  type WatchRemovedEvent,
} from './watch-event.ts';

/** data, exist and child fire once; they are the lists of setWatches, in its order. */
export const WATCH_KINDS = ['data', 'exist', 'child', 'persistent', 'recursive'] as const;
export type WatchKind = (typeof WATCH_KINDS)[number];

/** Length field of a path. */
const PATH_OVERHEAD_BYTES = 4;

const REMOVED_TYPES: Readonly<Record<WatchKind, WatchRemovedEvent['type']>> = {
  data: 'dataWatchRemoved',
  exist: 'dataWatchRemoved',
  child: 'childWatchRemoved',
  persistent: 'persistentWatchRemoved',
  recursive: 'persistentWatchRemoved',
};

export class WatchRegistry {
  readonly #chroot: Chroot;
  readonly #mailbox: Mailbox;
  readonly #byKind: Readonly<Record<WatchKind, Map<string, Set<WatchListener>>>> = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
    persistent: new Map(),
    recursive: new Map(),
  };

  constructor(chroot: Chroot, mailbox: Mailbox) {
    this.#chroot = chroot;
    this.#mailbox = mailbox;
  }

  /** Listeners in all. */
  get count(): number {
    let count = 0;
    for (const kind of WATCH_KINDS) {
      for (const listeners of this.#byKind[kind].values()) count += listeners.size;
    }
    return count;
  }

  add(kind: WatchKind, path: string, listener: WatchListener): void {
    const listeners = this.#byKind[kind].get(path);
    if (listeners === undefined) this.#byKind[kind].set(path, new Set([listener]));
    else listeners.add(listener);
  }

  remove(kind: WatchKind, path: string, listener: WatchListener): void {
    const listeners = this.#byKind[kind].get(path);
    if (listeners?.delete(listener) === true && listeners.size === 0) {
      this.#byKind[kind].delete(path);
    }
  }

  has(kind: WatchKind, path: string): boolean {
    return this.#byKind[kind].has(path);
  }

  hasAny(path: string): boolean {
    return WATCH_KINDS.some((kind) => this.has(kind, path));
  }

  /** Tells the owners of an event that a server sent, each once, and forgets watches it used up. */
  fire(event: WatcherEvent, zxid: number): void {
    const type = nodeEventType(event.type);
    const { path } = event;
    if (type === undefined || path === null) return;
    const listeners = new Set<WatchListener>();
    this.#collect(type, path, listeners);
    if (listeners.size === 0) return;
    const known = zxid > 0 ? parseZxid(zxid) : undefined;
    const told: NodeEvent = { type, path: this.#chroot.toClient(path), zxid: known };
    for (const listener of listeners) this.#mailbox.deliver(listener, told);
  }

  #collect(type: NodeEvent['type'], path: string, listeners: Set<WatchListener>): void {
    if (type === 'childrenChanged') this.#takeOnce('child', path, listeners);
    else {
      this.#takeOnce('data', path, listeners);
      this.#takeOnce('exist', path, listeners);
      if (type === 'deleted') this.#takeOnce('child', path, listeners);
    }
    for (const listener of this.#byKind.persistent.get(path) ?? []) listeners.add(listener);
    if (type !== 'childrenChanged') this.#collectAbove(path, listeners);
  }

  #takeOnce(kind: WatchKind, path: string, listeners: Set<WatchListener>): void {
    for (const listener of this.#byKind[kind].get(path) ?? []) listeners.add(listener);
    this.#byKind[kind].delete(path);
  }

  /** Recursive watches at the path and on the way up to the root. */
  #collectAbove(path: string, listeners: Set<WatchListener>): void {
    const { recursive } = this.#byKind;
    if (recursive.size === 0) return;
    for (let at = path; ; at = parentPath(at)) {
      for (const listener of recursive.get(at) ?? []) listeners.add(listener);
      if (at === '/' || at === '') return;
    }
  }

  /**
   * What a new connection is asked to watch, in requests whose paths take at most so many bytes (one
   * path more when a single one is longer).
   */
  *lists(relativeZxid: number, bytesMax: number): Generator<SetWatches2> {
    let lists = emptyLists();
    let bytes = 0;
    for (const kind of WATCH_KINDS) {
      for (const path of this.#byKind[kind].keys()) {
        const pathBytes = PATH_OVERHEAD_BYTES + Buffer.byteLength(path);
        if (bytes > 0 && bytes + pathBytes > bytesMax) {
          yield { relativeZxid, ...lists };
          lists = emptyLists();
          bytes = 0;
        }
        lists[kind].push(path);
        bytes += pathBytes;
      }
    }
    if (bytes > 0) yield { relativeZxid, ...lists };
  }

  /** The server has taken the lists on. */
  rearmed({ persistent, recursive }: SetWatches2): void {
    this.#tell('persistent', persistent ?? [], (path) => ({ type: 'rearmed', path }));
    this.#tell('recursive', recursive ?? [], (path) => ({ type: 'rearmed', path }));
  }

  /** The server has refused the lists: those watches exist no more. */
  refused(lists: SetWatches2, error: KeeperError): void {
    for (const kind of WATCH_KINDS) {
      // A server too old for lasting watches refuses the record, not what it knows itself.
      const isLasting = kind === 'persistent' || kind === 'recursive';
      if (error.number === ErrorCode.unimplemented && !isLasting) continue;
      const paths = lists[kind] ?? [];
      this.#tell(kind, paths, (path) => ({ type: 'ended', path, error }));
      for (const path of paths) this.#byKind[kind].delete(path);
    }
  }

  /** Removes what a type of removeWatches means, and tells the owners: one event for kinds that share a type. */
  removeType(path: string, type: WatcherType): void {
    const events = new Map<WatchEvent['type'], WatchRemovedEvent>();
    for (const kind of kindsOf(type)) {
      const removed = REMOVED_TYPES[kind];
      const event = events.get(removed) ?? { type: removed, path: this.#chroot.toClient(path) };
      events.set(removed, event);
      this.#tell(kind, [path], () => event);
      this.#byKind[kind].delete(path);
    }
  }

  /** No watch will ever fire again. */
  end(error: KeeperError): void {
    for (const kind of WATCH_KINDS) {
      const paths = [...this.#byKind[kind].keys()];
      this.#tell(kind, paths, (path) => ({ type: 'ended', path, error }));
      this.#byKind[kind].clear();
    }
  }

  #tell(kind: WatchKind, paths: readonly string[], make: (path: string) => WatchEvent): void {
    for (const path of paths) {
      const event = make(this.#chroot.toClient(path));
      for (const listener of this.#byKind[kind].get(path) ?? []) {
        this.#mailbox.deliver(listener, event);
      }
    }
  }
}

/** The kinds that removeWatches takes away for a type. */
export function kindsOf(type: WatcherType): readonly WatchKind[] {
  switch (type) {
    case WatcherType.children:
      return ['child'];
    case WatcherType.data:
      return ['data', 'exist'];
    case WatcherType.any:
      return WATCH_KINDS;
    case WatcherType.persistent:
      return ['persistent'];
    case WatcherType.recursive:
      return ['recursive'];
  }
}

function emptyLists(): Record<WatchKind, string[]> {
  return { data: [], exist: [], child: [], persistent: [], recursive: [] };
}
