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
    await this.#untilThere(`${this.#file}.ready`);
  }

  /** What the process tells when it is told to end its watch. Rejects with a `TargetError`. */
  async told(): Promise<Pauses> {
    await this.#untilThere(this.#file);
    const pauses = JSON.parse(readFileSync(this.#file, 'utf8')) as Pauses;
    rmSync(this.#file);
    return pauses;
  }

  async #untilThere(file: string): Promise<void> {
    const isThere = await poll(() => existsSync(file), FILE_TIMEOUT_MS);
    if (!isThere) throw new TargetError('a process does not say how long it stood still');
  }
}

/** What is to be said of it, a line each. */
export async function lookAtPauses(nodeCount: number, directory: string): Promise<string[]> {
  const server = new Watched(path.join(directory, `pauses-${nodeCount}.json`));
  const idle = new Watched(path.join(directory, `pauses-idle-${nodeCount}.json`));
  const kind = vivariumKind('vivarium', [...server.args, ownProgram()], undefined);
  const nothing = new ServerProcess(
    { program: process.execPath, args: [...idle.args, '--eval', NOTHING] },
    directory,
    path.join(directory, 'nothing.log'),
  );
  nothing.start();
  const target = await Target.start(kind, 1, directory, ['snapCount=10000']);
  const signalBoth = (): void => {
    target.signal(0, 'SIGUSR2');
    nothing.signal('SIGUSR2');
  };
  const watch = async (name: string, work: () => Promise<unknown>): Promise<string[]> => {
    signalBoth();
    await work();
    signalBoth();
    const [ours, machine] = [await server.told(), await idle.told()];
    return describe(name, ours, machine);
  };
  try {
    await Promise.all([server.ready(), idle.ready()]);
    const growth = await watch(`${nodeCount} nodes made`, () =>
      loadTree(target, nodeCount, DATA_BYTES, LOAD),
    );
    const before = await snapshotCount(target.addresses);
    const sets = await watch(`${LOAD.rate} sets a second`, () =>
      runLoad(target, pipelinedSets(), LOAD),
    );
    const after = await snapshotCount(target.addresses);
    return [...growth, ...sets, `${after.count - before.count} checkpoints beside the sets`];
  } finally {
    await target.stop();
    await nothing.stop();
  }
}

function describe(name: string, ours: Pauses, machine: Pauses): string[] {
  const { longestCollection, collections, longestGap, longestTurn } = ours;
  return [
    `${name}: ${collections} collections, the longest ${ms(longestCollection)}; ` +
      `the longest turn of the event loop took ${ms(longestTurn)} of processor`,
    `${name}: it stood still for at most ${ms(longestGap)}: ${ms(ours.runningInIt)} at work, ` +
      `${ms(ours.waitingInIt)} waiting for a core; ` +
      `a process that does nothing stood still for ${ms(machine.longestGap)}`,
  ];
}

function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(0)} ms`;
}
