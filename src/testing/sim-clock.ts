/** Time as one simulated process sees it. */

import { invariant } from '../base/assert.ts';
import type { Clock, Timer, Timers } from '../runtime/runtime.ts';
import type { SimEvent } from './event-queue.ts';
import type { SimProcess } from './sim-process.ts';
import { TraceKind } from './sim-scheduler.ts';

/** 2026-01-01T00:00:00Z: where the wall clock of a host without skew starts. */
export const WALL_START_MS = 1_767_225_600_000;

/** What tests turn to make a host's wall clock wrong; it survives the host's processes. */
export interface ClockSkew {
  skewMs: number;
}

export class SimClock implements Clock {
  readonly #process: SimProcess;
  readonly #skew: ClockSkew;
  readonly #bootMs: number;

  /** `bootMs`: reading at the start of the world, so that hosts' clocks cannot be compared. */
  constructor(process: SimProcess, skew: ClockSkew, bootMs: number) {
    this.#process = process;
    this.#skew = skew;
    this.#bootMs = bootMs;
  }

  monotonicMs(): number {
    return this.#bootMs + this.#process.scheduler.nowUs / 1000;
  }

  wallMs(): number {
    const elapsedMs = Math.floor(this.#process.scheduler.nowUs / 1000);
    return WALL_START_MS + elapsedMs + this.#skew.skewMs;
  }
}

/** Indirect, because a periodic timer is a new event every period. */
class SimTimer {
  event: SimEvent | undefined = undefined;
  isCleared = false;
}

export class SimTimers implements Timers {
  readonly #process: SimProcess;

  constructor(process: SimProcess) {
    this.#process = process;
  }

  set(delayMs: number, callback: () => void): Timer {
    const timer = new SimTimer();
    this.#arm(timer, toMicroseconds(delayMs), callback);
    return timer;
  }

  every(periodMs: number, callback: () => void): Timer {
    const periodUs = toMicroseconds(periodMs);
    invariant(periodUs > 0, 'a period of nothing never ends');
    const timer = new SimTimer();
    const tick = (): void => {
      this.#arm(timer, periodUs, tick);
      callback();
    };
    this.#arm(timer, periodUs, tick);
    return timer;
  }

  clear(timer: Timer): void {
    invariant(timer instanceof SimTimer, 'a timer of another runtime');
    timer.isCleared = true;
    if (timer.event !== undefined) this.#process.scheduler.cancel(timer.event);
    timer.event = undefined;
  }

  defer(callback: () => void): void {
    this.#process.after(0, callback);
  }

  #arm(timer: SimTimer, delayUs: number, callback: () => void): void {
    timer.event = this.#process.after(delayUs, () => {
      // A timer that came due while the process was paused can be cleared before it is delivered.
      if (timer.isCleared) return;
      this.#process.scheduler.trace.mix(TraceKind.timer);
      callback();
    });
  }
}

/** Node takes no longer delay, so neither do we: a test is to find out. */
const DELAY_MAX_MS = 2 ** 31 - 1;

function toMicroseconds(delayMs: number): number {
  invariant(delayMs >= 0 && delayMs <= DELAY_MAX_MS, 'a delay is out of range');
  return Math.ceil(delayMs * 1000);
}
