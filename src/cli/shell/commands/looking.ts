/** Commands that look at whole branches: `tree`, `find`, `du`. */

import { childPath, isKeeperError, nodeName, parentPath } from '../../../client/index.ts';
import { type Branch, type BranchNode, depthBelow, inOrder, readBranch } from '../branch.ts';
import { type Command, type Invocation, intOf } from '../command.ts';
import { bytesText, isEphemeral, statJson } from '../format.ts';
import { failureText } from '../keeper-text.ts';
import { checkedPath } from '../path-text.ts';
import { withProgress } from '../progress.ts';

/** The branch that a command's first word names, by default everything. What cannot be read is told. */
async function branchOf(
  call: Invocation,
  more: { readonly depthMax?: number; readonly withData?: boolean } = {},
): Promise<Branch> {
  const { client, out, words, signal } = call;
  const root = checkedPath(words[0] ?? '/');
  const branch = await withProgress(out, 'reading', (progress) =>
    readBranch(client, root, { signal, progress, ...more }),
  );
  for (const error of branch.failures.values()) out.note(failureText(error));
  return branch;
}

function depthOption({ options }: Invocation): number | undefined {
  const text = options.value('d');
  return text === undefined ? undefined : intOf(text, '-d argument');
}

// tree --------------------------------------------------------------------------------------------

export const treeCommand: Command = {
  name: 'tree',
  usage: '[-d depth] [-s] [path]',
  summary: 'a branch as a drawing; -d levels deep, -s with sizes and kinds',
  options: { flags: ['s'], values: ['d'] },
  run: async (call) => {
    const depth = depthOption(call);
    const branch = await branchOf(call, depth === undefined ? {} : { depthMax: depth });
    const withStat = call.options.has('s');
    call.out.answer(treeLines(branch, withStat), treeJson(branch, branch.root));
  },
};

export function* treeLines(branch: Branch, withStat: boolean): Generator<string> {
  const root = branch.nodes.get(branch.root);
  yield `${branch.root}${withStat && root !== undefined ? statSuffix(root) : ''}`;
  yield* linesBelow(branch, branch.root, '', withStat);
}

function* linesBelow(
  branch: Branch,
  path: string,
  indent: string,
  withStat: boolean,
): Generator<string> {
  const children = readChildren(branch, path);
  for (const [index, child] of children.entries()) {
    const isLast = index === children.length - 1;
    const suffix = withStat ? statSuffix(child) : '';
    yield `${indent}${isLast ? '└── ' : '├── '}${nodeName(child.path)}${suffix}`;
    yield* linesBelow(branch, child.path, `${indent}${isLast ? '    ' : '│   '}`, withStat);
  }
}

function readChildren({ nodes }: Branch, path: string): BranchNode[] {
  const names = nodes.get(path)?.children ?? [];
  return names.map((name) => nodes.get(childPath(path, name))).filter((node) => node !== undefined);
}

function statSuffix({ stat }: BranchNode): string {
  const facts = [bytesText(stat.dataLength)];
  if (isEphemeral(stat)) facts.push('ephemeral');
  if (stat.numChildren > 0) facts.push(`${stat.numChildren} children`);
  return ` (${facts.join(', ')})`;
}

function treeJson(branch: Branch, path: string): Readonly<Record<string, unknown>> {
  const stat = branch.nodes.get(path)?.stat;
  return {
    name: path === '/' ? '/' : nodeName(path),
    dataLength: stat?.dataLength,
    isEphemeral: stat !== undefined && isEphemeral(stat),
    children: readChildren(branch, path).map((child) => treeJson(branch, child.path)),
  };
}

// find --------------------------------------------------------------------------------------------

export const findCommand: Command = {
  name: 'find',
  usage: '[-n glob] [-c text] [-e] [-d depth] [path]',
  summary: 'paths below: -n names like job-*, -c data containing, -e ephemerals, -d levels deep',
  options: { flags: ['e'], values: ['n', 'c', 'd'] },
  run: async (call) => {
    const { options, out } = call;
    const glob = options.value('n');
    const pattern = glob === undefined ? undefined : globPattern(glob);
    const text = options.value('c');
    const depth = depthOption(call);
    const branch = await branchOf(call, {
      withData: text !== undefined,
      ...(depth === undefined ? {} : { depthMax: depth }),
    });
    const found: BranchNode[] = [];
    for (const node of inOrder(branch)) {
      if (pattern !== undefined && !pattern.test(nodeName(node.path))) continue;
      if (text !== undefined && node.data?.includes(text) !== true) continue;
      if (options.has('e') && !isEphemeral(node.stat)) continue;
      found.push(node);
    }
    out.answer(
      found.map(({ path }) => path),
      found.map(({ path, stat }) => ({ path, stat: statJson(stat) })),
    );
  },
};

/** `*` stands for any text, `?` for one character. */
export function globPattern(glob: string): RegExp {
  const source = glob.replace(/[.*+?^${}()|[\]\\]/g, (special) => {
    if (special === '*') return '.*';
    return special === '?' ? '.' : `\\${special}`;
  });
  return new RegExp(`^${source}$`, 'su');
}

// du ----------------------------------------------------------------------------------------------

export const duCommand: Command = {
  name: 'du',
  usage: '[-d depth] [path]',
  summary: 'bytes of data and nodes of each branch; -d levels deep, by default 1',
  options: { values: ['d'] },
  run: async (call) => {
    const depth = depthOption(call) ?? 1;
    const branch = await branchOf(call);
    const rows = usageOf(branch).filter(({ path }) => depthBelow(branch.root, path) <= depth);
    const width = (texts: readonly string[]): number => Math.max(...texts.map((t) => t.length));
    const bytes = rows.map((row) => String(row.bytes));
    const nodes = rows.map((row) => String(row.nodes));
    const lines = rows.map(({ path }, index) => {
      const size = (bytes[index] ?? '').padStart(width(bytes));
      return `${size} bytes  ${(nodes[index] ?? '').padStart(width(nodes))} nodes  ${path}`;
    });
    call.out.answer(lines, rows);
  },
};

interface Usage {
  readonly path: string;
  bytes: number;
  nodes: number;
}

/** Sums of each node and all below it, in the order of `inOrder`. */
export function usageOf(branch: Branch): Usage[] {
  const usages = Array.from(inOrder(branch), ({ path, stat }): Usage => {
    return { path, bytes: stat.dataLength, nodes: 1 };
  });
  const byPath = new Map(usages.map((usage) => [usage.path, usage]));
  for (const { path, bytes, nodes } of usages.toReversed()) {
    // Those below stand behind a node: their sums are complete when their parent takes them.
    const above = path === branch.root ? undefined : byPath.get(parentPath(path));
    if (above === undefined) continue;
    above.bytes += bytes;
    above.nodes += nodes;
  }
  return usages;
}

/** Whether there is a node; not being allowed to look is another matter. */
export async function isThere({ client, signal }: Invocation, path: string): Promise<boolean> {
  try {
    return (await client.exists(path, { signal })) !== undefined;
  } catch (error) {
    if (isKeeperError(error, 'NO_NODE')) return false;
    throw error;
  }
}
