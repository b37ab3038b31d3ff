import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  makeEpoch,
  makeServerId,
  makeSessionId,
  makeZxid,
  SERVER_NONE,
  ZXID_NONE,
  type Zxid,
} from '../../../src/base/ids.ts';
import { Applier } from '../../../src/server/applier.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { TxnType } from '../../../src/store/txn.ts';
import { encodeTxn } from '../../../src/store/txn-codec.ts';
import { TxnLog } from '../../../src/store/txn-log.ts';
import { SimWorld } from '../../../src/testing/sim-world.ts';

function zxid(epoch: number, counter: number): Zxid {
  return makeZxid(makeEpoch(epoch), counter);
}

/** A transaction that begins the session of this number. */
function entry(at: Zxid, session: number) {
  const sessionId = makeSessionId(BigInt(session));
  const body = { type: TxnType.createSession, timeoutMs: 1000 } as const;
  const bytes = encodeTxn({
    sessionId,
    cxid: 0,
    timeMs: 0,
    origin: SERVER_NONE,
    requestId: 0,
    body,
  });
  return { zxid: at, bytes };
}

async function createLog(world: SimWorld): Promise<TxnLog> {
  const { storage } = world.runtimeFor('a');
  const serverId = makeServerId(1);
  const open = async (): Promise<TxnLog> => {
    const store = await storage.open('/log', { create: true });
    await TxnLog.create(store, { serverId, incarnation: '00', standing: 'whole' });
    return await TxnLog.open(store, { serverId });
  };
  return await world.finish(open());
}

function createApplier(log: TxnLog, applied: Zxid[]): Applier {
  return new Applier(new DataTree(), log, {
    recent: () => undefined,
    proposed: () => undefined,
    isAwaited: () => false,
    applied: (at) => applied.push(at),
    isTreeOutdated: () => log.meta.generation > 1,
    caughtUp: () => undefined,
    failed: (error) => {
      throw error;
    },
  });
}

test('Applier.applyUpTo() reads from the log what is no longer in memory', async () => {
  const world = new SimWorld(1);
  const log = await createLog(world);
  const entries = [entry(zxid(1, 1), 1), entry(zxid(1, 2), 2), entry(zxid(1, 3), 3)];
  const epoch = makeEpoch(1);
  const mutation = { append: entries, acceptedEpoch: epoch, currentEpoch: epoch };
  await world.finish(log.write({ ...mutation, commitHint: ZXID_NONE }));
  const applied: Zxid[] = [];
  const applier = createApplier(log, applied);
  applier.applyUpTo(zxid(1, 2));
  await world.runUntil(() => applier.tree.lastZxid === zxid(1, 2), 1000);
  assert.deepEqual(applied, [zxid(1, 1), zxid(1, 2)]);
});

test('Applier.applyUpTo() never applies what was truncated while it read', async () => {
  const world = new SimWorld(1, { storage: { minReadMs: 50, maxReadMs: 50, maxSyncMs: 1 } });
  const log = await createLog(world);
  const epochs = { acceptedEpoch: makeEpoch(1), currentEpoch: makeEpoch(1) };
  for (const counter of [1, 2]) {
    const append = [entry(zxid(1, counter), counter)];
    await world.finish(log.write({ ...epochs, append, commitHint: ZXID_NONE }));
  }
  const applied: Zxid[] = [];
  const applier = createApplier(log, applied);
  // 1. A server that starts applies what it knows to be committed, and reads further than that.
  applier.applyUpTo(zxid(1, 1));
  // 2. A new leader knows nothing of the rest: it is truncated, and other things follow.
  const written = log.write({
    truncateAfter: zxid(1, 1),
    append: [entry(zxid(2, 1), 3)],
    acceptedEpoch: makeEpoch(2),
    currentEpoch: makeEpoch(2),
    commitHint: ZXID_NONE,
  });
  await world.finish(written);
  assert.deepEqual(applied, [], 'the read should be under way');
  // 3. The new things are committed before the read has ended.
  applier.applyUpTo(zxid(2, 1));
  await world.runUntil(() => applier.tree.lastZxid === zxid(2, 1), 1000);
  assert.deepEqual(applied, [zxid(1, 1), zxid(2, 1)]);
});

test('Applier waits for the new tree when a snapshot takes the log away while it reads', async () => {
  const world = new SimWorld(1);
  const log = await createLog(world);
  const epochs = { acceptedEpoch: makeEpoch(1), currentEpoch: makeEpoch(1) };
  const append = [entry(zxid(1, 1), 1), entry(zxid(1, 2), 2)];
  await world.finish(log.write({ ...epochs, append, commitHint: ZXID_NONE }));
  const applied: Zxid[] = [];
  const applier = createApplier(log, applied);
  // 1. The log begins anew at a snapshot, whose tree is not in place yet.
  const ends = [{ epoch: makeEpoch(1), last: zxid(1, 9) }];
  const snapshot = { generation: 2, zxid: zxid(1, 9), epochs: ends };
  await world.finish(log.write({ snapshot, append: [entry(zxid(1, 10), 3)] }));
  applier.applyUpTo(zxid(1, 2));
  await world.runFor(100);
  assert.deepEqual(applied, []);
  // 2. With the new tree it goes on behind the snapshot.
  const tree = new DataTree();
  tree.restoreZxid(zxid(1, 9));
  applier.replaceTree(tree);
  applier.applyUpTo(zxid(1, 10));
  await world.runUntil(() => applied.length > 0, 1000);
  assert.deepEqual(applied, [zxid(1, 10)]);
});
