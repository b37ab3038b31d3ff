/** One ordered key-value store on disk: LevelDB, with the durability and the errors of the seam. */

import { statSync } from 'node:fs';
import { Level } from 'level';
import { invariant } from '../../base/assert.ts';
import {
  type Cursor,
  type KeyRange,
  type KeyValue,
  type KeyValueStore,
  RuntimeError,
  type RuntimeErrorCode,
  type WriteBatch,
} from '../runtime.ts';
import { ioError, syncDirectory } from './node-files.ts';

/** `level` names only what it has in browsers, too. */
type Database = Level<Uint8Array, Uint8Array> & {
  compactRange(start: Uint8Array, end: Uint8Array): Promise<void>;
};
type ChainedBatch = ReturnType<typeof startBatch>;
type Iterator = ReturnType<typeof startScan>;

const MIB = 1024 * 1024;

/** What LevelDB holds in memory before it writes a table file; up to so much is replayed at a start. */
const WRITE_BUFFER_BYTES = 24 * MIB;
/** So much fits there at least, counted as below: each of its blocks may be left a quarter empty. */
export const MEMORY_BYTES = 0.75 * WRITE_BUFFER_BYTES;
/** What LevelDB's memory adds to a key and its value, and more. */
export const RECORD_OVERHEAD_BYTES = 64;

const LEVEL_OPTIONS = {
  keyEncoding: 'view',
  valueEncoding: 'view',
  // Values are small, checked by their own CRC and mostly not text: Snappy would cost more time
  // than it saves space.
  compression: false,
  // The tree is in memory. The disk is read at the start, for checkpoints and for learners that
  // lag, mostly once and in order: there is little to keep.
  cacheSize: 4 * MIB,
  // A full one becomes a file that is soon merged with nearly all others, since checkpoints touch paths
  // everywhere. With 16 MiB that took half as much processor time again; 32 MiB gain little more.
  writeBufferSize: WRITE_BUFFER_BYTES,
  // Fewer and larger files: every new one costs a sync of the directory.
  maxFileSize: 8 * MIB,
} as const;

/** How much one visit to LevelDB's thread brings back: a page of a scan, not the whole store. */
const PAGE_BYTES = MIB;

/**
 * A directory's time stamp has the grain of the kernel's tick. Two changes within one tick look like
 * one, so a stamp is believed to be the last of its tick only when it is older than any tick.
 */
const STAMP_GRAIN_MS = 50;

/** Deleted to give an empty synced batch something to sync; never a key of anybody. */
const NOBODYS_KEY = new TextEncoder().encode('\xff\xff vivarium: sync of an empty batch');

/** The directory exists; `create` says whether LevelDB may start a store in it. */
export async function openLevelStore(directory: string, create: boolean): Promise<KeyValueStore> {
  const options = { ...LEVEL_OPTIONS, createIfMissing: create };
  const database = new Level<Uint8Array, Uint8Array>(directory, options) as Database;
  try {
    await database.open();
  } catch (error) {
    throw openError(directory, error);
  }
  const store = new LevelStore(database, directory);
  try {
    await store.syncNames();
  } catch (error) {
    await database.close();
    throw error;
  }
  return store;
}

class LevelStore implements KeyValueStore {
  readonly #database: Database;
  readonly #directory: string;
  /** Settles, never rejecting, when all writes so far have. */
  #written: Promise<void> = Promise.resolve();
  /** What the first failed write failed of: nothing is written after it. */
  #failure: unknown = undefined;
  #closed: Promise<void> | undefined = undefined;
  /** Written since LevelDB's memory was last known to be empty. */
  #memoryBytes = 0;
  #hasUnsynced = false;
  /** Modification time of the directory, in nanoseconds, up to which its names are synced. */
  #namesSyncedNs: bigint | undefined = undefined;

  constructor(database: Database, directory: string) {
    this.#database = database;
    this.#directory = directory;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#refuseIfClosed();
    try {
      const value = await this.#database.get(key);
      return value === undefined ? undefined : plain(value);
    } catch (error) {
      throw storeError('cannot read', this.#directory, error);
    }
  }

  batch(): WriteBatch {
    this.#refuseIfClosed();
    return new LevelBatch(startBatch(this.#database), (batch, byteCount, sync) =>
      this.#enqueue(batch, byteCount, sync),
    );
  }

  scan(range: KeyRange): Cursor {
    this.#refuseIfClosed();
    return new LevelCursor(startScan(this.#database, range), this.#directory);
  }

  async close(): Promise<void> {
    this.#closed ??= this.#written.then(() => this.#database.close());
    try {
      await this.#closed;
    } catch (error) {
      throw storeError('cannot close', this.#directory, error);
    }
  }

  /** Syncs the directory when files came or went in it since the last time. */
  async syncNames(): Promise<void> {
    let changedNs: bigint;
    try {
      // Not through the thread pool, which would add a tenth to every synced write: the system
      // has what it is asked for in memory, since the store's own files are open.
      changedNs = statSync(this.#directory, { bigint: true }).mtimeNs;
    } catch (error) {
      throw ioError(`cannot look at ${this.#directory}`, error);
    }
    if (changedNs === this.#namesSyncedNs) return;
    await syncDirectory(this.#directory);
    const isOld = Date.now() - Number(changedNs) / 1e6 > STAMP_GRAIN_MS;
    this.#namesSyncedNs = isOld ? changedNs : undefined;
  }

  /** One write at a time: LevelDB's threads would take two at once in any order. */
  #enqueue(batch: ChainedBatch, byteCount: number, sync: boolean): Promise<void> {
    if (this.#closed !== undefined) {
      return Promise.reject(closedError(this.#directory));
    }
    const written = this.#written.then(() => this.#write(batch, byteCount, sync));
    this.#written = written.catch(() => undefined);
    return written;
  }

  async #write(batch: ChainedBatch, byteCount: number, sync: boolean): Promise<void> {
    if (this.#failure !== undefined) {
      const message = `the store in ${this.#directory} has failed before`;
      throw new RuntimeError('IO', message, { cause: this.#failure });
    }
    try {
      if (batch.length === 0 && sync) batch.del(NOBODYS_KEY);
      if (sync && this.#hasUnsynced && this.#memoryBytes >= MEMORY_BYTES) await this.#flush();
      this.#memoryBytes += byteCount;
      this.#hasUnsynced = !sync;
      await batch.write({ sync });
      if (sync) await this.syncNames();
    } catch (error) {
      // A torn record may be in the file now: what is written behind it would be lost at the next
      // start although its sync succeeds.
      this.#failure = error;
      throw error instanceof RuntimeError
        ? error
        : storeError('cannot write', this.#directory, error);
    }
  }

  /**
   * Makes durable what was written without a sync. LevelDB goes on in another file when its memory is
   * full, and a sync is of that one alone: until the memory that was full is a table, a power failure
   * could take what is in the first file and leave what follows it.
   */
  async #flush(): Promise<void> {
    // LevelDB makes a table of all that its memory holds before it compacts this range of nothing.
    await this.#database.compactRange(NOBODYS_KEY, NOBODYS_KEY);
    this.#memoryBytes = 0;
  }

  #refuseIfClosed(): void {
    if (this.#closed !== undefined) throw closedError(this.#directory);
  }
}

/** A function so that its result's type can be named. */
function startBatch(database: Database) {
  return database.batch();
}

function startScan(database: Database, range: KeyRange) {
  return database.iterator({ ...given(range), highWaterMarkBytes: PAGE_BYTES });
}

type Enqueue = (batch: ChainedBatch, byteCount: number, sync: boolean) => Promise<void>;

class LevelBatch implements WriteBatch {
  readonly #batch: ChainedBatch;
  readonly #enqueue: Enqueue;
  #length = 0;
  #byteCount = 0;
  #isWritten = false;

  constructor(batch: ChainedBatch, enqueue: Enqueue) {
    this.#batch = batch;
    this.#enqueue = enqueue;
  }

  get length(): number {
    return this.#length;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    invariant(!this.#isWritten, 'a batch takes nothing more once it is written');
    this.#batch.put(key, value);
    this.#length++;
    this.#byteCount += key.length + value.length + RECORD_OVERHEAD_BYTES;
  }

  delete(key: Uint8Array): void {
    invariant(!this.#isWritten, 'a batch takes nothing more once it is written');
    this.#batch.del(key);
    this.#length++;
    this.#byteCount += key.length + RECORD_OVERHEAD_BYTES;
  }

  write(options: { readonly sync: boolean }): Promise<void> {
    invariant(!this.#isWritten, 'a batch is written once');
    this.#isWritten = true;
    return this.#enqueue(this.#batch, this.#byteCount, options.sync);
  }
}

class LevelCursor implements Cursor {
  readonly #iterator: Iterator;
  readonly #directory: string;

  constructor(iterator: Iterator, directory: string) {
    this.#iterator = iterator;
    this.#directory = directory;
  }

  async next(limit: number): Promise<KeyValue[]> {
    invariant(limit > 0, 'a cursor is asked for at least one pair');
    const pairs: KeyValue[] = [];
    try {
      // LevelDB gives less than asked when a page is full of bytes; only nothing means the end.
      while (pairs.length < limit) {
        const page = await this.#iterator.nextv(limit - pairs.length);
        if (page.length === 0) break;
        for (const [key, value] of page) pairs.push([plain(key), plain(value)]);
      }
    } catch (error) {
      if (levelCode(error) === 'LEVEL_ITERATOR_NOT_OPEN') {
        throw new RuntimeError('IO', `the cursor over ${this.#directory} is closed`);
      }
      throw storeError('cannot read', this.#directory, error);
    }
    return pairs;
  }

  async close(): Promise<void> {
    await this.#iterator.close();
  }
}

/** A plain array instead of a Buffer, whose `slice` would not copy. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** LevelDB takes a bound that is present and undefined for a bound. */
function given(range: KeyRange): {
  gte?: Uint8Array;
  gt?: Uint8Array;
  lt?: Uint8Array;
  lte?: Uint8Array;
  reverse: boolean;
} {
  return {
    ...(range.gte === undefined ? {} : { gte: range.gte }),
    ...(range.gt === undefined ? {} : { gt: range.gt }),
    ...(range.lt === undefined ? {} : { lt: range.lt }),
    ...(range.lte === undefined ? {} : { lte: range.lte }),
    reverse: range.reverse === true,
  };
}

const OPEN_CODES: Readonly<Record<string, RuntimeErrorCode>> = {
  LEVEL_LOCKED: 'STORE_LOCKED',
  LEVEL_CORRUPTION: 'STORE_DAMAGED',
};

function openError(directory: string, error: unknown): RuntimeError {
  // The open itself fails with a general error, whose cause says why.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  // The store is known to exist, so a file that is not there is one that another file names.
  const isFileLost = reasonOf(cause).includes('No such file or directory');
  const code = isFileLost ? 'STORE_DAMAGED' : (OPEN_CODES[levelCode(cause)] ?? 'IO');
  const what = code === 'STORE_LOCKED' ? 'another process, or this one, has open' : 'cannot open';
  return new RuntimeError(code, `${what} the store in ${directory}: ${reasonOf(cause)}`, { cause });
}

function storeError(what: string, directory: string, error: unknown): RuntimeError {
  const code = levelCode(error) === 'LEVEL_CORRUPTION' ? 'STORE_DAMAGED' : 'IO';
  return new RuntimeError(code, `${what} the store in ${directory}: ${reasonOf(error)}`, {
    cause: error,
  });
}

function closedError(directory: string): RuntimeError {
  return new RuntimeError('IO', `the store in ${directory} is closed`);
}

function levelCode(error: unknown): string {
  const hasCode = error instanceof Error && 'code' in error && typeof error.code === 'string';
  return hasCode ? String(error.code) : '';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
