/** Commands about watches. */

import type { WatchType } from '../../../client/index.ts';
import { type Command, usageText, wordAt } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { checkedPath } from '../path-text.ts';

const MODES: Readonly<Record<string, { readonly recursive: boolean }>> = {
  PERSISTENT: { recursive: false },
  PERSISTENT_RECURSIVE: { recursive: true },
};

export const WATCH_MODES = Object.keys(MODES);

export const addWatchCommand: Command = {
  name: 'addWatch',
  usage:
    '[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is ' +
    'PERSISTENT_RECURSIVE',
  summary: 'a watch that stays, and tells of everything below',
  options: { values: ['m'] },
  run: async (call) => {
    const { client, out, options, words, listener, signal } = call;
    const mode = MODES[(options.value('m') ?? 'PERSISTENT_RECURSIVE').toUpperCase()];
    if (words.length !== 1 || mode === undefined)
      throw new CommandError(usageText(addWatchCommand));
    const path = checkedPath(wordAt(call, 0));
    await client.addWatch(path, listener, { ...mode, signal });
    out.answer([], { watching: path, ...mode });
  },
};

const TYPES: readonly (readonly [string, WatchType])[] = [
  ['c', 'children'],
  ['d', 'data'],
  ['p', 'persistent'],
  ['r', 'recursive'],
];

export const removeWatchesCommand: Command = {
  name: 'removewatches',
  usage: 'path [-c|-d|-p|-r|-a] [-l]',
  summary: 'no more of these watches; -l also when no server can be told',
  options: { flags: ['c', 'd', 'p', 'r', 'a', 'l'] },
  wordsMin: 1,
  run: async (call) => {
    const { client, out, options, signal } = call;
    const path = checkedPath(wordAt(call, 0));
    const type = TYPES.find(([letter]) => options.has(letter))?.[1] ?? 'any';
    await client.removeWatches(path, type, { local: options.has('l'), signal });
    out.answer([], { removed: path, type });
  },
};

export const printWatchesCommand: Command = {
  name: 'printwatches',
  usage: 'on|off',
  summary: 'whether events are printed',
  isLocal: true,
  run: ({ out, shell, words }) => {
    const [wanted] = words;
    if (wanted !== undefined) shell.printsWatches = wanted === 'on';
    const state = shell.printsWatches ? 'on' : 'off';
    out.answer(wanted === undefined ? [`printwatches is ${state}`] : [], { printwatches: state });
  },
};
