import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GENERIC_CORE } from './generic-core.ts';
import { GENERIC_STORE } from './generic-store.ts';
import { GUARDS } from './guards.ts';
import { applyPatch } from './mutant.ts';
import { COMPILED, mutated } from './workbench.ts';

test('every mutant finds its places in the compiled code, each exactly once', () => {
  for (const mutant of [...GUARDS, ...GENERIC_CORE, ...GENERIC_STORE]) {
    assert.doesNotThrow(() => mutated(mutant, COMPILED), `mutant ${mutant.name}`);
  }
});

test('every guard has a directed test, which is there', () => {
  for (const { name, directed } of GUARDS) {
    assert(directed !== undefined, `guard ${name}`);
    const text = readFileSync(join(COMPILED, directed.file), 'utf8');
    // Names that are put together when the tests run are looked for up to where that begins.
    const [known = ''] = directed.name.split(/ (?:write|stateMade)\b/);
    assert(text.includes(known), `guard ${name}: no test called ${directed.name}`);
  }
});

test('no two mutants have one name', () => {
  const names = [...GUARDS, ...GENERIC_CORE, ...GENERIC_STORE].map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});

test('applyPatch() refuses a place that is missing, or there twice', () => {
  const patch = { file: 'a.js', find: 'x', replace: 'y' };
  assert.equal(applyPatch('axb', patch), 'ayb');
  assert.throws(() => applyPatch('ab', patch), /has 0 places/);
  assert.throws(() => applyPatch('xx', patch), /has 2 places/);
});
