/**
 * The time by which sessions run out: that in which clients could be heard. A process that stands
 * still, or has so much to do that it looks at its sockets only now and then, does not hear what
 * has long arrived; time it had no eyes for counts against nobody.
 *
 * It never runs faster than the clock, so nobody runs out before the timeout.
 */

/** Between two turns in which everything that has arrived is heard, so much counts at most. */
const TURN_MAX_MS = 200;

export class SessionClock {
  #ms: number;
  #heardMs: number;

  /** `nowMs`, here and below: the monotonic clock. */
  constructor(nowMs: number) {
    this.#ms = nowMs;
    this.#heardMs = nowMs;
  }

  /** For what comes from a client: its deadline is counted from here. */
  at(nowMs: number): number {
    return this.#ms + Math.min(nowMs - this.#heardMs, TURN_MAX_MS);
  }

  /** Everything that had arrived was heard since the last call. Returns the time to judge by. */
  turned(nowMs: number): number {
    this.#ms = this.at(nowMs);
    this.#heardMs = nowMs;
    return this.#ms;
  }
}
