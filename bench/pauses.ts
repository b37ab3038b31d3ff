/** How long the event loop of a server stands still while its tree grows, and beside checkpoints. */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runLoad } from '../src/bench/load-run.ts';
import { poll } from '../src/bench/poll.ts';
import { ownProgram, vivariumKind } from '../src/bench/server-kinds.ts';
import { ServerProcess } from '../src/bench/server-process.ts';
import { snapshotCount } from '../src/bench/snapshot-count.ts';
import { Target, TargetError } from '../src/bench/target.ts';
import { loadTree } from '../src/bench/tree-load.ts';
import type { LoadOptions } from '../src/bench/workloads.ts';
import type { Pauses } from './pause-hook.ts';
import { DATA_BYTES, pipelinedSets, WRITE_LOAD } from './write-load.ts';

const FILE_TIMEOUT_MS = 10_000;
const LOAD: LoadOptions = { ...WRITE_LOAD, rate: 5000, warmupSeconds: 0, seconds: 30 };
/** A process that does nothing: what stands still in it, the machine let stand still. */
const NOTHING = 'setInterval(() => undefined, 1e6)';

/** A process whose event loop is watched. */
class Watched {
  readonly args: readonly string[];
  readonly #file: string;

  constructor(file: string) {
    const hook = new URL('./pause-hook.js', import.meta.url);
    hook.searchParams.set('file', file);
    this.args = ['--import', hook.href];
    this.#file = file;
  }

  /** Resolves when the process can be asked. Rejects with a `TargetError`. */
  async ready(): Promise<void> {
    await this.#taken(`${this.#file}.ready`, 'a process does not begin to watch itself');
  }

  /** What the process tells once its watch has ended. Rejects with a `TargetError`. */
  async pauses(): Promise<Pauses> {
    const text = await this.#taken(this.#file, 'a process does not say how long it stood still');
    return JSON.parse(text) as Pauses;
  }

  async #taken(file: string, complaint: string): Promise<string> {
    const isThere = await poll(() => existsSync(file), FILE_TIMEOUT_MS);
    if (!isThere) throw new TargetError(complaint);
    const text = readFileSync(file, 'utf8');
    rmSync(file);
    return text;
  }
}

/** What is to be said of it, a line each. */
export async function lookAtPauses(nodeCount: number, directory: string): Promise<string[]> {
  const idle = new Watched(path.join(directory, 'pauses-idle.json'));
  const nothing = new ServerProcess(
    { program: process.execPath, args: [...idle.args, '--eval', NOTHING] },
    directory,
    path.join(directory, 'nothing.log'),
  );
  nothing.start();
  try {
    await idle.ready();
    return await lookBeside(nothing, idle, nodeCount, directory);
  } finally {
    await nothing.stop();
  }
}

async function lookBeside(
  nothing: ServerProcess,
  idle: Watched,
  nodeCount: number,
  directory: string,
): Promise<string[]> {
  const server = new Watched(path.join(directory, 'pauses.json'));
  const kind = vivariumKind('vivarium', [...server.args, ownProgram()], undefined);
  const target = await Target.start(kind, 1, directory, ['snapCount=10000']);
  const switchWatches = (): void => {
    target.signal(0, 'SIGUSR2');
    nothing.signal('SIGUSR2');
  };
  const watch = async (name: string, work: () => Promise<unknown>): Promise<string[]> => {
    const { count: before } = await snapshotCount(target.addresses);
    switchWatches();
    await work();
    switchWatches();
    const [ours, machine] = [await server.pauses(), await idle.pauses()];
    const { count } = await snapshotCount(target.addresses);
    return describe(`${name}, ${count - before} checkpoints`, ours, machine);
  };
  try {
    await server.ready();
    const growth = await watch(`${nodeCount} nodes made`, () =>
      loadTree(target, nodeCount, DATA_BYTES, LOAD),
    );
    const sets = await watch(`${LOAD.rate} sets a second`, () =>
      runLoad(target, pipelinedSets(), LOAD),
    );
    return [...growth, ...sets];
  } finally {
    await target.stop();
  }
}

function describe(name: string, ours: Pauses, machine: Pauses): string[] {
  return [
    `${name}: ${ours.collectionCount} collections, the longest ${ms(ours.longestCollectionMs)}; ` +
      `the longest turn of the event loop took ${ms(ours.longestTurnMs)} of processor`,
    `${name}: it stood still for at most ${ms(ours.longestGapMs)}: ` +
      `${ms(ours.runningInItMs)} at work, ${ms(ours.waitingInItMs)} waiting for a core; ` +
      `a process that does nothing stood still for ${ms(machine.longestGapMs)}`,
  ];
}

function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(0)} ms`;
}
