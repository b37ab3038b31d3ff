import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveTable } from '../../../src/cli/live-table.ts';

class Terminal {
  readonly isTTY: boolean;
  readonly columns: number;
  text = '';

  constructor(isTTY: boolean, columns = 80) {
    this.isTTY = isTTY;
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
  }

  /** What a person sees: rows that were erased are gone. */
  get seen(): string {
    const rows: string[] = [''];
    for (const part of this.text.replaceAll('\x1b', 'ESC').split(/(ESC\[\d+AESC\[J|\n)/)) {
      const up = /^ESC\[(\d+)A/.exec(part)?.[1];
      if (up !== undefined) rows.splice(rows.length - 1 - Number(up), Number(up) + 1, '');
      else if (part === '\n') rows.push('');
      else rows.push((rows.pop() ?? '') + part);
    }
    return rows.join('\n');
  }
}

test('LiveTable.draw() replaces what it drew', () => {
  const terminal = new Terminal(true);
  const table = new LiveTable(terminal);
  table.draw('a 1\nb 2\n');
  table.draw('a 3\n');
  assert.equal(terminal.seen, 'a 3\n');
});

test('LiveTable.print() passes a line above the table', () => {
  const terminal = new Terminal(true);
  const table = new LiveTable(terminal);
  table.draw('a 1\nb 2\n');
  table.print('b ended');
  table.draw('a 1\n');
  assert.equal(terminal.seen, 'b ended\na 1\n');
});

test('LiveTable.draw() writes nothing when nothing changed', () => {
  const terminal = new Terminal(true);
  const table = new LiveTable(terminal);
  table.draw('a\n');
  const { text } = terminal;
  table.draw('a\n');
  assert.equal(terminal.text, text);
});

test('LiveTable.draw() cuts lines that the terminal would break', () => {
  const terminal = new Terminal(true, 5);
  new LiveTable(terminal).draw('abcdefgh\nij\n');
  assert.equal(terminal.text, 'abcd\nij\n');
});

test('LiveTable shows only printed lines where there is no terminal', () => {
  const terminal = new Terminal(false);
  const table = new LiveTable(terminal);
  table.draw('a\n');
  table.print('b ended');
  assert.equal(terminal.text, 'b ended\n');
});
