import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeEpoch, makeServerId, makeZxid, type Zxid } from '../../../src/base/ids.ts';
import { Prng } from '../../../src/base/prng.ts';
import { Quorum } from '../../../src/consensus/quorum.ts';

const SIZES: readonly number[] = [1, 2, 3, 4, 5, 6, 7];

function quorumOf(size: number): Quorum {
  return new Quorum(Array.from({ length: size }, (_, i) => makeServerId(i + 1)));
}

/** Every subset as a bit mask. */
function subsets(size: number): number[] {
  return Array.from({ length: 2 ** size }, (_, mask) => mask);
}

function decides(quorum: Quorum, mask: number): boolean {
  return quorum.contains((sid) => ((mask >> (sid - 1)) & 1) === 1);
}

describe('Quorum', () => {
  it('needs more than half of the voters', () => {
    for (const size of SIZES) {
      for (const mask of subsets(size)) {
        const count = mask.toString(2).replaceAll('0', '').length;
        assert.equal(decides(quorumOf(size), mask), count > size / 2);
      }
    }
  });

  it('never lets two disjoint sets decide', () => {
    for (const size of SIZES) {
      const quorum = quorumOf(size);
      const all = 2 ** size - 1;
      for (const mask of subsets(size)) {
        assert(!(decides(quorum, mask) && decides(quorum, all & ~mask)));
      }
    }
  });

  it('asks voters only', () => {
    const asked: number[] = [];
    quorumOf(3).contains((sid) => asked.push(sid) < 0);
    assert.deepEqual(asked, [1, 2, 3]);
    assert(!quorumOf(3).isVoter(makeServerId(4)));
  });

  it('finds the largest zxid that a quorum has reached, as trying every one does', () => {
    const prng = new Prng(7);
    for (let round = 0; round < 500; round++) {
      const size = prng.between(1, 7);
      const zxids = Array.from({ length: size }, () =>
        makeZxid(makeEpoch(prng.between(0, 2)), prng.between(0, 4)),
      );
      const reachedBy = (zxid: Zxid): number => zxids.filter((other) => other >= zxid).length;
      const candidates = zxids.filter((zxid) => reachedBy(zxid) * 2 > size);
      const expected = Math.max(0, ...candidates);
      assert.equal(
        quorumOf(size).reached((sid) => zxids[sid - 1] ?? makeZxid(makeEpoch(0), 0)),
        expected,
      );
    }
  });

  it('is not made of nobody, nor of somebody twice', () => {
    assert.throws(() => new Quorum([]), { code: 'INVARIANT' });
    assert.throws(() => new Quorum([makeServerId(1), makeServerId(1)]), { code: 'INVARIANT' });
  });
});
