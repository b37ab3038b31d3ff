import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';
import { ByteWriter } from '../../../src/store/byte-cursor.ts';
import { Checkpointer } from '../../../src/store/checkpointer.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { packKey, stateMetaKey } from '../../../src/store/keyspace.ts';
import { openValue, sealValue, subjectKey } from '../../../src/store/state-codec.ts';
import { loadState } from '../../../src/store/state-load.ts';
import { StateStore } from '../../../src/store/state-store.ts';
import type { StoreErrorCode } from '../../../src/store/store-error.ts';
import { crashAtWrite, StoreHost } from '../../support/store-host.ts';
import { storedState } from '../../support/stored-state.ts';
import { describeTree, TreeHistory } from '../../support/tree-workload.ts';

const GENERATION_KEY = 0x47;
const KIND = { meta: 0x6d, pack: 0x6b, session: 0x73 };

interface Server {
  readonly host: StoreHost;
  readonly state: StateStore;
  readonly tree: DataTree;
  readonly history: TreeHistory;
  readonly checkpointer: Checkpointer;
}

async function newServer(seed = 1, slackEntries?: number): Promise<Server> {
  const host = new StoreHost(seed);
  const state = await StateStore.create(await host.open('state'));
  const tree = new DataTree();
  const checkpointer = await Checkpointer.restore(state, tree, { chunkBytes: 300, slackEntries });
  return { host, state, tree, history: new TreeHistory(new Prng(seed)), checkpointer };
}

/** Whether a key of a pack or a session is of that checkpoint. */
function isOf(key: Uint8Array, sequence: number): boolean {
  return key[key[5] === KIND.pack ? 9 : key.length - 1] === sequence;
}

/** Makes what the disk holds a checkpoint as former versions wrote it: a record for each node. */
function writeFirstFormat({ host, tree, state }: Server): void {
  const { disk } = host;
  for (const [key] of disk.entries('state')) {
    if (key[5] === KIND.pack) disk.edit('state', key, undefined);
  }
  const writer = new ByteWriter(64 * 1024);
  for (const [path, node] of tree.walk()) {
    const key = subjectKey(1, path, 1);
    const start = writer.length;
    const numbers = [node.czxid, node.mzxid, node.pzxid, node.ctimeMs, node.mtimeMs];
    writer.u8(1);
    for (const number of numbers) writer.f64(number);
    for (const number of [node.version, node.creates, node.aversion]) writer.i32(number);
    writer.i64(node.storedOwner);
    writer.u32(node.acl.length);
    for (const { perms, scheme, id } of node.acl) {
      writer.i32(perms);
      writer.text(scheme);
      writer.text(id);
    }
    writer.u32(node.data === null ? 0xffff_ffff : node.data.length);
    writer.raw(node.data ?? new Uint8Array());
    disk.edit('state', key, sealValue(writer, start, key).slice());
  }
  const { zxid, digest, nodeCount, sessionCount } = state.checkpoint;
  const key = stateMetaKey(1);
  const start = writer.length;
  writer.u8(1);
  writer.zxid(zxid);
  writer.u32(1);
  writer.text(digest);
  writer.f64(nodeCount);
  writer.f64(sessionCount);
  disk.edit('state', key, sealValue(writer, start, key).slice());
}

async function checkpoint({ checkpointer }: Server): Promise<void> {
  checkpointer.begin();
  while (!(await checkpointer.step()));
}

/** Sixty transactions, checkpointed. */
async function filledServer(seed?: number): Promise<Server> {
  const server = await newServer(seed);
  for (let n = 0; n < 60; n++) server.history.extend(server.tree);
  await checkpoint(server);
  return server;
}

async function reload(host: StoreHost, generation = 1): Promise<DataTree> {
  host.crash('keep');
  const tree = new DataTree();
  await loadState(await StateStore.open(await host.open('state'), generation), tree);
  return tree;
}

async function rejects(
  promise: Promise<unknown>,
  code: StoreErrorCode,
  message: RegExp,
): Promise<void> {
  await assert.rejects(promise, { name: 'StoreError', code, message });
}

async function chunksOf(state: StateStore, maxBytes: number): Promise<Uint8Array[]> {
  const reader = state.openSnapshot();
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await reader.next(maxBytes);
    if (chunk === undefined) break;
    chunks.push(chunk);
  }
  await reader.close();
  return chunks;
}

test('StateStore.create() makes a state that loads as the tree of a new database', async () => {
  const { host } = await newServer();
  assert.deepEqual(describeTree(await reload(host)), describeTree(new DataTree()));
});

test('StateStore.create() refuses where a checkpoint is', async () => {
  const { host } = await newServer();
  host.crash('keep');
  await rejects(StateStore.create(await host.open('state')), 'STATE_EXISTS', /already holds/);
});

test('StateStore.open() refuses a generation that is not there', async () => {
  const { host } = await newServer();
  await rejects(reload(host, 2), 'STATE_MISSING', /generation 2/);
});

test('Checkpointer brings back every node, ACL, session and ephemeral owner', async () => {
  const { host, tree, checkpointer } = await filledServer();
  assert.equal(checkpointer.checkpoint.zxid, tree.lastZxid);
  assert.deepEqual(describeTree(await reload(host)), describeTree(tree));
});

test('Checkpointer writes only what changed since the last checkpoint', async () => {
  const server = await filledServer();
  assert.equal(server.checkpointer.changeCount, 0);
  server.history.extend(server.tree);
  const changeCount = server.checkpointer.changeCount;
  assert.ok(changeCount <= 4);
  await checkpoint(server);
  const added = server.host.disk.entries('state').filter(([key]) => isOf(key, 2));
  const { entryCount, recordCount } = storedState(added);
  assert.ok(entryCount + recordCount <= changeCount);
});

test('Checkpointer writes the packs of former checkpoints anew, little by little, and drops them', async () => {
  const server = await newServer(1, 0);
  let entryMax = 0;
  for (let n = 0; n < 200; n++) {
    server.history.extend(server.tree);
    await checkpoint(server);
    const { entryCount } = storedState(server.host.disk.entries('state'));
    assert.equal(entryCount, server.state.checkpoint.entryCount);
    entryMax = Math.max(entryMax, entryCount / server.tree.nodeCount);
  }
  assert.ok(entryMax > 1 && entryMax < 4, `${entryMax} entries for each node`);
  const sequences = server.host.disk.entries('state').filter(([key]) => key[5] === KIND.pack);
  assert.ok(sequences.every(([key]) => !isOf(key, 1)));
  assert.deepEqual(describeTree(await reload(server.host)), describeTree(server.tree));
});

test('Checkpointer.rewriteAll() has everything written anew, and what was there before dropped', async () => {
  const server = await filledServer();
  let pauseCount = 0;
  await server.checkpointer.rewriteAll(async () => {
    pauseCount += 1;
  });
  server.history.extend(server.tree);
  await checkpoint(server);
  assert.equal(pauseCount, 0, 'a small tree needs no pause');
  const pairs = server.host.disk.entries('state').filter(([key]) => key[5] !== KIND.meta);
  assert.ok(pairs.every(([key]) => isOf(key, 2)));
  assert.deepEqual(describeTree(await reload(server.host)), describeTree(server.tree));
});

test('Checkpointer.rewriteAll() outlives a checkpoint that comes in between', async () => {
  const server = await filledServer();
  for (let n = 0; n < 10; n++) server.history.extend(server.tree);
  server.checkpointer.begin();
  const rewritten = server.checkpointer.rewriteAll(() => Promise.resolve());
  while (!(await server.checkpointer.step()));
  await rewritten;
  await checkpoint(server);
  const packs = server.host.disk.entries('state').filter(([key]) => key[5] === KIND.pack);
  assert.ok(packs.every(([key]) => isOf(key, 3)));
  assert.deepEqual(describeTree(await reload(server.host)), describeTree(server.tree));
});

test('Checkpointer.restore() brings a checkpoint of the first format into packs', async () => {
  const server = await filledServer();
  const before = describeTree(server.tree);
  writeFirstFormat(server);
  assert.deepEqual(describeTree(await reload(server.host)), before, 'it loads as it is');
  server.host.crash('keep');
  const state = await StateStore.open(await server.host.open('state'), 1);
  const tree = new DataTree();
  const checkpointer = await Checkpointer.restore(state, tree);
  assert.equal(checkpointer.checkpoint.sequence, 2);
  const { paths, recordCount } = storedState(server.host.disk.entries('state'));
  assert.equal(paths.length, tree.nodeCount);
  assert.equal(recordCount, 1 + tree.sessionCount);
  assert.deepEqual(describeTree(await reload(server.host)), before);
});

test('Checkpointer.restore() begins the change of format again where a crash cut it short', async () => {
  for (let batches = 0; batches < 12; batches++) {
    const server = await filledServer();
    const before = describeTree(server.tree);
    writeFirstFormat(server);
    server.host.crash('keep');
    await crashAtWrite(server.host, batches, 'draw', async (guard) => {
      const store = guard(await server.host.open('state'));
      await Checkpointer.restore(await StateStore.open(store, 1), new DataTree(), {
        chunkBytes: 300,
      });
    });
    server.host.crash('keep');
    const store = await server.host.open('state');
    const tree = new DataTree();
    await Checkpointer.restore(await StateStore.open(store, 1), tree);
    assert.deepEqual(describeTree(tree), before, `after ${batches} batches`);
    const { paths, recordCount } = storedState(server.host.disk.entries('state'));
    assert.deepEqual([paths.length, recordCount], [tree.nodeCount, 1 + tree.sessionCount]);
  }
});

test('Checkpointer never writes what came and went between two checkpoints', async () => {
  const server = await filledServer();
  const before = server.checkpointer.changeCount;
  const { changes } = server.tree;
  const node = server.tree.find('/zookeeper');
  assert.ok(changes !== undefined && node !== undefined);
  changes.created(node, '/ephemeral');
  node.checkpointMark = changes.mark;
  changes.beforeDelete(node, '/ephemeral');
  assert.equal(server.checkpointer.changeCount, before);
});

test('Checkpointer.step() stays within its share of bytes', async () => {
  const server = await newServer();
  for (let n = 0; n < 60; n++) server.history.extend(server.tree);
  server.checkpointer.begin();
  let stepCount = 1;
  while (!(await server.checkpointer.step())) stepCount += 1;
  const bytes = server.host.disk.entries('state').reduce((sum, [, value]) => sum + value.length, 0);
  assert.ok(stepCount >= Math.floor(bytes / 500));
});

test('Checkpointer refuses two checkpoints, or two steps, at once', async () => {
  const { checkpointer } = await filledServer();
  await assert.rejects(checkpointer.step(), /step without a checkpoint/);
  checkpointer.begin();
  assert.throws(() => checkpointer.begin(), /while one is running/);
  const stepping = checkpointer.step();
  await assert.rejects(checkpointer.step(), /two steps/);
  await stepping;
});

test('Checkpointer rejects when the disk does', async () => {
  const server = await filledServer();
  server.history.extend(server.tree);
  server.host.disk.failNext('state', 'sync');
  await assert.rejects(checkpoint(server), { code: 'IO' });
});

for (const [name, kind] of Object.entries(KIND)) {
  test(`loadState() finds flipped bits in a record of kind ${name}`, async () => {
    const { host } = await filledServer();
    const [key, value] = host.entry('state', GENERATION_KEY, 0, 0, 0, 1, kind);
    for (let bit = 0; bit < value.length * 8; bit += 5) {
      const flipped = value.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      host.disk.edit('state', key, flipped);
      await rejects(reload(host), 'STATE_DAMAGED', /checksum does not match; restore/);
    }
  });
}

test('loadState() names the pack that is damaged', async () => {
  const { host } = await filledServer();
  host.disk.corrupt('state', (key) => key[5] === KIND.pack);
  await rejects(reload(host), 'STATE_DAMAGED', /pack \d+ of checkpoint 1: its checksum/);
});

test('loadState() finds a record that vanished, wherever it was', async () => {
  const { host } = await filledServer();
  for (const [key, value] of host.disk.entries('state')) {
    if (key[5] === KIND.meta) continue;
    host.disk.edit('state', key, undefined);
    await rejects(reload(host), 'STATE_DAMAGED', /entries where|sessions where/);
    host.disk.edit('state', key, value);
  }
  await reload(host);
});

test('loadState() finds an old version in place of the newest', async () => {
  const server = await filledServer();
  const old = server.host.disk.entries('state');
  for (let n = 0; n < 5; n++) server.history.extend(server.tree);
  await checkpoint(server);
  const [key, value] =
    server.host.disk.entries('state').find(([name]) => name[5] === KIND.pack && isOf(name, 2)) ??
    [];
  assert.ok(key !== undefined && value !== undefined);
  const older = old.find(
    (pair) => storedState([pair]).entryCount === storedState([[key, value]]).entryCount,
  );
  assert.ok(older !== undefined);
  // Sealed for its new place: nothing but the digest can tell.
  const payload = openValue(older);
  assert.ok(payload !== undefined);
  const writer = new ByteWriter(payload.length + 4);
  writer.raw(payload);
  server.host.disk.edit('state', key, sealValue(writer, 0, key).slice());
  await rejects(reload(server.host), 'STATE_DAMAGED', /its digest is|nodes where/);
});

test('loadState() finds a value under the key of another pack, and unknown keys', async () => {
  const { host } = await filledServer();
  const [key, value] = host.entry('state', GENERATION_KEY, 0, 0, 0, 1, KIND.pack);
  const others = host.disk.entries('state').filter(([name]) => name[5] === KIND.pack);
  const other = others.at(-1);
  assert.ok(other !== undefined && others.length > 1);
  host.disk.edit('state', key, other[1]);
  await rejects(reload(host), 'STATE_DAMAGED', /checksum/);
  host.disk.edit('state', key, value);
  for (const kind of [0x71, KIND.pack]) {
    const unknown = Uint8Array.of(
      GENERATION_KEY,
      0,
      0,
      0,
      1,
      kind,
      ...[0, 0, 0, 1],
      ...[0, 0, 0, 0, 5],
    );
    host.disk.edit('state', unknown, value);
    await rejects(reload(host), 'STATE_DAMAGED', /not a known key/);
    host.disk.edit('state', unknown, undefined);
  }
});

for (const maxBytes of [1, 500, 1 << 20]) {
  test(`snapshot in chunks of ${maxBytes} bytes becomes the same tree elsewhere`, async () => {
    const leader = await filledServer();
    const learner = await filledServer(2);
    const stage = await learner.state.stageSnapshot(2);
    for (const chunk of await chunksOf(leader.state, maxBytes)) await stage.add(chunk);
    await stage.finish(leader.state.checkpoint);
    const tree = await reload(learner.host, 2);
    assert.deepEqual(describeTree(tree), describeTree(leader.tree));
  });
}

test('snapshot shows the checkpoint it was opened on, whatever checkpoints follow', async () => {
  const leader = await filledServer();
  const before = describeTree(leader.tree);
  const { checkpoint: facts } = leader.state;
  const reader = leader.state.openSnapshot();
  const learner = await newServer(2);
  const stage = await learner.state.stageSnapshot(2);
  for (let chunk = await reader.next(400); chunk; chunk = await reader.next(400)) {
    await stage.add(chunk);
    leader.history.extend(leader.tree);
    await checkpoint(leader);
  }
  await stage.finish(facts);
  assert.deepEqual(describeTree(await reload(learner.host, 2)), before);
});

test('snapshot that loads becomes the start of further checkpoints', async () => {
  const leader = await filledServer();
  const { host, state } = await newServer(2);
  const stage = await state.stageSnapshot(2);
  for (const chunk of await chunksOf(leader.state, 1000)) await stage.add(chunk);
  await stage.finish(leader.state.checkpoint);
  host.crash('drop');
  const next = await StateStore.open(await host.open('state'), 2);
  const tree = new DataTree();
  const checkpointer = await Checkpointer.restore(next, tree);
  await next.dropOtherGenerations();
  const server: Server = { ...leader, host, state: next, tree, checkpointer };
  for (let n = 0; n < 40; n++) leader.history.extend(tree);
  await checkpoint(server);
  assert.deepEqual(describeTree(await reload(host, 2)), describeTree(tree));
  await rejects(reload(host, 1), 'STATE_MISSING', /generation 1/);
});

test('snapshot that was interrupted leaves the generation in use as it was', async () => {
  const leader = await filledServer();
  const learner = await filledServer(2);
  const stage = await learner.state.stageSnapshot(2);
  const chunks = await chunksOf(leader.state, 400);
  for (const chunk of chunks.slice(0, 3)) await stage.add(chunk);
  assert.deepEqual(describeTree(await reload(learner.host)), describeTree(learner.tree));
  await rejects(reload(learner.host, 2), 'STATE_MISSING', /generation 2/);
  learner.host.crash('keep');
  const state = await StateStore.open(await learner.host.open('state'), 1);
  const again = await state.stageSnapshot(2);
  for (const chunk of chunks) await again.add(chunk);
  await again.finish(leader.state.checkpoint);
  assert.deepEqual(describeTree(await reload(learner.host, 2)), describeTree(leader.tree));
});

test('StateStore.dropOtherGenerations() deletes a snapshot never finished, and nothing else', async () => {
  const leader = await filledServer();
  const learner = await filledServer(2);
  const before = learner.host.disk.entries('state');
  const stage = await learner.state.stageSnapshot(2);
  for (const chunk of await chunksOf(leader.state, 400)) await stage.add(chunk);
  assert.ok(learner.host.disk.entries('state').length > before.length);
  await learner.state.dropOtherGenerations();
  assert.deepEqual(learner.host.disk.entries('state'), before);
});

test('StateStore.dropOtherGenerations() leaves none that passes for complete, wherever a crash cuts it short', async () => {
  for (let batches = 0, isCut = true; isCut; batches++) {
    const { host, state } = await filledServer();
    const stage = await state.stageSnapshot(2);
    for (const chunk of await chunksOf(state, 400)) await stage.add(chunk);
    await stage.finish(state.checkpoint);
    // More than a batch of deletions takes.
    for (let number = 0; number < 2000; number++) {
      host.disk.edit('state', packKey(2, { sequence: 1, number }), new Uint8Array(1));
    }
    host.crash('keep');
    isCut = await crashAtWrite(host, batches, 'keep', async (guard) => {
      const store = guard(await host.open('state'));
      await (await StateStore.open(store, 1)).dropOtherGenerations();
    });
    if (isCut) await rejects(reload(host, 2), 'STATE_MISSING', /generation 2/);
    host.crash('keep');
    await reload(host);
  }
});

test('StateStore.dropOtherGenerations() refuses a key whose generation is damaged', async () => {
  const { host, state } = await filledServer();
  const damaged = packKey(2, { sequence: 1, number: 0 });
  damaged[1] = 0x80;
  host.disk.edit('state', damaged, new Uint8Array(1));
  await rejects(state.dropOtherGenerations(), 'STATE_DAMAGED', /not a known key/);
});

test('SnapshotStage.add() refuses a chunk that is damaged, missing, repeated or out of turn', async () => {
  const leader = await filledServer();
  const learner = await newServer(2);
  const [first, second, third] = await chunksOf(leader.state, 400);
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const damaged = first.slice();
  damaged[20] = (damaged[20] ?? 0) ^ 1;
  const sequences = [[damaged], [second], [first, first], [first, third], [first.subarray(0, 3)]];
  for (const chunks of sequences) {
    const stage = await learner.state.stageSnapshot(2);
    const all = (async () => {
      for (const chunk of chunks) await stage.add(chunk);
    })();
    await rejects(all, 'SNAPSHOT_DAMAGED', /ask for the snapshot again/);
  }
});

test('SnapshotStage.finish() refuses a snapshot of which something is missing', async () => {
  const leader = await filledServer();
  const learner = await newServer(2);
  const stage = await learner.state.stageSnapshot(2);
  for (const chunk of (await chunksOf(leader.state, 400)).slice(0, -1)) await stage.add(chunk);
  await rejects(stage.finish(leader.state.checkpoint), 'SNAPSHOT_DAMAGED', /before all of it/);
});

test('loadState() of a snapshot finds a digest that is not the leader’s', async () => {
  const leader = await filledServer();
  const learner = await newServer(2);
  const stage = await learner.state.stageSnapshot(2);
  for (const chunk of await chunksOf(leader.state, 400)) await stage.add(chunk);
  await stage.finish({ ...leader.state.checkpoint, digest: 'abc' });
  await rejects(reload(learner.host, 2), 'STATE_DAMAGED', /its digest is/);
});
