import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '../../../src/base/assert.ts';
import {
  EPOCH_NONE,
  makeEpoch,
  makeServerId,
  makeZxid,
  ZXID_NONE,
  type Zxid,
  zxidHex,
} from '../../../src/base/ids.ts';
import { GROUP_BYTES_MAX } from '../../../src/store/log-group.ts';
import { readLogMeta } from '../../../src/store/log-meta.ts';
import type { StoreErrorCode } from '../../../src/store/store-error.ts';
import { type LogEntry, type LogMutation, TxnLog } from '../../../src/store/txn-log.ts';
import { crashAtWrite, StoreHost } from '../../support/store-host.ts';

const SERVER = makeServerId(3);
const IDENTITY = { serverId: SERVER, incarnation: '0123456789abcdef', standing: 'whole' } as const;
const META_KEY = 0x4d;
const GROUP_KEY = 0x4c;

function at(epoch: number, counter: number): Zxid {
  return makeZxid(makeEpoch(epoch), counter);
}

function entry(epoch: number, counter: number, bytes = 8): LogEntry {
  const zxid = at(epoch, counter);
  return { zxid, bytes: new Uint8Array(bytes).fill(epoch * 16 + counter) };
}

function entries(epoch: number, first: number, last: number, bytes?: number): LogEntry[] {
  const list: LogEntry[] = [];
  for (let counter = first; counter <= last; counter++) list.push(entry(epoch, counter, bytes));
  return list;
}

async function createLog(host: StoreHost): Promise<TxnLog> {
  return await TxnLog.create(await host.open('log'), IDENTITY);
}

async function reopen(host: StoreHost): Promise<TxnLog> {
  host.crash('keep');
  return await TxnLog.open(await host.open('log'), { serverId: SERVER });
}

/** Epoch 1 with entries 1 to 9, in groups of three. */
async function filledLog(host: StoreHost): Promise<TxnLog> {
  const log = await createLog(host);
  await log.write({ acceptedEpoch: makeEpoch(1), currentEpoch: makeEpoch(1) });
  for (const first of [1, 4, 7]) await log.write({ append: entries(1, first, first + 2) });
  return log;
}

async function all(log: TxnLog): Promise<string[]> {
  const found = await log.read(log.meta.baseZxid, 1 << 30);
  return found.map(({ zxid, bytes }) => `${zxidHex(zxid)}:${Buffer.from(bytes).toString('hex')}`);
}

function texts(list: readonly LogEntry[]): string[] {
  return list.map(({ zxid, bytes }) => `${zxidHex(zxid)}:${Buffer.from(bytes).toString('hex')}`);
}

function counters(list: readonly LogEntry[]): number[] {
  return list.map(({ zxid }) => zxid % 0x1_0000_0000);
}

async function rejects(
  promise: Promise<unknown>,
  code: StoreErrorCode,
  message: RegExp,
): Promise<void> {
  await assert.rejects(promise, { name: 'StoreError', code, message });
}

test('TxnLog.create() makes a log without history, epochs or cluster', async () => {
  const host = new StoreHost();
  await createLog(host);
  const { meta, entryCount, firstZxid } = await reopen(host);
  assert.deepEqual(meta, {
    ...IDENTITY,
    clusterId: '',
    acceptedEpoch: EPOCH_NONE,
    currentEpoch: EPOCH_NONE,
    lastZxid: ZXID_NONE,
    lastChain: 0,
    baseZxid: ZXID_NONE,
    baseChain: 0,
    epochs: [],
    generation: 1,
    commitHint: ZXID_NONE,
  });
  assert.equal(entryCount, 0);
  assert.equal(firstZxid, undefined);
});

test('TxnLog.create() refuses a store that holds anything', async () => {
  const host = new StoreHost();
  host.disk.edit('log', Uint8Array.of(1), Uint8Array.of(1));
  await rejects(createLog(host), 'LOG_EXISTS', /already holds data/);
});

test('TxnLog.write() makes epochs, entries and flags durable together', async () => {
  const host = new StoreHost();
  const log = await createLog(host);
  await log.write({
    append: [...entries(1, 1, 3), ...entries(4, 1, 2)],
    acceptedEpoch: makeEpoch(5),
    currentEpoch: makeEpoch(4),
    clusterId: 'c0ffee',
    standing: 'lost',
    commitHint: at(1, 2),
  });
  host.crash('drop');
  const found = await reopen(host);
  assert.deepEqual(await all(found), texts([...entries(1, 1, 3), ...entries(4, 1, 2)]));
  assert.equal(found.meta.acceptedEpoch, 5);
  assert.equal(found.meta.currentEpoch, 4);
  assert.equal(found.meta.clusterId, 'c0ffee');
  assert.equal(found.meta.standing, 'lost');
  assert.equal(found.meta.commitHint, at(1, 2));
  assert.deepEqual(found.meta.epochs, [
    { epoch: 1, last: at(1, 3) },
    { epoch: 4, last: at(4, 2) },
  ]);
});

test('TxnLog.write() puts one append into one value, and a large one into several', async () => {
  const host = new StoreHost();
  const log = await createLog(host);
  const groups = () => host.disk.entries('log').filter(([key]) => key[0] === GROUP_KEY).length;
  await log.write({ acceptedEpoch: makeEpoch(1), append: entries(1, 1, 1000) });
  assert.equal(groups(), 1);
  await log.write({ append: entries(1, 1001, 1010, GROUP_BYTES_MAX / 3) });
  assert.equal(groups(), 6);
  assert.equal(log.entryCount, 1010);
  assert.equal((await reopen(host)).entryCount, 1010);
});

test('TxnLog.write() keeps an entry that is larger than a group', async () => {
  const host = new StoreHost();
  const log = await createLog(host);
  const large = entry(1, 2, GROUP_BYTES_MAX + 5);
  await log.write({ acceptedEpoch: makeEpoch(1), append: [entry(1, 1), large, entry(1, 3)] });
  assert.deepEqual(await all(await reopen(host)), texts([entry(1, 1), large, entry(1, 3)]));
});

test('TxnLog.write() has copied the bytes when it settles', async () => {
  const host = new StoreHost();
  const log = await createLog(host);
  const mine = entry(1, 1);
  await log.write({ acceptedEpoch: makeEpoch(1), append: [mine] });
  mine.bytes.fill(0);
  assert.deepEqual(await all(log), texts([entry(1, 1)]));
});

const REFUSED: readonly (readonly [string, LogMutation, RegExp])[] = [
  ['a gap', { append: [entry(1, 11)] }, /gap/],
  ['an epoch that begins behind its first entry', { append: [entry(2, 2)] }, /gap/],
  ['an entry beyond the accepted epoch', { append: [entry(2, 1)] }, /beyond the accepted/],
  ['an accepted epoch that goes back', { acceptedEpoch: EPOCH_NONE }, /go back/],
  ['a current epoch never accepted', { currentEpoch: makeEpoch(2) }, /never accepted/],
  ['a truncation of what is committed', { truncateAfter: at(1, 1) }, /committed/],
  ['a truncation point that is not there', { truncateAfter: at(1, 10) }, /not in the log/],
];

for (const [what, mutation, message] of REFUSED) {
  test(`TxnLog.write() treats as a broken invariant: ${what}`, async () => {
    const host = new StoreHost();
    const log = await filledLog(host);
    await log.write({ commitHint: at(1, 2) });
    await assert.rejects(log.write(mutation), (error: Error) => {
      return error instanceof InvariantError && message.test(error.message);
    });
    assert.equal((await reopen(host)).meta.lastZxid, at(1, 9));
  });
}

test('TxnLog.write() refuses a second write while one is under way', async () => {
  const host = new StoreHost();
  const log = await createLog(host);
  const first = log.write({ acceptedEpoch: makeEpoch(1) });
  assert.throws(() => log.write({ acceptedEpoch: makeEpoch(2) }), /two log writes at once/);
  await first;
  assert.equal(log.meta.acceptedEpoch, 1);
});

test('TxnLog.write() never writes again after a failed write', async () => {
  const host = new StoreHost();
  const log = await filledLog(host);
  host.disk.failNext('log', 'sync');
  await assert.rejects(log.write({ append: [entry(1, 10)] }), { code: 'IO' });
  await assert.rejects(log.write({ append: [entry(1, 10)] }), { code: 'IO' });
  await assert.rejects(log.trim(at(1, 3)), { code: 'IO' });
  assert.equal(log.meta.lastZxid, at(1, 9));
  assert.equal((await reopen(host)).firstZxid, at(1, 1));
});

test('TxnLog.write() behind a trim that failed says what that failed of', async () => {
  const host = new StoreHost();
  const log = await filledLog(host);
  host.disk.failNext('log', 'write');
  const trimmed = log.trim(at(1, 3));
  const written = log.write({ append: [entry(1, 10)] });
  await assert.rejects(written, { code: 'IO' });
  await assert.rejects(trimmed, { code: 'IO' });
});

for (const last of [9, 8, 7, 6, 5, 4, 3, 1]) {
  test(`TxnLog.write() truncates after entry ${last} of groups of three`, async () => {
    const host = new StoreHost();
    const log = await filledLog(host);
    await log.write({ truncateAfter: at(1, last) });
    assert.deepEqual(await all(log), texts(entries(1, 1, last)));
    const found = await reopen(host);
    assert.deepEqual(await all(found), texts(entries(1, 1, last)));
    assert.equal(found.entryCount, last);
  });
}

test('TxnLog.write() truncates to an empty log', async () => {
  const host = new StoreHost();
  const log = await filledLog(host);
  await log.write({ truncateAfter: ZXID_NONE });
  const found = await reopen(host);
  assert.equal(found.meta.lastZxid, ZXID_NONE);
  assert.deepEqual(found.meta.epochs, []);
});

test('TxnLog.write() replaces a tail by another epoch in one batch', async () => {
  const host = new StoreHost();
  const log = await filledLog(host);
  const epoch = makeEpoch(2);
  const append = entries(2, 1, 2);
  const change = { truncateAfter: at(1, 6), append, acceptedEpoch: epoch, currentEpoch: epoch };
  await log.write(change);
  const found = await reopen(host);
  assert.deepEqual(await all(found), texts([...entries(1, 1, 6), ...append]));
  assert.deepEqual(found.meta.epochs, [
    { epoch: 1, last: at(1, 6) },
    { epoch: 2, last: at(2, 2) },
  ]);
});

test('TxnLog.write() ends the history at a snapshot and goes on from there', async () => {
  const host = new StoreHost();
  const log = await filledLog(host);
  const epochs = [{ epoch: makeEpoch(3), last: at(3, 70) }];
  await log.write({
    snapshot: { generation: 2, zxid: at(3, 70), epochs },
    append: entries(3, 71, 72),
    acceptedEpoch: makeEpoch(3),
    currentEpoch: makeEpoch(3),
  });
  const found = await reopen(host);
  assert.deepEqual(await all(found), texts(entries(3, 71, 72)));
  assert.equal(found.meta.generation, 2);
  assert.equal(found.meta.baseZxid, at(3, 70));
  assert.equal(found.meta.commitHint, at(3, 70));
  assert.deepEqual(found.meta.epochs, [{ epoch: 3, last: at(3, 72) }]);
});

test('TxnLog.write() cuts a commit hint to what the log holds', async () => {
  const log = await filledLog(new StoreHost());
  await log.write({ commitHint: at(1, 500) });
  assert.equal(log.meta.commitHint, at(1, 9));
  await log.write({ commitHint: at(1, 2) });
  assert.equal(log.meta.commitHint, at(1, 9));
});

test('TxnLog.read() gives what follows a zxid, within the bytes asked for', async () => {
  const log = await filledLog(new StoreHost());
  assert.deepEqual(counters(await log.read(at(1, 4), 1 << 20)), [5, 6, 7, 8, 9]);
  assert.deepEqual(counters(await log.read(at(1, 2), 16)), [3]);
  assert.deepEqual(counters(await log.read(at(1, 3), 16)), [4, 5]);
  assert.deepEqual(counters(await log.read(at(1, 3), 1)), [4]);
  assert.deepEqual(await log.read(at(1, 9), 1 << 20), []);
});

test('TxnLog.read() refuses what was trimmed', async () => {
  const log = await filledLog(new StoreHost());
  await log.trim(at(1, 6));
  await rejects(log.read(at(1, 5), 100), 'LOG_TRIMMED', /0x100000006/);
  assert.deepEqual(counters(await log.read(at(1, 6), 100)), [7, 8, 9]);
});

test('TxnLog.read() sees whole groups while a truncation is under way', async () => {
  const log = await filledLog(new StoreHost());
  const cut = log.write({ truncateAfter: at(1, 5) });
  const seen = await log.read(ZXID_NONE, 1 << 20);
  await cut;
  assert.ok([5, 9].includes(seen.length));
  assert.equal((await log.read(ZXID_NONE, 1 << 20)).length, 5);
});

test('TxnLog.trim() drops whole groups only', async () => {
  const host = new StoreHost();
  const log = await filledLog(host);
  await log.trim(at(1, 5));
  assert.equal(log.firstZxid, at(1, 4));
  assert.equal(log.entryCount, 6);
  await log.write({ append: [entry(1, 10)] });
  const found = await reopen(host);
  assert.equal(found.meta.baseZxid, at(1, 3));
  assert.deepEqual(await all(found), texts(entries(1, 4, 10)));
  assert.deepEqual(found.meta.epochs, [{ epoch: 1, last: at(1, 10) }]);
});

test('TxnLog.trim() of everything leaves a log that goes on', async () => {
  const host = new StoreHost();
  const log = await filledLog(host);
  await log.trim(at(1, 9));
  assert.equal(log.firstZxid, undefined);
  assert.equal(log.bytesAfter(ZXID_NONE), 0);
  await log.write({ append: [entry(1, 10)] });
  assert.deepEqual(await all(await reopen(host)), texts([entry(1, 10)]));
});

test('TxnLog.trim() and write() take turns', async () => {
  const host = new StoreHost();
  const log = await filledLog(host);
  await Promise.all([
    log.trim(at(1, 6)),
    log.write({ append: [entry(1, 10)] }),
    log.trim(at(1, 9)),
  ]);
  assert.deepEqual(await all(await reopen(host)), texts([entry(1, 10)]));
});

test('TxnLog.trim() bounds the epochs that ended before the log begins', async () => {
  const host = new StoreHost();
  const log = await createLog(host);
  await log.write({ acceptedEpoch: makeEpoch(100) });
  for (let epoch = 1; epoch <= 100; epoch++) await log.write({ append: [entry(epoch, 1)] });
  assert.equal(log.meta.epochs.length, 100);
  await log.trim(at(90, 1));
  assert.equal(log.meta.epochs[0]?.epoch, 74);
  assert.equal(log.meta.epochs.length, 27);
});

test('TxnLog.bytesAfter() counts the groups with entries after a zxid', async () => {
  const log = await filledLog(new StoreHost());
  const whole = log.bytesAfter(ZXID_NONE);
  assert.equal(log.bytesAfter(at(1, 3)), (whole * 2) / 3);
  assert.equal(log.bytesAfter(at(1, 5)), (whole * 2) / 3);
  assert.equal(log.bytesAfter(at(1, 9)), 0);
});

test('TxnLog.open() names both servers when the directory is another one’s', async () => {
  const host = new StoreHost();
  await createLog(host);
  host.crash('keep');
  const opened = TxnLog.open(await host.open('log'), { serverId: makeServerId(2) });
  await rejects(opened, 'WRONG_SERVER', /belongs to server 3, this is server 2/);
});

test('TxnLog.open() tells an empty store from one that lost its identity', async () => {
  const host = new StoreHost();
  await rejects(reopen(host), 'LOG_MISSING', /empty/);
  host.crash('keep');
  await filledLog(host);
  host.disk.edit('log', Uint8Array.of(META_KEY), undefined);
  await rejects(reopen(host), 'META_DAMAGED', /missing although/);
});

test('TxnLog.open() finds every flipped bit of the identity record', async () => {
  const host = new StoreHost();
  await filledLog(host);
  const [key, value] = host.entry('log', META_KEY);
  for (let bit = 0; bit < value.length * 8; bit++) {
    const flipped = value.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    host.disk.edit('log', key, flipped);
    await rejects(reopen(host), 'META_DAMAGED', /identity record: its checksum/);
  }
});

test('TxnLog.open() finds every flipped bit of a group, and the identity survives', async () => {
  const host = new StoreHost();
  await filledLog(host);
  const [key, value] = host.entry('log', GROUP_KEY, 0, 0, 0, 1, 0, 0, 0, 4);
  for (let bit = 0; bit < value.length * 8; bit += 3) {
    const flipped = value.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    host.disk.edit('log', key, flipped);
    await rejects(reopen(host), 'LOG_DAMAGED', /after 0x100000003 up to 0x100000009/);
  }
  host.crash('keep');
  assert.equal((await readLogMeta(await host.open('log')))?.lastZxid, at(1, 9));
});

test('TxnLog.open() finds a missing group at the front, inside and at the end', async () => {
  for (const first of [1, 4, 7]) {
    const host = new StoreHost();
    await filledLog(host);
    const [key] = host.entry('log', GROUP_KEY, 0, 0, 0, 1, 0, 0, 0, first);
    host.disk.edit('log', key, undefined);
    await rejects(reopen(host), 'LOG_DAMAGED', /entries are missing/);
  }
});

test('TxnLog.open() finds a group of another history with the same zxids', async () => {
  const host = new StoreHost();
  await filledLog(host);
  const [key] = host.entry('log', GROUP_KEY, 0, 0, 0, 1, 0, 0, 0, 4);
  const other = new StoreHost();
  const log = await createLog(other);
  await log.write({ acceptedEpoch: makeEpoch(1), append: entries(1, 1, 3, 9) });
  await log.write({ append: entries(1, 4, 6) });
  host.disk.edit('log', key, other.entry('log', GROUP_KEY, 0, 0, 0, 1, 0, 0, 0, 4)[1]);
  await rejects(reopen(host), 'LOG_DAMAGED', /do not continue/);
});

test('TxnLog.open() finds a value under another key, and keys of no known kind', async () => {
  const host = new StoreHost();
  await filledLog(host);
  const [, value] = host.entry('log', GROUP_KEY, 0, 0, 0, 1, 0, 0, 0, 4);
  const strange = Uint8Array.of(GROUP_KEY, 0, 0, 0, 1, 0, 0, 0, 0x20);
  host.disk.edit('log', strange, value);
  await rejects(reopen(host), 'LOG_DAMAGED', /checksum/);
  host.disk.edit('log', strange, undefined);
  host.disk.edit('log', Uint8Array.of(0x7a), value);
  await rejects(reopen(host), 'LOG_DAMAGED', /key is not that of a group/);
});

test('TxnLog.read() finds damage that came after the log was opened', async () => {
  const host = new StoreHost();
  const log = await filledLog(host);
  host.disk.corrupt('log', (key) => key[0] === GROUP_KEY && key[8] === 4);
  assert.deepEqual(counters(await log.read(at(1, 6), 1 << 20)), [7, 8, 9]);
  await rejects(log.read(at(1, 1), 1 << 20), 'LOG_DAMAGED', /after 0x100000003/);
});

/** Every kind of change once, with what the log must hold after each. */
const SCRIPT: readonly { readonly change: LogMutation; readonly holds: readonly LogEntry[] }[] = [
  { change: { acceptedEpoch: makeEpoch(1), append: entries(1, 1, 3) }, holds: entries(1, 1, 3) },
  { change: { append: entries(1, 4, 6) }, holds: entries(1, 1, 6) },
  { change: { truncateAfter: at(1, 5) }, holds: entries(1, 1, 5) },
  {
    change: { truncateAfter: at(1, 2), acceptedEpoch: makeEpoch(2), append: entries(2, 1, 2) },
    holds: [...entries(1, 1, 2), ...entries(2, 1, 2)],
  },
  {
    change: {
      snapshot: {
        generation: 2,
        zxid: at(2, 9),
        epochs: [{ epoch: makeEpoch(2), last: at(2, 9) }],
      },
    },
    holds: [],
  },
  { change: { append: entries(2, 10, 11) }, holds: entries(2, 10, 11) },
];

for (const fate of ['draw', 'keep', 'drop'] as const) {
  for (let index = 0; index <= SCRIPT.length; index++) {
    test(`TxnLog after a crash (${fate}) at write ${index} holds what was acknowledged or one change more`, async () => {
      const host = new StoreHost(index + 1);
      let acknowledged = -1;
      await crashAtWrite(host, index, fate, async (guard) => {
        const log = await TxnLog.create(guard(await host.open('log')), IDENTITY);
        acknowledged = 0;
        for (const { change } of SCRIPT) {
          await log.write(change);
          acknowledged += 1;
        }
      });
      const opened = reopen(host);
      if (acknowledged === -1 && (await opened.catch(() => undefined)) === undefined) return;
      const log = await opened;
      const legal = [acknowledged, acknowledged + 1].map((count) =>
        texts(count <= 0 ? [] : (SCRIPT[count - 1]?.holds ?? [])).join(),
      );
      assert.ok(legal.includes((await all(log)).join()));
      if (fate === 'keep') assert.equal((await all(log)).join(), legal[1]);
    });
  }
}
