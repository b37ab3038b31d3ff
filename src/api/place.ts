/** Where tables keep a connection. */

import type { Acl } from '../base/acl.ts';
import { invariant } from '../base/assert.ts';
import type { SessionId } from '../base/ids.ts';
import type { EventType } from '../base/watch-event.ts';
import type { ExpiryEntry } from '../session/expiry-queue.ts';
import type { Watcher } from '../session/watch-manager.ts';
import type { Connection } from './connection.ts';

/**
 * What the tables of connections and of watches hold instead of the connection itself. A table that
 * is filled and emptied all the time is copied every few dozen changes, and the engine takes what an
 * old copy lists for alive until it looks through the whole heap: sockets of short sessions would
 * pile up until then. A place is small, and no longer leads to its connection once that is closed.
 * The table of clients with bytes in memory holds connections: few short sessions are in it.
 */
export class Place implements Watcher {
  #connection: Connection | undefined;
  /** Its entry in the queue of deadlines, from when it is accepted until it is closed. */
  deadline: ExpiryEntry<Place> | undefined = undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The connection, which is not closed yet. */
  get connection(): Connection {
    invariant(this.#connection !== undefined, 'a place of a closed connection');
    return this.#connection;
  }

  get isEmpty(): boolean {
    return this.#connection === undefined;
  }

  /** The connection is closed: no table may be asked for it any more. */
  clear(): void {
    this.#connection = undefined;
    this.deadline = undefined;
  }

  get sessionId(): SessionId {
    return this.connection.sessionId;
  }

  /** Nothing more may be read by a connection that was closed while others were told of the same. */
  mayRead(acl: readonly Acl[]): boolean {
    return this.#connection?.mayRead(acl) === true;
  }

  notify(type: EventType, path: string): void {
    this.#connection?.notify(type, path);
  }
}
