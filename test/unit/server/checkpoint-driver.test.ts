import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import {
  makeEpoch,
  makeServerId,
  makeSessionId,
  makeZxid,
  SERVER_NONE,
  type Zxid,
  zxidCounter,
} from '../../../src/base/ids.ts';
import { CheckpointDriver } from '../../../src/server/checkpoint-driver.ts';
import { Checkpointer } from '../../../src/store/checkpointer.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { StateStore } from '../../../src/store/state-store.ts';
import { TxnType } from '../../../src/store/txn.ts';
import { encodeTxn } from '../../../src/store/txn-codec.ts';
import { TxnLog } from '../../../src/store/txn-log.ts';
import { SimWorld } from '../../../src/testing/sim-world.ts';

const EPOCH = makeEpoch(1);
const POLICY = {
  intervalTxns: 10,
  intervalBytes: 5000,
  intervalMs: 1000,
  retainTxns: 20,
  retainBytes: 100_000,
  isTrimming: true,
};

function zxid(counter: number): Zxid {
  return makeZxid(EPOCH, counter);
}

/** A server of one whose transactions are sessions that begin. */
class Bench {
  readonly world = new SimWorld(1);
  readonly tree = new DataTree();
  awaitedAfter: Zxid | undefined;
  #log: TxnLog | undefined;
  #driver: CheckpointDriver | undefined;
  #counter = 0;
  #nowMs = 0;

  static async create(): Promise<Bench> {
    const bench = new Bench();
    await bench.world.finish(bench.#open());
    return bench;
  }

  async #open(): Promise<void> {
    const { storage } = this.world.runtimeFor('host');
    const logStore = await storage.open('/log', { create: true });
    this.#log = await TxnLog.create(logStore, {
      serverId: makeServerId(1),
      incarnation: '00',
      standing: 'whole',
    });
    const state = await StateStore.create(await storage.open('/state', { create: true }));
    const checkpointer = await Checkpointer.restore(state, this.tree);
    const hooks = {
      awaitedAfter: () => this.awaitedAfter,
      trimmed: () => undefined,
      began: () => undefined,
      committed: () => undefined,
      failed: (error: unknown) => assert.fail(String(error)),
    };
    this.#driver = new CheckpointDriver(this.#log, checkpointer, POLICY, hooks, 0);
  }

  get log(): TxnLog {
    assert(this.#log !== undefined);
    return this.#log;
  }

  get driver(): CheckpointDriver {
    assert(this.#driver !== undefined);
    return this.#driver;
  }

  /** Where the log begins. */
  get base(): number {
    return zxidCounter(this.log.meta.baseZxid);
  }

  /** So many transactions, each logged by itself and applied. */
  async run(count: number, dataBytes = 0): Promise<void> {
    for (let i = 0; i < count; i++) {
      const at = zxid(++this.#counter);
      const sessionId = makeSessionId(BigInt(this.#counter));
      const body =
        dataBytes === 0
          ? ({ type: TxnType.createSession, timeoutMs: 1000 } as const)
          : ({
              type: TxnType.setData,
              path: '/',
              data: Buffer.alloc(dataBytes),
              version: 1,
            } as const);
      const ids = { sessionId, cxid: 0, origin: SERVER_NONE, requestId: 0 };
      const txn = { ...ids, timeMs: 0, body };
      const append = [{ zxid: at, bytes: encodeTxn(txn) }];
      const written = this.log.write({ append, acceptedEpoch: EPOCH, currentEpoch: EPOCH });
      await this.world.finish(written);
      this.tree.apply(at, txn, false);
      this.driver.applied();
    }
  }

  /** Time passes until a checkpoint that is due has been written. */
  async checkpoint(): Promise<void> {
    this.#nowMs += POLICY.intervalMs;
    this.driver.tick(this.#nowMs);
    await this.world.runUntil(() => !this.driver.isRunning, 10_000);
  }

  async runAndCheckpoint(rounds: number): Promise<void> {
    for (let i = 0; i < rounds; i++) {
      await this.run(10);
      await this.checkpoint();
    }
  }
}

describe('CheckpointDriver', () => {
  it('keeps of the log what a learner that comes back is likely to lack', async () => {
    const bench = await Bench.create();
    await bench.runAndCheckpoint(2);
    assert.equal(bench.base, 0);
    await bench.runAndCheckpoint(3);
    assert.equal(bench.base, 30);
  });

  it('keeps the log from where a learner is being caught up, however far that is behind', async () => {
    const bench = await Bench.create();
    await bench.runAndCheckpoint(3);
    bench.awaitedAfter = zxid(15);
    await bench.runAndCheckpoint(10);
    assert.equal(bench.base, 10);
    bench.awaitedAfter = undefined;
    await bench.runAndCheckpoint(1);
    assert.equal(bench.base, 120);
  });

  it('writes a checkpoint when few transactions have made the log long', async () => {
    const bench = await Bench.create();
    await bench.run(3);
    bench.driver.tick(1);
    assert(!bench.driver.isRunning);
    await bench.run(1, 6000);
    bench.driver.tick(2);
    assert(bench.driver.isRunning);
    await bench.world.runUntil(() => !bench.driver.isRunning, 10_000);
    bench.driver.tick(3);
    assert(!bench.driver.isRunning, 'the log is not long behind the checkpoint');
  });

  it('writes no checkpoint while nothing changes', async () => {
    const bench = await Bench.create();
    bench.driver.tick(1_000_000);
    assert(!bench.driver.isRunning);
  });

  it('writes one checkpoint after the other, however many wait for the one under way', async () => {
    const bench = await Bench.create();
    await bench.run(10);
    bench.driver.tick(1);
    const { driver, world } = bench;
    const pause = () => Promise.resolve();
    const asked = [driver.cut(), driver.renew(pause), driver.cut(), driver.renew(pause)];
    assert(driver.isRunning);
    assert.deepEqual(await world.finish(Promise.all(asked)), [true, true, true, true]);
    assert(!driver.isRunning);
  });

  it('stops behind every checkpoint that was waited for', async () => {
    const bench = await Bench.create();
    await bench.run(10);
    bench.driver.tick(1);
    const { driver, world } = bench;
    const cut = driver.cut();
    await world.finish(driver.stop());
    assert(!driver.isRunning);
    await world.finish(cut);
  });
});
