import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cursor, KeyValueStore } from '../../../src/runtime/runtime.ts';
import { SILENT_LOGGER } from '../../../src/server/logger.ts';
import { Scrubber } from '../../../src/server/scrubber.ts';
import { packKey } from '../../../src/store/keyspace.ts';
import { SimWorld } from '../../../src/testing/sim-world.ts';

/** A scrubber over two empty stores; says in which order it looked at them. */
function bench(): { world: SimWorld; looks: string[]; setEntries: (count: number) => void } {
  const world = new SimWorld(1, {});
  const looks: string[] = [];
  const store = (name: string): Pick<KeyValueStore, 'scan'> => ({
    scan: (): Cursor => {
      looks.push(name);
      return { next: () => Promise.resolve([]), close: () => Promise.resolve() };
    },
  });
  let entries = 100;
  new Scrubber({
    logStore: store('log'),
    logEntries: () => entries,
    stateStore: store('state'),
    runtime: world.runtimeFor('server'),
    log: SILENT_LOGGER,
    replaceState: () => assert.fail('nothing is damaged'),
    cutLog: () => Promise.reject(new Error('nothing is damaged')),
    failed: (error) => assert.fail(String(error)),
  }).start();
  return {
    world,
    looks,
    setEntries: (count) => {
      entries = count;
    },
  };
}

describe('Scrubber', () => {
  it('looks at the log and then at the state', async () => {
    const { world, looks } = bench();
    await world.runFor(3000);
    assert.deepEqual(looks, ['log', 'state']);
  });

  it('leaves out a log that is being written anew', async () => {
    const { world, looks, setEntries } = bench();
    setEntries(5000);
    await world.runFor(3000);
    assert.deepEqual(looks, ['state']);
  });

  it('comes back to the log in the next pass', async () => {
    const { world, looks, setEntries } = bench();
    setEntries(5000);
    await world.runFor(3_610_000);
    assert.deepEqual(looks, ['state', 'log', 'state']);
  });

  it('has all that is damaged in a page of the state replaced together', async () => {
    const world = new SimWorld(1, {});
    const runtime = world.runtimeFor('server');
    const stateStore = await world.finish(runtime.storage.open('/state', { create: true }));
    const batch = stateStore.batch();
    for (let number = 0; number < 3; number++) {
      batch.put(packKey(1, { sequence: 1, number }), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    }
    await world.finish(batch.write({ sync: true }));
    const replaced: number[] = [];
    const scrubber = new Scrubber({
      logStore: { scan: () => stateStore.scan({ lt: Uint8Array.of(0) }) },
      logEntries: () => 0,
      stateStore,
      runtime,
      log: SILENT_LOGGER,
      replaceState: (damaged) => replaced.push(damaged.length),
      cutLog: () => Promise.reject(new Error('the log is empty')),
      failed: (error) => assert.fail(String(error)),
    });
    scrubber.start();
    await world.runFor(5000);
    assert.deepEqual(replaced, [3]);
    assert.equal(scrubber.damageCount, 3);
  });
});
