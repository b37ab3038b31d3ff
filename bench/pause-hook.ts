/**
 * Loaded into a server in front of its program (`node --import`): from SIGUSR2 to the next one it
 * watches for how long the event loop stands still, then writes the file that the query of this
 * module's address names.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';

/** All times in milliseconds. */
export interface Pauses {
  longestCollection: number;
  collections: number;
  /** Between two looks of the event loop at its timers, which are due every 2 ms. */
  longestGap: number;
  /** When that gap ended, since the watch began. */
  gapAt: number;
  /** Of that gap: the thread was ready to run, and others had the core. */
  waitingInIt: number;
}

const LOOK_MS = 2;
const file = new URL(import.meta.url).searchParams.get('file') ?? 'pauses.json';
let pauses: Pauses | undefined;
let beganMs = 0;
let lookedMs = 0;
let waitedMs = 0;

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    if (pauses === undefined) continue;
    pauses.collections += 1;
    pauses.longestCollection = Math.max(pauses.longestCollection, duration);
  }
}).observe({ entryTypes: ['gc'] });

setInterval(() => {
  const gapMs = performance.now() - lookedMs;
  const waitingMs = threadWaitedMs() - waitedMs;
  restart();
  if (pauses === undefined || gapMs <= pauses.longestGap) return;
  pauses.longestGap = gapMs;
  pauses.gapAt = performance.now() - beganMs;
  pauses.waitingInIt = waitingMs;
}, LOOK_MS).unref();

process.on('SIGUSR2', () => {
  if (pauses === undefined) {
    pauses = { longestCollection: 0, collections: 0, longestGap: 0, gapAt: 0, waitingInIt: 0 };
    beganMs = performance.now();
    restart();
    return;
  }
  // Whoever waits for the file must not see half of it.
  writeFileSync(`${file}.part`, JSON.stringify(pauses));
  renameSync(`${file}.part`, file);
  pauses = undefined;
});

function restart(): void {
  lookedMs = performance.now();
  waitedMs = threadWaitedMs();
}

/** For how long the main thread has waited for a core, by the kernel's account. */
function threadWaitedMs(): number {
  return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;
}
