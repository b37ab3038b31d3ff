/**
 * A log that a flood of connections cannot flood: of each event that clients can bring about at will,
 * only so many lines are written in a while, and then how many were left out.
 */

import type { ClientLog, LogFields } from './client-log.ts';

const WINDOW_MS = 10_000;
/** Lines of one event in that time. */
const LINES_MAX = 20;

interface Flow {
  readonly sinceMs: number;
  lines: number;
}

export class FloodLog implements ClientLog {
  readonly #log: ClientLog;
  readonly #nowMs: () => number;
  readonly #flows = new Map<string, Flow>();

  /** `nowMs`: monotonic milliseconds. */
  constructor(log: ClientLog, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** Whoever asks for these asks for everything. */
  debug(event: string, fields: LogFields): void {
    this.#log.debug(event, fields);
  }

  info(event: string, fields: LogFields): void {
    if (this.#takes(event)) this.#log.info(event, fields);
  }

  warn(event: string, fields: LogFields): void {
    if (this.#takes(event)) this.#log.warn(event, fields);
  }

  error(event: string, fields: LogFields): void {
    if (this.#takes(event)) this.#log.error(event, fields);
  }

  /** To be called now and then: says how much was left out of what is over. */
  sweep(): void {
    const nowMs = this.#nowMs();
    for (const [event, { sinceMs, lines }] of this.#flows) {
      if (nowMs - sinceMs < WINDOW_MS) continue;
      this.#flows.delete(event);
      const count = lines - LINES_MAX;
      if (count > 0) this.#log.warn('log lines left out', { about: event, count });
    }
  }

  #takes(event: string): boolean {
    let flow = this.#flows.get(event);
    if (flow === undefined) {
      flow = { sinceMs: this.#nowMs(), lines: 0 };
      this.#flows.set(event, flow);
    }
    flow.lines += 1;
    return flow.lines <= LINES_MAX;
  }
}
