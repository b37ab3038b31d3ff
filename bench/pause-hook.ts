/**
 * Loaded into a process in front of its program (`node --import`): from SIGUSR2 to the next one it
 * watches for how long the event loop stands still, then writes the file that the query of this
 * module's address names. A file beside it, of that name and `.ready`, says that it heeds signals.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';

export interface Pauses {
  longestCollectionMs: number;
  collectionCount: number;
  /** Between two looks of the event loop at its timers, which are due every 2 ms. */
  longestGapMs: number;
  /** Of that gap: the thread had a core. */
  runningInItMs: number;
  /** Of that gap: the thread was ready to run, and others had the core. */
  waitingInItMs: number;
  /** The longest time that the thread had a core between two looks. */
  longestTurnMs: number;
}

/** The kernel's account of the main thread since it began. */
interface Account {
  readonly ranMs: number;
  readonly waitedMs: number;
}

const LOOK_MS = 2;
const file = new URL(import.meta.url).searchParams.get('file') ?? 'pauses.json';
let pauses: Pauses | undefined;
let lookedMs = 0;
let account: Account = { ranMs: 0, waitedMs: 0 };

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    if (pauses === undefined) continue;
    pauses.collectionCount += 1;
    pauses.longestCollectionMs = Math.max(pauses.longestCollectionMs, duration);
  }
}).observe({ entryTypes: ['gc'] });

setInterval(() => {
  const gapMs = performance.now() - lookedMs;
  const before = account;
  look();
  if (pauses === undefined) return;
  const ranMs = account.ranMs - before.ranMs;
  pauses.longestTurnMs = Math.max(pauses.longestTurnMs, ranMs);
  if (gapMs <= pauses.longestGapMs) return;
  pauses.longestGapMs = gapMs;
  pauses.runningInItMs = ranMs;
  pauses.waitingInItMs = account.waitedMs - before.waitedMs;
}, LOOK_MS).unref();

process.on('SIGUSR2', () => {
  if (pauses === undefined) {
    pauses = {
      longestCollectionMs: 0,
      collectionCount: 0,
      longestGapMs: 0,
      runningInItMs: 0,
      waitingInItMs: 0,
      longestTurnMs: 0,
    };
    look();
    return;
  }
  // Whoever waits for the file must not see half of it.
  writeFileSync(`${file}.part`, JSON.stringify(pauses));
  renameSync(`${file}.part`, file);
  pauses = undefined;
});

writeFileSync(`${file}.ready`, '');

function look(): void {
  lookedMs = performance.now();
  const [ranNs, waitedNs] = readFileSync('/proc/self/schedstat', 'utf8').split(' ');
  account = { ranMs: Number(ranNs) / 1e6, waitedMs: Number(waitedNs) / 1e6 };
}
