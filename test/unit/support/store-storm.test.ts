import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeEpoch, makeServerId, ZXID_NONE, type Zxid } from '../../../src/base/ids.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { Preparer } from '../../../src/store/prepare.ts';
import { TxnLog } from '../../../src/store/txn-log.ts';
import { StoreHost } from '../../support/store-host.ts';
import { create, SESSION, setData } from '../../support/store-kit.ts';
import { expectSoundLog } from '../../support/store-storm/log-check.ts';
import { type StormEntry, StormLedger } from '../../support/store-storm/storm-ledger.ts';
import { expectSameTree } from '../../support/tree-check.ts';

const ASKER = { sessionId: SESSION, identities: [], isLocal: true };

/** A ledger of three transactions. */
function ledgerOfThree(): StormLedger {
  const ledger = new StormLedger(false);
  ledger.beginEpoch(ZXID_NONE);
  const preparer = new Preparer(new DataTree());
  for (const asked of [create('/a'), create('/b'), setData('/a', 'x')]) {
    ledger.propose({ ...ASKER, asked }, preparer);
  }
  return ledger;
}

async function logWith(append: readonly StormEntry[], hint: Zxid = ZXID_NONE): Promise<TxnLog> {
  const store = await new StoreHost().open('log');
  const log = await TxnLog.create(store, { serverId: makeServerId(1), incarnation: 'ab' });
  const epoch = makeEpoch(1);
  await log.write({ append, acceptedEpoch: epoch, currentEpoch: epoch, commitHint: hint });
  return log;
}

describe('expectSameTree()', () => {
  it('accepts the tree that holds what the model holds', () => {
    const ledger = ledgerOfThree();
    expectSameTree(ledger.treeAt(ledger.last), ledger.modelAt(ledger.last));
  });

  it('finds a tree that is one transaction behind, or ahead', () => {
    const ledger = ledgerOfThree();
    const before = ledger.entries[1]?.zxid ?? ZXID_NONE;
    const isDifferent = /\/a/;
    const behind = ledger.treeAt(before);
    assert.throws(() => expectSameTree(behind, ledger.modelAt(ledger.last)), isDifferent);
    const ahead = ledger.treeAt(ledger.last);
    assert.throws(() => expectSameTree(ahead, ledger.modelAt(before)), isDifferent);
  });
});

describe('StormLedger', () => {
  it('finds a request that is prepared otherwise than the model says', () => {
    const ledger = ledgerOfThree();
    const forgetful = new Preparer(new DataTree());
    const again = { ...ASKER, asked: create('/a') };
    assert.throws(() => ledger.propose(again, forgetful), /prepared 0x100000004/);
  });

  it('goes on behind the place where a new epoch begins', () => {
    const ledger = ledgerOfThree();
    const [first] = ledger.entries;
    assert(first !== undefined);
    ledger.beginEpoch(first.zxid);
    assert.equal(ledger.last, first.zxid);
    const preparer = new Preparer(ledger.treeAt(ledger.last));
    assert.equal(ledger.propose({ ...ASKER, asked: create('/b') }, preparer).zxid, 0x2_0000_0001);
    assert.deepEqual([...ledger.headModel.nodes.keys()], ['/', '/a', '/b']);
  });
});

describe('expectSoundLog()', () => {
  const promise = (ledger: StormLedger, count: number) => {
    const last = ledger.entries[count - 1]?.zxid ?? ZXID_NONE;
    return { last, epoch: 1, commitHint: ZXID_NONE };
  };

  it('accepts a log that says what one of the promises says', async () => {
    const ledger = ledgerOfThree();
    const log = await logWith(ledger.entries);
    await expectSoundLog(log, ledger, [promise(ledger, 1), promise(ledger, 3)]);
  });

  it('finds a log that lost what was durable', async () => {
    const ledger = ledgerOfThree();
    const log = await logWith(ledger.entries.slice(0, 2));
    await assert.rejects(expectSoundLog(log, ledger, [promise(ledger, 3)]), /a log that ends at/);
  });

  it('finds other bytes than were written', async () => {
    const ledger = ledgerOfThree();
    const changed = ledger.entries.map((entry) => ({ ...entry, bytes: Buffer.from('changed') }));
    const log = await logWith(changed);
    await assert.rejects(expectSoundLog(log, ledger, [promise(ledger, 3)]), /other bytes/);
  });

  it('finds that more is said to be committed than is', async () => {
    const ledger = ledgerOfThree();
    const log = await logWith(ledger.entries, ledger.last);
    const claimed = { ...promise(ledger, 3), commitHint: ledger.last };
    await assert.rejects(expectSoundLog(log, ledger, [claimed]), /too much/);
  });
});
