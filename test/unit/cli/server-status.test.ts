import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '../../../src/cli/server-status.ts';
import { renderTable } from '../../../src/cli/table.ts';

const ADDRESSES: readonly (readonly [text: string, host: string, port: number])[] = [
  ['127.0.0.1:2182', '127.0.0.1', 2182],
  ['zk1', 'zk1', 2181],
  ['[::1]:2182', '::1', 2182],
  [' zk1:1 ', 'zk1', 1],
];

for (const [text, host, port] of ADDRESSES) {
  test(`parseAddress reads "${text}"`, () => {
    assert.deepEqual(parseAddress(text), { host, port });
  });
}

for (const text of ['', ':2181', 'zk1:', 'zk1:0', 'zk1:70000', '::1:2181', 'a b']) {
  test(`parseAddress refuses "${text}"`, () => assert.equal(parseAddress(text), undefined));
}

test('renderTable aligns columns and leaves no blanks at line ends', () => {
  const text = renderTable([
    ['id', 'role'],
    ['1', 'leader'],
    ['12', '-'],
  ]);
  assert.equal(text, 'id  role\n1   leader\n12  -\n');
});
