import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { lastWord, quoteWord, splitLine } from '../../../../src/cli/shell/line.ts';

describe('splitLine', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    ['   ', []],
    ['ls /', ['ls', '/']],
    ['  ls   /  ', ['ls', '/']],
    ['create /a "two words"', ['create', '/a', 'two words']],
    ['create /a \'it is "so"\'', ['create', '/a', 'it is "so"']],
    ['create /a ""', ['create', '/a', '']],
    ['create /a "glued"on', ['create', '/a', 'glued', 'on']],
    ['create /a mid"quote', ['create', '/a', 'mid"quote']],
    ['create /a "open', ['create', '/a', 'open']],
    ['create\t/a\tx', ['create', '/a', 'x']],
  ];
  for (const [line, words] of cases) {
    test(`takes ${JSON.stringify(line)} apart`, () => assert.deepEqual(splitLine(line), words));
  }

  test('undoes quoteWord, but for words with both quotes', () => {
    const word = fc.string().filter((text) => !(text.includes('"') && text.includes("'")));
    const plain = word.filter((text) => !/[^\x20-\x7e]/.test(text));
    fc.assert(
      fc.property(plain, (text) => {
        assert.deepEqual(splitLine(`set ${quoteWord(text)}`), ['set', text]);
      }),
      { seed: 1 },
    );
  });
});

describe('lastWord', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', ''],
    ['ls', 'ls'],
    ['ls ', ''],
    ['ls /a', '/a'],
    ['get "/a b', '"/a b'],
    ['get "/a b" ', ''],
  ];
  for (const [line, word] of cases) {
    test(`of ${JSON.stringify(line)} is ${JSON.stringify(word)}`, () => {
      assert.equal(lastWord(line), word);
    });
  }
});
