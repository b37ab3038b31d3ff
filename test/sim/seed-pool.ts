/** Runs many seeds on several threads and adds up what happened. */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { FAULT_KINDS, type FaultCounts } from './fault-kinds.ts';
import type { SeedResult } from './run-seed.ts';

export interface SeedRange {
  readonly from: number;
  readonly count: number;
  /** Default: one a core. */
  readonly threadCount?: number | undefined;
  /** Asked after each seed: whether others are to follow. */
  readonly isWanted?: (result: SeedResult) => boolean;
}

export interface Totals {
  seeds: number;
  /** Seeds with a violation, in the order in which they ended. */
  failed: SeedResult[];
  faults: FaultCounts;
  /** Of one seed. */
  fewestFaults: number;
  events: number;
  operations: number;
  acknowledged: number;
  leaderChanges: number;
  simulatedMs: number;
  /** By the clock on the wall, of all threads together. */
  elapsedMs: number;
}

export async function runSeeds(range: SeedRange): Promise<Totals> {
  const totals: Totals = {
    seeds: 0,
    failed: [],
    faults: {},
    fewestFaults: Number.POSITIVE_INFINITY,
    events: 0,
    operations: 0,
    acknowledged: 0,
    leaderChanges: 0,
    simulatedMs: 0,
    elapsedMs: 0,
  };
  const beganMs = performance.now();
  let next = range.from;
  const end = range.from + range.count;
  let isOver = false;
  const take = (): number | undefined => (next < end && !isOver ? next++ : undefined);
  const ended = (result: SeedResult): void => {
    add(totals, result);
    isOver ||= range.isWanted?.(result) === false;
  };
  const threadCount = Math.min(range.count, range.threadCount ?? availableParallelism());
  const threads = Array.from({ length: threadCount }, () => runThread(take, ended));
  await Promise.all(threads);
  totals.elapsedMs = performance.now() - beganMs;
  return totals;
}

/** One line: what was done to the servers and what came of it. */
export function totalsLine(totals: Totals): string {
  const faultCount = Object.values(totals.faults).reduce((sum, count) => sum + count, 0);
  const faults = FAULT_KINDS.map((kind) => `${kind} ${totals.faults[kind] ?? 0}`).join(', ');
  const seconds = totals.elapsedMs / 1000;
  const simulatedHours = (totals.simulatedMs / 3_600_000).toFixed(2);
  return (
    `${totals.seeds} seeds, ${totals.failed.length} with violations; ` +
    `${faultCount} faults (${faults}), at least ${totals.fewestFaults} a seed; ` +
    `${totals.leaderChanges} changes of leader; ` +
    `${totals.acknowledged} of ${totals.operations} requests succeeded; ` +
    `${totals.events} events in ${simulatedHours} simulated hours; ` +
    `${(totals.seeds / seconds).toFixed(1)} seeds a second (${seconds.toFixed(0)} s)`
  );
}

export function replayCommand(seed: number): string {
  return `npm run sim -- --from ${seed} --seeds 1 --log`;
}

function runThread(
  take: () => number | undefined,
  ended: (result: SeedResult) => void,
): Promise<void> {
  const worker = new Worker(new URL('./seed-worker.js', import.meta.url), {
    // A seed leaves nothing behind: with room for all of it the collector has little to copy.
    resourceLimits: { maxYoungGenerationSizeMb: 192 },
  });
  return new Promise((resolve, reject) => {
    let current = take();
    const go = (): void => {
      if (current !== undefined) worker.postMessage(current);
      else worker.terminate().then(() => resolve(), reject);
    };
    worker.on('message', (result: SeedResult) => {
      ended(result);
      current = take();
      go();
    });
    worker.on('error', (cause) => {
      reject(new Error(`seed ${current} ended the thread it ran on`, { cause }));
    });
    go();
  });
}

function add(totals: Totals, result: SeedResult): void {
  totals.seeds += 1;
  if (result.violations.length > 0) totals.failed.push(result);
  const faultCount = Object.values(result.faults).reduce((sum, count) => sum + count, 0);
  totals.fewestFaults = Math.min(totals.fewestFaults, faultCount);
  for (const kind of FAULT_KINDS) {
    const count = result.faults[kind];
    if (count !== undefined) totals.faults[kind] = (totals.faults[kind] ?? 0) + count;
  }
  totals.events += result.events;
  totals.operations += result.operations;
  totals.acknowledged += result.acknowledged;
  totals.leaderChanges += result.leaderChanges;
  totals.simulatedMs += result.simulatedMs;
}
