import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import {
  makeEpoch,
  makeServerId,
  makeZxid,
  ZXID_NONE,
  type Zxid,
  zxidCounter,
} from '../../../src/base/ids.ts';
import type { PersistRequest } from '../../../src/consensus/effects.ts';
import { LogWriter } from '../../../src/server/log-writer.ts';
import { TxnLog } from '../../../src/store/txn-log.ts';
import { SimWorld } from '../../../src/testing/sim-world.ts';

const EPOCH = makeEpoch(1);
const HOST = 'host';
const DIRECTORY = '/log';

function zxid(counter: number, epoch = EPOCH): Zxid {
  return makeZxid(epoch, counter);
}

function appends(...counters: readonly number[]): Partial<PersistRequest> {
  return { append: counters.map((counter) => ({ zxid: zxid(counter), bytes: Buffer.from('x') })) };
}

class Bench {
  readonly world: SimWorld;
  readonly log: TxnLog;
  readonly writer: LogWriter;
  readonly events: string[] = [];
  readonly errors: unknown[] = [];
  beganCount = 0;
  /** Whether the thread has more to do than it can. */
  isBusy = true;
  #lastId = 0;

  private constructor(world: SimWorld, log: TxnLog) {
    this.world = world;
    this.log = log;
    const { clock, timers } = world.runtimeFor(HOST);
    const busyClock = {
      monotonicMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs(),
      busyMs: () => (this.isBusy ? clock.monotonicMs() : 0),
    };
    this.writer = new LogWriter(
      log,
      { clock: busyClock, timers },
      {
        stagedGeneration: () => 2,
        snapshotSwitched: async () => {
          this.events.push('switched');
        },
        writeBegan: () => this.beganCount++,
        writeEnded: () => undefined,
        persisted: (id) => this.events.push(`persisted ${id}`),
        failed: (error) => this.errors.push(error),
      },
    );
  }

  static async create(): Promise<Bench> {
    const world = new SimWorld(1);
    const create = async (): Promise<TxnLog> => {
      const store = await world.runtimeFor(HOST).storage.open(DIRECTORY, { create: true });
      return await TxnLog.create(store, {
        serverId: makeServerId(1),
        incarnation: '00',
        standing: 'whole',
      });
    };
    const bench = new Bench(world, await world.finish(create()));
    await bench.lookSoon();
    bench.add({ acceptedEpoch: EPOCH, currentEpoch: EPOCH });
    await bench.idle();
    bench.events.length = 0;
    return bench;
  }

  /** So much later the end of the next write is a time to look at the thread's load. */
  async lookSoon(): Promise<void> {
    await this.world.runFor(1000);
  }

  add(change: Partial<PersistRequest>): void {
    this.writer.add({ commitHint: ZXID_NONE, ...change, id: ++this.#lastId });
    this.writer.flush();
  }

  addGroup(first: number, last: number): void {
    const counters = Array.from({ length: last - first + 1 }, (_, at) => first + at);
    this.add(appends(...counters));
  }

  async idle(): Promise<void> {
    await this.world.runUntil(() => this.writer.isIdle || this.errors.length > 0, 60_000);
  }

  async counters(): Promise<number[]> {
    const entries = await this.world.finish(this.log.read(this.log.meta.baseZxid, 1 << 20));
    return entries.map((entry) => zxidCounter(entry.zxid));
  }
}

describe('LogWriter', () => {
  it('gathers what comes during one write into the next', async () => {
    const bench = await Bench.create();
    const before = bench.writer.groupCount;
    for (const counter of [1, 2, 3, 4]) bench.add(appends(counter));
    await bench.idle();
    assert.deepEqual(bench.events, ['persisted 2', 'persisted 5']);
    assert.equal(bench.writer.groupCount - before, 2);
    assert.deepEqual(await bench.counters(), [1, 2, 3, 4]);
  });

  it('keeps the last word of each field of the requests it gathers', async () => {
    const bench = await Bench.create();
    bench.add(appends(1));
    bench.add({ acceptedEpoch: makeEpoch(2) });
    bench.add({ acceptedEpoch: makeEpoch(3), clusterId: 'c' });
    bench.add({ ...appends(2), commitHint: zxid(1) });
    await bench.idle();
    const { acceptedEpoch, currentEpoch, clusterId, commitHint, lastZxid } = bench.log.meta;
    assert.deepEqual([acceptedEpoch, currentEpoch, clusterId], [3, 1, 'c']);
    assert.deepEqual([commitHint, lastZxid], [zxid(1), zxid(2)]);
  });

  it('waits for most of those it has answered, so that they share the next write', async () => {
    const bench = await Bench.create();
    bench.addGroup(1, 8);
    await bench.idle();
    bench.events.length = 0;
    bench.addGroup(9, 13);
    assert.equal(bench.writer.isIdle, false);
    await bench.world.runFor(0.1);
    bench.addGroup(14, 14);
    await bench.idle();
    assert.deepEqual(bench.events, ['persisted 4']);
    assert.equal((await bench.counters()).length, 14);
  });

  it('does not wait for those who do not come back', async () => {
    const bench = await Bench.create();
    bench.addGroup(1, 8);
    await bench.idle();
    bench.addGroup(9, 9);
    await bench.idle();
    assert.deepEqual(bench.events, ['persisted 2', 'persisted 3']);
  });

  it('waits for nobody while the thread has time to spare', async () => {
    for (const isBusy of [true, false]) {
      const bench = await Bench.create();
      bench.isBusy = isBusy;
      await bench.lookSoon();
      bench.addGroup(1, 8);
      await bench.idle();
      const before = bench.beganCount;
      bench.addGroup(9, 9);
      assert.equal(bench.beganCount - before, isBusy ? 0 : 1);
      await bench.idle();
    }
  });

  it('does not let what is more than entries wait, nor somebody who waits for the end', async () => {
    for (const isStopped of [true, false]) {
      const bench = await Bench.create();
      bench.addGroup(1, 8);
      await bench.idle();
      bench.addGroup(9, 9);
      const groups = bench.writer.groupCount;
      if (isStopped) await bench.world.finish(bench.writer.settled());
      else bench.add({ acceptedEpoch: makeEpoch(2) });
      await bench.idle();
      assert.equal(bench.writer.groupCount - groups, 1);
    }
  });

  it('begins a new write with a truncation, which would undo what came before it', async () => {
    const bench = await Bench.create();
    bench.add(appends(1));
    bench.add(appends(2, 3));
    bench.add({ ...appends(2, 3, 4), truncateAfter: zxid(1) });
    bench.add(appends(5));
    await bench.idle();
    assert.deepEqual(bench.events, ['persisted 2', 'persisted 3', 'persisted 5']);
    assert.deepEqual(await bench.counters(), [1, 2, 3, 4, 5]);
  });

  it('says persisted only when the state of a snapshot is in place', async () => {
    const bench = await Bench.create();
    bench.add(appends(1));
    const epochs = [{ epoch: EPOCH, last: zxid(9) }];
    bench.add({ snapshot: { zxid: zxid(9), epochs }, ...appends(10) });
    await bench.idle();
    assert.deepEqual(bench.events, ['persisted 2', 'switched', 'persisted 3']);
    assert.equal(bench.log.meta.generation, 2);
    assert.deepEqual(await bench.counters(), [10]);
  });

  it('bounds a write, so that nobody waits for all that has gathered', async () => {
    const bench = await Bench.create();
    bench.add(appends(1));
    const bytes = Buffer.alloc(1024 * 1024);
    for (let i = 2; i <= 11; i++) bench.add({ append: [{ zxid: zxid(i), bytes }] });
    await bench.idle();
    assert.deepEqual(bench.events, ['persisted 2', 'persisted 7', 'persisted 12']);
  });

  it('writes nothing more after a failed write and says so once', async () => {
    const bench = await Bench.create();
    bench.world.disk(HOST).failNext(DIRECTORY, 'sync');
    bench.add(appends(1));
    bench.add(appends(2));
    await bench.idle();
    bench.add(appends(3));
    await bench.world.runFor(1000);
    assert.deepEqual(bench.events, []);
    assert.equal(bench.errors.length, 1);
  });
});
