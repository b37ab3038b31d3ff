/** What Tab offers: commands, options, paths of nodes. */

import { type Abortable, childPath, type Stat } from '../../client/index.ts';
import { compareNames } from './branch.ts';
import type { Command } from './command.ts';
import { WATCH_MODES } from './commands/watches.ts';
import { lastWord, quoteWord, splitLine } from './line.ts';

/** Somebody waits, and can type on. */
const PATIENCE_MS = 2000;

/** Texts that may stand in place of the last one, which is the end of the line. */
export type Completions = [hits: string[], replaced: string];

/** What completion asks a client for. */
export interface CompletionClient {
  children(path: string, options: Abortable): Promise<string[]>;
  exists(path: string, options: Abortable): Promise<Pick<Stat, 'numChildren'> | undefined>;
}

export async function complete(
  line: string,
  commands: ReadonlyMap<string, Command>,
  client: CompletionClient,
): Promise<Completions> {
  const word = lastWord(line);
  const before = splitLine(line.slice(0, line.length - word.length));
  const unquoted = word.replace(/^["']/, '');
  if (before.length > 0 && unquoted.startsWith('/')) {
    return [await pathHits(client, unquoted), word];
  }
  const offered = before.length === 0 ? [...commands.keys()] : wordsAfter(before, word, commands);
  const hits = offered.filter((each) => each.startsWith(word)).sort(compareNames);
  return [hits.length === 1 ? hits.map((hit) => `${hit} `) : hits, word];
}

function wordsAfter(
  before: readonly string[],
  word: string,
  commands: ReadonlyMap<string, Command>,
): string[] {
  const [name = ''] = before;
  if (before.at(-1) === '-m' && name === 'addWatch') return WATCH_MODES;
  if (name === 'help') return [...commands.keys()];
  if (name === 'printwatches') return ['on', 'off'];
  if (!word.startsWith('-')) return [];
  const { flags = [], values = [], oneOf } = commands.get(name)?.options ?? {};
  return [...new Set([...flags, ...values, ...Object.keys(oneOf?.names ?? {})])].map(
    (o) => `-${o}`,
  );
}

/** Nodes whose paths begin so. A single one ends in `/` when there is something below, else in a blank. */
async function pathHits(client: CompletionClient, begun: string): Promise<string[]> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const slash = begun.lastIndexOf('/');
  const parent = slash === 0 ? '/' : begun.slice(0, slash);
  try {
    const names = await client.children(parent, { signal });
    const paths = names
      .filter((name) => name.startsWith(begun.slice(slash + 1)))
      .sort(compareNames)
      .map((name) => childPath(parent, name));
    const [path] = paths;
    if (path === undefined || paths.length > 1) return paths.map(quoteWord);
    const stat = await client.exists(path, { signal });
    const hasChildren = (stat?.numChildren ?? 0) > 0;
    // An open quote waits for what comes behind the slash.
    if (hasChildren) return [quoteWord(`${path}/`).replace(/(?<=.)["']$/, '')];
    return [`${quoteWord(path)} `];
  } catch {
    // A path that cannot be read has nothing to offer; the command itself will say why.
    return [];
  }
}
