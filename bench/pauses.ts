/** How long the event loop of a server stands still while its tree grows, and beside checkpoints. */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runLoad } from '../src/bench/load-run.ts';
import { poll } from '../src/bench/poll.ts';
import { ownProgram, vivariumKind } from '../src/bench/server-kinds.ts';
import { snapshotCount } from '../src/bench/snapshot-count.ts';
import { Target, TargetError } from '../src/bench/target.ts';
import { loadTree } from '../src/bench/tree-load.ts';
import type { LoadOptions } from '../src/bench/workloads.ts';
import type { Pauses } from './pause-hook.ts';
import { DATA_BYTES, pipelinedSets, WRITE_LOAD } from './write-load.ts';

const FILE_TIMEOUT_MS = 10_000;
const LOAD: LoadOptions = { ...WRITE_LOAD, rate: 5000, warmupSeconds: 0, seconds: 30 };

/** What is to be said of it, a line each. */
export async function lookAtPauses(nodeCount: number, directory: string): Promise<string[]> {
  const file = path.join(directory, `pauses-${nodeCount}.json`);
  const hook = new URL('./pause-hook.js', import.meta.url);
  hook.searchParams.set('file', file);
  const kind = vivariumKind('vivarium', ['--import', hook.href, ownProgram()], undefined);
  const target = await Target.start(kind, 1, directory, ['snapCount=10000']);
  try {
    target.signal(0, 'SIGUSR2');
    await loadTree(target, nodeCount, DATA_BYTES, LOAD);
    await runLoad(target, pipelinedSets(), LOAD);
    target.signal(0, 'SIGUSR2');
    const isThere = await poll(() => existsSync(file), FILE_TIMEOUT_MS);
    if (!isThere) throw new TargetError('the server does not say how long it stood still');
    const pauses = JSON.parse(readFileSync(file, 'utf8')) as Pauses;
    const { longestCollection, collections, longestGap, gapAt, waitingInIt } = pauses;
    const { count } = await snapshotCount(target.addresses);
    return [
      `${nodeCount} nodes, then ${LOAD.rate} sets a second, ${count} checkpoints: ` +
        `${collections} collections, the longest ${longestCollection.toFixed(0)} ms`,
      `the event loop stood still for at most ${longestGap.toFixed(0)} ms, ` +
        `${(gapAt / 1000).toFixed(1)} s from the start, ${waitingInIt.toFixed(0)} of them waiting for a core`,
    ];
  } finally {
    await target.stop();
  }
}
