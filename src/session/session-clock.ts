/**
 * The time by which sessions run out: that in which clients could be heard. A process that stands
 * still, or has so much to do that it looks at its sockets only now and then, does not hear what
 * has long arrived; time it had no eyes for counts against nobody.
 *
 * It never runs faster than the clock, so nobody runs out before the timeout.
 */

/** Between two turns in which everything that has arrived is heard, so much counts, unless turns are longer. */
export const TURN_MAX_MS = 200;

export class SessionClock {
  #ms: number;
  #heardMs: number;
  readonly #turnMaxMs: number;

  /** `nowMs`, here and below: the monotonic clock. `turnMaxMs`: no ordinary turn is longer. */
  constructor(nowMs: number, turnMaxMs: number = TURN_MAX_MS) {
    this.#ms = nowMs;
    this.#heardMs = nowMs;
    this.#turnMaxMs = turnMaxMs;
  }

  /** For what comes from a client: its deadline is counted from here. */
  at(nowMs: number): number {
    return this.#ms + Math.min(nowMs - this.#heardMs, this.#turnMaxMs);
  }

  /** Everything that had arrived was heard since the last call. Returns the time to judge by. */
  turned(nowMs: number): number {
    this.#ms = this.at(nowMs);
    this.#heardMs = nowMs;
    return this.#ms;
  }
}
