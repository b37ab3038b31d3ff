import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEpoch, makeZxid, type Zxid } from '../../../src/base/ids.ts';
import { GroupIndex } from '../../../src/store/group-index.ts';

function at(counter: number): Zxid {
  return makeZxid(makeEpoch(7), counter);
}

/** Groups of two entries and ten bytes: 1-2, 3-4, and so on. */
function push(index: GroupIndex, from: number, count: number): void {
  for (let n = from; n < from + count; n++) {
    const group = { first: at(n * 2 + 1), last: at(n * 2 + 2), chain: n };
    index.push(group, 2, 10);
  }
}

test('GroupIndex.firstAfter() finds the group with the next entry', () => {
  const index = new GroupIndex();
  push(index, 0, 500);
  assert.equal(index.firstAfter(at(1)), 0);
  assert.equal(index.firstAfter(at(2)), 1);
  assert.equal(index.firstAfter(at(777)), 388);
  assert.equal(index.firstAfter(at(1000)), 500);
});

test('GroupIndex keeps its sums through drops at both ends and growth', () => {
  const index = new GroupIndex();
  push(index, 0, 100);
  index.dropBefore(60);
  index.dropFrom(20);
  push(index, 80, 1000);
  assert.equal(index.length, 1020);
  assert.equal(index.entryCount, 2040);
  assert.equal(index.bytesBetween(0, 1020), 10_200);
  assert.equal(index.bytesBetween(19, 21), 20);
  assert.equal(index.first(0), at(121));
  assert.equal(index.last(1019), at(2160));
  assert.equal(index.chain(20), 80);
});

test('GroupIndex goes on after everything was dropped', () => {
  const index = new GroupIndex();
  push(index, 0, 70);
  index.dropBefore(70);
  assert.equal(index.length, 0);
  assert.equal(index.entryCount, 0);
  push(index, 70, 3);
  assert.equal(index.bytesBetween(0, 3), 30);
  index.dropFrom(0);
  assert.equal(index.firstAfter(at(1)), 0);
});

test('GroupIndex refuses groups out of order', () => {
  const index = new GroupIndex();
  push(index, 5, 1);
  assert.throws(() => push(index, 5, 1), /out of order/);
});
