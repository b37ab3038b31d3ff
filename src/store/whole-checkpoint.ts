/** Writes a whole tree that came from elsewhere as the first checkpoint of a generation. */

import type { KeyValueStore } from '../runtime/runtime.ts';
import { ByteWriter } from './byte-cursor.ts';
import { recordDamaged } from './checkpoint-scan.ts';
import type { DataTree } from './data-tree.ts';
import {
  type CheckpointMeta,
  encodeCheckpointMeta,
  type Subject,
  sealValue,
  stateDamaged,
  subjectKey,
  writeNode,
  writeSession,
} from './state-codec.ts';
import type { StateStore } from './state-store.ts';
import type { Znode } from './znode.ts';

const FIRST_SEQUENCE = 1;
const CHUNK_BYTES = 1024 * 1024;
/** Small nodes: what is kept for each in a batch outweighs its bytes. */
const CHUNK_SUBJECTS = 4096;

/**
 * Makes the tree a committed checkpoint of a generation in which nothing was written yet. The tree
 * must not change meanwhile. It is in use only once a log names that generation. `onWritten` is told
 * of every piece, with the number of nodes and sessions in it.
 */
export async function writeWholeCheckpoint(
  store: KeyValueStore,
  generation: number,
  tree: DataTree,
  onWritten: (count: number) => void = () => undefined,
): Promise<CheckpointMeta> {
  const writer = new ByteWriter(CHUNK_BYTES * 2);
  let batch = store.batch();
  const put = (subject: Subject, start: number): void => {
    const key = subjectKey(generation, subject, FIRST_SEQUENCE);
    batch.put(key, sealValue(writer, start, key));
  };
  const isFull = (): boolean => writer.length >= CHUNK_BYTES || batch.length >= CHUNK_SUBJECTS;
  const flush = async (): Promise<void> => {
    const count = batch.length;
    await batch.write({ sync: false });
    batch = store.batch();
    writer.restart();
    onWritten(count);
  };
  for (const [path, node] of walkInKeyOrder(tree)) {
    const start = writer.length;
    writeNode(writer, node);
    put(path, start);
    // Awaited only when there is something to wait for: a million turns would cost a second.
    if (isFull()) await flush();
  }
  for (const [sessionId, timeoutMs] of tree.sessions.entries()) {
    const start = writer.length;
    writeSession(writer, timeoutMs);
    put(sessionId, start);
    if (isFull()) await flush();
  }
  const meta: CheckpointMeta = {
    zxid: tree.lastZxid,
    sequence: FIRST_SEQUENCE,
    digest: tree.digestHex,
    nodeCount: tree.nodeCount,
    sessionCount: tree.sessionCount,
  };
  const count = batch.length;
  const [key, value] = encodeCheckpointMeta(generation, meta);
  batch.put(key, value);
  await batch.write({ sync: true });
  onWritten(count);
  return meta;
}

/**
 * Compares a committed checkpoint, record by record, with the tree it was written from. Rejects with
 * a `StoreError` of code `STATE_DAMAGED` where they differ. `onRead` is told as `onWritten` is.
 */
export async function verifyWholeCheckpoint(
  state: StateStore,
  tree: DataTree,
  onRead: (count: number) => void = () => undefined,
): Promise<void> {
  const expected = new ByteWriter(1024);
  const scan = state.scan();
  let recordCount = 0;
  try {
    for (let found = await scan.next(); found !== undefined; found = await scan.next()) {
      for (const record of found) {
        expected.restart();
        writeSubject(expected, tree, record.subject);
        if (Buffer.compare(expected.written(), record.payload) !== 0) {
          throw recordDamaged(record, 'it is not what was written');
        }
      }
      recordCount += found.length;
      onRead(found.length);
    }
  } finally {
    await scan.close();
  }
  const total = tree.nodeCount + tree.sessionCount;
  if (recordCount === total && state.checkpoint.digest === tree.digestHex) return;
  const place = `state store, generation ${state.generation}`;
  throw stateDamaged(place, `it holds ${recordCount} records where ${total} were written`);
}

/** Nothing for a subject that the tree does not know. */
function writeSubject(writer: ByteWriter, tree: DataTree, subject: Subject): void {
  if (typeof subject === 'string') {
    const node = tree.find(subject);
    if (node !== undefined) writeNode(writer, node);
    return;
  }
  const timeoutMs = tree.sessions.timeoutMs(subject);
  if (timeoutMs !== undefined) writeSession(writer, timeoutMs);
}

/**
 * Every node, nearly in the order of the keys (a name may sort before the `/` behind its sibling's):
 * a store that is filled in order need not sort everything again on the disk.
 */
function* walkInKeyOrder(tree: DataTree): Generator<readonly [path: string, node: Znode]> {
  const root = tree.find('/');
  const pending: (readonly [string, Znode])[] = root === undefined ? [] : [['/', root]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    yield next;
    const [path, node] = next;
    if (node.numChildren === 0) continue;
    const prefix = path === '/' ? path : `${path}/`;
    const children: (readonly [string, Znode])[] = [];
    for (const child of node.children()) children.push([prefix + child.name, child]);
    // The last one first: they are taken from the end.
    children.sort(([a], [b]) => (a < b ? 1 : -1));
    for (const child of children) pending.push(child);
  }
}
