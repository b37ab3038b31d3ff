import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Prng } from '../../src/base/prng.ts';
import { Checkpointer } from '../../src/store/checkpointer.ts';
import { DataTree } from '../../src/store/data-tree.ts';
import { StateStore } from '../../src/store/state-store.ts';
import { StoreHost } from '../support/store-host.ts';
import { storedState } from '../support/stored-state.ts';
import { describeTree, TreeHistory } from '../support/tree-workload.ts';

type Step =
  | { readonly do: 'apply'; readonly count: number }
  | { readonly do: 'checkpoint'; readonly steps: number; readonly between: number }
  | { readonly do: 'crash'; readonly fate: 'draw' | 'keep' | 'drop' };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('apply' as const), count: fc.integer({ min: 1, max: 12 }) }),
  fc.record({
    do: fc.constant('checkpoint' as const),
    steps: fc.integer({ min: 1, max: 40 }),
    between: fc.integer({ min: 0, max: 6 }),
  }),
  fc.record({
    do: fc.constant('crash' as const),
    fate: fc.constantFrom('draw' as const, 'keep' as const, 'drop' as const),
  }),
);

/** A server reduced to a tree, its checkpoints, and a history that stands for the log. */
class Server {
  readonly host: StoreHost;
  readonly history: TreeHistory;
  tree = new DataTree();
  #checkpointer: Checkpointer | undefined;

  constructor(seed: number) {
    this.host = new StoreHost(seed);
    this.history = new TreeHistory(new Prng(seed));
  }

  get checkpointer(): Checkpointer {
    assert.ok(this.#checkpointer);
    return this.#checkpointer;
  }

  /** Loads what is on the disk, which must be exact, and catches up from the history. */
  async start(isNew: boolean): Promise<void> {
    const store = await this.host.open('state');
    const state = isNew ? await StateStore.create(store) : await StateStore.open(store, 1);
    this.tree = new DataTree();
    this.#checkpointer = await Checkpointer.restore(state, this.tree, {
      chunkBytes: 300,
      slackEntries: 0,
    });
    const { zxid } = state.checkpoint;
    assert.deepEqual(describeTree(this.tree), describeTree(this.history.treeAt(zxid)));
    this.history.replay(this.tree);
  }

  async checkpoint(steps: number, between: number): Promise<void> {
    if (!this.checkpointer.isRunning) this.checkpointer.begin();
    for (let i = 0; i < steps && this.checkpointer.isRunning; i++) {
      const stepping = this.checkpointer.step();
      // The tree changes while the batch is on its way, as well as between two steps.
      for (let n = 0; n < between; n++) this.history.extend(this.tree);
      await stepping;
    }
    if (!this.checkpointer.isRunning) this.#expectNothingObsolete();
  }

  #expectNothingObsolete(): void {
    const { entryCount, sessionCount } = this.checkpointer.checkpoint;
    const stored = storedState(this.host.disk.entries('state'));
    assert.equal(stored.entryCount, entryCount);
    assert.equal(stored.recordCount, 1 + sessionCount);
  }

  async crash(fate: 'draw' | 'keep' | 'drop'): Promise<void> {
    const { zxid, sequence } = this.checkpointer.checkpoint;
    this.host.crash(fate);
    await this.start(false);
    assert.ok(this.checkpointer.checkpoint.zxid >= zxid);
    assert.ok(this.checkpointer.checkpoint.sequence >= sequence);
  }
}

test('Checkpointer: whatever crashes when, what is loaded is the tree exactly at one zxid', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(STEP, { maxLength: 20 }), async (seed, steps) => {
      const server = new Server(seed);
      await server.start(true);
      for (const step of steps) {
        if (step.do === 'crash') await server.crash(step.fate);
        else if (step.do === 'checkpoint') await server.checkpoint(step.steps, step.between);
        else for (let n = 0; n < step.count; n++) server.history.extend(server.tree);
      }
      await server.crash('draw');
      await server.checkpoint(1000, 0);
      await server.crash('keep');
      assert.equal(server.checkpointer.checkpoint.zxid, server.tree.lastZxid);
    }),
    { seed: 20_261_121, numRuns: 150, includeErrorInReport: true },
  );
});
