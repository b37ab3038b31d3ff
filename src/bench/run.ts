/** `vivarium bench`: measures targets in turn, prints tables, and writes what it is asked to. */

import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { comparisonChart } from './comparison-chart.ts';
import { type FailoverResult, runFailover } from './failover.ts';
import { type LoadTarget, runLoad } from './load-run.ts';
import { listeningPids, machineLine, settleDisks } from './machine.ts';
import { type BenchOptions, type RunningServers, UsageError } from './options.ts';
import { reportProfiles, windowHooks } from './profile-window.ts';
import {
  comparisonTable,
  failoverTable,
  LATENCY_MEASURES,
  LOAD_MEASURES,
  type LoadRun,
} from './report.ts';
import { snapshotCount } from './snapshot-count.ts';
import { Target } from './target.ts';
import { loadTree, removeTree } from './tree-load.ts';
import type { Workload } from './workloads.ts';

/** Uncounted runs against each target first: compilers on both sides need them. */
const WARM_UP_RUNS = 2;
const WARM_UP_SECONDS_MAX = 3;
const TREE_NODE_BYTES = 100;

/** One line of the file of `--json`. */
type Entry =
  | { readonly kind: 'machine'; readonly text: string }
  | ({ readonly kind: 'load' } & LoadRun)
  | ({ readonly kind: 'checkpoint' } & LoadRun)
  | ({ readonly kind: 'failover'; readonly servers: number } & FailoverResult);

/** Resolves to the exit code: 1 when a run failed. Throws a `UsageError`, or rejects with a `TargetError`. */
export async function runBench(options: BenchOptions): Promise<number> {
  if (options.mode === 'report') return report(readEntries(options.files), options);
  if (options.jsonFile !== undefined) rmSync(options.jsonFile, { force: true });
  if (options.profileDirectory !== undefined) {
    mkdirSync(options.profileDirectory, { recursive: true });
  }
  const session = new BenchSession(options);
  session.keep({ kind: 'machine', text: machineLine() });
  process.stdout.write(`${machineLine()}\n`);
  if (options.running.length > 0) {
    const targets = options.running.map(runningTarget);
    await session.measureAll(targets, targets[0]?.addresses.length ?? 0);
  } else {
    for (const serverCount of options.serverCounts) await session.startAndMeasure(serverCount);
  }
  return report(session.entries, options);
}

class BenchSession {
  readonly entries: Entry[] = [];
  readonly #options: BenchOptions;

  constructor(options: BenchOptions) {
    this.#options = options;
  }

  /** Remembers a result, and writes it at once: a run that is interrupted has its file. */
  keep(entry: Entry): void {
    this.entries.push(entry);
    const { jsonFile } = this.#options;
    if (jsonFile !== undefined) appendFileSync(jsonFile, `${JSON.stringify(entry)}\n`);
  }

  /** Starts all targets, side by side, and stops them whatever happens, an interrupt included. */
  async startAndMeasure(serverCount: number): Promise<void> {
    const { kinds, mode, snapCount, directory } = this.#options;
    const lines = mode === 'checkpoint' ? [`snapCount=${snapCount}`] : [];
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
      for (const kind of kinds) {
        targets.push(await Target.start(kind, serverCount, directory, lines));
      }
      await this.measureAll([...targets], serverCount);
    } finally {
      await stopAll();
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
    }
  }

  async measureAll(targets: readonly LoadTarget[], serverCount: number): Promise<void> {
    switch (this.#options.mode) {
      case 'load':
        return this.#compareLoads(targets, serverCount);
      case 'failover':
        return this.#compareFailovers(targets, serverCount);
      case 'checkpoint':
        return this.#compareCheckpoints(targets, serverCount);
      case 'tree':
        return this.#compareTrees(targets, serverCount);
      case 'report':
        return;
    }
  }

  async #compareLoads(targets: readonly LoadTarget[], servers: number): Promise<void> {
    const { rounds, workloads } = this.#options;
    await this.#warmUp(targets);
    for (let round = 1; round <= rounds; round++) {
      for (const workload of workloads) {
        for (const target of targets) await this.#measure(target, servers, workload, round);
      }
    }
  }

  async #measure(
    target: LoadTarget,
    servers: number,
    workload: Workload,
    round: number,
  ): Promise<void> {
    const profiled =
      target instanceof Target && target.profileFile(0) !== undefined ? target : undefined;
    const hooks = profiled && windowHooks(profiled);
    settleDisks();
    const result = await runLoad(target, workload, this.#options.load, hooks);
    const run: LoadRun = { target: target.name, servers, round, ...result };
    this.keep({ kind: 'load', ...run });
    printRun(run);
    if (profiled !== undefined) await reportProfiles(profiled, run);
  }

  async #warmUp(targets: readonly LoadTarget[]): Promise<void> {
    const { workloads } = this.#options;
    const { seconds } = this.#options.load;
    const load = { ...this.#options.load, seconds: Math.min(seconds, WARM_UP_SECONDS_MAX) };
    const first = workloads.find(({ operation }) => operation === 'get') ?? workloads[0];
    const last = workloads.findLast(({ operation }) => operation === 'set') ?? workloads.at(-1);
    for (let run = 0; run < WARM_UP_RUNS; run++) {
      for (const target of targets) {
        if (first !== undefined) await runLoad(target, first, load);
        if (last !== undefined && last !== first) await runLoad(target, last, load);
      }
    }
  }

  async #compareFailovers(targets: readonly LoadTarget[], servers: number): Promise<void> {
    const { rounds, writers, trialSeconds } = this.#options;
    for (let trial = 1; trial <= rounds; trial++) {
      for (const target of targets) {
        const control = target instanceof Target ? await target.leaderControl() : undefined;
        const options = { writers, seconds: trialSeconds };
        const result = await runFailover(target, trial, options, control);
        this.keep({ kind: 'failover', servers, ...result });
        const pause = `no write for ${result.longestPauseMs.toFixed(0)} ms`;
        process.stdout.write(`trial ${trial}  ${target.name.padEnd(10)} ${pause}\n`);
        complain(`${target.name} failover`, result.failures);
      }
    }
  }

  /** Sets at a fixed rate beside a large tree, while one checkpoint follows the other. */
  async #compareCheckpoints(targets: readonly LoadTarget[], servers: number): Promise<void> {
    const { load, nodes, rounds } = this.#options;
    for (const target of targets) await loadTree(target, nodes, TREE_NODE_BYTES, load);
    const workload: Workload = {
      operation: 'set',
      size: TREE_NODE_BYTES,
      depth: 1,
      writePercent: 100,
      isMain: false,
    };
    await this.#warmUp(targets);
    for (let round = 1; round <= rounds; round++) {
      for (const target of targets) {
        settleDisks();
        const before = await snapshotCount(target.addresses);
        const result = await runLoad(target, workload, load);
        const after = await snapshotCount(target.addresses);
        const count = after.count - before.count;
        const seconds = (after.seconds - before.seconds).toFixed(1);
        const missing = count === 0 ? ['no checkpoint was written: nothing was measured'] : [];
        const run: LoadRun = {
          ...result,
          target: target.name,
          servers,
          round,
          workload: `${load.rate} sets/s beside ${nodes} nodes`,
          failures: [...result.failures, ...missing],
        };
        this.keep({ kind: 'checkpoint', ...run });
        printRun(run);
        process.stdout.write(`         ${count} checkpoints, ${seconds} s of writing them\n`);
      }
    }
    for (const target of targets) if (!(target instanceof Target)) await removeTree(target);
  }

  async #compareTrees(targets: readonly LoadTarget[], servers: number): Promise<void> {
    const { load, nodes } = this.#options;
    for (const target of targets) {
      const result = await loadTree(target, nodes, TREE_NODE_BYTES, load);
      const run: LoadRun = { target: target.name, servers, round: 1, ...result };
      this.keep({ kind: 'load', ...run });
      printRun(run);
      if (!(target instanceof Target)) await removeTree(target);
    }
  }
}

/** Prints the tables of all results; the exit code. */
function report(all: readonly Entry[], { svgFile, shown }: BenchOptions): number {
  for (const name of shown ?? []) {
    if (!all.some((entry) => 'target' in entry && entry.target === name)) {
      throw new UsageError(`--targets ${name}: the files have no result of it`);
    }
  }
  const entries = all.filter(
    (entry) => !('target' in entry) || (shown?.includes(entry.target) ?? true),
  );
  const sizes = new Set(entries.flatMap((entry) => ('servers' in entry ? entry.servers : [])));
  for (const servers of sizes) {
    const title = servers === 1 ? 'Standalone' : `${servers} servers`;
    const ofSize = entries.filter((entry) => 'servers' in entry && entry.servers === servers);
    const loads = ofSize.filter((entry) => entry.kind === 'load');
    const checkpoints = ofSize.filter((entry) => entry.kind === 'checkpoint');
    const failovers = ofSize.filter((entry) => entry.kind === 'failover');
    process.stdout.write(`\n${title}\n\n`);
    if (loads.length > 0) {
      const targets = targetsOf(loads);
      process.stdout.write(comparisonTable(loads, targets, LOAD_MEASURES));
      if (svgFile !== undefined) {
        const name = sizes.size === 1 ? svgFile : svgFile.replace(/(\.svg)?$/, `-${servers}.svg`);
        writeFileSync(name, comparisonChart(loads, targets, title));
      }
    }
    if (checkpoints.length > 0) {
      const targets = targetsOf(checkpoints);
      process.stdout.write(comparisonTable(checkpoints, targets, LATENCY_MEASURES));
    }
    if (failovers.length > 0) process.stdout.write(failoverTable(failovers));
  }
  const isFailed = entries.some((entry) => 'failures' in entry && entry.failures.length > 0);
  return isFailed ? 1 : 0;
}

function targetsOf(runs: readonly LoadRun[]): string[] {
  return [...new Set(runs.map((run) => run.target))];
}

function readEntries(files: readonly string[]): Entry[] {
  if (files.length === 0) throw new UsageError('report: name a file that --json wrote');
  return files.flatMap((file) => {
    const lines = readText(file).split('\n').filter(Boolean);
    return lines.map((line): Entry => JSON.parse(line));
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new UsageError(`report ${file}: cannot be read`);
  }
}

function runningTarget({ name, addresses, pids }: RunningServers): LoadTarget {
  const ports = addresses.map(({ port }) => port);
  return { name, addresses, pids: pids ?? listeningPids(ports) };
}

function printRun(run: LoadRun): void {
  const cpu = run.cpuSecondsPerKop;
  process.stdout.write(
    `round ${run.round}  ${run.workload.padEnd(28)} ${run.target.padEnd(10)} ` +
      `${run.opsPerSecond.toFixed(0).padStart(7)} ops/s  ` +
      `${cpu === undefined ? '-' : (cpu * 1000).toFixed(1).padStart(6)} CPU µs/op  ` +
      `p50 ${ms(run.p50Us)}  p99 ${ms(run.p99Us)}  p99.9 ${ms(run.p999Us)} ms\n`,
  );
  complain(`${run.target} ${run.workload}`, run.failures);
}

function ms(us: number): string {
  return (us / 1000).toFixed(2);
}

function complain(what: string, failures: readonly string[]): void {
  for (const failure of failures) process.stderr.write(`FAILED ${what}: ${failure}\n`);
}
