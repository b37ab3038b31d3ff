import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPEN_ACL } from '../../../src/base/acl.ts';
import { SERVER_NONE, SESSION_NONE, type Zxid } from '../../../src/base/ids.ts';
import { Checkpointer, type CheckpointerOptions } from '../../../src/store/checkpointer.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { loadState } from '../../../src/store/state-load.ts';
import { StateStore } from '../../../src/store/state-store.ts';
import { type TxnBody, TxnType } from '../../../src/store/txn.ts';
import { StoreHost } from '../../support/store-host.ts';
import { describeTree } from '../../support/tree-workload.ts';

const LARGE_BYTES = 100_000;
const SLACK_BYTES = 1000;

/** A tree that is checkpointed whenever the test says so. */
class World {
  readonly host = new StoreHost();
  tree = new DataTree();
  checkpointer: Checkpointer | undefined;
  readonly #options: CheckpointerOptions;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const store = await this.host.open('state');
    const isNew = this.checkpointer === undefined;
    const state = isNew ? await StateStore.create(store) : await StateStore.open(store, 1);
    this.tree = new DataTree();
    this.checkpointer = await Checkpointer.restore(state, this.tree, this.#options);
  }

  async restart(): Promise<void> {
    this.host.crash('keep');
    await this.open();
  }

  apply(body: TxnBody): void {
    const zxid = (this.tree.lastZxid + 1) as Zxid;
    const asked = { sessionId: SESSION_NONE, cxid: 0, timeMs: 1, origin: SERVER_NONE };
    this.tree.apply(zxid, { ...asked, requestId: 0, body }, false);
  }

  create(path: string, data: Uint8Array): void {
    const node = { acl: OPEN_ACL, ephemeralOwner: SESSION_NONE, parentCversion: 0 };
    this.apply({ type: TxnType.create, path, data, ...node });
  }

  remove(path: string): void {
    this.apply({ type: TxnType.delete, path });
  }

  set(path: string, data: Uint8Array): void {
    const version = (this.tree.find(path)?.version ?? 0) + 1;
    this.apply({ type: TxnType.setData, path, data, version });
  }

  async checkpoint(): Promise<void> {
    assert.ok(this.checkpointer !== undefined);
    this.checkpointer.begin();
    while (!(await this.checkpointer.step()));
  }

  get storedBytes(): number {
    return this.host.disk.entries('state').reduce((sum, [, value]) => sum + value.length, 0);
  }

  /** The tree as the disk has it is the one in memory. */
  async verify(): Promise<void> {
    const tree = new DataTree();
    await loadState(await StateStore.open(await this.host.open('state'), 1), tree);
    assert.deepEqual(describeTree(tree), describeTree(this.tree));
  }
}

/** A hundred small nodes and a large one. */
async function worldWithLargeNode(): Promise<World> {
  const world = new World({ slackBytes: SLACK_BYTES });
  await world.open();
  for (let n = 0; n < 100; n++) world.create(`/small-${n}`, new Uint8Array(10));
  world.create('/large', new Uint8Array(LARGE_BYTES));
  await world.checkpoint();
  return world;
}

test('PackCleaner makes room although few entries are of no use, where those are large', async () => {
  const world = await worldWithLargeNode();
  for (let n = 0; n < 20; n++) {
    world.set('/large', new Uint8Array(LARGE_BYTES).fill(n));
    await world.checkpoint();
    // The last checkpoint stands beside what was allowed before it.
    assert.ok(world.storedBytes < 4 * LARGE_BYTES, `${world.storedBytes} bytes after ${n}`);
  }
  world.host.crash('keep');
  await world.verify();
});

test('PackCleaner knows after a start how much there is', async () => {
  const world = await worldWithLargeNode();
  for (let n = 0; n < 20; n++) {
    world.set('/large', new Uint8Array(LARGE_BYTES).fill(n));
    await world.checkpoint();
    await world.restart();
    assert.ok(world.storedBytes < 4 * LARGE_BYTES, `${world.storedBytes} bytes after ${n}`);
  }
});

test('PackCleaner leaves alone what holds little but what is needed, large or long as it is', async () => {
  const world = new World({ slackEntries: 0, slackBytes: 0 });
  await world.open();
  const id = 'owner'.repeat(100);
  const acl = [{ perms: 31, scheme: 'digest', id }];
  for (let n = 0; n < 50; n++) {
    const path = `/${'ö'.repeat(200)}-${n}`;
    world.create(path, new Uint8Array(n));
    world.apply({ type: TxnType.setAcl, path, acl, version: 1 });
  }
  await world.checkpoint();
  for (let n = 0; n < 5; n++) {
    world.set('/', new Uint8Array(n));
    await world.checkpoint();
    assert.equal(world.checkpointer?.changeCount, 0, 'nothing to be written anew');
  }
});

test('PackCleaner counts the paths of parents, which a pack names again and again', async () => {
  const world = new World({ slackEntries: 1000, slackBytes: 0 });
  await world.open();
  const chain = Array.from({ length: 100 }, (_, n) => `/${'deep'.repeat(5)}`.repeat(n + 1));
  for (const path of chain) world.create(path, new Uint8Array(0));
  await world.checkpoint();
  for (const path of chain) {
    world.set(path, new Uint8Array(1));
    await world.checkpoint();
    assert.equal(world.checkpointer?.changeCount, 0, 'nothing to be written anew');
  }
});

test('Checkpointer.rewriteAll() misses nothing while nodes come and go', async () => {
  const world = new World({});
  await world.open();
  const parents = Array.from({ length: 300 }, (_, n) => `/parent-${n}`);
  for (const parent of parents) {
    world.create(parent, new Uint8Array(1));
    for (let n = 0; n < 20; n++) world.create(`${parent}/${n}`, new Uint8Array(n));
  }
  await world.checkpoint();
  let pauseCount = 0;
  await world.checkpointer?.rewriteAll(async () => {
    pauseCount += 1;
    // Their places in memory become those of others.
    for (const parent of parents.slice(pauseCount * 50, pauseCount * 50 + 40)) {
      for (let n = 0; n < 20; n++) world.remove(`${parent}/${n}`);
      world.remove(parent);
    }
    for (let n = 0; n < 200; n++)
      world.create(`/parent-0/new-${pauseCount}-${n}`, new Uint8Array(9));
    if (pauseCount === 2) await world.checkpoint();
  });
  assert.ok(pauseCount >= 3);
  await world.checkpoint();
  assert.equal(world.checkpointer?.checkpoint.first.sequence, 2);
  world.host.crash('keep');
  await world.verify();
});
