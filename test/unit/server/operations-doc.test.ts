/** docs/operations.md lists every key with its default, and no other. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { CONFIG_KEYS, type KeySpec } from '../../../src/server/config-keys.ts';

const document = await readFile(path.resolve('docs/operations.md'), 'utf8');
const section = document.slice(document.indexOf('\n## Every key\n'));
const rows = new Map(
  [...section.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, key = '', fallback = '', meaning = '']) => [key, { fallback, meaning }],
  ),
);

/** undefined: the key has no default of its own, and the document says what happens. */
function fallbackOf(spec: KeySpec): string | undefined {
  if (spec.kind === 'boolean') return spec.words[spec.fallback ? 0 : 1];
  return spec.kind === 'integer' ? spec.fallback?.toString() : undefined;
}

for (const [key, spec] of Object.entries(CONFIG_KEYS)) {
  test(`docs/operations.md says what ${key} means, and its default`, () => {
    const row = rows.get(key);
    assert.ok(row !== undefined, 'there is no row of this key');
    assert.match(row.meaning, /\w/);
    assert.equal(row.fallback, fallbackOf(spec) ?? row.fallback);
  });
}

test('docs/operations.md lists no key that has no effect', () => {
  assert.deepEqual([...rows.keys()].sort(), Object.keys(CONFIG_KEYS).sort());
});
