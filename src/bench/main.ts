/** `npm run bench`: compares targets under load, in turn, on this machine. */

import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { type FailoverResult, runFailover } from './failover.ts';
import { runLoad } from './load-client.ts';
import { machineLine } from './machine.ts';
import { type BenchOptions, parseOptions, USAGE, UsageError } from './options.ts';
import { reportProfiles, windowHooks } from './profile-window.ts';
import { comparisonTable, failoverTable, type LoadRun } from './report.ts';
import { Target } from './target.ts';
import type { Workload } from './workloads.ts';

/** Uncounted runs against each target first: compilers on both sides need them. */
const WARM_UP_RUNS = 2;

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const options = parseOptions(args);
  process.stdout.write(`${machineLine()}\n`);
  if (options.jsonFile !== undefined) rmSync(options.jsonFile, { force: true });
  if (options.profileDirectory !== undefined) {
    mkdirSync(options.profileDirectory, { recursive: true });
  }
  let failures = 0;
  for (const serverCount of options.serverCounts) {
    failures += await withTargets(options, serverCount, (targets) =>
      options.mode === 'load'
        ? compareLoads(options, serverCount, targets)
        : compareFailovers(options, targets),
    );
  }
  return failures === 0 ? 0 : 1;
}

/** Starts all targets, side by side, and stops them whatever happens, an interrupt included. */
async function withTargets(
  options: BenchOptions,
  serverCount: number,
  use: (targets: readonly Target[]) => Promise<number>,
): Promise<number> {
  const targets: Target[] = [];
  const stopAll = async (): Promise<void> => {
    await Promise.all(targets.splice(0).map((target) => target.stop()));
  };
  const interrupted = (): void => {
    const exit = (): never => process.exit(130);
    stopAll().then(exit, exit);
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    for (const kind of options.targets) {
      targets.push(await Target.start(kind, serverCount, options.directory));
    }
    return await use([...targets]);
  } finally {
    await stopAll();
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
  }
}

/** Prints the table; the number of runs that failed. */
async function compareLoads(
  options: BenchOptions,
  serverCount: number,
  targets: readonly Target[],
): Promise<number> {
  await warmUp(options, targets);
  const runs: LoadRun[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    for (const workload of options.workloads) {
      for (const target of targets) {
        runs.push(await measure(options, target, serverCount, workload, round));
      }
    }
  }
  process.stdout.write(`\n${title(serverCount)}, ${options.rounds} rounds\n\n`);
  process.stdout.write(
    comparisonTable(
      runs,
      targets.map((target) => target.name),
    ),
  );
  return runs.filter((run) => run.failures.length > 0).length;
}

async function measure(
  options: BenchOptions,
  target: Target,
  serverCount: number,
  workload: Workload,
  round: number,
): Promise<LoadRun> {
  const isProfiled = target.profileFile(0) !== undefined;
  const hooks = isProfiled ? windowHooks(target) : undefined;
  const result = await runLoad(target, workload, options.load, hooks);
  const run: LoadRun = { target: target.name, servers: serverCount, round, ...result };
  writeJson(options, run);
  process.stdout.write(
    `round ${round}  ${run.workload.padEnd(24)} ${run.target.padEnd(10)} ` +
      `${run.opsPerSecond.toFixed(0).padStart(7)} ops/s  ` +
      `${run.cpuSecondsPerKop.toFixed(4)} CPU-s/kop  p99 ${(run.p99Us / 1000).toFixed(2)} ms\n`,
  );
  complain(`${run.target} ${run.workload}`, run.failures);
  if (isProfiled) await reportProfiles(target, run);
  return run;
}

async function warmUp(options: BenchOptions, targets: readonly Target[]): Promise<void> {
  const [first, ...others] = options.workloads;
  const last = others.at(-1) ?? first;
  for (let run = 0; run < WARM_UP_RUNS; run++) {
    for (const target of targets) {
      if (first !== undefined) await runLoad(target, first, options.load);
      if (last !== undefined) await runLoad(target, last, options.load);
    }
  }
}

async function compareFailovers(
  options: BenchOptions,
  targets: readonly Target[],
): Promise<number> {
  const results: FailoverResult[] = [];
  for (let trial = 1; trial <= options.rounds; trial++) {
    for (const target of targets) {
      const result = await runFailover(target, trial, {
        writers: options.writers,
        seconds: options.trialSeconds,
      });
      results.push(result);
      writeJson(options, result);
      process.stdout.write(
        `trial ${trial}  ${target.name.padEnd(10)} no write for ` +
          `${result.longestPauseMs.toFixed(0)} ms\n`,
      );
      complain(`${target.name} failover`, result.failures);
    }
  }
  process.stdout.write(`\n${failoverTable(results)}`);
  return results.filter((result) => result.failures.length > 0).length;
}

function title(serverCount: number): string {
  return serverCount === 1 ? 'Standalone' : `${serverCount} servers`;
}

function complain(what: string, failures: readonly string[]): void {
  for (const failure of failures) process.stderr.write(`FAILED ${what}: ${failure}\n`);
}

function writeJson(options: BenchOptions, result: object): void {
  if (options.jsonFile !== undefined) {
    appendFileSync(options.jsonFile, `${JSON.stringify(result)}\n`);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
