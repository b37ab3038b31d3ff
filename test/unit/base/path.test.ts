import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  childPath,
  hasParentPath,
  isValidPath,
  nodeName,
  parentPath,
} from '../../../src/base/path.ts';

const LEGAL = ['/', '/a', '/a/b', '/...', '/a..b', '/..a', '/a.', '/.a', '/a/.../b', '/ ', '/~'];

const ILLEGAL: readonly (readonly [why: string, path: string | null])[] = [
  ['null', null],
  ['empty', ''],
  ['relative', 'a'],
  ['relative with slash', 'a/b'],
  ['trailing slash', '/a/'],
  ['empty component', '/a//b'],
  ['only slashes', '//'],
  ['leading double slash', '//a'],
  ['dot', '/.'],
  ['dot inside', '/a/./b'],
  ['dot first', '/./a'],
  ['double dot', '/..'],
  ['double dot last', '/a/..'],
  ['double dot inside', '/a/../b'],
  ['NUL', '/a\0b'],
  ['supplementary character', '/a\u{1f600}'],
  ['replacement character', '/a\ufffd'],
];

for (const path of LEGAL) {
  test(`isValidPath accepts ${path}`, () => assert.equal(isValidPath(path), true));
}

for (const [why, path] of ILLEGAL) {
  test(`isValidPath refuses: ${why}`, () => assert.equal(isValidPath(path), false));
}

test('isValidPath draws the line between characters where the original does', () => {
  const edges: readonly (readonly [number, boolean])[] = [
    [0x00, false],
    [0x01, false],
    [0x1f, false],
    [0x20, true],
    [0x7e, true],
    [0x7f, false],
    [0x9f, false],
    [0xa0, true],
    [0xd7ff, true],
    [0xd800, false],
    [0xdfff, false],
    [0xe000, false],
    [0xf8ff, false],
    [0xf900, true],
    [0xffef, true],
    [0xfff0, false],
    [0xffff, false],
  ];
  for (const [unit, expected] of edges) {
    const character = String.fromCharCode(unit);
    assert.equal(isValidPath(`/${character}`), expected, `U+${unit.toString(16)} alone`);
    assert.equal(isValidPath(`/x${character}y/z`), expected, `U+${unit.toString(16)} inside`);
  }
});

test('hasParentPath asks for a slash and no NUL, and for nothing else', () => {
  for (const path of ['/', '/a', 'a/b', '/a/', '//', '/a/..']) {
    assert.equal(hasParentPath(path), true, path);
  }
  for (const path of ['', 'a', '/a\0', '\0/']) assert.equal(hasParentPath(path), false);
});

test('parentPath is the text before the last slash, or the root', () => {
  assert.equal(parentPath('/a/b'), '/a');
  assert.equal(parentPath('/a'), '/');
  assert.equal(parentPath('/'), '/');
  assert.equal(parentPath('/a/'), '/a');
  assert.equal(parentPath('a/b'), 'a');
});

test('nodeName is the text behind the last slash', () => {
  assert.equal(nodeName('/a/b'), 'b');
  assert.equal(nodeName('/a'), 'a');
  assert.equal(nodeName('/'), '');
});

test('childPath puts one slash between parent and name', () => {
  assert.equal(childPath('/a', 'b'), '/a/b');
  assert.equal(childPath('/', 'b'), '/b');
  assert.equal(childPath('', 'b'), '/b');
});
