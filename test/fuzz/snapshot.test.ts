/**
 * A leader's snapshot, damaged before its checksums were made. Whoever receives it refuses it for a
 * reason, or takes what the digest does not cover (ACLs, timeouts of sessions) as it is; nothing else
 * may come of it, because anything but a refusal ends the server.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { Prng } from '../../src/base/prng.ts';
import type { KeyValueStore } from '../../src/runtime/runtime.ts';
import { Checkpointer } from '../../src/store/checkpointer.ts';
import { DataTree } from '../../src/store/data-tree.ts';
import { StateStore } from '../../src/store/state-store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { StoreHost } from '../support/store-host.ts';
import { TreeHistory } from '../support/tree-workload.ts';
import { Mutator } from './mutator.ts';

const SEED = 20261121;
const ATTEMPTS = 1500;
const CHUNK_BYTES = 1000;
const CRC_BYTES = 4;
/** Format and number of a chunk. */
const SPARED_BYTES = 5;

/** The store of a state with sixty transactions, checkpointed. */
async function filledState(): Promise<StateStore> {
  const state = await StateStore.create(await new StoreHost(SEED).open('state'));
  const tree = new DataTree();
  const checkpointer = await Checkpointer.restore(state, tree, { chunkBytes: 300 });
  const history = new TreeHistory(new Prng(SEED));
  for (let n = 0; n < 60; n++) history.extend(tree);
  checkpointer.begin();
  while (!(await checkpointer.step()));
  return state;
}

async function chunksOf(state: StateStore): Promise<Uint8Array[]> {
  const reader = state.openSnapshot();
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await reader.next(CHUNK_BYTES);
    if (chunk === undefined) break;
    chunks.push(chunk);
  }
  await reader.close();
  return chunks;
}

function sealed(body: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(body.length + CRC_BYTES);
  chunk.set(body);
  new DataView(chunk.buffer).setUint32(body.length, crc32(body));
  return chunk;
}

test('1,500 snapshots damaged in one chunk are refused with a reason, hardly one is taken', async (t) => {
  const leader = await filledState();
  const chunks = await chunksOf(leader);
  const store = await new StoreHost(SEED + 1).open('state');
  const learner = await StateStore.create(store);
  const prng = new Prng(SEED);
  const mutator = new Mutator(prng, chunks);
  const reasons = new Map<string, number>();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const place = prng.between(0, chunks.length - 1);
    const body = (chunks[place] ?? new Uint8Array(0)).slice(0, -CRC_BYTES);
    const damaged = mutator.damaged(body, SPARED_BYTES);
    if (Buffer.compare(damaged, body) === 0) continue;
    const outcome = await receive(learner, store, chunks.with(place, sealed(damaged)), leader);
    if (outcome !== undefined && !(outcome instanceof StoreError)) throw outcome;
    const reason = outcome?.code ?? 'taken';
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  t.diagnostic([...reasons].map(([code, count]) => `${count} ${code}`).join(', '));
  assert.ok((reasons.get('STATE_DAMAGED') ?? 0) > 0 && (reasons.get('SNAPSHOT_DAMAGED') ?? 0) > 0);
  assert.ok((reasons.get('taken') ?? 0) < ATTEMPTS / 20);
  await learner.dropOtherGenerations();
});

/** What receiving and loading the snapshot throws; undefined when it is taken. */
async function receive(
  learner: StateStore,
  store: KeyValueStore,
  chunks: readonly Uint8Array[],
  leader: StateStore,
): Promise<unknown> {
  const { generation } = learner;
  const stage = await learner.stageSnapshot(generation + 1);
  try {
    for (const chunk of chunks) await stage.add(chunk);
    await stage.finish(leader.checkpoint);
    const state = await StateStore.open(store, generation + 1);
    await Checkpointer.restore(state, new DataTree());
    return undefined;
  } catch (error) {
    return error;
  }
}
