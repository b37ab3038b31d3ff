import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { EpochTable } from '../../../src/base/epoch-table.ts';
import { makeEpoch, makeZxid, ZXID_NONE, type Zxid } from '../../../src/base/ids.ts';
import { Prng } from '../../../src/base/prng.ts';

function zxid(epoch: number, counter: number): Zxid {
  return makeZxid(makeEpoch(epoch), counter);
}

function tableOf(zxids: readonly Zxid[]): EpochTable {
  const table = new EpochTable();
  for (const each of zxids) table.append(each);
  return table;
}

/** A history: so many transactions of each epoch. */
function history(counts: Readonly<Record<number, number>>): Zxid[] {
  return Object.entries(counts).flatMap(([epoch, count]) =>
    Array.from({ length: count }, (_, i) => zxid(Number(epoch), i + 1)),
  );
}

describe('EpochTable', () => {
  it('holds the last zxid of each epoch', () => {
    const table = tableOf(history({ 1: 3, 4: 2 }));
    assert.deepEqual(table.ends, [
      { epoch: 1, last: zxid(1, 3) },
      { epoch: 4, last: zxid(4, 2) },
    ]);
    assert.equal(table.last, zxid(4, 2));
    assert.equal(new EpochTable().last, ZXID_NONE);
  });

  it('refuses a gap, an earlier epoch and a truncation to what it does not hold', () => {
    const table = tableOf(history({ 1: 3, 4: 2 }));
    for (const wrong of [zxid(4, 4), zxid(4, 2), zxid(5, 2), zxid(3, 1)]) {
      assert.throws(() => table.append(wrong), { code: 'INVARIANT' });
    }
    assert.throws(() => table.truncateAfter(zxid(2, 1)), { code: 'INVARIANT' });
    assert.throws(() => table.truncateAfter(zxid(1, 4)), { code: 'INVARIANT' });
  });

  it('truncates inside an epoch, between epochs and to nothing', () => {
    const zxids = history({ 1: 3, 4: 2 });
    assert.deepEqual(tableOf(zxids).upTo(zxid(4, 1)).last, zxid(4, 1));
    assert.deepEqual(tableOf(zxids).upTo(zxid(1, 3)).ends, [{ epoch: 1, last: zxid(1, 3) }]);
    assert.deepEqual(tableOf(zxids).upTo(ZXID_NONE).ends, []);
  });

  it('gives its ends out as copies', () => {
    const table = tableOf(history({ 1: 3 }));
    table.ends.pop();
    assert.equal(table.last, zxid(1, 3));
  });

  it('finds where two histories part, as comparing them entry by entry does', () => {
    const prng = new Prng(11);
    for (let round = 0; round < 300; round++) {
      // Both branch off a common history; one epoch belongs to one branch only.
      const shared: Record<number, number> = {};
      for (let epoch = 1; epoch <= prng.between(0, 4); epoch++) shared[epoch] = prng.between(1, 4);
      const common = history(shared);
      const own = (epoch: number): Zxid[] => history({ [epoch]: prng.between(1, 3) });
      const mine = [...common.slice(0, prng.between(0, common.length)), ...own(6)];
      const theirs = [...common.slice(0, prng.between(0, common.length)), ...own(7)];
      const both = mine.filter((each) => theirs.includes(each));
      const expected = both.at(-1) ?? ZXID_NONE;
      assert.equal(tableOf(mine).commonWith(tableOf(theirs)), expected);
      assert.equal(tableOf(theirs).commonWith(tableOf(mine)), expected);
    }
  });

  it('holds() a zxid that its epoch reaches', () => {
    const table = tableOf(history({ 1: 3, 4: 2 }));
    assert(table.holds(ZXID_NONE) && table.holds(zxid(1, 2)) && table.holds(zxid(4, 2)));
    assert(!table.holds(zxid(1, 4)) && !table.holds(zxid(2, 1)) && !table.holds(zxid(5, 1)));
  });
});
