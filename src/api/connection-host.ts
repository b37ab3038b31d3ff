/** What a connection needs of the service that accepted it. */

import type { SessionId } from '../base/ids.ts';
import type { JuteReader } from '../protocol/jute-reader.ts';
import type { SlabPool } from '../protocol/slab-pool.ts';
import type { WatchManager } from '../session/watch-manager.ts';
import type { Backend } from './backend.ts';
import type { ClientBuffers } from './client-buffers.ts';
import type { ClientLog } from './client-log.ts';
import type { ClientServiceOptions } from './client-options.ts';
import type { Connection } from './connection.ts';
import type { FourLetterWord } from './four-letter-word.ts';
import type { ServerStats } from './server-stats.ts';

export interface ConnectionHost {
  readonly backend: Backend;
  readonly options: ClientServiceOptions;
  readonly log: ClientLog;
  readonly stats: ServerStats;
  readonly watches: WatchManager;
  readonly buffers: ClientBuffers;
  /** Memory that replies were written to. */
  readonly slabs: SlabPool;
  /** Shared by all connections: aimed, read and left behind within one call. */
  readonly reader: JuteReader;
  readonly isServing: boolean;
  /** So many requests of all clients are unsettled that those with one should not be read. */
  readonly isOverloaded: boolean;
  /** Monotonic milliseconds, as of the last `refreshNow`. */
  readonly nowMs: number;
  refreshNow(): void;
  /** Wall clock, ms since 1970. */
  wallMs(): number;
  /** Calls `connection.endTurn` once this turn's input has been handled. */
  requestTurn(connection: Connection): void;
  /** The connection is not read because its requests, or all clients', are unsettled. */
  waitForBackend(connection: Connection): void;
  /** One of the submitted requests was settled. */
  requestSettled(): void;
  /** Sets the moment at which the connection is given up unless it is heard from. */
  expireAfter(connection: Connection, timeoutMs: number): void;
  /** Whether the connection serves no session and is not about to: there may be so many of these. */
  noteSessionless(connection: Connection, isSessionless: boolean): void;
  /** Ends the connection of this server that serves the session, if there is one. */
  disconnect(sessionId: SessionId): void;
  /** The connection now serves its session. */
  adopt(connection: Connection): void;
  /** The connection serves no session any more. */
  release(connection: Connection): void;
  /** The connection is closed for good. */
  forget(connection: Connection): void;
  /** Whether the word may be answered; a word that may not has a reply that says so. */
  allowsWord(word: FourLetterWord): boolean;
  /** What `stmk` asks for and `gtmk` shows. There is no tracing that would heed it. */
  setTraceMask(mask: bigint): void;
  /** Answers a four-letter word through `connection.answerCommand`. */
  answerWord(connection: Connection, word: FourLetterWord): void;
}
