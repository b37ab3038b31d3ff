/**
 * A store for what is deleted in about the order in which it was written, such as a log. It consists
 * of several LevelDBs: one takes what is written until it is nearly full, then the next one does, and
 * one of which nothing is left is removed whole.
 *
 * LevelDB sorts what its memory cannot hold into files and merges these again and again, to make room
 * for what was deleted and to be quick at finding what was not. For a log, which is read at a start
 * and seldom else, this was more than half of the processor time of LevelDB and the longest stalls of
 * writes. A segment here is closed before its memory is full: all that ever happens to a record is
 * that it is appended to a file and synced.
 *
 * The newest segment that knows a key is right about it. A key deleted while older segments may know
 * it is marked with an empty value, so no value here is empty. Segments are removed oldest first and
 * when a later sync has made durable whatever emptied them; so no deleted key can come back.
 */

import { invariant } from '../../base/assert.ts';
import { keyText } from '../../base/key-text.ts';
import {
  type Cursor,
  type KeyRange,
  type KeyValueStore,
  RuntimeError,
  type WriteBatch,
} from '../runtime.ts';
import { removeDirectory, removeInPieces } from './gone-directory.ts';
import { KeyHomes } from './key-homes.ts';
import { MEMORY_BYTES, openLevelStore, RECORD_OVERHEAD_BYTES } from './level-store.ts';
import { findSegments, hasSegments, ROOT, requireCurrent, Segment } from './segment.ts';
import { SegmentedCursor } from './segmented-cursor.ts';

/** The first segment cannot be closed, since it has the lock of all: it soon gives way to others. */
const ROOT_BYTES_MAX = 1024 * 1024;
/** The next segment is made when so much of one is used, so that no write has to wait for it. */
const PREPARE_SHARE = 0.5;

/** While so many removed segments wait for their space to be given back, those behind them go whole. */
const RECLAIMING_MAX = 4;

const DELETED = new Uint8Array(0);

/** The value of a `put`; undefined for a deletion. */
type Operation = readonly [key: Uint8Array, value: Uint8Array | undefined];

export interface SegmentedStoreOptions {
  /** Make the store if there is none. */
  readonly create: boolean;
  /** Where a segment ends; what fits LevelDB's memory by default. */
  readonly segmentBytes?: number | undefined;
}

export async function openSegmentedStore(
  directory: string,
  { create, segmentBytes = MEMORY_BYTES }: SegmentedStoreOptions,
): Promise<SegmentedStore> {
  // Without it LevelDB would refuse, or begin anew beside what is there.
  if (await hasSegments(directory)) await requireCurrent(directory);
  // It holds the lock of all of them.
  const root = new Segment(ROOT, directory, await openLevelStore(directory, create));
  const store = new SegmentedStore(directory, segmentBytes, root);
  try {
    for (const number of await findSegments(directory)) {
      await store.adopt(await Segment.open(directory, number));
    }
    await store.index();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

export class SegmentedStore implements KeyValueStore {
  readonly #directory: string;
  readonly #segmentBytes: number;
  /** Oldest first, at least one; the last takes what is written. */
  readonly #segments: Segment[];
  readonly #all = new Set<Segment>();
  /** Of every key that is not deleted. */
  readonly #homes = new KeyHomes<Segment>();
  #next: Segment | undefined;
  #isPreparing = false;
  /** Segments that are none any more, but would be at the next start if this process ended now. */
  #goingCount = 0;
  /** Settles, never rejecting, when all writes so far have. */
  #written: Promise<void> = Promise.resolve();
  /** Settles, never rejecting, when segments are made and removed as far as was asked for. */
  #upkeep: Promise<void> = Promise.resolve();
  /** Settles, never rejecting, when what was left of removed segments is gone. */
  #reclaimed: Promise<void> = Promise.resolve();
  #reclaimingCount = 0;
  readonly #hurry = new AbortController();
  #failure: unknown = undefined;
  #closed: Promise<void> | undefined = undefined;

  constructor(directory: string, segmentBytes: number, root: Segment) {
    this.#directory = directory;
    this.#segmentBytes = segmentBytes;
    this.#segments = [root];
    this.#all.add(root);
  }

  /** While it is opened: the segment that follows the last. */
  adopt(segment: Segment): void {
    this.#segments.push(segment);
    this.#all.add(segment);
  }

  /** While it is opened: reads which keys there are. */
  async index(): Promise<void> {
    for (const segment of this.#segments) {
      const reader = segment.scan({});
      try {
        for (;;) {
          const page = await reader.next();
          if (page.length === 0) break;
          for (const [key, value] of page) {
            this.#note(segment, key, value.length === 0 ? undefined : value);
          }
        }
      } finally {
        await reader.close();
      }
    }
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#refuseIfClosed();
    const value = await this.#homes.get(keyText(key))?.get(key);
    // Empty when a write that is under way deletes it.
    return value?.length === 0 ? undefined : value;
  }

  batch(): WriteBatch {
    this.#refuseIfClosed();
    return new SegmentedBatch((operations, sync) => this.#enqueue(operations, sync));
  }

  scan(range: KeyRange): Cursor {
    this.#refuseIfClosed();
    return new SegmentedCursor(this.#homes.view(range), range, () => this.#refuseIfClosed());
  }

  async close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    await this.#closed;
  }

  async #closeAll(): Promise<void> {
    await this.#written;
    await this.#upkeep;
    this.#hurry.abort();
    await this.#reclaimed;
    // The first segment has the lock, so it goes last.
    for (const segment of [...this.#all].reverse()) await segment.close();
  }

  // Writing -------------------------------------------------------------------------------------

  /** One write at a time, so that each knows in which segment it goes. */
  #enqueue(operations: readonly Operation[], sync: boolean): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closedError());
    const written = this.#written.then(() => this.#write(operations, sync));
    this.#written = written.catch(() => undefined);
    return written;
  }

  async #write(operations: readonly Operation[], sync: boolean): Promise<void> {
    if (this.#failure !== undefined) {
      const message = `the store in ${this.#directory} has failed before`;
      throw new RuntimeError('IO', message, { cause: this.#failure });
    }
    const current = this.#current;
    const batch = current.store.batch();
    const isMarked = this.#segments.length > 1 || this.#goingCount > 0;
    let byteCount = current.byteCount;
    for (const [key, value] of operations) {
      if (value !== undefined) batch.put(key, value);
      else if (isMarked) batch.put(key, DELETED);
      else batch.delete(key);
      byteCount += key.length + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
    }
    try {
      await batch.write({ sync });
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    for (const [key, value] of operations) this.#note(current, key, value);
    current.byteCount = byteCount;
    // What was not synced must not be left behind in a segment that is closed.
    if (sync) this.#turnOver(current);
  }

  #limitOf(segment: Segment): number {
    return segment.number === ROOT
      ? Math.min(ROOT_BYTES_MAX, this.#segmentBytes)
      : this.#segmentBytes;
  }

  get #current(): Segment {
    const current = this.#segments.at(-1);
    invariant(current !== undefined, 'a store without a segment');
    return current;
  }

  #note(segment: Segment, key: Uint8Array, value: Uint8Array | undefined): void {
    const name = keyText(key);
    const before = this.#homes.get(name);
    if (before !== undefined) before.liveCount--;
    if (value === undefined) {
      this.#homes.delete(name);
      return;
    }
    segment.liveCount++;
    if (before !== segment) this.#homes.set(name, segment);
  }

  // Segments ------------------------------------------------------------------------------------

  /** Everything written so far is durable. */
  #turnOver(current: Segment): void {
    const limit = this.#limitOf(current);
    if (current.byteCount >= limit * PREPARE_SHARE) this.#prepare(current.number + 1);
    if (current.byteCount >= limit && this.#next !== undefined) {
      this.#segments.push(this.#next);
      this.#next = undefined;
      if (current.number !== ROOT) this.#maintain(() => current.closeIfUnused());
    }
    for (;;) {
      const [oldest, second] = this.#segments;
      if (oldest === undefined || second === undefined) break;
      if (oldest.liveCount > 0 || oldest.userCount > 0) break;
      this.#segments.shift();
      this.#goingCount++;
      this.#maintain(async () => {
        const gone = await oldest.remove();
        this.#goingCount--;
        if (gone !== undefined) this.#reclaim(gone);
        if (oldest.number !== ROOT) this.#all.delete(oldest);
      });
    }
  }

  /** Beside the upkeep, which the next write may wait for. */
  #reclaim(directory: string): void {
    const isGentle = this.#reclaimingCount++ < RECLAIMING_MAX;
    this.#reclaimed = this.#reclaimed
      .then(() =>
        isGentle ? removeInPieces(directory, this.#hurry.signal) : removeDirectory(directory),
      )
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .then(() => {
        this.#reclaimingCount--;
      });
  }

  #prepare(number: number): void {
    if (this.#next !== undefined || this.#isPreparing) return;
    this.#isPreparing = true;
    this.#maintain(async () => {
      const segment = await Segment.create(this.#directory, number);
      this.#all.add(segment);
      this.#next = segment;
      this.#isPreparing = false;
    });
  }

  #maintain(step: () => Promise<void>): void {
    this.#upkeep = this.#upkeep.then(async () => {
      if (this.#failure !== undefined) return;
      try {
        await step();
      } catch (error) {
        // The next write is refused, and whoever writes stops.
        this.#failure = error;
      }
    });
  }

  #refuseIfClosed(): void {
    if (this.#closed !== undefined) throw this.#closedError();
  }

  #closedError(): RuntimeError {
    return new RuntimeError('IO', `the store in ${this.#directory} is closed`);
  }
}

class SegmentedBatch implements WriteBatch {
  readonly #operations: Operation[] = [];
  readonly #enqueue: (operations: readonly Operation[], sync: boolean) => Promise<void>;
  #isWritten = false;

  constructor(enqueue: (operations: readonly Operation[], sync: boolean) => Promise<void>) {
    this.#enqueue = enqueue;
  }

  get length(): number {
    return this.#operations.length;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    invariant(!this.#isWritten, 'a batch takes nothing more once it is written');
    invariant(value.length > 0, 'an empty value is the mark of a deletion');
    this.#operations.push([key, value]);
  }

  delete(key: Uint8Array): void {
    invariant(!this.#isWritten, 'a batch takes nothing more once it is written');
    this.#operations.push([key, undefined]);
  }

  write(options: { readonly sync: boolean }): Promise<void> {
    invariant(!this.#isWritten, 'a batch is written once');
    this.#isWritten = true;
    return this.#enqueue(this.#operations, options.sync);
  }
}
