/**
 * When the next group of a log begins. Clients that wait for each answer send again soon after a
 * group has been acknowledged. If the next group begins at once, it holds only those that were not in
 * this one, and so it goes on: two halves take turns, and twice as many groups are synced as needed.
 * A group costs the processor as much as a dozen requests. So the next one waits until most of those
 * that were acknowledged or waiting are back, but not for longer than it takes to be worth it, and not
 * where the processor has time to spare: there a wait only makes answers late.
 */

import type { Clock, Timer, Timers } from '../runtime/runtime.ts';

/** Of those who may come, how many are waited for: the last ones are not worth it. */
const EXPECTED_SHARE = 0.75;
/** So few are not waited for at all: to them an early answer is worth more than the processor time. */
const ALL_MIN = 8;
/** Among so many requests the cost of a group is small enough. */
const EXPECTED_MAX = 64;
/** Longest wait, counted from the end of a group: in times of how long that took, and at most. */
const WAIT_SHARE = 1;
const WAIT_MS_MAX = 10;
/** How busy the thread must be, as a share of the time since it was last looked at. */
const BUSY_SHARE = 0.6;
const LOOK_MS = 100;

export class GroupPace {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #go: () => void;
  #beganMs = 0;
  #waitUntilMs = 0;
  #expected = 0;
  #isBusy = false;
  #lookedMs: number;
  #busyMs: number;
  #timer: Timer | undefined;

  /** `go` is called when a wait is over although not enough have come. */
  constructor({ clock, timers }: { clock: Clock; timers: Timers }, go: () => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#go = go;
    this.#lookedMs = clock.monotonicMs();
    this.#busyMs = clock.busyMs();
  }

  /** Whether a group of so many should wait for more; then this is asked again, or `go` called. */
  isEarly(entryCount: number): boolean {
    if (entryCount >= this.#expected) return false;
    const leftMs = this.#waitUntilMs - this.#clock.monotonicMs();
    if (leftMs <= 0) return false;
    this.#timer ??= this.#timers.set(leftMs, () => {
      this.#timer = undefined;
      this.#waitUntilMs = 0;
      this.#go();
    });
    return true;
  }

  began(): void {
    if (this.#timer !== undefined) this.#timers.clear(this.#timer);
    this.#timer = undefined;
    this.#beganMs = this.#clock.monotonicMs();
  }

  /** A group of so many is acknowledged, and so many others have come meanwhile. */
  ended(entryCount: number, waitingCount: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.#waitUntilMs = nowMs + Math.min(WAIT_MS_MAX, WAIT_SHARE * (nowMs - this.#beganMs));
    if (nowMs - this.#lookedMs >= LOOK_MS) this.#look(nowMs);
    const all = entryCount + waitingCount;
    const isWorthIt = this.#isBusy && all >= ALL_MIN;
    this.#expected = isWorthIt ? Math.min(EXPECTED_MAX, EXPECTED_SHARE * all) : 0;
  }

  #look(nowMs: number): void {
    const busyMs = this.#clock.busyMs();
    this.#isBusy = busyMs - this.#busyMs >= BUSY_SHARE * (nowMs - this.#lookedMs);
    this.#lookedMs = nowMs;
    this.#busyMs = busyMs;
  }
}
