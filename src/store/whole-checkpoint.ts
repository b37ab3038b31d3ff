/** Writes a whole tree that came from elsewhere as the first checkpoint of a generation. */

import type { SessionId } from '../base/ids.ts';
import type { KeyValueStore, WriteBatch } from '../runtime/runtime.ts';
import { ByteWriter } from './byte-cursor.ts';
import { recordDamaged } from './checkpoint-scan.ts';
import type { DataTree } from './data-tree.ts';
import { FIRST_PLACE, packKey } from './keyspace.ts';
import { openPack, packDamaged } from './pack-scan.ts';
import {
  type CheckpointMeta,
  encodeCheckpointMeta,
  readSession,
  sealValue,
  stateDamaged,
  subjectKey,
  writeNode,
  writeSession,
} from './state-codec.ts';
import { PACK_BYTES, PackWriter } from './state-pack.ts';
import type { StateStore } from './state-store.ts';
import type { Znode } from './znode.ts';

const FIRST_SEQUENCE = 1;
const CHUNK_BYTES = 1024 * 1024;
/** What is kept for each in a batch outweighs its bytes. */
const CHUNK_SESSIONS = 4096;

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
  const writer = new WholeWriter(store, generation, onWritten);
  for (const [path, node] of walkInKeyOrder(tree)) {
    writer.addNode(path, node);
    // Awaited only when there is something to wait for: a million turns would cost a second.
    if (writer.isFull) await writer.flush();
  }
  for (const [sessionId, timeoutMs] of tree.sessions.entries()) {
    writer.addSession(sessionId, timeoutMs);
    if (writer.isFull) await writer.flush();
  }
  await writer.flush();
  const meta: CheckpointMeta = {
    zxid: tree.lastZxid,
    sequence: FIRST_SEQUENCE,
    digest: tree.digestHex,
    nodeCount: tree.nodeCount,
    sessionCount: tree.sessionCount,
    first: FIRST_PLACE,
    entryCount: tree.nodeCount,
    hasPacks: true,
  };
  const batch = store.batch();
  const [key, value] = encodeCheckpointMeta(generation, meta);
  batch.put(key, value);
  await batch.write({ sync: true });
  return meta;
}

/** Gathers packs and sessions, and writes them in unsynced pieces. */
class WholeWriter {
  readonly #store: KeyValueStore;
  readonly #generation: number;
  readonly #onWritten: (count: number) => void;
  readonly #bytes = new ByteWriter(CHUNK_BYTES * 2);
  readonly #pack = new PackWriter(this.#bytes);
  #batch: WriteBatch;
  #packCount = 0;
  /** Nodes and sessions since the last piece. */
  #count = 0;

  constructor(store: KeyValueStore, generation: number, onWritten: (count: number) => void) {
    this.#store = store;
    this.#generation = generation;
    this.#onWritten = onWritten;
    this.#batch = store.batch();
  }

  get isFull(): boolean {
    return this.#bytes.length >= CHUNK_BYTES || this.#batch.length >= CHUNK_SESSIONS;
  }

  addNode(path: string, node: Znode): void {
    this.#pack.begin(path);
    writeNode(this.#bytes, node);
    this.#pack.end();
    this.#count += 1;
    if (this.#pack.length >= PACK_BYTES || this.#pack.isFull) this.#endPack();
  }

  addSession(sessionId: SessionId, timeoutMs: number): void {
    this.#endPack();
    const start = this.#bytes.length;
    writeSession(this.#bytes, timeoutMs);
    this.#put(subjectKey(this.#generation, sessionId, FIRST_SEQUENCE), start);
    this.#count += 1;
  }

  async flush(): Promise<void> {
    this.#endPack();
    await this.#batch.write({ sync: false });
    this.#onWritten(this.#count);
    this.#batch = this.#store.batch();
    this.#bytes.restart();
    this.#count = 0;
  }

  #endPack(): void {
    if (this.#pack.entryCount === 0) return;
    const place = { sequence: FIRST_SEQUENCE, number: this.#packCount };
    this.#packCount += 1;
    this.#put(packKey(this.#generation, place), this.#pack.finish());
  }

  #put(key: Uint8Array, start: number): void {
    this.#batch.put(key, sealValue(this.#bytes, start, key));
  }
}

/**
 * Compares a committed checkpoint, entry by entry, with the tree it was written from. Rejects with
 * a `StoreError` of code `STATE_DAMAGED` where they differ. `onRead` is told as `onWritten` is.
 */
export async function verifyWholeCheckpoint(
  state: StateStore,
  tree: DataTree,
  onRead: (count: number) => void = () => undefined,
): Promise<void> {
  const nodeCount = await verifyPacks(state, tree, onRead);
  const sessionCount = await verifySessions(state, tree, onRead);
  const found = nodeCount + sessionCount;
  const total = tree.nodeCount + tree.sessionCount;
  if (found === total && state.checkpoint.digest === tree.digestHex) return;
  const place = `state store, generation ${state.generation}`;
  throw stateDamaged(place, `it holds ${found} records where ${total} were written`);
}

async function verifyPacks(
  state: StateStore,
  tree: DataTree,
  onRead: (count: number) => void,
): Promise<number> {
  const expected = new ByteWriter(1024);
  const scan = state.scanPacks({ isReversed: false });
  let count = 0;
  try {
    for (let packs = await scan.next(); packs !== undefined; packs = await scan.next()) {
      for (const stored of packs) {
        const pack = openPack(stored);
        while (pack.next()) {
          const { path } = pack;
          const node = tree.find(path);
          expected.restart();
          if (node !== undefined) writeNode(expected, node);
          if (Buffer.compare(expected.written(), pack.payload) !== 0) {
            throw stateDamaged(`state store, node ${path}`, 'it is not what was written');
          }
        }
        if (!pack.isIntact) throw packDamaged(stored.place, 'its entries do not fit its length');
        count += pack.entryCount;
        onRead(pack.entryCount);
      }
    }
  } finally {
    await scan.close();
  }
  return count;
}

async function verifySessions(
  state: StateStore,
  tree: DataTree,
  onRead: (count: number) => void,
): Promise<number> {
  const scan = state.scanRecords();
  let count = 0;
  try {
    for (let found = await scan.next(); found !== undefined; found = await scan.next()) {
      for (const record of found) {
        const { subject, payload } = record;
        const isSession = typeof subject !== 'string';
        const timeoutMs = isSession ? tree.sessions.timeoutMs(subject) : undefined;
        if (timeoutMs === undefined || readSession(payload) !== timeoutMs) {
          throw recordDamaged(record, 'it is not what was written');
        }
      }
      count += found.length;
      onRead(found.length);
    }
  } finally {
    await scan.close();
  }
  return count;
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
