import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProperties } from '../../../src/server/properties.ts';

function read(text: string): [string, string][] {
  const parsed = parseProperties(text);
  assert.ok(parsed.ok);
  return parsed.properties.map(({ key, value }) => [key, value]);
}

const CASES: readonly (readonly [behaviour: string, text: string, pairs: [string, string][]])[] = [
  ['splits at the first equals sign', 'a=b=c', [['a', 'b=c']]],
  ['splits at a colon', 'dataDir:/data', [['dataDir', '/data']]],
  ['splits at a blank', 'tickTime 2000', [['tickTime', '2000']]],
  ['takes blanks around one separator as part of it', 'a  =  b', [['a', 'b']]],
  ['keeps a second separator in the value', 'a == b', [['a', '= b']]],
  ['reads a key without a value', 'alone', [['alone', '']]],
  ['drops blanks before the key', '  \t a=b', [['a', 'b']]],
  ['trims the end of a value', 'a=b \t', [['a', 'b']]],
  ['skips comments of both kinds', '#a=1\n!b=2\n  # c=3\nd=4', [['d', '4']]],
  ['keeps a hash behind a value', 'a=b # c', [['a', 'b # c']]],
  ['skips blank lines', '\n  \n\t\na=b\n', [['a', 'b']]],
  ['ends lines at CR, LF and CR LF', 'a=1\rb=2\nc=3\r\nd=4', ['a1', 'b2', 'c3', 'd4'].map(pair)],
  ['joins continued lines without their leading blanks', 'a=x,\\\n   y,\\\n\tz', [['a', 'x,y,z']]],
  ['continues only after an odd number of backslashes', 'a=b\\\\\nc=d', [['a', 'b\\'], pair('cd')]],
  ['takes a comment sign inside a continued line as text', 'a=b\\\n#c', [['a', 'b#c']]],
  ['never continues a comment', '# comment \\\na=b', [['a', 'b']]],
  ['ends at a continuation with nothing behind it', 'a=b\\', [['a', 'b']]],
  ['resolves escapes', 'a=x\\ty\\u0041\\\\\\q', [['a', 'x\tyA\\q']]],
  ['takes escaped separators as part of the key', 'a\\=b\\:c\\ d=e', [['a=b:c d', 'e']]],
  ['keeps duplicates in order', 'a=1\na=2', ['a1', 'a2'].map(pair)],
  ['skips a byte order mark', '\uFEFFa=b', [['a', 'b']]],
];

function pair(text: string): [string, string] {
  return [text.charAt(0), text.slice(1)];
}

for (const [behaviour, text, pairs] of CASES) {
  test(`parseProperties ${behaviour}`, () => {
    assert.deepEqual(read(text), pairs);
  });
}

test('parseProperties numbers lines by where the key stands', () => {
  const parsed = parseProperties('# comment\n\na=1\\\n2\nb=3');
  assert.ok(parsed.ok);
  assert.deepEqual(
    parsed.properties.map(({ key, line }) => [key, line]),
    [
      ['a', 3],
      ['b', 5],
    ],
  );
});

test('parseProperties refuses a \\u without four hexadecimal digits', () => {
  const parsed = parseProperties('a=1\nb=\\u12g4');
  assert.ok(!parsed.ok);
  assert.equal(parsed.error.line, 2);
});
