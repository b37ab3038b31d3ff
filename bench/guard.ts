/**
 * `npm run bench:guard`: measures this commit and the one before it in turn, and fails when this one
 * needs clearly more CPU for a get or a set. CPU of the server, because it depends least on who else
 * uses the machine; and twice, because nothing is to fail for a single bad moment.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runLoad } from '../src/bench/load-run.ts';
import { comparisonTable, type LoadRun } from '../src/bench/report.ts';
import { ownProgram, vivariumKind } from '../src/bench/server-kinds.ts';
import { Target } from '../src/bench/target.ts';
import {
  type LoadOptions,
  WORKLOADS,
  type Workload,
  workloadName,
} from '../src/bench/workloads.ts';
import { buildPreviousCommit, reasonNotToCompare } from './previous-commit.ts';
import { WORSE_FROM, worseLoads } from './regression.ts';

const LOADS = /^(get 1024|set 100) B d=32$/;
const ROUNDS = 3;
const OPTIONS: LoadOptions = {
  connections: 50,
  keys: 1000,
  watchers: 0,
  rate: undefined,
  warmupSeconds: 0.3,
  seconds: 1.5,
};
/** Compilers of both need some seconds; nothing is counted meanwhile. */
const WARM_UP: LoadOptions = { ...OPTIONS, seconds: 3 };

async function main(): Promise<number> {
  const program = ownProgram();
  const checkout = path.dirname(path.dirname(program));
  const reason = reasonNotToCompare(checkout);
  if (reason !== undefined) return pass(reason);
  const directory = mkdtempSync(path.join(tmpdir(), 'vivarium-guard-'));
  const targets: Target[] = [];
  try {
    const previous = buildPreviousCommit(checkout, path.join(directory, 'previous'));
    if (previous === undefined) return pass('the commit before cannot be built beside this one');
    targets.push(await Target.start(vivariumKind('now', [program], undefined), 1, directory));
    targets.push(await Target.start(vivariumKind('before', [previous], undefined), 1, directory));
    return await compare(targets);
  } finally {
    await Promise.all(targets.map((target) => target.stop()));
    rmSync(directory, { recursive: true, force: true });
  }
}

async function compare(targets: readonly Target[]): Promise<number> {
  const loads = WORKLOADS.filter((workload) => LOADS.test(workloadName(workload)));
  for (const load of loads) for (const target of targets) await runLoad(target, load, WARM_UP);
  const suspects = await measure(loads, targets);
  if (suspects.length === 0) return 0;
  process.stdout.write(`\nonce more: ${suspects.map(workloadName).join(', ')}\n`);
  const worse = await measure(suspects, targets);
  if (worse.length === 0) return 0;
  process.stdout.write(
    `\nFAILED: more than ${WORSE_FROM} times the CPU of the commit before, twice: ` +
      `${worse.map(workloadName).join(', ')}\n`,
  );
  return 1;
}

/** Prints what was measured; the loads for which the first target is clearly worse. */
async function measure(
  loads: readonly Workload[],
  targets: readonly Target[],
): Promise<readonly Workload[]> {
  const runs: LoadRun[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    for (const load of loads) {
      for (const target of targets) {
        const result = await runLoad(target, load, OPTIONS);
        runs.push({ target: target.name, servers: 1, round, ...result });
      }
    }
  }
  const names = targets.map((target) => target.name);
  process.stdout.write(`\n${comparisonTable(runs, names)}`);
  const worse = new Set(worseLoads(runs, names));
  return loads.filter((load) => worse.has(workloadName(load)));
}

function pass(reason: string): number {
  process.stdout.write(`no comparison with the commit before: ${reason}\n`);
  return 0;
}

process.exitCode = await main();
