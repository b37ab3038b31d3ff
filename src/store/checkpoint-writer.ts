/** Writes a frozen checkpoint, a bounded batch at a time, and deletes the sessions' versions that it replaced. */

import type { SessionId } from '../base/ids.ts';
import type { WriteBatch } from '../runtime/runtime.ts';
import { ByteWriter } from './byte-cursor.ts';
import type { DataTree } from './data-tree.ts';
import { packKey } from './keyspace.ts';
import {
  ABSENT_PAYLOAD,
  type CheckpointMeta,
  isAbsent,
  type Subject,
  sealValue,
  subjectKey,
  writeNode,
  writeSession,
} from './state-codec.ts';
import { PACK_BYTES, PackWriter } from './state-pack.ts';
import type { StateStore } from './state-store.ts';

/** Of a checkpoint that holds little, or never comes: the buffer grows when it must. */
const CHUNK_FIRST_BYTES = 4096;
/** Bounds a step that has little to write and much to look at or delete. */
const BYTES_PER_SUBJECT = 128;

/** A session's version in the store that a newer one has replaced. */
interface Obsolete {
  readonly sessionId: SessionId;
  readonly sequence: number;
}

/** A checkpoint being written. */
export interface Frozen {
  /** Without the entries that it has still to write. */
  readonly meta: CheckpointMeta;
  /** Subjects still to be written, with the checkpoint that holds their older version, or 0. */
  readonly pending: Map<Subject, number>;
  /** Walks `pending` across all steps: starting over would pass every deleted entry again. */
  readonly rest: IterableIterator<[Subject, number]>;
  /** Payloads of subjects that changed after the freeze and before they were written. */
  readonly captured: Map<Subject, Uint8Array>;
  readonly obsolete: Obsolete[];
  /** In the packs that it keeps. */
  readonly keptBytes: number;
  /** Packs, entries and bytes of packs written so far. */
  packCount: number;
  entryCount: number;
  byteCount: number;
  sweptCount: number;
  isCommitted: boolean;
}

/** The checkpoint of that description, with nothing of `pending` written yet. */
export function freeze(
  meta: CheckpointMeta,
  pending: Map<Subject, number>,
  keptBytes: number,
): Frozen {
  return {
    meta,
    pending,
    rest: pending.entries(),
    captured: new Map(),
    obsolete: [],
    keptBytes,
    packCount: 0,
    entryCount: 0,
    byteCount: 0,
    sweptCount: 0,
    isCommitted: false,
  };
}

/** Writes a session of that timeout, in milliseconds; its absence when there is none. */
export function writePresent(writer: ByteWriter, timeoutMs: number | undefined): void {
  if (timeoutMs === undefined) writer.raw(ABSENT_PAYLOAD);
  else writeSession(writer, timeoutMs);
}

export class CheckpointWriter {
  readonly #state: StateStore;
  readonly #tree: DataTree;
  /** The checkpoint that holds a session's newest written version. */
  readonly #sessionSequences: Map<SessionId, number>;
  readonly #chunkBytes: number;
  readonly #chunkSubjects: number;
  readonly #chunk: ByteWriter;
  readonly #pack: PackWriter;

  /** `chunkBytes`: a step's share, one pack: a millisecond or two, for which requests wait. */
  constructor(
    state: StateStore,
    tree: DataTree,
    sessionSequences: Map<SessionId, number>,
    chunkBytes = PACK_BYTES,
  ) {
    this.#state = state;
    this.#tree = tree;
    this.#sessionSequences = sessionSequences;
    this.#chunkBytes = chunkBytes;
    this.#chunkSubjects = Math.ceil(chunkBytes / BYTES_PER_SUBJECT);
    this.#chunk = new ByteWriter(Math.min(CHUNK_FIRST_BYTES, chunkBytes));
    this.#pack = new PackWriter(this.#chunk);
  }

  /** Writes the next of what is pending; the last batch is synced and commits the checkpoint. */
  async writeChunk(frozen: Frozen): Promise<void> {
    const batch = this.#state.batch();
    this.#chunk.restart();
    let count = 0;
    for (const [subject, previous] of frozen.rest) {
      if (typeof subject === 'string') this.#writeNode(frozen, batch, subject, previous);
      else this.#writeSession(frozen, batch, subject, previous);
      frozen.pending.delete(subject);
      frozen.captured.delete(subject);
      count += 1;
      if (count >= this.#chunkSubjects || this.#chunk.length >= this.#chunkBytes) break;
    }
    this.#endPack(frozen, batch);
    if (frozen.pending.size === 0) {
      const { meta } = frozen;
      await this.#state.commit(batch, { ...meta, entryCount: meta.entryCount + frozen.entryCount });
      frozen.isCommitted = true;
    } else if (batch.length > 0) await batch.write({ sync: false });
  }

  /** Deletes the next of what the checkpoint has replaced. */
  async sweep(frozen: Frozen): Promise<void> {
    const end = Math.min(frozen.sweptCount + this.#chunkSubjects, frozen.obsolete.length);
    const batch = this.#state.batch();
    for (const { sessionId, sequence } of frozen.obsolete.slice(frozen.sweptCount, end)) {
      batch.delete(subjectKey(this.#state.generation, sessionId, sequence));
    }
    if (batch.length > 0) await batch.write({ sync: false });
    frozen.sweptCount = end;
  }

  #writeNode(frozen: Frozen, batch: WriteBatch, path: string, previous: number): void {
    const captured = frozen.captured.get(path);
    const node = captured === undefined ? this.#tree.find(path) : undefined;
    const hasGone = captured === undefined ? node === undefined : isAbsent(captured);
    // There is nothing for an absence to hide.
    if (hasGone && previous === 0) return;
    this.#pack.begin(path);
    if (node !== undefined) writeNode(this.#chunk, node);
    else this.#chunk.raw(captured ?? ABSENT_PAYLOAD);
    this.#pack.end();
    if (this.#pack.isFull) this.#endPack(frozen, batch);
  }

  #endPack(frozen: Frozen, batch: WriteBatch): void {
    const entryCount = this.#pack.entryCount;
    if (entryCount === 0) return;
    const place = { sequence: frozen.meta.sequence, number: frozen.packCount };
    frozen.packCount += 1;
    frozen.entryCount += entryCount;
    frozen.byteCount += this.#pack.length;
    const key = packKey(this.#state.generation, place);
    batch.put(key, sealValue(this.#chunk, this.#pack.finish(), key));
  }

  #writeSession(frozen: Frozen, batch: WriteBatch, sessionId: SessionId, previous: number): void {
    // What is written next must not become a part of a pack.
    this.#endPack(frozen, batch);
    const { sequence } = frozen.meta;
    const start = this.#chunk.length;
    const captured = frozen.captured.get(sessionId);
    if (captured !== undefined) this.#chunk.raw(captured);
    else writePresent(this.#chunk, this.#tree.sessions.timeoutMs(sessionId));
    const hasGone = isAbsent(this.#chunk.written(start));
    if (hasGone) this.#sessionSequences.delete(sessionId);
    else this.#sessionSequences.set(sessionId, sequence);
    if (previous !== 0) frozen.obsolete.push({ sessionId, sequence: previous });
    if (hasGone && previous === 0) return;
    // What an absence hides must be deleted before it, or it would come back.
    if (hasGone) frozen.obsolete.push({ sessionId, sequence });
    const key = subjectKey(this.#state.generation, sessionId, sequence);
    batch.put(key, sealValue(this.#chunk, start, key));
  }
}
