import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeEpoch, makeZxid, type Zxid } from '../../../src/base/ids.ts';
import { DigestHistory } from '../../../src/server/digest-history.ts';

function zxid(counter: number): Zxid {
  return makeZxid(makeEpoch(1), counter);
}

describe('DigestHistory', () => {
  it('is due at every 128th transaction of an epoch', () => {
    const history = new DigestHistory();
    const due = Array.from({ length: 400 }, (_, i) => i + 1).filter((n) => history.isDue(zxid(n)));
    assert.deepEqual(due, [128, 256, 384]);
  });

  it('finds a difference when the leader speaks after the transaction was applied', () => {
    const history = new DigestHistory();
    history.record(zxid(128), 'aa');
    assert.equal(history.compare(zxid(128), 'bb', zxid(130)), 'aa');
    assert.equal(history.compare(zxid(128), 'aa', zxid(130)), undefined);
  });

  it('hands out what the leader said before the transaction was applied, once', () => {
    const history = new DigestHistory();
    assert.equal(history.compare(zxid(128), 'bb', zxid(100)), undefined);
    assert.equal(history.isExpected(zxid(128)), true);
    assert.equal(history.takeExpected(zxid(128)), 'bb');
    assert.equal(history.takeExpected(zxid(128)), undefined);
  });

  it('says nothing about transactions it did not see applied', () => {
    const history = new DigestHistory();
    assert.equal(history.compare(zxid(128), 'bb', zxid(300)), undefined);
    assert.equal(history.isExpected(zxid(128)), false);
  });

  it('waits for a look at the transaction that was applied last, if it has none', () => {
    const history = new DigestHistory();
    assert.equal(history.compare(zxid(130), 'bb', zxid(130)), undefined);
    assert.equal(history.takeExpected(zxid(130)), 'bb');
  });

  it('forgets both sides when another history begins', () => {
    const history = new DigestHistory();
    history.record(zxid(128), 'aa');
    history.compare(zxid(256), 'bb', zxid(128));
    history.clear();
    assert.equal(history.compare(zxid(128), 'cc', zxid(128)), undefined);
    assert.equal(history.isExpected(zxid(256)), false);
  });

  it('keeps the newest 1024, and no more of a leader that runs far ahead', () => {
    const history = new DigestHistory();
    for (let n = 1; n <= 1100; n++) {
      history.record(zxid(n * 128), String(n));
      history.compare(zxid((n + 2000) * 128), 'far', zxid(n * 128));
    }
    const kept = [...history.entries()];
    assert.equal(kept.length, 1024);
    assert.deepEqual(kept[0], [zxid(77 * 128), '77']);
    assert.equal(history.takeExpected(zxid(2001 * 128)), undefined);
    assert.equal(history.takeExpected(zxid(3100 * 128)), 'far');
  });
});
