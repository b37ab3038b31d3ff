/** The watches of a client: those that a read leaves behind, those that last, and taking them away. */

import { ErrorCode } from '../base/error-code.ts';
import { WatcherType } from '../base/watch-mode.ts';
import { offAbort, onAbort } from './abort-listeners.ts';
import type { Chroot } from './chroot.ts';
import { isKeeperError, KeeperError } from './keeper-error.ts';
import { LastingWatches, type Watch } from './lasting-watches.ts';
import type { Abortable } from './node-types.ts';
import type { ReadScope } from './read-calls.ts';
import type { Session } from './session.ts';
import { checkWatchesCall, removeWatchesCall } from './watch-calls.ts';
import type { WatchListener } from './watch-event.ts';
import { WatchIterator } from './watch-iterator.ts';
import type { WatchKind } from './watch-registry.ts';

const WAITING_EVENTS_MAX = 100_000;

/** Kinds of watches, as `removeWatches` and `checkWatches` name them. */
export type WatchType = 'any' | 'children' | 'data' | 'persistent' | 'recursive';

export interface WatchOptions extends Abortable {
  /** Also everything below the path; then `childrenChanged` is left out. Default false. */
  readonly recursive?: boolean | undefined;
  /** Events that may wait in the iterator; one more makes it throw `WATCH_OVERFLOW`. Default 100000. */
  readonly waitingMax?: number | undefined;
}

export interface RemoveWatchesOptions extends Abortable {
  /** Removes them here also when the connection is lost before the server confirms it. Default false. */
  readonly local?: boolean | undefined;
}

export class ClientWatches {
  readonly #session: Session;
  readonly #chroot: Chroot;
  readonly #lasting: LastingWatches;

  constructor(session: Session, chroot: Chroot) {
    this.#session = session;
    this.#chroot = chroot;
    this.#lasting = new LastingWatches(session, chroot);
  }

  /** A watch counts from its reply on: `kind` if the node is there, `absentKind` if it is not. */
  reading(
    path: string,
    serverPath: string,
    watch: WatchListener | undefined,
    kind: WatchKind,
    absentKind?: WatchKind,
  ): ReadScope {
    if (watch === undefined) return { path, serverPath, watch: false, onReply: undefined };
    const { watches } = this.#session;
    const onReply = (error: number): void => {
      if (error === ErrorCode.ok) watches.add(kind, serverPath, watch);
      else if (error === ErrorCode.noNode && absentKind !== undefined) {
        watches.add(absentKind, serverPath, watch);
      }
    };
    return { path, serverPath, watch: true, onReply };
  }

  iterate(path: string, options: WatchOptions): WatchIterator {
    const { recursive = false, waitingMax = WAITING_EVENTS_MAX, signal } = options;
    let watch: Watch | undefined;
    const abort = (): void => {
      iterator.fail(new KeeperError('ABORTED', 'watch', { path, cause: signal?.reason }));
    };
    const start = (listener: WatchListener): Promise<void> => {
      const added = this.#lasting.add(path, recursive, listener, signal);
      watch = added.watch;
      return added.ready;
    };
    const release = (): void => {
      if (signal !== undefined) offAbort(signal, abort);
      watch?.remove();
    };
    const iterator = new WatchIterator(path, waitingMax, start, release);
    if (signal !== undefined) onAbort(signal, abort);
    return iterator;
  }

  async listen(path: string, listener: WatchListener, options: WatchOptions): Promise<Watch> {
    const { recursive = false, signal } = options;
    const { watch, ready } = this.#lasting.add(path, recursive, listener, signal);
    await ready;
    return watch;
  }

  async remove(path: string, type: WatchType, options: RemoveWatchesOptions): Promise<void> {
    const { local = false, signal } = options;
    const serverPath = this.#chroot.toServer(path);
    const wireType = WatcherType[type];
    const { watches } = this.#session;
    const remove = (): void => watches.removeType(serverPath, wireType);
    const call = removeWatchesCall(path, serverPath, wireType, (error) => {
      if (error === ErrorCode.ok) remove();
    });
    try {
      // A connection that is lost takes the server's watches with it; what is not here is not set again.
      if (!local || this.#session.isConnected) await this.#session.ask(call, signal);
      else if (watches.hasAny(serverPath)) remove();
      else throw new KeeperError('NO_WATCHER', 'removeWatches', { path });
    } catch (error) {
      if (!local || !isKeeperError(error, 'CONNECTION_LOSS')) throw error;
      remove();
    }
  }

  check(path: string, type: WatchType, { signal }: Abortable): Promise<boolean> {
    const call = checkWatchesCall(path, this.#chroot.toServer(path), WatcherType[type]);
    return this.#session.ask(call, signal);
  }
}
