/** Where the service keeps a connection. */

import type { ExpiryEntry } from '../session/expiry-queue.ts';
import type { Connection } from './connection.ts';

/**
 * What the service's tables hold instead of the connection itself. A table that is filled and emptied
 * all the time is copied every few dozen changes, and the engine takes what an old copy lists for
 * alive until it looks through the whole heap: sockets of short sessions would pile up until then.
 * A place is small, and no longer leads to its connection once that is closed. Tables that only
 * clients with watches or with bytes in memory are in hold connections.
 */
export class Place {
  connection: Connection | undefined;
  /** Its entry in the queue of deadlines. */
  deadline: ExpiryEntry<Place> | undefined = undefined;

  constructor(connection: Connection) {
    this.connection = connection;
  }
}
