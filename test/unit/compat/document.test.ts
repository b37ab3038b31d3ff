import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CLIENT_FILES, CLIENT_NAMES, CLIENT_TABLE } from '../../compat/client-table.ts';
import { withGenerated } from '../../compat/document.ts';
import { KNOWN_DIFFERENCES } from '../../compat/known-differences.ts';
import { WORD_DIFFERENCES } from '../../compat/word-differences.ts';

const DOCUMENT = 'docs/compatibility.md';

test('docs/compatibility.md lists the known differences and the table of clients as the tests have them', () => {
  const text = readFileSync(DOCUMENT, 'utf8');
  assert.equal(text, withGenerated(text));
});

test('every cell of the table of clients names a test that is there', () => {
  for (const client of CLIENT_NAMES) {
    const source = CLIENT_FILES[client].map((file) => readFileSync(file, 'utf8')).join('\n');
    for (const [operation, cells] of Object.entries(CLIENT_TABLE)) {
      const name = cells[client];
      assert.ok(name === undefined || source.includes(name), `${client}, ${operation}: ${name}`);
    }
  }
});

test('every known difference has an id of its own', () => {
  const ids = [...KNOWN_DIFFERENCES, ...WORD_DIFFERENCES].map(({ id }) => id);
  assert.deepEqual([...new Set(ids)], ids);
});
