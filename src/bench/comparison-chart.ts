/** The runs of a comparison as a chart. */

import { type BarChart, renderBarChart } from './bar-chart.ts';
import { gainOf, type LoadRun, MEASURES, median, valuesOf } from './report.ts';

/**
 * SVG. Of two targets, how many times better the first is, with the aims as ticks where the second is
 * Apache's; otherwise operations in a second.
 */
export function comparisonChart(
  runs: readonly LoadRun[],
  targets: readonly string[],
  title: string,
): string {
  return renderBarChart(
    targets.length === 2 ? gains(runs, targets, title) : throughputs(runs, targets, title),
  );
}

const COMPARED = [
  { name: 'throughput', measure: MEASURES.throughput },
  { name: 'CPU per operation', measure: MEASURES.cpu },
  { name: 'p99 latency', measure: MEASURES.p99 },
];

function gains(runs: readonly LoadRun[], targets: readonly string[], title: string): BarChart {
  const [first, second] = targets;
  const rows = byWorkload(runs).map(([label, ofWorkload]) => ({
    label,
    bars: COMPARED.map(({ measure }) => ({
      value: gainOf(ofWorkload, targets, measure),
      aim: second === 'apache' ? measure.aim(label, ofWorkload[0]?.servers ?? 0) : undefined,
    })),
  }));
  return {
    title: `${title}: how many times better ${first} is than ${second}`,
    series: COMPARED.map(({ name }) => name),
    rows,
    origin: 1,
    format: (value) => `${Number(value.toPrecision(2))}x`,
  };
}

function throughputs(
  runs: readonly LoadRun[],
  targets: readonly string[],
  title: string,
): BarChart {
  const rows = byWorkload(runs).map(([label, ofWorkload]) => ({
    label,
    bars: targets.map((target) => {
      const values = valuesOf(ofWorkload, target, MEASURES.throughput);
      return { value: values.length === 0 ? undefined : median(values) };
    }),
  }));
  return {
    title: `${title}: operations in a second`,
    series: targets,
    rows,
    format: (value) => String(Math.round(value)),
  };
}

function byWorkload(runs: readonly LoadRun[]): [string, LoadRun[]][] {
  return [...new Set(runs.map((run) => run.workload))].map((name) => [
    name,
    runs.filter((run) => run.workload === name),
  ]);
}
