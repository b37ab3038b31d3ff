import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KeyValueStore } from '../../../src/runtime/runtime.ts';
import { SimWorld } from '../../../src/testing/sim-world.ts';

const DIRECTORY = '/data/log';

function put(store: KeyValueStore, value: number, sync: boolean): Promise<void> {
  const batch = store.batch();
  batch.put(Uint8Array.of(value), Uint8Array.of(value, value));
  batch.put(Uint8Array.of(0), Uint8Array.of(value));
  return batch.write({ sync });
}

async function openStore(world: SimWorld, host = 'a'): Promise<KeyValueStore> {
  const { storage } = world.runtimeFor(host);
  return await world.finish(storage.open(DIRECTORY, { create: true }));
}

/** The numbers written, which must be 1 to n with nothing missing. */
function countWritten(world: SimWorld): number {
  const entries = world.disk('a').entries(DIRECTORY);
  const numbers = entries.map(([key]) => key[0] ?? 0).filter((number) => number > 0);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
    'batches survive as a prefix',
  );
  const last = entries.find(([key]) => key[0] === 0)?.[1][0] ?? 0;
  assert.equal(last, numbers.length, 'batches survive whole');
  return numbers.length;
}

async function crashAfter(seed: number, syncedCount: number, unsyncedCount: number) {
  const world = new SimWorld(seed);
  const store = await openStore(world);
  for (let i = 1; i <= syncedCount; i++) await world.finish(put(store, i, i === syncedCount));
  for (let i = 1; i <= unsyncedCount; i++) {
    await world.finish(put(store, syncedCount + i, false));
  }
  return world;
}

describe('SimWorld.crash()', () => {
  it('keeps synced batches and a drawn prefix of the others', async () => {
    const found = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const world = await crashAfter(seed, 3, 4);
      world.crash('a');
      const count = countWritten(world);
      assert.ok(count >= 3 && count <= 7);
      found.add(count);
    }
    assert.deepEqual([...found].sort(), [3, 4, 5, 6, 7]);
  });

  it('drops or keeps all unsynced batches when told so', async () => {
    const dropping = await crashAfter(1, 2, 3);
    dropping.crash('a', { unsynced: 'drop' });
    assert.equal(countWritten(dropping), 2);
    const keeping = await crashAfter(1, 2, 3);
    keeping.crash('a', { unsynced: 'keep' });
    assert.equal(countWritten(keeping), 5);
  });

  it('leaves a synced write that is under way to chance', async () => {
    const found = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const world = await crashAfter(seed, 1, 0);
      const store = world.runtimeFor('a').storage;
      world.crash('a');
      const again = await openStore(world);
      assert.notEqual(store, world.runtimeFor('a').storage);
      let isSettled = false;
      const mark = (): void => {
        isSettled = true;
      };
      put(again, 2, true).then(mark, mark);
      world.crash('a');
      await world.runFor(1000);
      assert.equal(isSettled, false, 'a dead process hears nothing');
      found.add(countWritten(world));
    }
    assert.deepEqual([...found].sort(), [1, 2]);
  });

  it('brings back deleted and overwritten values of batches it drops', async () => {
    const world = await crashAfter(1, 3, 0);
    world.crash('a');
    const store = await openStore(world);
    const before = world.disk('a').entries(DIRECTORY);
    const batch = store.batch();
    batch.delete(Uint8Array.of(2));
    batch.put(Uint8Array.of(3), Uint8Array.of(99));
    await world.finish(batch.write({ sync: false }));
    world.crash('a', { unsynced: 'drop' });
    assert.deepEqual(world.disk('a').entries(DIRECTORY), before);
  });

  it('frees the lock for the next process', async () => {
    const world = new SimWorld(1);
    await openStore(world);
    await assert.rejects(openStore(world), { code: 'STORE_LOCKED' });
    world.crash('a');
    const store = await openStore(world);
    await world.finish(put(store, 1, true));
    assert.equal(countWritten(world), 1);
  });
});

describe('SimDisk', () => {
  it('failNext() rejects one write and all after it', async () => {
    const world = new SimWorld(1);
    const store = await openStore(world);
    await world.finish(put(store, 1, true));
    world.disk('a').failNext(DIRECTORY, 'write');
    const waiting = put(store, 2, true);
    const behind = put(store, 3, true);
    await assert.rejects(world.finish(waiting), { code: 'IO' });
    await assert.rejects(world.finish(behind), { code: 'IO' });
    await assert.rejects(world.finish(put(store, 4, false)), { code: 'IO' });
    world.crash('a');
    assert.equal(countWritten(world), 1);
  });

  it('failNext() of a sync leaves the batch to the next crash', async () => {
    const found = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const world = new SimWorld(seed);
      const store = await openStore(world);
      await world.finish(put(store, 1, true));
      world.disk('a').failNext(DIRECTORY, 'sync');
      await assert.rejects(world.finish(put(store, 2, true)), { code: 'IO' });
      world.crash('a');
      found.add(countWritten(world));
    }
    assert.deepEqual([...found].sort(), [1, 2]);
  });

  it('writeErrorProbability makes writes fail by themselves', async () => {
    const world = new SimWorld(1, { storage: { writeErrorProbability: 1 } });
    const store = await openStore(world);
    await assert.rejects(world.finish(put(store, 1, true)), { code: 'IO' });
  });

  it('corrupt() flips one bit of each chosen value', async () => {
    const world = await crashAfter(1, 3, 0);
    const before = world.disk('a').entries(DIRECTORY);
    assert.equal(
      world.disk('a').corrupt(DIRECTORY, (key) => key[0] === 2),
      1,
    );
    let flippedBits = 0;
    for (const [index, [key, value]] of world.disk('a').entries(DIRECTORY).entries()) {
      for (const [place, byte] of value.entries()) {
        const difference = byte ^ (before[index]?.[1][place] ?? 0);
        if (difference !== 0) assert.equal(key[0], 2);
        flippedBits += difference.toString(2).replaceAll('0', '').length;
      }
    }
    assert.equal(flippedBits, 1);
  });

  it('wipe() leaves nothing, edit() and restore() put things back', async () => {
    const world = await crashAfter(1, 3, 0);
    world.crash('a');
    const disk = world.disk('a');
    const image = disk.image();
    disk.wipe('/data');
    const { storage } = world.runtimeFor('a');
    assert.equal(await world.finish(storage.exists(DIRECTORY)), false);
    world.crash('a');
    disk.edit(DIRECTORY, Uint8Array.of(1), Uint8Array.of(1));
    assert.equal(disk.entries(DIRECTORY).length, 1);
    disk.restore(image);
    assert.equal(countWritten(world), 3);
  });

  it('damage() makes open() refuse', async () => {
    const world = await crashAfter(1, 1, 0);
    world.crash('a');
    world.disk('a').damage(DIRECTORY);
    await assert.rejects(openStore(world), { code: 'STORE_DAMAGED' });
  });

  it('a stalled disk holds writes back until it goes on', async () => {
    const world = new SimWorld(1);
    const store = await openStore(world);
    const write = put(store, 1, true);
    world.stallDisk('a', 500);
    const startMs = world.nowMs;
    await world.finish(write);
    assert.ok(world.nowMs - startMs >= 500);
  });

  it('close() waits for writes that a stalled disk holds back', async () => {
    const world = new SimWorld(1);
    const store = await openStore(world);
    const calls: string[] = [];
    void put(store, 1, true).then(() => calls.push('written'));
    const closed = store.close().then(() => calls.push('closed'));
    world.stallDisk('a', 500);
    await world.finish(closed);
    assert.deepEqual(calls, ['written', 'closed']);
  });

  it('one host does not see the disk of another', async () => {
    const world = new SimWorld(1);
    const store = await openStore(world, 'a');
    await world.finish(put(store, 1, true));
    const { storage } = world.runtimeFor('b');
    assert.equal(await world.finish(storage.exists(DIRECTORY)), false);
  });
});
