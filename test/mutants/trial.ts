/** What the tests, the storms and the simulator say of one mutant. */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DirectedTest, isInCore, isInStore, type Mutant } from './mutant.ts';
import { COMPILED } from './workbench.ts';

export interface TrialLimits {
  /** Schedules of the core's storm at most; 0 for none. */
  readonly storms: number;
  /** Schedules of the store's storm at most; 0 for none. */
  readonly storeStorms: number;
  /** Seeds of the simulator at most; 0 for none. */
  readonly seeds: number;
  readonly firstSeed: number;
}

/** How many schedules it took to notice; undefined when so many as were allowed did not. */
export interface Search {
  readonly schedules: number;
  readonly isKilled: boolean;
  /** The schedule that noticed; undefined when none did, or when it did not live to say so. */
  readonly seed: number | undefined;
  /** What was noticed. */
  readonly how: string;
}

export interface Verdict {
  /** Undefined when the mutant has no test of its own. */
  readonly directed: boolean | undefined;
  readonly storm: Search | undefined;
  readonly storeStorm: Search | undefined;
  readonly sim: Search | undefined;
}

const STORM = 'test/mutants/storm-main.js';
const STORE_STORM = 'test/mutants/store-storm-main.js';
const SIM = 'test/mutants/seeds-main.js';
const TEST_MAX_MS = 120_000;
/** One schedule or seed that takes so long does not end. */
const SILENCE_MAX_MS = 60_000;
/** Linux counts the time of processes in hundredths of a second. */
const MS_PER_CLOCK_TICK = 10;

export async function tryMutant(
  directory: string,
  mutant: Mutant,
  limits: TrialLimits,
): Promise<Verdict> {
  const { directed } = mutant;
  const { firstSeed } = limits;
  let isNoticed = false;
  // Dearer schedules are asked only about what cheaper ones have not noticed.
  const look = async (program: string, count: number): Promise<Search | undefined> => {
    if (count === 0 || isNoticed) return undefined;
    const found = await search(program, directory, firstSeed, count);
    await assertMeans(program, found);
    isNoticed = found.isKilled;
    return found;
  };
  return {
    storm: await look(STORM, isInCore(mutant) ? limits.storms : 0),
    storeStorm: await look(STORE_STORM, isInStore(mutant) ? limits.storeStorms : 0),
    sim: await look(SIM, limits.seeds),
    directed: directed && !(await passes(directory, directed)),
  };
}

/** What the code itself does wrong says nothing about a mutant. */
async function assertMeans(program: string, found: Search): Promise<void> {
  if (found.seed === undefined) return;
  const { isKilled, how } = await search(program, COMPILED, found.seed, 1);
  if (isKilled) throw new Error(`${program} ${found.seed} fails without any mutant: ${how}`);
}

/** Whether the test, which must be there, passes. */
export async function passes(directory: string, { file, name }: DirectedTest): Promise<boolean> {
  const pattern = `^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`;
  const args = ['--test-reporter=tap', `--test-name-pattern=${pattern}`, file];
  const { code, output } = await run(args, directory, TEST_MAX_MS, () => undefined);
  const ran = Number(/^# tests (\d+)/m.exec(output)?.[1] ?? 0);
  const skipped = Number(/^# skipped (\d+)/m.exec(output)?.[1] ?? 0);
  if (code === 0 && ran - skipped < 1) throw new Error(`${file} has no test called ${name}`);
  return code === 0;
}

/** Runs a program that says the number of each schedule done, and at last what was noticed. */
async function search(
  program: string,
  directory: string,
  from: number,
  count: number,
): Promise<Search> {
  let schedules = 0;
  let how = '';
  let seed: number | undefined;
  const heard = (line: string): void => {
    if (line.startsWith('done ')) schedules = Number(line.slice(5));
    const found = /^found (\d+) (.*)/.exec(line);
    if (found === null) return;
    seed = Number(found[1]);
    how = found[2] ?? '';
  };
  const args = [join(directory, program), String(from), String(count)];
  const { code } = await run(args, undefined, SILENCE_MAX_MS, heard);
  if (code === undefined) how = 'a schedule that does not end';
  else if (code !== 0) how ||= 'the program ended by itself';
  const isKilled = code !== 0;
  return { schedules: isKilled ? schedules + 1 : schedules, isKilled, seed, how };
}

interface Ended {
  /** Undefined: it was silent for too long. */
  readonly code: number | undefined;
  readonly output: string;
}

/**
 * Time of processors that a program has used, so that one which waits for its turn on a busy machine
 * is not taken for one that does not end; for ever where the system does not tell.
 */
function usedMs(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_CLOCK_TICK;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function run(
  args: readonly string[],
  cwd: string | undefined,
  silenceMaxMs: number,
  heard: (line: string) => void,
): Promise<Ended> {
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'ignore'],
    // A test of the program that runs this one would otherwise be taken for one of its own.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  return new Promise((resolve, reject) => {
    let output = '';
    let rest = '';
    let isSilent = false;
    let heardAtMs = 0;
    const lookAgain = (): void => {
      if (usedMs(child.pid) - heardAtMs < silenceMaxMs) {
        timer.refresh();
        return;
      }
      isSilent = true;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(lookAgain, silenceMaxMs);
    child.stdout?.on('data', (chunk: Buffer) => {
      heardAtMs = usedMs(child.pid);
      timer.refresh();
      output += chunk;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) heard(line);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: isSilent ? undefined : (code ?? 1), output });
    });
  });
}
