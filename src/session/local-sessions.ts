/**
 * Sessions that only this server knows: they begin, live and end without a transaction. No other
 * server can resume one, and none owns a node: a session that is to own one is taken out of here
 * and made a replicated session first.
 *
 * Temporary ones are those that begin while this server knows no quorum. They end when it finds one,
 * whatever else the configuration says of local sessions.
 */

import { SERVER_NONE, type SessionId } from '../base/ids.ts';
import { SessionClock } from './session-clock.ts';
import { SessionTracker } from './session-tracker.ts';

export class LocalSessions {
  readonly #tracker: SessionTracker;
  readonly #temporary = new Set<SessionId>();
  readonly #clock: SessionClock;

  /** `tickMs`: deadlines are rounded up to multiples of it. */
  constructor(tickMs: number, nowMs: number) {
    this.#tracker = new SessionTracker(tickMs);
    this.#clock = new SessionClock(nowMs);
  }

  get count(): number {
    return this.#tracker.count;
  }

  begin(sessionId: SessionId, timeoutMs: number, nowMs: number): void {
    this.#tracker.add(sessionId, timeoutMs, SERVER_NONE, this.#clock.at(nowMs));
  }

  beginTemporary(sessionId: SessionId, timeoutMs: number, nowMs: number): void {
    this.#temporary.add(sessionId);
    this.begin(sessionId, timeoutMs, nowMs);
  }

  has(sessionId: SessionId): boolean {
    return this.#tracker.isAlive(sessionId);
  }

  /** Negotiated timeout in ms; undefined for an unknown session. */
  timeoutMs(sessionId: SessionId): number | undefined {
    return this.#tracker.timeoutMs(sessionId);
  }

  /** A sign of life: O(1). False for an unknown session. */
  touch(sessionId: SessionId, nowMs: number): boolean {
    return this.#tracker.touch(sessionId, this.#clock.at(nowMs));
  }

  /** The client resumed its session here, with a new timeout. False for an unknown session. */
  renew(sessionId: SessionId, timeoutMs: number, nowMs: number): boolean {
    return this.#tracker.renew(sessionId, timeoutMs, SERVER_NONE, this.#clock.at(nowMs));
  }

  /** The session is over, or is no longer a local one. No harm if it was none. */
  remove(sessionId: SessionId): void {
    this.#tracker.remove(sessionId);
    this.#temporary.delete(sessionId);
  }

  endTemporary(): void {
    for (const sessionId of this.#temporary) this.#tracker.remove(sessionId);
    this.#temporary.clear();
  }

  /** No client could be heard until now: every session gets its whole timeout again. */
  renewAll(nowMs: number): void {
    const ms = this.#clock.turned(nowMs);
    for (const [sessionId] of this.#tracker.deadlines(ms)) this.#tracker.touch(sessionId, ms);
  }

  /**
   * Sessions that ran out since the last call, each once; they are forgotten. Everything that had
   * arrived by the last call must have been heard by now.
   */
  expired(nowMs: number): SessionId[] {
    const sessionIds = this.#tracker.expired(this.#clock.turned(nowMs));
    for (const sessionId of sessionIds) this.remove(sessionId);
    return sessionIds;
  }

  /** Living sessions with the milliseconds each has left. */
  deadlines(nowMs: number): (readonly [SessionId, number])[] {
    return this.#tracker.deadlines(this.#clock.at(nowMs));
  }
}
