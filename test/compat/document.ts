/** The parts of docs/compatibility.md that follow from the tests. */

import { CLIENT_NAMES, CLIENT_TABLE } from './client-table.ts';
import { KNOWN_DIFFERENCES } from './known-differences.ts';
import { WORD_DIFFERENCES } from './word-differences.ts';

/** What stands between the marks of each name in the document. */
export const GENERATED = {
  seen: differenceList(true),
  unseen: differenceList(false),
  words: wordTable(),
  clients: clientTable(),
};

/** The document with everything between `<!-- begin NAME -->` and `<!-- end NAME -->` as it should be. */
export function withGenerated(document: string): string {
  let text = document;
  for (const [name, content] of Object.entries(GENERATED)) {
    const [begin, end] = [`<!-- begin ${name} -->\n`, `<!-- end ${name} -->`];
    const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
    if (from < begin.length || to < from) throw new RangeError(`no marks for ${name}`);
    text = `${text.slice(0, from)}\n${content}\n${text.slice(to)}`;
  }
  return text;
}

/** Differences that the run meets, or those it keeps away from. */
function differenceList(isSeen: boolean): string {
  const items = KNOWN_DIFFERENCES.filter(
    ({ id, explains }) => (explains !== undefined || id === 'event-zxid') === isSeen,
  );
  return items.map(({ id, what, reason }) => `- **${id}**: ${what} *${reason}*\n`).join('');
}

function wordTable(): string {
  const lines = ['| words | there, and here | why |', '|---|---|---|'];
  for (const { words, what, reason } of WORD_DIFFERENCES) {
    lines.push(`| ${words.join(', ')} | ${what} | ${reason} |`);
  }
  return `${lines.join('\n')}\n`;
}

function clientTable(): string {
  const lines = [`| | ${CLIENT_NAMES.join(' | ')} |`, `|---|${'---|'.repeat(CLIENT_NAMES.length)}`];
  for (const [operation, cells] of Object.entries(CLIENT_TABLE)) {
    const texts = CLIENT_NAMES.map((client) => {
      const test = cells[client];
      return test === undefined ? '' : `\`${test}\``;
    });
    lines.push(`| ${operation} | ${texts.join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}
