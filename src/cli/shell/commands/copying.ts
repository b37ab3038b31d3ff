/** `cp` and `mv`: branches under another path. */

import { isKeeperError, KeeperError } from '../../../client/index.ts';
import { type Branch, inOrder, isInside, pathBelow, pathUnder, readBranch } from '../branch.ts';
import { ensureParent, type NodePlan, optionsOf, planOf, writeBranch } from '../branch-write.ts';
import { type Command, type Invocation, wordAt } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { isEphemeral } from '../format.ts';
import { checkedPath } from '../path-text.ts';
import { withProgress } from '../progress.ts';
import { deletePaths } from './deleting.ts';
import { isThere } from './looking.ts';

/** A branch up to this size is moved in one transaction; servers accept about twice as much. */
const MOVE_BYTES_MAX = 500_000;
const MOVE_NODES_MAX = 2000;
/** Of an operation around path and data. */
const OPERATION_BYTES = 100;

export const cpCommand: Command = {
  name: 'cp',
  usage: '[-f] [-A] from to',
  summary: 'a copy of a branch; -f over what is there, -A without the ACLs: open to everybody',
  options: { flags: ['f', 'A'] },
  wordsMin: 2,
  run: async (call) => {
    const { out } = call;
    const { branch, to } = await sourceOf(call);
    const nodes = [...inOrder(branch)];
    const kept = nodes.filter((node) => !isEphemeral(node.stat));
    if (kept.length < nodes.length) {
      const count = nodes.length - kept.length;
      out.note(`${count} ephemeral node(s) left out: they belong to the sessions that made them`);
    }
    const plans = plansOf(call, { ...branch, nodes: new Map(kept.map((n) => [n.path, n])) }, to);
    await write(call, plans);
    out.answer([], { copied: plans.length });
  },
};

export const mvCommand: Command = {
  name: 'mv',
  usage: '[-f] [-A] from to',
  summary: 'a branch to another path: one transaction, or with -f a copy and then a deletion',
  options: { flags: ['f', 'A'] },
  wordsMin: 2,
  run: async (call) => {
    const { out, options } = call;
    const { branch, to } = await sourceOf(call);
    for (const { path, stat } of branch.nodes.values()) {
      if (!isEphemeral(stat)) continue;
      throw new CommandError(`${path} is ephemeral: it belongs to the session that made it`);
    }
    if (await isThere(call, to)) throw new KeeperError('NODE_EXISTS', 'mv', { path: to });
    const plans = plansOf(call, branch, to);
    if (fitsOneTransaction(plans)) await moveAtOnce(call, branch, plans);
    else if (options.has('f')) await moveInSteps(call, branch, plans);
    else {
      throw new CommandError(
        `${plans.length} nodes are too much for one transaction: -f copies them and then deletes`,
      );
    }
    out.answer([], { moved: plans.length });
  },
};

async function sourceOf(call: Invocation): Promise<{ branch: Branch; to: string }> {
  const { client, out, signal } = call;
  const from = checkedPath(wordAt(call, 0));
  const to = checkedPath(wordAt(call, 1));
  if (isInside(from, to)) throw new CommandError(`${to} lies in ${from}`);
  const withAcl = !call.options.has('A');
  const branch = await withProgress(out, 'reading', (progress) =>
    readBranch(client, from, { signal, withData: true, withAcl, progress }),
  );
  for (const error of branch.failures.values()) throw error;
  return { branch, to };
}

function plansOf({ options }: Invocation, branch: Branch, to: string): NodePlan[] {
  return Array.from(inOrder(branch), (node) =>
    planOf(node, pathUnder(to, pathBelow(branch.root, node.path)), !options.has('A')),
  );
}

/** Writes them, over what is there if `-f` was given. When it does not get to the end it says how far it got. */
export async function write(
  { client, out, options, signal }: Invocation,
  plans: readonly NodePlan[],
): Promise<void> {
  const overwrites = options.has('f');
  let written = 0;
  try {
    await withProgress(out, 'writing', (show) => {
      const progress = (done: number, total: number): void => {
        written = done;
        show(done, total);
      };
      return writeBranch(client, plans, { signal, overwrites, progress });
    });
  } catch (error) {
    if (written > 0) out.note(`${written} of ${plans.length} nodes were written, and perhaps more`);
    throw error;
  }
}

function fitsOneTransaction(plans: readonly NodePlan[]): boolean {
  let bytes = 0;
  for (const { path, data, acl } of plans) {
    const ids = acl.reduce((sum, entry) => sum + entry.scheme.length + entry.id.length, 0);
    bytes += 2 * path.length + (data?.length ?? 0) + ids + OPERATION_BYTES;
  }
  return bytes <= MOVE_BYTES_MAX && plans.length <= MOVE_NODES_MAX;
}

/** All or nothing: also nothing when a node of the source changed since it was read, or got children. */
async function moveAtOnce(
  { client, signal }: Invocation,
  branch: Branch,
  plans: readonly NodePlan[],
): Promise<void> {
  await ensureParent(client, plans, signal);
  const multi = client.multi();
  for (const plan of plans) multi.create(plan.path, plan.data, optionsOf(plan));
  for (const { path, stat } of [...inOrder(branch)].reverse()) {
    multi.delete(path, { version: stat.version });
  }
  try {
    await multi.commit({ signal });
  } catch (error) {
    const isRace = isKeeperError(error, 'BAD_VERSION') || isKeeperError(error, 'NOT_EMPTY');
    if (!isRace) throw error;
    throw new CommandError(`${error.path} changed meanwhile: nothing was moved`, 'FAILED');
  }
}

async function moveInSteps(
  call: Invocation,
  branch: Branch,
  plans: readonly NodePlan[],
): Promise<void> {
  const { client, out, signal } = call;
  await write(call, plans);
  const paths = Array.from(inOrder(branch), ({ path }) => path).reverse();
  const isDone = await withProgress(out, 'deleting', (progress) =>
    deletePaths(client, paths, { signal, progress }),
  );
  if (isDone) return;
  throw new CommandError(`copied, but not all of ${branch.root} could be deleted`, 'FAILED');
}
