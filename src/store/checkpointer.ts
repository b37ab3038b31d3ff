/**
 * Writes incremental checkpoints in the background, each exact at one zxid although the tree goes
 * on changing while it is written:
 *
 * 1. Between checkpoints the paths and sessions that change are noted, once each, together with the
 *    checkpoint that holds their present version.
 * 2. `begin` freezes that set. A subject that changes again before it was written is encoded just
 *    before the change.
 * 3. New versions, and absences of what is gone, are written behind the old ones in unsynced
 *    batches, nodes in packs; the last batch is synced and says that the checkpoint is complete. A crash
 *    before it leaves the previous checkpoint as it was, since a reader ignores what is too new.
 * 4. Only then is deleted what nobody reads any more, and the oldest packs are cleaned for the next one.
 */

import { invariant } from '../base/assert.ts';
import type { SessionId } from '../base/ids.ts';
import { ByteWriter } from './byte-cursor.ts';
import type { ChangeTracker } from './change-tracker.ts';
import { CheckpointWriter, type Frozen, freeze, writePresent } from './checkpoint-writer.ts';
import type { DataTree } from './data-tree.ts';
import { NUMBER_MAX } from './keyspace.ts';
import { type Cleaned, PackCleaner, type PackCleanerOptions } from './pack-cleaner.ts';
import { ABSENT_PAYLOAD, type CheckpointMeta, type Subject, writeNode } from './state-codec.ts';
import { type LoadedState, loadState } from './state-load.ts';
import type { StateStore } from './state-store.ts';
import type { Znode } from './znode.ts';

const MARKED_AT_ONCE = 2000;

export interface CheckpointerOptions extends PackCleanerOptions {
  /** About so many bytes are written in one step; by default one pack. */
  readonly chunkBytes?: number | undefined;
  /** So many subjects `rewriteAll` marks between two pauses; default 2000, a millisecond or so. */
  readonly markedAtOnce?: number | undefined;
}

/** Everything is written anew: what stands before a checkpoint is of no use once that is complete. */
interface Renewal {
  readonly sequence: number;
  /** Written by that checkpoint and those behind it so far. */
  entryCount: number;
  byteCount: number;
  /** Whether all that was alive when it began is in one of those, or will be in the next. */
  isMarked: boolean;
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
  /** In all packs of the committed checkpoint. */
  #storedBytes: number;
  /** What the next checkpoint leaves behind. */
  #cleaned: Cleaned;
  readonly #cleaner: PackCleaner;
  #renewal: Renewal | undefined;
  readonly #writer: CheckpointWriter;
  readonly #markedAtOnce: number;
  readonly #scratch = new ByteWriter(1024);

  private constructor(
    state: StateStore,
    tree: DataTree,
    { sessionSequences, packBytes }: LoadedState,
    options: CheckpointerOptions,
  ) {
    this.#state = state;
    this.#tree = tree;
    this.#sequence = state.checkpoint.sequence + 1;
    this.#sessionSequences = sessionSequences;
    this.#storedBytes = packBytes;
    this.#writer = new CheckpointWriter(state, tree, sessionSequences, options.chunkBytes);
    this.#markedAtOnce = options.markedAtOnce ?? MARKED_AT_ONCE;
    this.#cleaned = { first: state.checkpoint.first, entryCount: 0, byteCount: 0 };
    const rewrite = (path: string): void => this.rewrite(path);
    this.#cleaner = new PackCleaner(state, tree, rewrite, options);
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
    const loaded = await loadState(state, tree);
    const checkpointer = new Checkpointer(state, tree, loaded, options);
    // Before the next checkpoint takes the number of an unfinished one, that one's records must go.
    await state.deleteKeys(loaded.leftovers);
    await state.dropOtherPacks();
    if (!state.checkpoint.hasPacks) await checkpointer.#upgrade();
    // What the last process had marked behind its last checkpoint is forgotten.
    else await checkpointer.#clean(Number.POSITIVE_INFINITY);
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
    const { byteCount: keptBytes, ...kept } = this.#kept();
    const meta: CheckpointMeta = {
      zxid: this.#tree.lastZxid,
      sequence: this.#sequence,
      digest: this.#tree.digestHex,
      nodeCount: this.#tree.nodeCount,
      sessionCount: this.#tree.sessionCount,
      ...kept,
      hasPacks: true,
    };
    this.#frozen = freeze(meta, this.#dirty, keptBytes);
    this.#dirty = new Map();
    this.#sequence += 1;
  }

  /** What the next checkpoint keeps of the packs that are there: from where on, and how much. */
  #kept(): Cleaned {
    const renewal = this.#renewal;
    if (renewal?.isMarked !== true) {
      const { first, entryCount, byteCount } = this.#cleaned;
      return {
        first,
        entryCount: this.#state.checkpoint.entryCount - entryCount,
        byteCount: this.#storedBytes - byteCount,
      };
    }
    this.#renewal = undefined;
    const { sequence, entryCount, byteCount } = renewal;
    return { first: { sequence, number: 0 }, entryCount, byteCount };
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
    if (!frozen.isCommitted) {
      await this.#writer.writeChunk(frozen);
      if (frozen.isCommitted) this.#noteCommit(frozen);
    } else if (frozen.sweptCount < frozen.obsolete.length) await this.#writer.sweep(frozen);
    else {
      await this.#tidy(frozen);
      this.#frozen = undefined;
    }
    this.#isStepping = false;
    return this.#frozen === undefined;
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
    const renewal = this.#beginRenewal();
    let count = 0;
    for (const path of this.#tree.paths()) {
      this.rewrite(path);
      if (++count % this.#markedAtOnce === 0) await pause();
    }
    for (const [sessionId] of this.#tree.sessions.entries()) this.rewrite(sessionId);
    renewal.isMarked = true;
  }

  /** The checkpoint is of the first format: writes all of it anew, in packs, before anything else. */
  async #upgrade(): Promise<void> {
    const renewal = this.#beginRenewal();
    for (const [path] of this.#tree.walk()) this.rewrite(path);
    renewal.isMarked = true;
    this.begin();
    for (let isDone = false; !isDone; isDone = await this.step());
    await this.#state.dropNodeRecords();
  }

  /** All that is alive is in the checkpoint that comes next, or in those behind it. */
  #beginRenewal(): Renewal {
    const renewal: Renewal = {
      sequence: this.#sequence,
      entryCount: 0,
      byteCount: 0,
      isMarked: false,
    };
    this.#renewal = renewal;
    return renewal;
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
      writePresent(this.#scratch, timeoutMs);
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

  // The checkpoints it has written ----------------------------------------------------------------

  /** The nodes every tree is born with have never been written. */
  #markBirth(): void {
    for (const [path, node] of this.#tree.walk()) {
      this.#dirty.set(path, 0);
      node.checkpointMark = this.#sequence;
    }
  }

  #noteCommit(frozen: Frozen): void {
    this.#storedBytes = frozen.keptBytes + frozen.byteCount;
    const renewal = this.#renewal;
    if (renewal !== undefined && renewal.sequence <= frozen.meta.sequence) {
      renewal.entryCount += frozen.entryCount;
      renewal.byteCount += frozen.byteCount;
    }
  }

  async #tidy(frozen: Frozen): Promise<void> {
    await this.#state.dropOtherPacks();
    await this.#clean(frozen.entryCount);
  }

  async #clean(writtenCount: number): Promise<void> {
    this.#cleaned = await this.#cleaner.clean(writtenCount, this.#storedBytes);
  }
}
