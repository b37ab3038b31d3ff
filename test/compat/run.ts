/** Runs programs on both servers side by side, and makes a short program of one that tells them apart. */

import type { Comparison, Difference } from './compare.ts';
import type { Driver, Exchange } from './driver.ts';
import type { Step } from './program.ts';

export interface Sides {
  readonly original: Driver;
  readonly ours: Driver;
  /** One for all programs: the server's own nodes show what earlier ones did. */
  readonly comparison: Comparison;
}

export interface ProgramResult {
  /** Exchanges compared. */
  readonly count: number;
  /** The differences of the first step that has any: later ones may only follow from them. */
  readonly differences: readonly Difference[];
  /** Index of that step. */
  readonly failedStep: number;
}

/** Shrinking is a service, not the task. */
const SHRINK_MS = 60_000;

/** Runs steps on both; stops behind the first that differs. */
export async function runProgram(sides: Sides, steps: readonly Step[]): Promise<ProgramResult> {
  const { comparison } = sides;
  let count = 0;
  const compare = async (ask: (driver: Driver) => Promise<Exchange[]>): Promise<Difference[]> => {
    const [original, ours] = await Promise.all([ask(sides.original), ask(sides.ours)]);
    count += original.length;
    return comparison.step(original, ours);
  };
  let differences = await compare((driver) => driver.begin());
  let failedStep = -1;
  for (const [at, step] of steps.entries()) {
    if (differences.length > 0) break;
    differences = await compare((driver) => driver.run(step));
    failedStep = at;
  }
  const ends = await compare((driver) => driver.end());
  if (differences.length === 0) {
    differences = ends;
    failedStep = steps.length;
  }
  return { count, differences, failedStep };
}

/**
 * Leaves out steps and requests for as long as the program still fails in the same way. `nextRoot`
 * gives a place that no program has used.
 */
export async function shrink(
  sides: Sides,
  make: (root: string) => readonly Step[],
  first: ProgramResult,
  nextRoot: () => string,
): Promise<{ readonly steps: readonly Step[]; readonly result: ProgramResult }> {
  const signature = signatureOf(first);
  let kept = flatten(make(nextRoot())).filter(({ step }) => step <= first.failedStep);
  let best: { steps: readonly Step[]; result: ProgramResult } | undefined;
  const fails = async (places: readonly Place[]): Promise<boolean> => {
    const steps = select(make(nextRoot()), places);
    const result = await runProgram(sides, steps);
    if (result.differences.length === 0 || signatureOf(result) !== signature) return false;
    best = { steps, result };
    return true;
  };
  const deadline = performance.now() + SHRINK_MS;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let end = kept.length; end > 0; end -= size) {
      if (performance.now() > deadline) break;
      const fewer = [...kept.slice(0, Math.max(0, end - size)), ...kept.slice(end)];
      if (await fails(fewer)) kept = fewer;
    }
  }
  return best ?? { steps: select(make(nextRoot()), kept), result: first };
}

/** A request of a step, or all of a step that is no list of requests. */
interface Place {
  readonly step: number;
  readonly request: number;
}

function flatten(steps: readonly Step[]): Place[] {
  return steps.flatMap((step, at) =>
    step.kind === 'requests'
      ? step.requests.map((_, request) => ({ step: at, request }))
      : [{ step: at, request: 0 }],
  );
}

function select(steps: readonly Step[], places: readonly Place[]): Step[] {
  return steps.flatMap((step, at): Step[] => {
    const here = new Set(places.filter((place) => place.step === at).map(({ request }) => request));
    if (here.size === 0) return [];
    if (step.kind !== 'requests') return [step];
    return [{ ...step, requests: step.requests.filter((_, index) => here.has(index)) }];
  });
}

/** What kind of difference it is: the operation and how the replies differ. */
function signatureOf(result: ProgramResult): string {
  const [first] = result.differences;
  if (first === undefined) return '';
  const { original, ours, problem } = first;
  return `${problem} ${original.asked?.type} ${original.outcome.error} ${ours.outcome.error}`;
}
