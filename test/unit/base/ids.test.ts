import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import {
  COUNTER_MAX,
  EPOCH_MAX,
  follows,
  makeEpoch,
  makeServerId,
  makeSessionId,
  makeZxid,
  nextZxid,
  parseZxid,
  sessionIdHex,
  ZXID_NONE,
  zxidCounter,
  zxidEpoch,
  zxidHex,
} from '../../../src/base/ids.ts';

describe('Zxid', () => {
  it('gives back epoch and counter, up to the largest of both', () => {
    for (const epoch of [0, 1, 77, EPOCH_MAX]) {
      for (const counter of [0, 1, 0x7fff_ffff, 0x8000_0000, COUNTER_MAX]) {
        const zxid = makeZxid(makeEpoch(epoch), counter);
        assert(Number.isSafeInteger(zxid));
        assert.equal(zxidEpoch(zxid), epoch);
        assert.equal(zxidCounter(zxid), counter);
      }
    }
  });

  it('is ordered by epoch first', () => {
    assert(makeZxid(makeEpoch(2), 0) > makeZxid(makeEpoch(1), COUNTER_MAX));
  });

  it('prints as hex without padding', () => {
    assert.equal(zxidHex(makeZxid(makeEpoch(1), 0x2f)), '0x10000002f');
    assert.equal(zxidHex(ZXID_NONE), '0x0');
  });

  it('refuses what has no place in it', () => {
    assert.throws(() => makeEpoch(EPOCH_MAX + 1), { code: 'INVARIANT' });
    assert.throws(() => makeEpoch(-1), { code: 'INVARIANT' });
    assert.throws(() => makeZxid(makeEpoch(1), COUNTER_MAX + 1), { code: 'INVARIANT' });
    assert.throws(() => makeZxid(makeEpoch(1), 0.5), { code: 'INVARIANT' });
    assert.throws(() => nextZxid(makeZxid(makeEpoch(1), COUNTER_MAX)), { code: 'INVARIANT' });
    assert.throws(() => makeServerId(256), { code: 'INVARIANT' });
  });

  it('parseZxid() takes exact numbers only', () => {
    assert.equal(parseZxid(5), 5);
    for (const value of [-1, 1.5, 2 ** 53, Number.NaN, '5', 5n, undefined]) {
      assert.equal(parseZxid(value), undefined);
    }
  });

  it('follows() the one before it in its epoch, or begins a later epoch at 1', () => {
    const last = makeZxid(makeEpoch(3), 7);
    assert(follows(last, makeZxid(makeEpoch(3), 8)));
    assert(follows(last, makeZxid(makeEpoch(4), 1)));
    assert(follows(last, makeZxid(makeEpoch(9), 1)));
    assert(follows(ZXID_NONE, makeZxid(makeEpoch(0), 1)));
    assert(!follows(last, last));
    assert(!follows(last, makeZxid(makeEpoch(3), 9)));
    assert(!follows(last, makeZxid(makeEpoch(4), 0)));
    assert(!follows(last, makeZxid(makeEpoch(4), 2)));
    assert(!follows(last, makeZxid(makeEpoch(2), 1)));
    // One more than the largest counter is the marker of the next epoch, never a transaction.
    assert(!follows(makeZxid(makeEpoch(3), COUNTER_MAX), makeZxid(makeEpoch(4), 0)));
  });
});

describe('SessionId', () => {
  it('keeps all 64 bits, signed, and prints them unsigned', () => {
    const id = makeSessionId(0xff00_0000_0000_0001n);
    assert(id < 0n);
    assert.equal(sessionIdHex(id), '0xff00000000000001');
    assert.equal(makeSessionId(id), id);
  });
});
