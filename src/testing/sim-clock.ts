/** Time as one simulated process sees it. */

import { invariant } from '../base/assert.ts';
import type { Clock, Timer, Timers } from '../runtime/runtime.ts';
import type { SimEvent } from './event-queue.ts';
import type { SimProcess } from './sim-process.ts';
import { TraceKind } from './sim-scheduler.ts';

/** 2026-01-01T00:00:00Z: where the wall clock of a host without skew starts. */
export const WALL_START_MS = 1_767_225_600_000;
/** A simulated thread is at work for so long, and sleeps for as long: servers see both. */
const BUSY_SPELL_MS = 700;

/** What tests turn to make a host's clocks wrong; it survives the host's processes. */
export class HostClock {
  /** How far the wall clock is off. */
  skewMs = 0;
  #rate = 1;
  /** Reading of the monotonic clock when the rate last changed, and when that was. */
  #baseMs: number;
  #baseUs = 0;

  /** `bootMs`: reading at the start of the world, so that hosts' clocks cannot be compared. */
  constructor(bootMs: number) {
    this.#baseMs = bootMs;
  }

  /** Milliseconds of this host in one of the world. */
  get rate(): number {
    return this.#rate;
  }

  setRate(rate: number, nowUs: number): void {
    this.#baseMs = this.monotonicMs(nowUs);
    this.#baseUs = nowUs;
    this.#rate = rate;
  }

  monotonicMs(nowUs: number): number {
    return this.#baseMs + ((nowUs - this.#baseUs) / 1000) * this.#rate;
  }
}

export class SimClock implements Clock {
  readonly #process: SimProcess;
  readonly #host: HostClock;

  constructor(process: SimProcess, host: HostClock) {
    this.#process = process;
    this.#host = host;
  }

  monotonicMs(): number {
    return this.#host.monotonicMs(this.#process.scheduler.nowUs);
  }

  wallMs(): number {
    const elapsedMs = Math.floor(this.#process.scheduler.nowUs / 1000);
    return WALL_START_MS + elapsedMs + this.#host.skewMs;
  }

  busyMs(): number {
    const nowMs = this.monotonicMs();
    const spells = Math.floor(nowMs / (2 * BUSY_SPELL_MS));
    return spells * BUSY_SPELL_MS + Math.min(nowMs % (2 * BUSY_SPELL_MS), BUSY_SPELL_MS);
  }
}

/** Indirect, because a periodic timer is a new event every period. */
class SimTimer {
  event: SimEvent | undefined = undefined;
  isCleared = false;
}

export class SimTimers implements Timers {
  readonly #process: SimProcess;
  readonly #host: HostClock;

  constructor(process: SimProcess, host: HostClock) {
    this.#process = process;
    this.#host = host;
  }

  set(delayMs: number, callback: () => void): Timer {
    const timer = new SimTimer();
    this.#arm(timer, delayMs, callback);
    return timer;
  }

  every(periodMs: number, callback: () => void): Timer {
    invariant(periodMs > 0, 'a period of nothing never ends');
    const timer = new SimTimer();
    const tick = (): void => {
      this.#arm(timer, periodMs, tick);
      callback();
    };
    this.#arm(timer, periodMs, tick);
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

  /** A timer runs on its host's clock, which may be fast or slow; a change of that leaves it alone. */
  #arm(timer: SimTimer, delayMs: number, callback: () => void): void {
    const delayUs = toMicroseconds(delayMs, this.#host.rate);
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

function toMicroseconds(delayMs: number, rate: number): number {
  invariant(delayMs >= 0 && delayMs <= DELAY_MAX_MS, 'a delay is out of range');
  return Math.ceil((delayMs * 1000) / rate);
}
