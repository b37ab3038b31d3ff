/** The compatibility run: programs, one seed after the other, until enough was compared. */

import { Comparison, type Difference } from './compare.ts';
import { Driver, type Exchange } from './driver.ts';
import { makeProgram, type Step } from './program.ts';
import { runProgram, type Sides, shrink } from './run.ts';
import { startTargets } from './targets.ts';

export interface CompatOptions {
  /** Exchanges to compare. */
  readonly ops: number;
  /** Of the first program. */
  readonly seed: number;
  readonly serverCount: 1 | 3;
  /** Programs that may fail before the run ends. */
  readonly failuresMax: number;
  /** Types of requests to leave out. */
  readonly without: readonly number[];
}

export interface CompatResult {
  readonly programs: number;
  /** Exchanges compared. */
  readonly count: number;
  /** Programs with a difference that is not known. */
  readonly failures: number;
  /** How often each known difference was seen, by its id. */
  readonly seen: ReadonlyMap<string, number>;
}

/** Starts both servers, runs, tells `print` what it finds, and stops them. */
export async function runCompat(
  options: CompatOptions,
  print: (text: string) => void,
): Promise<CompatResult> {
  const targets = await startTargets(options.serverCount);
  const probesSync = options.serverCount > 1;
  const sides = {
    original: new Driver(targets.original.servers, probesSync),
    ours: new Driver(targets.ours.servers, probesSync),
    comparison: new Comparison(),
  };
  try {
    return await runSeeds(sides, options, print);
  } finally {
    await targets.stop();
  }
}

async function runSeeds(
  sides: Sides,
  options: CompatOptions,
  print: (text: string) => void,
): Promise<CompatResult> {
  const startedMs = performance.now();
  const { seen } = sides.comparison;
  const program = { without: options.without, hasConfig: options.serverCount === 1 };
  let [roots, programs, count, failures] = [0, 0, 0, 0];
  // Roots are equally long, so that a program is the same below each of them.
  const nextRoot = (): string => {
    roots += 1;
    return `/compat-${roots.toString().padStart(6, '0')}`;
  };
  while (count < options.ops && failures < options.failuresMax) {
    const seed = options.seed + programs;
    programs += 1;
    const make = (root: string): Step[] => makeProgram(seed, root, program);
    const result = await runProgram(sides, make(nextRoot()));
    count += result.count;
    if (result.differences.length === 0) continue;
    failures += 1;
    print(`\nprogram ${seed} differs:\n${describeAll(result.differences)}`);
    const short = await shrink(sides, make, result, nextRoot);
    print(`\nshortest program found:\n${short.steps.map(describeStep).join('\n')}\n`);
    print(`which gives\n${describeAll(short.result.differences)}`);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  print(`\n${programs} programs, ${count} answers compared in ${seconds.toFixed(1)} s: `);
  print(failures === 0 ? 'no difference that is not known\n' : `${failures} programs differ\n`);
  print(`  ${sides.comparison.eventCount} notifications\n`);
  for (const [name, { ok, failed }] of [...sides.comparison.asked].sort()) {
    print(`  ${name}: ${ok} ok, ${failed} refused\n`);
  }
  for (const [id, times] of [...seen].sort()) print(`  known difference ${id}: ${times}\n`);
  return { programs, count, failures, seen };
}

function describeAll(differences: readonly Difference[]): string {
  return differences.slice(0, 3).map(describeDifference).join('');
}

function describeDifference({ problem, original, ours }: Difference): string {
  const asked = original.asked?.text ?? 'the connection';
  return (
    `${problem}: connection ${original.connection}, ${asked}\n` +
    `  Apache   ${describeExchange(original)}\n  Vivarium ${describeExchange(ours)}\n`
  );
}

function describeExchange({ events, outcome }: Exchange): string {
  const zxids = outcome.zxids.length > 0 ? `   # ${outcome.zxids.join(' ')}` : '';
  return [...events.map((event) => event.text), `${outcome.text}${zxids}`].join('\n           ');
}

function describeStep(step: Step): string {
  switch (step.kind) {
    case 'requests':
      return step.requests.map(({ text }) => `  ${step.connection}: ${text}`).join('\n');
    case 'renew':
      return `  ${step.connection}: a new session`;
    case 'resume':
      return `  ${step.connection}: ${step.isTakeover ? 'takes its session over' : 'connects again'}`;
    case 'claim':
      return `  ${step.connection}: claims with a wrong ${step.wrong}`;
    case 'garbage':
      return `  ${step.connection}: bytes ${Buffer.from(step.bytes).toString('hex')}`;
  }
}
