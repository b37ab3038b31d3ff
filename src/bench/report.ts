/** Tables of medians and ratios from the runs of a comparison. */

import type { FailoverResult } from './failover.ts';
import type { LoadResult } from './load-client.ts';

/** One run of one load against one target. */
export interface LoadRun extends LoadResult {
  readonly target: string;
  readonly servers: number;
  readonly round: number;
}

interface Measure {
  readonly title: string;
  readonly digits: number;
  value(run: LoadRun): number;
}

const MEASURES: readonly Measure[] = [
  { title: 'ops/s', digits: 0, value: (run) => run.opsPerSecond },
  { title: 'CPU-s/kop', digits: 4, value: (run) => run.cpuSecondsPerKop },
  { title: 'p99 ms', digits: 2, value: (run) => run.p99Us / 1000 },
  { title: 'RSS MB', digits: 0, value: (run) => run.residentBytes / 1e6 },
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

/** Markdown: a line for each load, medians of both targets, and the first divided by the second. */
export function comparisonTable(runs: readonly LoadRun[], targets: readonly string[]): string {
  const titles = MEASURES.flatMap(({ title }) => [
    ...targets.map((target) => `${title} ${target}`),
    ...(targets.length === 2 ? ['ratio'] : []),
  ]);
  const lines = [
    `| load | ${titles.join(' | ')} | noise |`,
    `|---|${'--:|'.repeat(titles.length + 1)}`,
  ];
  for (const workload of new Set(runs.map((run) => run.workload))) {
    const ofWorkload = runs.filter((run) => run.workload === workload);
    const cells = MEASURES.flatMap((measure) => measureCells(measure, ofWorkload, targets));
    const noise = median(ofWorkload.map((run) => run.otherCpuSeconds / run.seconds));
    const failed = ofWorkload.some((run) => run.failures.length > 0) ? ' FAILED' : '';
    lines.push(`| ${workload}${failed} | ${cells.join(' | ')} | ${noise.toFixed(2)} |`);
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
    const cells = [
      target,
      trials.length,
      `**${median(pauses).toFixed(0)}** (${Math.min(...pauses).toFixed(0)}, ${Math.max(...pauses).toFixed(0)})`,
      median(trials.map((trial) => trial.pauseBeforeMs)).toFixed(0),
      median(trials.map((trial) => trial.killToWriteMs)).toFixed(0),
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
  const columns = targets.map((target) =>
    runs.filter((run) => run.target === target).map((run) => measure.value(run)),
  );
  const cells = columns.map(
    (values) => `${median(values).toFixed(measure.digits)} ±${spreadPercent(values).toFixed(0)}%`,
  );
  const [first, second] = columns;
  if (columns.length === 2 && first !== undefined && second !== undefined) {
    cells.push(`**${(median(first) / median(second)).toFixed(2)}**`);
  }
  return cells;
}
