/** What all connections of a run add to: replies, latencies, and what went wrong. */

import { Histogram } from './histogram.ts';

const REASONS_KEPT = 5;

export class LoadTally {
  /** Latencies of the measured window. */
  readonly histogram = new Histogram();
  /** Whether a connection answers a reply with a new request. */
  isIssuing = true;
  isMeasuring = false;
  #errorCount = 0;
  readonly #reasons: string[] = [];

  get errorCount(): number {
    return this.#errorCount;
  }

  /** The first few reasons. */
  get reasons(): readonly string[] {
    return this.#reasons;
  }

  record(latencyUs: number): void {
    if (this.isMeasuring) this.histogram.record(latencyUs);
  }

  fail(reason: string): void {
    this.#errorCount += 1;
    if (this.#reasons.length < REASONS_KEPT) this.#reasons.push(reason);
  }
}
