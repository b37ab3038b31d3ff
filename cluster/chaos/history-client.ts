/** A client that does what a draft says and writes down what it was told. */

import type { Draft, Operation, SessionRecord } from '../../test/sim/history.ts';

export interface HistoryClient {
  /** Its number in the history. */
  readonly number: number;
  /** The session that lives now, as far as is known; undefined between two. */
  readonly session: SessionRecord | undefined;
  /** Resolves when there is a session; false: not within the time. */
  untilSession(timeoutMs: number): Promise<boolean>;
  /** One at a time. Resolves when all is known that will ever be. */
  perform(draft: Draft): Promise<Operation>;
  /** Calls when the session has ended otherwise than by `close`. */
  onExpired(listener: () => void): void;
  /** Ends the session, and writes down whether that was acknowledged. */
  close(): Promise<void>;
  /** Ends the client and leaves its session to its timeout. */
  abandon(): Promise<void>;
}
