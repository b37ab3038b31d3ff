/** `export` and `import`: branches as files. */

import { readFile, writeFile } from 'node:fs/promises';
import { readBranch } from '../branch.ts';
import {
  type DocumentFormat,
  documentOf,
  documentText,
  parseDocument,
  plansOfDocument,
} from '../branch-document.ts';
import { type Command, wordAt } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { checkedPath } from '../path-text.ts';
import { withProgress } from '../progress.ts';
import { write } from './copying.ts';

export const exportCommand: Command = {
  name: 'export',
  usage: '[-f json|yaml] [-A] path [file]',
  summary: 'a branch as JSON or YAML, by default on the terminal; -A without ACLs',
  options: { flags: ['A'], values: ['f'] },
  wordsMin: 1,
  run: async (call) => {
    const { client, out, options, words, signal } = call;
    const path = checkedPath(wordAt(call, 0));
    const file = words[1];
    const format = formatOf(options.value('f'), file);
    const withAcl = !options.has('A');
    const branch = await withProgress(out, 'reading', (progress) =>
      readBranch(client, path, { signal, withData: true, withAcl, progress }),
    );
    for (const error of branch.failures.values()) throw error;
    const document = documentOf(branch);
    const text = documentText(document, format);
    if (file === undefined) {
      out.answer([text.trimEnd()], document);
      return;
    }
    await withFile(file, () => writeFile(file, text));
    out.report(`Exported ${branch.nodes.size} nodes to ${file}`, {
      exported: branch.nodes.size,
      file,
    });
  },
};

export const importCommand: Command = {
  name: 'import',
  usage: '[-f] [-A] file [path]',
  summary: 'what export wrote, where it was or under another path; -f over what is there',
  options: { flags: ['f', 'A'] },
  wordsMin: 1,
  run: async (call) => {
    const { out, options, words } = call;
    const file = wordAt(call, 0);
    const document = parseDocument(await withFile(file, () => readFile(file, 'utf8')));
    const root = checkedPath(words[1] ?? document.path);
    const all = plansOfDocument(document, root, !options.has('A'));
    const plans = all.filter(({ kind }) => kind.type !== 'ephemeral');
    if (plans.length < all.length) {
      out.note(`${all.length - plans.length} ephemeral node(s) left out: their sessions are gone`);
    }
    await write(call, plans);
    out.report(`Imported ${plans.length} nodes to ${root}`, { imported: plans.length, path: root });
  },
};

/** By default what the file's name ends in says. */
function formatOf(text: string | undefined, file: string | undefined): DocumentFormat {
  if (text === undefined) return /\.ya?ml$/.test(file ?? '') ? 'yaml' : 'json';
  if (text === 'json' || text === 'yaml') return text;
  throw new CommandError('-f argument must be json or yaml');
}

export async function withFile<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new CommandError(`${file}: ${error instanceof Error ? error.message : error}`, 'FAILED');
  }
}
