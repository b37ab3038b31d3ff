/** Commands that read single nodes. */

import { childPath, KeeperError, type Stat } from '../../../client/index.ts';
import { aclLines } from '../acl-text.ts';
import { type Branch, compareNames, readBranch } from '../branch.ts';
import { type Command, type Invocation, wantsWatch, wordAt } from '../command.ts';
import { aclJson, dataJson, dataText, hexDump, statJson, statLines } from '../format.ts';
import { checkedPath } from '../path-text.ts';
import { withProgress } from '../progress.ts';

export const lsCommand: Command = {
  name: 'ls',
  usage: '[-s] [-w] [-R] path',
  summary: 'names of the children; -s with the stat, -w with a watch, -R all paths below',
  options: { flags: ['?', 's', 'w', 'R'] },
  wordsMin: 1,
  run: async (call) => {
    const watches = wantsWatch(call, 'ls [-w] path');
    const path = checkedPath(wordAt(call, 0));
    if (call.options.has('R')) await listBelow(call, path, watches);
    else await list(call, path, watches, call.options.has('s'));
  },
};

export const ls2Command: Command = {
  name: 'ls2',
  usage: 'path [watch]',
  summary: 'as ls -s',
  options: {},
  wordsMin: 1,
  run: async (call) => {
    call.out.note("'ls2' has been deprecated. Please use 'ls [-s] path' instead.");
    await list(call, checkedPath(wordAt(call, 0)), call.words.length > 1, true);
  },
};

async function list(
  { client, out, listener, signal }: Invocation,
  path: string,
  watches: boolean,
  withStat: boolean,
): Promise<void> {
  const watch = watches ? listener : undefined;
  const { children, stat } = withStat
    ? await client.children(path, { stat: true, watch, signal })
    : { children: await client.children(path, { watch, signal }), stat: undefined };
  children.sort(compareNames);
  const lines = [`[${children.join(', ')}]`, ...(stat === undefined ? [] : statLines(stat))];
  out.answer(lines, stat === undefined ? children : { children, stat: statJson(stat) });
}

async function listBelow(call: Invocation, path: string, watches: boolean): Promise<void> {
  const { client, out, listener, signal } = call;
  const watch = watches ? listener : undefined;
  await client.get(path, { watch, signal });
  const branch = await withProgress(out, 'listing', (progress) =>
    readBranch(client, path, { signal, watch, progress }),
  );
  const paths = [path, ...pathsBelow(branch, path)];
  out.answer(paths, paths);
  for (const error of branch.failures.values()) throw error;
}

/** The order of the original: all siblings, and then what is below each. */
function* pathsBelow({ nodes }: Branch, root: string): Generator<string> {
  const waiting = [root];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const parent = path;
    const paths = (nodes.get(path)?.children ?? []).map((name) => childPath(parent, name));
    yield* paths;
    waiting.push(...paths.reverse());
  }
}

export const getCommand: Command = {
  name: 'get',
  usage: '[-s] [-w] [-b] [-x] path',
  summary: 'data of a node; -b in base64, -x in hex, -s with the stat, -w with a watch',
  options: { flags: ['s', 'w', 'b', 'x'] },
  wordsMin: 1,
  run: async (call) => {
    const { client, out, listener, options, signal } = call;
    const watches = wantsWatch(call, 'get [-s] [-w] path');
    const path = checkedPath(wordAt(call, 0));
    const { data, stat } = await client.get(path, {
      watch: watches ? listener : undefined,
      signal,
    });
    const lines = dataLines(data, options.has('b'), options.has('x'));
    if (options.has('s')) lines.push(...statLines(stat));
    const shown = options.has('b')
      ? { dataBase64: data?.toString('base64') ?? null }
      : dataJson(data);
    out.answer(lines, { ...shown, stat: statJson(stat) });
  },
};

function dataLines(data: Buffer | null, inBase64: boolean, inHex: boolean): string[] {
  const shown = data ?? Buffer.from('null');
  if (inHex) return hexDump(shown);
  return [inBase64 ? shown.toString('base64') : dataText(data)];
}

export const statCommand: Command = {
  name: 'stat',
  usage: '[-w] path',
  summary: 'the stat of a node; -w with a watch, also of a node that is not there yet',
  options: { flags: ['w'] },
  wordsMin: 1,
  run: async (call) => {
    const { client, listener, signal } = call;
    const watches = wantsWatch(call, 'stat [-w] path');
    const path = checkedPath(wordAt(call, 0));
    const stat = await client.exists(path, { watch: watches ? listener : undefined, signal });
    if (stat === undefined) throw new KeeperError('NO_NODE', 'stat', { path });
    answerStat(call, stat);
  },
};

export function answerStat({ out }: Invocation, stat: Stat): void {
  out.answer(statLines(stat), statJson(stat));
}

export const getAclCommand: Command = {
  name: 'getAcl',
  usage: '[-s] path',
  summary: 'who may do what with a node; -s with the stat',
  options: { flags: ['s'] },
  wordsMin: 1,
  run: async (call) => {
    const { client, out, options, signal } = call;
    const { acl, stat } = await client.getAcl(checkedPath(wordAt(call, 0)), { signal });
    const lines = [...aclLines(acl), ...(options.has('s') ? statLines(stat) : [])];
    out.answer(lines, { acl: aclJson(acl), stat: statJson(stat) });
  },
};

export const getAllChildrenNumberCommand: Command = {
  name: 'getAllChildrenNumber',
  usage: 'path',
  summary: 'how many nodes there are below, at all depths',
  options: {},
  wordsMin: 1,
  run: async (call) => {
    const { client, out, signal } = call;
    const count = await client.getAllChildrenNumber(checkedPath(wordAt(call, 0)), { signal });
    out.answer([String(count)], count);
  },
};

export const getEphemeralsCommand: Command = {
  name: 'getEphemerals',
  usage: 'path',
  summary: "this session's ephemeral nodes whose paths begin so; by default all",
  options: {},
  run: async ({ client, out, words, signal }) => {
    const prefix = words[0] === undefined ? '/' : checkedPath(words[0]);
    const paths = await client.getEphemerals(prefix, { signal });
    out.answer([`[${paths.join(', ')}]`], paths);
  },
};

export const syncCommand: Command = {
  name: 'sync',
  usage: 'path',
  summary: 'brings the server up to date for the reads that follow',
  options: {},
  wordsMin: 1,
  run: async (call) => {
    const { client, out, signal } = call;
    await client.sync(checkedPath(wordAt(call, 0)), { signal });
    out.answer(['Sync is OK'], { synced: true });
  },
};
