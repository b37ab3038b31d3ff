/** Brings a committed checkpoint back into memory, and proves that it is the one that was written. */

import { invariant } from '../base/assert.ts';
import { type SessionId, ZXID_NONE } from '../base/ids.ts';
import { recordDamaged, type StateRecord } from './checkpoint-scan.ts';
import type { DataTree } from './data-tree.ts';
import { readNode, readSession, stateDamaged } from './state-codec.ts';
import type { StateStore } from './state-store.ts';

/** What the next checkpoint must know about the records of the one loaded. */
export interface LoadedState {
  /** The checkpoint that wrote each session's record; a node's stands in its `checkpointMark`. */
  readonly sessionSequences: Map<SessionId, number>;
  /** Keys that are no part of the checkpoint, in an order in which they may be deleted. */
  readonly leftovers: readonly Uint8Array[];
}

/**
 * Loads the committed checkpoint into a tree nothing was applied to, chunk by chunk so that other
 * work gets its turns. Rejects with a `StoreError` of code `STATE_DAMAGED`; the tree is then of no
 * use. Changes nothing in the store.
 */
export async function loadState(state: StateStore, tree: DataTree): Promise<LoadedState> {
  invariant(tree.lastZxid === ZXID_NONE && tree.changes === undefined, 'tree already in use');
  const sessionSequences = new Map<SessionId, number>();
  tree.reserve(state.checkpoint.nodeCount);
  const scan = state.scan();
  let recordCount = 0;
  try {
    for (let found = await scan.next(); found !== undefined; found = await scan.next()) {
      for (const record of found) restore(record, tree, sessionSequences);
      recordCount += found.length;
    }
  } finally {
    await scan.close();
  }
  tree.restoreZxid(state.checkpoint.zxid);
  if (state.checkpoint.sequence > 0) prove(state, tree, recordCount - sessionSequences.size);
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

/**
 * Records that are all sound may still be too few, or one of them an older one. Records are counted
 * as well as nodes, because a few nodes are in every tree from its birth.
 */
function prove(state: StateStore, tree: DataTree, found: number): void {
  const { sequence, digest, nodeCount, sessionCount } = state.checkpoint;
  const place = `state store, generation ${state.generation}, checkpoint ${sequence}`;
  if (found !== nodeCount || tree.nodeCount !== nodeCount) {
    throw stateDamaged(place, `it holds ${found} nodes where ${nodeCount} were written`);
  }
  if (tree.sessionCount !== sessionCount) {
    const { sessionCount: count } = tree;
    throw stateDamaged(place, `it holds ${count} sessions where ${sessionCount} were written`);
  }
  if (tree.digestHex !== digest) {
    throw stateDamaged(place, `its digest is ${tree.digestHex} where ${digest} was written`);
  }
}
