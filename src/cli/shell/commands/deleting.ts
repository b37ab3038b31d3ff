/** Removes whole branches. */

import { type Client, isKeeperError } from '../../../client/index.ts';
import { readBranch } from '../branch.ts';
import { type Command, type Invocation, intOf, wordAt } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { checkedPath } from '../path-text.ts';
import { withProgress } from '../progress.ts';

const BATCH_NODES = 1000;
/** Far below what servers accept, for paths can be long. */
const BATCH_CHARS = 200_000;
const BATCHES_UNDER_WAY = 10;

export const deleteAllCommand: Command = {
  name: 'deleteall',
  usage: 'path [-b batch size]',
  summary: 'removes a node and everything below it, so many in one transaction',
  options: { values: ['b'] },
  wordsMin: 1,
  run: (call) => deleteBranch(call, checkedPath(wordAt(call, 0))),
};

export const rmrCommand: Command = {
  name: 'rmr',
  usage: 'path',
  summary: 'as deleteall',
  options: { values: ['b'] },
  wordsMin: 1,
  run: async (call) => {
    const instead = "Please use 'deleteall' instead.";
    call.out.note(`The command 'rmr' has been deprecated. ${instead}`);
    await deleteBranch(call, checkedPath(wordAt(call, 0)));
  },
};

async function deleteBranch(call: Invocation, path: string): Promise<void> {
  const { client, out, options, signal } = call;
  const text = options.value('b');
  const nodesMax = text === undefined ? BATCH_NODES : intOf(text, '-b argument');
  const paths = await withProgress(out, 'listing', async (progress) => {
    const branch = await readBranch(client, path, { signal, progress });
    for (const error of branch.failures.values()) throw error;
    return [...branch.nodes.keys()];
  });
  const isDone = await withProgress(out, 'deleting', (progress) =>
    deletePaths(client, paths.reverse(), { nodesMax, signal, progress }),
  );
  if (!isDone) throw new CommandError('Failed to delete some node(s) in the subtree!', 'FAILED');
  out.answer([], { deleted: paths.length });
}

export interface DeleteOptions {
  /** Nodes in a transaction; 0 and less: each by itself. */
  readonly nodesMax?: number;
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
}

/** Children stand before their parents. False when some could not be deleted; nothing is begun after that. */
export async function deletePaths(
  client: Client,
  paths: readonly string[],
  { nodesMax = BATCH_NODES, signal, progress }: DeleteOptions,
): Promise<boolean> {
  let isWell = true;
  let done = 0;
  const underWay = new Set<Promise<void>>();
  for (const batch of batchesOf(paths, Math.max(1, nodesMax))) {
    if (!isWell) break;
    const task: Promise<void> = deleteBatch(client, batch, signal)
      .then((wasDone) => {
        isWell &&= wasDone;
        done += batch.length;
        progress(done, paths.length);
      })
      .finally(() => underWay.delete(task));
    underWay.add(task);
    if (underWay.size >= BATCHES_UNDER_WAY) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  return isWell;
}

/** False when the service refuses; rejects when there is none. */
async function deleteBatch(
  client: Client,
  batch: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const multi = client.multi();
  for (const path of batch) multi.delete(path);
  try {
    await multi.commit({ signal });
    return true;
  } catch (error) {
    if (!isKeeperError(error) || signal.aborted || error.code === 'CONNECTION_LOSS') throw error;
    return false;
  }
}

function* batchesOf(paths: readonly string[], nodesMax: number): Generator<string[]> {
  let batch: string[] = [];
  let chars = 0;
  for (const path of paths) {
    if (batch.length === nodesMax || chars > BATCH_CHARS) {
      yield batch;
      batch = [];
      chars = 0;
    }
    batch.push(path);
    chars += path.length;
  }
  if (batch.length > 0) yield batch;
}
