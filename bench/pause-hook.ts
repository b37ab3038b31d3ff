/**
 * Loaded into a process in front of its program (`node --import`): from SIGUSR2 to the next one it
 * watches for how long the event loop stands still, then writes the file that the query of this
 * module's address names. A file beside it, of the same name and `.ready`, says that signals are heeded.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';

/** All times in milliseconds. */
export interface Pauses {
  longestCollection: number;
  collections: number;
  /** Between two looks of the event loop at its timers, which are due every 2 ms. */
  longestGap: number;
  /** Of that gap: the thread had a core. */
  runningInIt: number;
  /** Of that gap: the thread was ready to run, and others had the core. */
  waitingInIt: number;
  /** The longest time that the thread had a core between two looks. */
  longestTurn: number;
}

/** The kernel's account of the main thread since it began, in milliseconds. */
interface Account {
  readonly ran: number;
  readonly waited: number;
}

const LOOK_MS = 2;
const file = new URL(import.meta.url).searchParams.get('file') ?? 'pauses.json';
let pauses: Pauses | undefined;
let lookedMs = 0;
let account: Account = { ran: 0, waited: 0 };

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    if (pauses === undefined) continue;
    pauses.collections += 1;
    pauses.longestCollection = Math.max(pauses.longestCollection, duration);
  }
}).observe({ entryTypes: ['gc'] });

setInterval(() => {
  const gap = performance.now() - lookedMs;
  const before = account;
  restart();
  if (pauses === undefined) return;
  const ran = account.ran - before.ran;
  pauses.longestTurn = Math.max(pauses.longestTurn, ran);
  if (gap <= pauses.longestGap) return;
  pauses.longestGap = gap;
  pauses.runningInIt = ran;
  pauses.waitingInIt = account.waited - before.waited;
}, LOOK_MS).unref();

process.on('SIGUSR2', () => {
  if (pauses === undefined) {
    pauses = {
      longestCollection: 0,
      collections: 0,
      longestGap: 0,
      runningInIt: 0,
      waitingInIt: 0,
      longestTurn: 0,
    };
    restart();
    return;
  }
  // Whoever waits for the file must not see half of it.
  writeFileSync(`${file}.part`, JSON.stringify(pauses));
  renameSync(`${file}.part`, file);
  pauses = undefined;
});

writeFileSync(`${file}.ready`, '');

function restart(): void {
  lookedMs = performance.now();
  const [ran, waited] = readFileSync('/proc/self/schedstat', 'utf8').split(' ');
  account = { ran: Number(ran) / 1e6, waited: Number(waited) / 1e6 };
}
