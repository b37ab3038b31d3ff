/** The seam on a real machine. */

import { randomFillSync } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Clock, Runtime, Timer, Timers } from '../runtime.ts';
import { NodeNetwork } from './node-network.ts';
import { NodeStorage } from './node-storage.ts';

/** Stateless but for what it opens: a process may have several. */
export function createNodeRuntime(): Runtime {
  return {
    clock: nodeClock,
    timers: nodeTimers,
    network: new NodeNetwork(),
    storage: new NodeStorage(),
    randomBytes: (count) => randomFillSync(new Uint8Array(count)),
  };
}

const nodeClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};

const nodeTimers: Timers = {
  set: (delayMs, callback) => setTimeout(callback, delayMs),
  every: (periodMs, callback) => setInterval(callback, periodMs),
  // Node clears either kind with either call.
  clear: (timer: Timer) => clearTimeout(timer as NodeJS.Timeout),
  defer: (callback) => {
    setImmediate(callback);
  },
};
