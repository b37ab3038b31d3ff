/** What a quota says of its usage is what a count of its subtree yields, whatever happened to it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeSessionId, SERVER_NONE, type Zxid } from '../../src/base/ids.ts';
import { OpCode } from '../../src/base/op-code.ts';
import type { WriteRequest } from '../../src/base/write-request.ts';
import { Checkpointer } from '../../src/store/checkpointer.ts';
import { DataTree } from '../../src/store/data-tree.ts';
import { Preparer } from '../../src/store/prepare.ts';
import { StateStore } from '../../src/store/state-store.ts';
import { StoreHost } from '../support/store-host.ts';
import { bytes, create, multi, remove, request, setData } from '../support/store-kit.ts';

const SEED = 7;
const RUNS = 150;
const SESSION = makeSessionId(1n);
const QUOTA = '/zookeeper/quota';
const LIMITED = ['/a', '/b', '/c/d'] as const;
const EPHEMERAL = 1;

/** A tree with a life of several runs of its server. */
class Life {
  tree = new DataTree();
  #preparer = new Preparer(this.tree);
  #zxid = 0;
  readonly #host = new StoreHost(1);
  #checkpointer: Checkpointer | undefined;

  async begin(): Promise<void> {
    await this.#load(true);
    this.run(request(OpCode.createSession, { durationMs: 10_000 }));
  }

  run(asked: WriteRequest): void {
    this.#zxid += 1;
    const zxid = this.#zxid as Zxid;
    const body = this.#preparer.prepare(asked, { sessionId: SESSION, identities: [], zxid });
    const txn = { sessionId: SESSION, cxid: 0, timeMs: 1, origin: SERVER_NONE, requestId: 0, body };
    this.tree.apply(zxid, txn, false);
    this.#preparer.applied(zxid);
  }

  /** A checkpoint, an end in order, and the next start. */
  async restart(): Promise<void> {
    const checkpointer = this.#checkpointer;
    assert.ok(checkpointer !== undefined);
    checkpointer.begin();
    while (!(await checkpointer.step()));
    this.#host.crash('keep');
    await this.#load(false);
  }

  async #load(isNew: boolean): Promise<void> {
    const store = await this.#host.open('state');
    const state = isNew ? await StateStore.create(store) : await StateStore.open(store, 1);
    this.tree = new DataTree();
    this.#checkpointer = await Checkpointer.restore(state, this.tree, { chunkBytes: 300 });
    this.#preparer = new Preparer(this.tree);
  }

  expectExact(): void {
    for (const [path, usage] of this.tree.quotas.measured()) {
      const stats = this.tree.find(`${QUOTA}${path}/zookeeper_stats`);
      if (stats !== undefined) assert.equal(stats.dataText, usage, path);
    }
  }
}

const PATH = fc.constantFrom(
  ...['/a', '/a/x', '/a/x/y', '/b', '/b/x', '/c', '/c/d', '/c/d/x', '/c/e', '/ab'],
);
const DATA = fc.string({ maxLength: 6, unit: 'grapheme-ascii' });
const CHANGE: fc.Arbitrary<WriteRequest> = fc.oneof(
  fc.tuple(PATH, DATA).map(([path, data]) => create(path, { data: bytes(data) })),
  PATH.map((path) => create(path, { flags: EPHEMERAL })),
  PATH.map((path) => remove(path)),
  fc.tuple(PATH, DATA).map(([path, data]) => setData(path, data)),
);
/** As clients set and delete a quota: the limits first, then the stats. */
const QUOTA_CHANGE: fc.Arbitrary<readonly WriteRequest[]> = fc.oneof(
  fc
    .constantFrom(...LIMITED)
    .map((path) => [
      create(`${QUOTA}${path}/zookeeper_limits`, { data: bytes('count=3,bytes=9') }),
      create(`${QUOTA}${path}/zookeeper_stats`, { data: bytes('count=0,bytes=0') }),
    ]),
  fc
    .constantFrom(...LIMITED)
    .map((path) => [
      remove(`${QUOTA}${path}/zookeeper_limits`),
      remove(`${QUOTA}${path}/zookeeper_stats`),
    ]),
);
const STEP = fc.oneof(
  { arbitrary: CHANGE.map((change) => [change]), weight: 12 },
  { arbitrary: fc.array(CHANGE, { maxLength: 4 }).map((ops) => [multi(...ops)]), weight: 4 },
  { arbitrary: QUOTA_CHANGE, weight: 3 },
  { arbitrary: fc.constant('restart' as const), weight: 1 },
  { arbitrary: fc.constant([request(OpCode.closeSession)]), weight: 1 },
);

test('QuotaBook says what a recount says: creates, deletes, multi, closed sessions, restarts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { maxLength: 60 }), async (steps) => {
      const life = new Life();
      await life.begin();
      for (const path of ['/a', '/b', '/c', '/c/d']) life.run(create(`${QUOTA}${path}`));
      for (const step of steps) {
        if (step === 'restart') await life.restart();
        else {
          for (const change of step) life.run(change);
        }
        life.expectExact();
        // A session that was closed opens anew, or nothing would happen any more.
        if (!life.tree.sessions.has(SESSION)) {
          life.run(request(OpCode.createSession, { durationMs: 10_000 }));
        }
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
});
