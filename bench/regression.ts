/** Whether one build needs clearly more CPU for an operation than another. */

import { type LoadRun, MEASURES, median, valuesOf } from '../src/bench/report.ts';

/** So many times the CPU is no noise any more: the same build against itself stays below. */
export const WORSE_FROM = 1.25;

/**
 * Loads, by name, for which the first target's CPU per operation is above `WORSE_FROM` times the
 * second's, by the medians of all runs and by the best ones as well: whoever else uses the machine makes
 * a run worse, never better.
 */
export function worseLoads(
  runs: readonly LoadRun[],
  [first = '', second = '']: readonly string[],
): string[] {
  return [...new Set(runs.map((run) => run.workload))].filter((workload) => {
    const ofWorkload = runs.filter((run) => run.workload === workload);
    const ours = valuesOf(ofWorkload, first, MEASURES.cpu);
    const theirs = valuesOf(ofWorkload, second, MEASURES.cpu);
    const byMedian = median(ours) / median(theirs);
    const byBest = Math.min(...ours) / Math.min(...theirs);
    return byMedian > WORSE_FROM && byBest > WORSE_FROM;
  });
}
