/**
 * Writes incremental checkpoints in the background, each exact at one zxid although the tree goes
 * on changing while it is written:
 *
 * 1. Between checkpoints the paths and sessions that change are noted, once each, together with the
 *    checkpoint that holds their present version.
 * 2. `begin` freezes that set. A subject that changes again before it was written is encoded just
 *    before the change.
 * 3. New versions, and absences of what is gone, are written beside the old ones in unsynced
 *    batches; the last batch is synced and says that the checkpoint is complete. A crash before it
 *    leaves the previous checkpoint as it was, since a reader ignores versions that are too new.
 * 4. Only then are the versions that nobody reads any more deleted.
 */

import { invariant } from '../base/assert.ts';
import type { SessionId } from '../base/ids.ts';
import type { WriteBatch } from '../runtime/runtime.ts';
import { ByteWriter } from './byte-cursor.ts';
import type { ChangeTracker } from './change-tracker.ts';
import type { DataTree } from './data-tree.ts';
import { NUMBER_MAX } from './keyspace.ts';
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
import { loadState } from './state-load.ts';
import type { StateStore } from './state-store.ts';
import type { Znode } from './znode.ts';

/** A step's share: a millisecond or two of encoding. */
const CHUNK_BYTES = 256 * 1024;
/** Of a checkpoint that holds little, or never comes: the buffer grows when it must. */
const CHUNK_FIRST_BYTES = 4096;
/** Subjects that `rewriteAll` marks in one go: a millisecond or so. */
const MARKED_AT_ONCE = 2000;
/** Bounds a step that has little to write and much to look at or delete. */
const BYTES_PER_SUBJECT = 512;

export interface CheckpointerOptions {
  /** About so many bytes are written in one step; default 256 KiB. */
  readonly chunkBytes?: number | undefined;
}

/** A version in the store that a newer one has replaced. */
interface Obsolete {
  readonly subject: Subject;
  readonly sequence: number;
}

/** A checkpoint being written. */
interface Frozen {
  readonly meta: CheckpointMeta;
  /** Subjects still to be written, with the checkpoint that holds their older version, or 0. */
  readonly pending: Map<Subject, number>;
  /** Walks `pending` across all steps: starting over would pass every deleted entry again. */
  readonly rest: IterableIterator<[Subject, number]>;
  /** Payloads of subjects that changed after the freeze and before they were written. */
  readonly captured: Map<Subject, Uint8Array>;
  readonly obsolete: Obsolete[];
  sweptCount: number;
  isCommitted: boolean;
}

export class Checkpointer implements ChangeTracker {
  readonly #state: StateStore;
  readonly #tree: DataTree;
  /** The checkpoint that will hold what changes now. */
  #sequence: number;
  /** Subjects changed since the last freeze, with the checkpoint that holds their older version, or 0. */
  #dirty = new Map<Subject, number>();
  readonly #sessionSequences: Map<SessionId, number>;
  #frozen: Frozen | undefined;
  #isStepping = false;
  readonly #chunkBytes: number;
  readonly #chunkSubjects: number;
  readonly #chunk: ByteWriter;
  readonly #scratch = new ByteWriter(1024);

  private constructor(
    state: StateStore,
    tree: DataTree,
    sessionSequences: Map<SessionId, number>,
    options: CheckpointerOptions,
  ) {
    this.#state = state;
    this.#tree = tree;
    this.#sequence = state.checkpoint.sequence + 1;
    this.#sessionSequences = sessionSequences;
    this.#chunkBytes = options.chunkBytes ?? CHUNK_BYTES;
    this.#chunkSubjects = Math.ceil(this.#chunkBytes / BYTES_PER_SUBJECT);
    this.#chunk = new ByteWriter(Math.min(CHUNK_FIRST_BYTES, this.#chunkBytes));
    if (state.checkpoint.sequence === 0) this.#markBirth();
    tree.changes = this;
  }

  /**
   * Loads the committed checkpoint into a fresh tree, clears away what a crash left beside it, and
   * follows the tree from then on. Rejects with a `StoreError` of code `STATE_DAMAGED`.
   */
  static async restore(
    state: StateStore,
    tree: DataTree,
    options: CheckpointerOptions = {},
  ): Promise<Checkpointer> {
    const { sessionSequences, leftovers } = await loadState(state, tree);
    const checkpointer = new Checkpointer(state, tree, sessionSequences, options);
    // Before the next checkpoint takes the number of an unfinished one, that one's records must go.
    await state.deleteKeys(leftovers);
    return checkpointer;
  }

  /** The last committed checkpoint. */
  get checkpoint(): CheckpointMeta {
    return this.#state.checkpoint;
  }

  /** Nodes and sessions that the next checkpoint would write. */
  get changeCount(): number {
    return this.#dirty.size;
  }

  get isRunning(): boolean {
    return this.#frozen !== undefined;
  }

  get mark(): number {
    return this.#sequence;
  }

  /**
   * Freezes the state as it is after the last applied transaction, which is durable in the log.
   * Cheap: what changed is neither copied nor looked at yet.
   */
  begin(): void {
    invariant(this.#frozen === undefined, 'checkpoint begun while one is running');
    invariant(this.#sequence < NUMBER_MAX, 'checkpoint numbers exhausted');
    const pending = this.#dirty;
    this.#frozen = {
      meta: {
        zxid: this.#tree.lastZxid,
        sequence: this.#sequence,
        digest: this.#tree.digestHex,
        nodeCount: this.#tree.nodeCount,
        sessionCount: this.#tree.sessionCount,
      },
      pending,
      rest: pending.entries(),
      captured: new Map(),
      obsolete: [],
      sweptCount: 0,
      isCommitted: false,
    };
    this.#dirty = new Map();
    this.#sequence += 1;
  }

  /**
   * Does the next bounded piece of work: one batch. True when the checkpoint is complete and
   * everything obsolete deleted; `checkpoint` tells earlier that it is committed. After a rejection
   * the process must stop.
   */
  async step(): Promise<boolean> {
    const frozen = this.#frozen;
    invariant(frozen !== undefined, 'step without a checkpoint');
    invariant(!this.#isStepping, 'two steps of a checkpoint at once');
    this.#isStepping = true;
    if (frozen.isCommitted) await this.#sweep(frozen);
    else await this.#writeChunk(frozen);
    const isDone = frozen.isCommitted && frozen.sweptCount === frozen.obsolete.length;
    if (isDone) this.#frozen = undefined;
    this.#isStepping = false;
    return isDone;
  }

  /** Has the next checkpoint write a subject anew, although it did not change. */
  rewrite(subject: Subject): void {
    if (typeof subject !== 'string') {
      this.beforeSessionChange(subject);
      return;
    }
    const node = this.#tree.find(subject);
    // What is no longer in the tree goes from the store with the next checkpoint anyway.
    if (node === undefined || node.checkpointMark === this.#sequence) return;
    this.beforeChange(node, subject);
    node.checkpointMark = this.#sequence;
  }

  /** Has the next checkpoint write everything anew. `pause` lets other work have its turn. */
  async rewriteAll(pause: () => Promise<void>): Promise<void> {
    let count = 0;
    for (const [path] of this.#tree.walk()) {
      this.rewrite(path);
      if (++count % MARKED_AT_ONCE === 0) await pause();
    }
    for (const [sessionId] of this.#tree.sessions.entries()) this.rewrite(sessionId);
  }

  /** Stops following the tree; what was not committed counts for nothing. */
  detach(): void {
    invariant(this.#tree.changes === this, 'another tracker follows the tree');
    this.#tree.changes = undefined;
  }

  // ChangeTracker -------------------------------------------------------------------------------

  beforeChange(node: Znode, path: string): void {
    this.#captureNode(node, path);
    this.#dirty.set(path, node.checkpointMark);
  }

  beforeDelete(node: Znode, path: string): void {
    this.#captureNode(node, path);
    if (node.checkpointMark !== this.#sequence) this.#dirty.set(path, node.checkpointMark);
    // It came and went between two checkpoints, as ephemeral nodes do: the store never hears of it.
    else if (this.#dirty.get(path) === 0) this.#dirty.delete(path);
  }

  created(_node: Znode, path: string): void {
    const frozen = this.#frozen;
    if (frozen?.pending.has(path) && !frozen.captured.has(path)) {
      frozen.captured.set(path, ABSENT_PAYLOAD);
    }
    // After a deletion since the last freeze the older version is already noted.
    if (!this.#dirty.has(path)) this.#dirty.set(path, 0);
  }

  beforeSessionChange(sessionId: SessionId): void {
    if (this.#dirty.has(sessionId)) return;
    const frozen = this.#frozen;
    let previous = this.#sessionSequences.get(sessionId) ?? 0;
    if (frozen?.pending.has(sessionId)) {
      const timeoutMs = this.#tree.sessions.timeoutMs(sessionId);
      previous = timeoutMs === undefined ? 0 : frozen.meta.sequence;
      this.#scratch.restart();
      this.#writePresent(this.#scratch, sessionId);
      frozen.captured.set(sessionId, new Uint8Array(this.#scratch.written()));
    }
    this.#dirty.set(sessionId, previous);
  }

  #captureNode(node: Znode, path: string): void {
    const frozen = this.#frozen;
    if (!frozen?.pending.has(path) || frozen.captured.has(path)) return;
    this.#scratch.restart();
    writeNode(this.#scratch, node);
    frozen.captured.set(path, new Uint8Array(this.#scratch.written()));
  }

  // Writing -------------------------------------------------------------------------------------

  /** The nodes every tree is born with have never been written. */
  #markBirth(): void {
    for (const [path, node] of this.#tree.walk()) {
      this.#dirty.set(path, 0);
      node.checkpointMark = this.#sequence;
    }
  }

  async #writeChunk(frozen: Frozen): Promise<void> {
    const batch = this.#state.batch();
    this.#chunk.restart();
    let count = 0;
    for (const [subject, previous] of frozen.rest) {
      this.#writeSubject(frozen, batch, subject, previous);
      count += 1;
      if (count >= this.#chunkSubjects || this.#chunk.length >= this.#chunkBytes) break;
    }
    if (frozen.pending.size === 0) {
      await this.#state.commit(batch, frozen.meta);
      frozen.isCommitted = true;
    } else if (batch.length > 0) {
      await batch.write({ sync: false });
    }
  }

  #writeSubject(frozen: Frozen, batch: WriteBatch, subject: Subject, previous: number): void {
    const { sequence } = frozen.meta;
    const start = this.#chunk.length;
    const captured = frozen.captured.get(subject);
    if (captured === undefined) this.#writePresent(this.#chunk, subject);
    else this.#chunk.raw(captured);
    frozen.pending.delete(subject);
    frozen.captured.delete(subject);
    const hasGone = isAbsent(this.#chunk.written(start));
    if (typeof subject !== 'string') {
      if (hasGone) this.#sessionSequences.delete(subject);
      else this.#sessionSequences.set(subject, sequence);
    }
    if (previous !== 0) frozen.obsolete.push({ subject, sequence: previous });
    if (hasGone && previous === 0) return;
    // What an absence hides must be deleted before it, or it would come back.
    if (hasGone) frozen.obsolete.push({ subject, sequence });
    const key = subjectKey(this.#state.generation, subject, sequence);
    batch.put(key, sealValue(this.#chunk, start, key));
  }

  /** The subject as it is in the tree now. */
  #writePresent(writer: ByteWriter, subject: Subject): void {
    if (typeof subject === 'string') {
      const node = this.#tree.find(subject);
      if (node === undefined) writer.raw(ABSENT_PAYLOAD);
      else writeNode(writer, node);
      return;
    }
    const timeoutMs = this.#tree.sessions.timeoutMs(subject);
    if (timeoutMs === undefined) writer.raw(ABSENT_PAYLOAD);
    else writeSession(writer, timeoutMs);
  }

  async #sweep(frozen: Frozen): Promise<void> {
    const end = Math.min(frozen.sweptCount + this.#chunkSubjects, frozen.obsolete.length);
    const batch = this.#state.batch();
    for (const { subject, sequence } of frozen.obsolete.slice(frozen.sweptCount, end)) {
      batch.delete(subjectKey(this.#state.generation, subject, sequence));
    }
    if (batch.length > 0) await batch.write({ sync: false });
    frozen.sweptCount = end;
  }
}
