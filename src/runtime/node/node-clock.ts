/** Time on a real machine. */

import { performance } from 'node:perf_hooks';
import { invariant } from '../../base/assert.ts';
import type { Clock, Timer, Timers } from '../runtime.ts';

export const nodeClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  busyMs: () => performance.eventLoopUtilization().active,
};

export const nodeTimers: Timers = {
  set: (delayMs, callback) => setTimeout(callback, wholeMs(delayMs)),
  every: (periodMs, callback) => setInterval(callback, wholeMs(periodMs)),
  // Node clears either kind with either call.
  clear: (timer: Timer) => clearTimeout(timer as NodeJS.Timeout),
  defer: (callback) => {
    setImmediate(callback);
  },
};

/** Anything longer Node takes for one millisecond. */
const DELAY_MAX_MS = 2 ** 31 - 1;

/** Node's timers cut a fraction off, and would fire before their time. */
function wholeMs(delayMs: number): number {
  invariant(delayMs >= 0 && delayMs <= DELAY_MAX_MS, 'a delay is out of range');
  return Math.ceil(delayMs);
}
