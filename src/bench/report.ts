/** Tables of medians and ratios from the runs of a comparison. */

import { aimOf } from './aims.ts';
import type { FailoverResult } from './failover.ts';
import type { LoadResult } from './load-run.ts';

/** One run of one load against one target. */
export interface LoadRun extends LoadResult {
  readonly target: string;
  /** Members of the ensemble. */
  readonly servers: number;
  readonly round: number;
}

interface Measure {
  readonly title: string;
  readonly digits: number;
  /** Whether more of it is better. */
  readonly isGain: boolean;
  value(run: LoadRun): number | undefined;
  aim(workload: string, servers: number): number | undefined;
}

const NO_AIM = (): undefined => undefined;

export const MEASURES = {
  throughput: {
    title: 'ops/s',
    digits: 0,
    isGain: true,
    value: (run) => run.opsPerSecond,
    aim: (workload, servers) => aimOf(workload, servers)?.throughput,
  },
  cpu: {
    title: 'CPU µs/op',
    digits: 1,
    isGain: false,
    value: (run) => microseconds(run.cpuSecondsPerKop),
    aim: (workload, servers) => aimOf(workload, servers)?.cpu,
  },
  p50: latency('p50 ms', (run) => run.p50Us),
  p99: {
    ...latency('p99 ms', (run) => run.p99Us),
    aim: (workload, servers) => (aimOf(workload, servers) === undefined ? undefined : 1),
  },
  p999: latency('p99.9 ms', (run) => run.p999Us),
  max: latency('max ms', (run) => run.maxUs),
  memory: {
    title: 'RSS MB',
    digits: 0,
    isGain: false,
    value: (run) => (run.residentBytes === undefined ? undefined : run.residentBytes / 1e6),
    aim: NO_AIM,
  },
} satisfies Readonly<Record<string, Measure>>;

/** What a comparison of loads shows, and what a window with checkpoints does. */
export const LOAD_MEASURES: readonly Measure[] = [
  MEASURES.throughput,
  MEASURES.cpu,
  MEASURES.p99,
  MEASURES.memory,
];
export const LATENCY_MEASURES: readonly Measure[] = [
  MEASURES.throughput,
  MEASURES.cpu,
  MEASURES.p50,
  MEASURES.p99,
  MEASURES.p999,
  MEASURES.max,
];

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Half the distance between the extremes, in percent of the median. */
export function spreadPercent(values: readonly number[]): number {
  return ((Math.max(...values) - Math.min(...values)) / 2 / median(values)) * 100;
}

/** The measure's values of one target's runs of one load; empty where it is not known. */
export function valuesOf(runs: readonly LoadRun[], target: string, measure: Measure): number[] {
  return runs.flatMap((run) => (run.target === target ? (measure.value(run) ?? []) : []));
}

/** How many times better the first target is; undefined where either is not known. */
export function gainOf(
  runs: readonly LoadRun[],
  [first, second]: readonly string[],
  measure: Measure,
): number | undefined {
  if (first === undefined || second === undefined) return undefined;
  const ours = median(valuesOf(runs, first, measure));
  const theirs = median(valuesOf(runs, second, measure));
  const gain = measure.isGain ? ours / theirs : theirs / ours;
  return Number.isFinite(gain) ? gain : undefined;
}

/**
 * Markdown: a line for each load with the medians of all targets, and with two targets how many times
 * better the first is. `servers` chooses the aims, which are shown with the ratios to Apache.
 */
export function comparisonTable(
  runs: readonly LoadRun[],
  targets: readonly string[],
  measures: readonly Measure[] = LOAD_MEASURES,
): string {
  const isPair = targets.length === 2;
  const titles = measures.flatMap(({ title }) => [
    ...targets.map((target) => `${title} ${target}`),
    ...(isPair ? ['times better'] : []),
  ]);
  const lines = [
    `| load | ${titles.join(' | ')} | noise |`,
    `|---|${'--:|'.repeat(titles.length + 1)}`,
  ];
  for (const workload of new Set(runs.map((run) => run.workload))) {
    const ofWorkload = runs.filter((run) => run.workload === workload);
    const cells = measures.flatMap((measure) => measureCells(measure, ofWorkload, targets));
    const failed = ofWorkload.some((run) => run.failures.length > 0) ? ' FAILED' : '';
    lines.push(`| ${workload}${failed} | ${cells.join(' | ')} | ${noiseOf(ofWorkload)} |`);
  }
  return `${lines.join('\n')}\n`;
}

/** Markdown: a line for each target, medians and extremes over its trials. */
export function failoverTable(results: readonly FailoverResult[]): string {
  const lines = [
    '| target | trials | longest pause ms (min, max) | pause before the kill ms | kill to next write ms | acknowledged | failures |',
    '|---|--:|--:|--:|--:|--:|--:|',
  ];
  for (const target of new Set(results.map((result) => result.target))) {
    const trials = results.filter((result) => result.target === target);
    const pauses = trials.map((trial) => trial.longestPauseMs);
    const kills = trials.flatMap((trial) => trial.killToWriteMs ?? []);
    const cells = [
      target,
      trials.length,
      `**${median(pauses).toFixed(0)}** (${Math.min(...pauses).toFixed(0)}, ${Math.max(...pauses).toFixed(0)})`,
      median(trials.map((trial) => trial.pauseBeforeMs)).toFixed(0),
      kills.length === 0 ? '-' : median(kills).toFixed(0),
      trials.reduce((sum, trial) => sum + trial.acknowledged, 0),
      trials.filter((trial) => trial.failures.length > 0).length,
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}

function measureCells(
  measure: Measure,
  runs: readonly LoadRun[],
  targets: readonly string[],
): string[] {
  const cells = targets.map((target) => {
    const values = valuesOf(runs, target, measure);
    if (values.length === 0) return '-';
    const spread = values.length > 1 ? ` ±${spreadPercent(values).toFixed(0)}%` : '';
    return `${median(values).toFixed(measure.digits)}${spread}`;
  });
  if (targets.length === 2) cells.push(gainCell(measure, runs, targets));
  return cells;
}

function gainCell(measure: Measure, runs: readonly LoadRun[], targets: readonly string[]): string {
  const gain = gainOf(runs, targets, measure);
  if (gain === undefined) return '-';
  const [run] = runs;
  const isOriginal = targets[1] === 'apache';
  const aim = isOriginal && run !== undefined ? measure.aim(run.workload, run.servers) : undefined;
  return `**${gain.toFixed(2)}**${aim === undefined ? '' : ` (${aim})`}`;
}

/** Cores that neither the servers nor the bench used. */
function noiseOf(runs: readonly LoadRun[]): string {
  const cores = runs.flatMap(({ otherCpuSeconds, seconds }) =>
    otherCpuSeconds === undefined ? [] : otherCpuSeconds / seconds,
  );
  return cores.length === 0 ? '-' : median(cores).toFixed(2);
}

function latency(title: string, value: (run: LoadRun) => number): Measure {
  return { title, digits: 2, isGain: false, value: (run) => value(run) / 1000, aim: NO_AIM };
}

/** CPU seconds for 1000 operations are milliseconds for one. */
function microseconds(cpuSecondsPerKop: number | undefined): number | undefined {
  return cpuSecondsPerKop === undefined ? undefined : cpuSecondsPerKop * 1000;
}
