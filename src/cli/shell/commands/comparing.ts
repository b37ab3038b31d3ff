/** `diff`: what two branches do not have in common. */

import { readFile } from 'node:fs/promises';
import type { Client } from '../../../client/index.ts';
import { aclKey } from '../acl-text.ts';
import { compareNames, inOrder, pathBelow, readBranch } from '../branch.ts';
import { parseDocument, plansOfDocument } from '../branch-document.ts';
import { type NodePlan, planOf } from '../branch-write.ts';
import { type Command, type Invocation, wordAt } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { aclJson, dataJson } from '../format.ts';
import { checkedPath } from '../path-text.ts';
import { withProgress } from '../progress.ts';
import { withFile } from './transfer.ts';

const SHOWN_CHARS = 60;

export interface Difference {
  /** Below the roots of the two branches. */
  readonly path: string;
  readonly what: 'only in first' | 'only in second' | 'data' | 'acl';
  readonly first?: string;
  readonly second?: string;
}

export const diffCommand: Command = {
  name: 'diff',
  usage: '[-A] [-f file | -s host:port] path [path2]',
  summary:
    'what differs: from path2, from an exported file, or from other servers; -A but not ACLs',
  options: { flags: ['A'], values: ['f', 's'] },
  wordsMin: 1,
  run: async (call) => {
    const { client, out, words } = call;
    const path = checkedPath(wordAt(call, 0));
    const first = await nodesOf(call, client, path);
    const second = await otherNodes(call, words[1]);
    const differences = compareBranches(first, second, !call.options.has('A'));
    out.answer(differences.map(differenceLine), differences);
    if (differences.length > 0) {
      throw new CommandError(`${differences.length} difference(s)`, 'FAILED');
    }
  },
};

type Nodes = ReadonlyMap<string, NodePlan>;

async function otherNodes(call: Invocation, path: string | undefined): Promise<Nodes> {
  const { client, options, shell, signal } = call;
  const file = options.value('f');
  const servers = options.value('s');
  if (file !== undefined) {
    const document = parseDocument(await withFile(file, () => readFile(file, 'utf8')));
    return new Map(
      plansOfDocument(document, '/', !options.has('A')).map((plan) => [plan.path, plan]),
    );
  }
  if (servers === undefined) {
    if (path === undefined) throw new CommandError('diff with what: another path, -f or -s?');
    return await nodesOf(call, client, checkedPath(path));
  }
  const other = await shell.connectBeside(servers, signal);
  try {
    return await nodesOf(call, other, checkedPath(path ?? wordAt(call, 0)));
  } finally {
    await other.close();
  }
}

/** By their paths below the root. */
async function nodesOf({ out, signal }: Invocation, client: Client, root: string): Promise<Nodes> {
  const branch = await withProgress(out, 'reading', (progress) =>
    readBranch(client, root, { signal, withData: true, withAcl: true, progress }),
  );
  for (const error of branch.failures.values()) throw error;
  const nodes = new Map<string, NodePlan>();
  for (const node of inOrder(branch)) {
    const below = pathBelow(root, node.path);
    // Hidden ids may be compared, but never written.
    nodes.set(below, { ...planOf(node, below, false), acl: node.acl ?? [] });
  }
  return nodes;
}

export function compareBranches(first: Nodes, second: Nodes, withAcl: boolean): Difference[] {
  const differences: Difference[] = [];
  const paths = [...new Set([...first.keys(), ...second.keys()])].sort(compareNames);
  for (const path of paths) {
    const one = first.get(path);
    const other = second.get(path);
    if (one === undefined) differences.push({ path, what: 'only in second' });
    else if (other === undefined) differences.push({ path, what: 'only in first' });
    else {
      const [mine, theirs] = [dataKey(one), dataKey(other)];
      if (mine !== theirs) differences.push({ path, what: 'data', first: mine, second: theirs });
      if (!withAcl || aclKey(one.acl) === aclKey(other.acl)) continue;
      const acls = { first: aclJson(one.acl).join(','), second: aclJson(other.acl).join(',') };
      differences.push({ path, what: 'acl', ...acls });
    }
  }
  return differences;
}

/** Texts in quotes, other bytes in base64, so that the two are never taken for each other. */
function dataKey({ data }: NodePlan): string {
  const { data: text, dataBase64 } = dataJson(data);
  return dataBase64 === undefined ? JSON.stringify(text ?? null) : `base64:${dataBase64}`;
}

function differenceLine({ path, what, first = '', second = '' }: Difference): string {
  if (what === 'only in first') return `- ${path}`;
  if (what === 'only in second') return `+ ${path}`;
  return `! ${path} ${what}: ${shortened(first)} -> ${shortened(second)}`;
}

function shortened(text: string): string {
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS)}...`;
}
