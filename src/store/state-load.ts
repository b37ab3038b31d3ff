/** Brings a committed checkpoint back into memory, and proves that it is the one that was written. */

import { invariant } from '../base/assert.ts';
import { type SessionId, ZXID_NONE } from '../base/ids.ts';
import { recordDamaged, type StateRecord } from './checkpoint-scan.ts';
import type { DataTree } from './data-tree.ts';
import { openPack, packDamaged } from './pack-scan.ts';
import { readNode, readSession, stateDamaged } from './state-codec.ts';
import type { StateStore } from './state-store.ts';

/** What the next checkpoint must know about the records of the one loaded. */
export interface LoadedState {
  /** The checkpoint that wrote each session's record; a node's stands in its `checkpointMark`. */
  readonly sessionSequences: Map<SessionId, number>;
  /** Keys that are no part of the checkpoint, in an order in which they may be deleted; packs are none of them. */
  readonly leftovers: readonly Uint8Array[];
  /** In all packs of the checkpoint. */
  readonly packBytes: number;
}

/**
 * Loads the committed checkpoint into a tree nothing was applied to, chunk by chunk so that other
 * work gets its turns. Rejects with a `StoreError` of code `STATE_DAMAGED`; the tree is then of no
 * use. Changes nothing in the store.
 */
export async function loadState(state: StateStore, tree: DataTree): Promise<LoadedState> {
  invariant(tree.lastZxid === ZXID_NONE && tree.changes === undefined, 'tree already in use');
  tree.reserve(state.checkpoint.nodeCount);
  const packBytes = await loadPacks(state, tree);
  const loaded = await loadRecords(state, tree);
  tree.restoreZxid(state.checkpoint.zxid);
  if (state.checkpoint.sequence > 0) prove(state, tree);
  return { ...loaded, packBytes };
}

/**
 * The newest first: what is in the tree already is newer than what comes. Resolves to the bytes of all
 * packs.
 */
async function loadPacks(state: StateStore, tree: DataTree): Promise<number> {
  const { entryCount, hasPacks } = state.checkpoint;
  if (!hasPacks) return 0;
  const scan = state.scanPacks({ isReversed: true });
  const restorer = tree.restorer();
  let found = 0;
  let packBytes = 0;
  try {
    for (let packs = await scan.next(); packs !== undefined; packs = await scan.next()) {
      for (const stored of packs) {
        const pack = openPack(stored);
        const problem = restorer.add(pack, stored.place.sequence);
        if (problem !== undefined) throw packDamaged(stored.place, problem);
        found += pack.entryCount;
        packBytes += stored.bytes.length;
      }
    }
  } finally {
    await scan.close();
  }
  const { placeholderCount } = restorer;
  if (found !== entryCount) {
    const problem = `its packs hold ${found} entries where ${entryCount} were written`;
    throw stateDamaged(checkpointPlace(state), problem);
  }
  if (placeholderCount > 0) {
    throw stateDamaged(checkpointPlace(state), `it lacks ${placeholderCount} parents of its nodes`);
  }
  return packBytes;
}

async function loadRecords(
  state: StateStore,
  tree: DataTree,
): Promise<Omit<LoadedState, 'packBytes'>> {
  const sessionSequences = new Map<SessionId, number>();
  const scan = state.scanRecords();
  let nodeCount = 0;
  try {
    for (let found = await scan.next(); found !== undefined; found = await scan.next()) {
      for (const record of found) {
        restore(record, tree, sessionSequences);
        if (typeof record.subject === 'string') nodeCount += 1;
      }
    }
  } finally {
    await scan.close();
  }
  // Counted as well as those in the tree, because a few nodes are in every tree from its birth.
  const { checkpoint } = state;
  if (!checkpoint.hasPacks && nodeCount !== checkpoint.nodeCount) {
    throw missingNodes(state, nodeCount);
  }
  return { sessionSequences, leftovers: scan.leftovers };
}

function restore(
  record: StateRecord,
  tree: DataTree,
  sessionSequences: Map<SessionId, number>,
): void {
  const { subject } = record;
  if (typeof subject !== 'string') {
    const timeoutMs = readSession(record.payload);
    if (timeoutMs === undefined) throw recordDamaged(record, 'it is not a session');
    tree.restoreSession(subject, timeoutMs);
    sessionSequences.set(subject, record.sequence);
    return;
  }
  const fields = readNode(record.payload);
  if (fields === undefined) throw recordDamaged(record, 'it is not a node');
  if (!tree.restoreNode(subject, fields, record.sequence)) {
    throw recordDamaged(record, 'it has no parent');
  }
}

/** Packs and records that are all sound may still be too few, or some of them older ones. */
function prove(state: StateStore, tree: DataTree): void {
  const { digest, nodeCount, sessionCount } = state.checkpoint;
  const place = checkpointPlace(state);
  if (tree.nodeCount !== nodeCount) throw missingNodes(state, tree.nodeCount);
  if (tree.sessionCount !== sessionCount) {
    const { sessionCount: count } = tree;
    throw stateDamaged(place, `it holds ${count} sessions where ${sessionCount} were written`);
  }
  if (tree.digestHex !== digest) {
    throw stateDamaged(place, `its digest is ${tree.digestHex} where ${digest} was written`);
  }
}

function missingNodes(state: StateStore, found: number): Error {
  const problem = `it holds ${found} nodes where ${state.checkpoint.nodeCount} were written`;
  return stateDamaged(checkpointPlace(state), problem);
}

function checkpointPlace({ generation, checkpoint }: StateStore): string {
  return `state store, generation ${generation}, checkpoint ${checkpoint.sequence}`;
}
