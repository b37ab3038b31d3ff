/** What must be found in a log that was opened again. */

import { strict as assert } from 'node:assert';
import { ZXID_NONE, type Zxid, zxidHex } from '../../../src/base/ids.ts';
import type { TxnLog } from '../../../src/store/txn-log.ts';
import type { StormLedger } from './storm-ledger.ts';

/** What a log says of itself once a request is durable. */
export interface Promised {
  readonly last: Zxid;
  readonly epoch: number;
  /** At least so much of it is known as committed. */
  readonly commitHint: Zxid;
}

const ALL = 2 ** 40;

/**
 * The log says what one of the promises says, of which the first is durable for certain; it holds
 * what was written, without a gap, up to that end; and it knows where the epochs of that history end.
 */
export async function expectSoundLog(
  log: TxnLog,
  ledger: StormLedger,
  promises: readonly Promised[],
): Promise<void> {
  const { meta } = log;
  const { lastZxid, baseZxid, currentEpoch, acceptedEpoch, commitHint } = meta;
  const isTrue = promises.some(
    ({ last, epoch, commitHint: hint }) =>
      last === lastZxid && epoch === currentEpoch && hint === commitHint,
  );
  assert(isTrue, `a log that ends at ${zxidHex(lastZxid)}, epoch ${currentEpoch}`);
  assert.equal(acceptedEpoch, currentEpoch, 'accepted epoch');
  assert(commitHint <= ledger.committed, 'the log says of too much that it is committed');
  const entries = await log.read(baseZxid, ALL);
  let zxid = lastZxid;
  for (const entry of entries.toReversed()) {
    const written = ledger.entry(zxid);
    assert.equal(entry.zxid, zxid, 'an entry of the log');
    assert(Buffer.from(written.bytes).equals(entry.bytes), `other bytes at ${zxidHex(zxid)}`);
    zxid = written.previous;
  }
  assert.equal(zxid, baseZxid, 'the log does not begin where it says');
  assert.equal(log.entryCount, entries.length, 'number of entries');
  const expected = ledger.epochsUpTo(lastZxid);
  // Epochs of what was trimmed are forgotten in time.
  const known = expected.slice(expected.length - meta.epochs.length);
  assert.deepEqual(meta.epochs, known, 'ends of epochs');
  const first = meta.epochs[0]?.last ?? ZXID_NONE;
  assert(known.length === expected.length || first <= baseZxid, 'epochs of the log are forgotten');
}
