import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  makeEpoch,
  makeServerId,
  makeZxid,
  SESSION_NONE,
  type Zxid,
} from '../../../src/base/ids.ts';
import { ProposedTxns } from '../../../src/server/proposed-txns.ts';
import { type Txn, TxnType } from '../../../src/store/txn.ts';

function zxid(counter: number): Zxid {
  return makeZxid(makeEpoch(1), counter);
}

function txn(cxid: number): Txn {
  const body = { type: TxnType.delete, path: '/a' };
  return {
    sessionId: SESSION_NONE,
    cxid,
    timeMs: 0,
    origin: makeServerId(1),
    requestId: cxid,
    body,
  };
}

test('ProposedTxns.take gives each transaction once', () => {
  const proposed = new ProposedTxns();
  proposed.add(zxid(1), txn(1));
  proposed.add(zxid(2), txn(2));
  assert.equal(proposed.take(zxid(1))?.cxid, 1);
  assert.equal(proposed.take(zxid(1)), undefined);
  assert.equal(proposed.take(zxid(2))?.cxid, 2);
});

test('ProposedTxns.take has nothing for a zxid that was not kept, and keeps later ones', () => {
  const proposed = new ProposedTxns();
  proposed.add(zxid(1), txn(1));
  proposed.add(zxid(3), txn(3));
  assert.equal(proposed.take(zxid(2)), undefined);
  assert.equal(proposed.count, 1);
  assert.equal(proposed.take(zxid(3))?.cxid, 3);
});

test('ProposedTxns forgets what was taken, however many there were', () => {
  const proposed = new ProposedTxns();
  for (let at = 1; at <= 5000; at++) proposed.add(zxid(at), txn(at));
  for (let at = 1; at <= 5000; at++) assert.equal(proposed.take(zxid(at))?.cxid, at);
  assert.equal(proposed.count, 0);
});

test('ProposedTxns.add refuses a zxid that does not follow', () => {
  const proposed = new ProposedTxns();
  proposed.add(zxid(2), txn(2));
  assert.throws(() => proposed.add(zxid(2), txn(2)), /out of order/);
});
