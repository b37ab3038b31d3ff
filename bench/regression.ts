/** Whether one build needs clearly more CPU for an operation than another. */

import { gainOf, type LoadRun, MEASURES } from '../src/bench/report.ts';

/** So many times the CPU is no noise any more: the same build against itself stays well below. */
export const WORSE_FROM = 1.25;

/**
 * Loads, by name, for which the median of the first target's CPU per operation is above
 * `WORSE_FROM` times the second's.
 */
export function worseLoads(runs: readonly LoadRun[], targets: readonly string[]): string[] {
  return [...new Set(runs.map((run) => run.workload))].filter((workload) => {
    const ofWorkload = runs.filter((run) => run.workload === workload);
    const gain = gainOf(ofWorkload, targets, MEASURES.cpu);
    return gain !== undefined && 1 / gain > WORSE_FROM;
  });
}
