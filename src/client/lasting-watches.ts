/**
 * Adds and removes persistent watches of single listeners. A server has one watch for all listeners
 * of a path and kind, so it is told to remove it only when nobody here wants it: neither a listener
 * that is registered nor one whose request is under way.
 */

import { ErrorCode } from '../base/error-code.ts';
import { WatcherType, WatchMode } from '../base/watch-mode.ts';
import type { Chroot } from './chroot.ts';
import type { Session } from './session.ts';
import { addWatchCall, removeWatchesCall } from './watch-calls.ts';
import type { WatchListener } from './watch-event.ts';

type LastingKind = 'persistent' | 'recursive';

/** A watch that `addWatch` set. */
export interface Watch {
  readonly path: string;
  readonly isRecursive: boolean;
  /** The listener is told nothing more, from this moment. */
  remove(): void;
}

const MODES = { persistent: WatchMode.persistent, recursive: WatchMode.recursive } as const;
const TYPES = { persistent: WatcherType.persistent, recursive: WatcherType.recursive } as const;

export class LastingWatches {
  readonly #session: Session;
  readonly #chroot: Chroot;
  /** Requests under way by kind and server path. */
  readonly #underWay = {
    persistent: new Map<string, number>(),
    recursive: new Map<string, number>(),
  };

  constructor(session: Session, chroot: Chroot) {
    this.#session = session;
    this.#chroot = chroot;
  }

  /** `ready` settles with the server's answer; `remove` may be called before. */
  add(
    path: string,
    isRecursive: boolean,
    listener: WatchListener,
    signal?: AbortSignal,
  ): { readonly watch: Watch; readonly ready: Promise<undefined> } {
    const kind = isRecursive ? 'recursive' : 'persistent';
    const serverPath = this.#chroot.toServer(path);
    let isRemoved = false;
    // A listener of its own for each watch, so that one function may have several.
    const own: WatchListener = (event) => {
      if (!isRemoved) listener(event);
    };
    const call = addWatchCall(path, serverPath, MODES[kind], (error) => {
      if (error === ErrorCode.ok && !isRemoved) this.#session.watches.add(kind, serverPath, own);
    });
    this.#count(kind, serverPath, 1);
    const ready = this.#session.ask(call, signal);
    const settled = (): void => {
      this.#count(kind, serverPath, -1);
      if (isRemoved) this.#removeUnwanted(kind, path, serverPath);
    };
    ready.then(settled, settled);
    const remove = (): void => {
      if (isRemoved) return;
      isRemoved = true;
      this.#session.watches.remove(kind, serverPath, own);
      this.#removeUnwanted(kind, path, serverPath);
    };
    return { watch: { path, isRecursive, remove }, ready };
  }

  #count(kind: LastingKind, serverPath: string, change: number): void {
    const count = (this.#underWay[kind].get(serverPath) ?? 0) + change;
    if (count === 0) this.#underWay[kind].delete(serverPath);
    else this.#underWay[kind].set(serverPath, count);
  }

  #removeUnwanted(kind: LastingKind, path: string, serverPath: string): void {
    const isWanted =
      this.#underWay[kind].has(serverPath) || this.#session.watches.has(kind, serverPath);
    if (isWanted || !this.#session.isConnected) return;
    // Servers before 3.9 know no type for one kind alone. They refuse, and go on to send events that
    // nobody here listens to: better than to remove one-shot watches that somebody waits for.
    const call = removeWatchesCall(path, serverPath, TYPES[kind], () => undefined);
    this.#session.ask(call).catch(() => undefined);
  }
}
