import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPEN_ACL } from '../../../src/base/acl.ts';
import { makeSessionId, SERVER_NONE, SESSION_NONE, type Zxid } from '../../../src/base/ids.ts';
import type { KeyValueStore } from '../../../src/runtime/runtime.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { loadState } from '../../../src/store/state-load.ts';
import { StateStore } from '../../../src/store/state-store.ts';
import { StoreError } from '../../../src/store/store-error.ts';
import { TxnType } from '../../../src/store/txn.ts';
import {
  verifyWholeCheckpoint,
  writeWholeCheckpoint,
} from '../../../src/store/whole-checkpoint.ts';
import { createMemoryRuntime } from '../../../src/testing/memory-runtime.ts';

const GENERATION = 2;
const SESSION = makeSessionId(5n);

function createNodes(tree: DataTree, ...paths: readonly string[]): void {
  for (const path of paths) {
    const data = Buffer.from(path);
    const owner = { ephemeralOwner: SESSION_NONE, parentCversion: -1 };
    const body = { type: TxnType.create, path, data, acl: OPEN_ACL, ...owner };
    const head = { sessionId: SESSION, cxid: 0, timeMs: 1, origin: SERVER_NONE, requestId: 0 };
    tree.apply((tree.lastZxid + 1) as Zxid, { ...head, body }, false);
  }
}

async function written(): Promise<{ store: KeyValueStore; tree: DataTree; state: StateStore }> {
  const tree = new DataTree();
  tree.restoreSession(SESSION, 4000);
  createNodes(tree, '/b', '/a', '/a/x', '/a-x', '/a/x/y');
  const store = await createMemoryRuntime().storage.open('state', { create: true });
  await writeWholeCheckpoint(store, GENERATION, tree);
  return { store, tree, state: await StateStore.open(store, GENERATION) };
}

async function rejectsAsDamaged(work: Promise<void>, words: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof StoreError);
    assert.equal(error.code, 'STATE_DAMAGED');
    assert.match(error.message, words);
    return true;
  });
}

test('writeWholeCheckpoint() writes what a server loads as the same tree', async () => {
  const { tree, state } = await written();
  assert.equal(state.checkpoint.zxid, tree.lastZxid);
  const loaded = new DataTree();
  await loadState(state, loaded);
  assert.equal(loaded.digest, tree.digest);
  assert.equal(loaded.sessions.timeoutMs(SESSION), 4000);
});

test('writeWholeCheckpoint() writes many nodes in several pieces and says how many', async () => {
  const tree = new DataTree();
  createNodes(tree, ...Array.from({ length: 20_000 }, (_, at) => `/node-${at}`));
  const store = await createMemoryRuntime().storage.open('state', { create: true });
  const pieces: number[] = [];
  await writeWholeCheckpoint(store, GENERATION, tree, (count) => pieces.push(count));
  assert.ok(pieces.length > 1);
  assert.equal(
    pieces.reduce((sum, count) => sum + count, 0),
    tree.nodeCount,
  );
  await verifyWholeCheckpoint(await StateStore.open(store, GENERATION), tree);
});

test('verifyWholeCheckpoint() accepts what was written', async () => {
  const { tree, state } = await written();
  let count = 0;
  await verifyWholeCheckpoint(state, tree, (more) => {
    count += more;
  });
  assert.equal(count, tree.nodeCount + 1);
});

test('verifyWholeCheckpoint() finds a record that is another one', async () => {
  const { tree, state } = await written();
  createNodes(tree, '/a/z');
  await rejectsAsDamaged(
    verifyWholeCheckpoint(state, tree),
    /node \/a: it is not what was written/,
  );
});

test('verifyWholeCheckpoint() finds a session that is another one', async () => {
  const { tree, state } = await written();
  tree.restoreSession(SESSION, 5000);
  await rejectsAsDamaged(verifyWholeCheckpoint(state, tree), /session 5/);
});

test('verifyWholeCheckpoint() finds that a record is missing', async () => {
  const { tree, state } = await written();
  tree.restoreSession(makeSessionId(6n), 5000);
  await rejectsAsDamaged(verifyWholeCheckpoint(state, tree), /10 records where 11 were written/);
});
