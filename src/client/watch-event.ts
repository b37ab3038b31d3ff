/** What the owner of a watch is told. Paths are the caller's, without a chroot. */

import type { Zxid } from '../base/ids.ts';
import { EventType } from '../base/watch-event.ts';
import type { KeeperError } from './keeper-error.ts';

/** Something happened at a node. For all watches that it concerns it is one object. */
export interface NodeEvent {
  readonly type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged';
  readonly path: string;
  /** Of the transaction, from servers that say it (3.9 and ours). */
  readonly zxid: Zxid | undefined;
}

/**
 * A persistent watch is there again on a new connection. What happened in between was told to nobody:
 * read again what matters.
 */
export interface RearmedEvent {
  readonly type: 'rearmed';
  readonly path: string;
}

/** The watch was removed by `removeWatches`. Nothing follows. */
export interface WatchRemovedEvent {
  readonly type: 'dataWatchRemoved' | 'childWatchRemoved' | 'persistentWatchRemoved';
  readonly path: string;
}

/** The watch went with its session or client, or the server does not know it. Nothing follows. */
export interface WatchEndedEvent {
  readonly type: 'ended';
  readonly path: string;
  readonly error: KeeperError;
}

export type WatchEvent = NodeEvent | RearmedEvent | WatchRemovedEvent | WatchEndedEvent;
export type WatchListener = (event: WatchEvent) => void;

/** Undefined for a number no server of today sends. */
export function nodeEventType(type: number): NodeEvent['type'] | undefined {
  switch (type) {
    case EventType.nodeCreated:
      return 'created';
    case EventType.nodeDeleted:
      return 'deleted';
    case EventType.nodeDataChanged:
      return 'dataChanged';
    case EventType.nodeChildrenChanged:
      return 'childrenChanged';
    default:
      return undefined;
  }
}
