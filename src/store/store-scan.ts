/** Reading and deleting whole ranges of a store in bounded pieces, whatever the values' sizes. */

import type { Cursor, KeyValue, KeyValueStore, WriteBatch } from '../runtime/runtime.ts';

const CHUNK_BYTES = 1024 * 1024;
/** Values reach about 1 MiB each, so a chunk that follows small ones holds 256 MiB at the worst. */
const CHUNK_PAIRS_MAX = 256;
const FIRST_CHUNK_PAIRS = 16;
/** A chunk that is larger holds values so large that the next one may be larger still. */
const READ_AHEAD_BYTES = 2 * CHUNK_BYTES;
const DELETES_PER_BATCH = 1024;

/** Reads a cursor to its end in chunks of about 1 MiB. Takes the cursor over. */
export class ChunkReader {
  readonly #cursor: Cursor;
  readonly #pairsMax: number;
  #limit: number;
  /** The chunk after the one handed out last, read while that one is worked on. */
  #ahead: Promise<KeyValue[]> | undefined;
  #isClosed = false;

  /** `pairsMax`: of a chunk, where pairs are large or each means much work. */
  constructor(cursor: Cursor, pairsMax = CHUNK_PAIRS_MAX) {
    this.#cursor = cursor;
    this.#pairsMax = pairsMax;
    this.#limit = Math.min(FIRST_CHUNK_PAIRS, pairsMax);
  }

  /** The next pairs, never none of them; undefined at the end, when the cursor is closed too. */
  async next(): Promise<readonly KeyValue[] | undefined> {
    if (this.#isClosed) return undefined;
    const pairs = await (this.#ahead ?? this.#cursor.next(this.#limit));
    this.#ahead = undefined;
    if (pairs.length === 0) {
      await this.close();
      return undefined;
    }
    let bytes = 0;
    for (const [key, value] of pairs) bytes += key.length + value.length;
    if (bytes > CHUNK_BYTES) this.#limit = Math.max(1, this.#limit >>> 1);
    else this.#limit = Math.min(this.#pairsMax, this.#limit * 2);
    if (bytes < READ_AHEAD_BYTES) this.#readAhead();
    return pairs;
  }

  /** Not behind large values: two chunks of them would be in memory at once. */
  #readAhead(): void {
    this.#ahead = this.#cursor.next(this.#limit);
    // Whoever asks for the next chunk learns of a failure; nobody does when the reader is closed.
    this.#ahead.catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#ahead?.catch(() => undefined);
    await this.#cursor.close();
  }
}

/** Deletes keys in unsynced batches of bounded size: after a crash a prefix of them is gone. */
export class BulkDelete {
  readonly #store: KeyValueStore;
  #batch: WriteBatch;

  constructor(store: KeyValueStore) {
    this.#store = store;
    this.#batch = store.batch();
  }

  async delete(key: Uint8Array): Promise<void> {
    this.#batch.delete(key);
    if (this.#batch.length >= DELETES_PER_BATCH) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = this.#store.batch();
    await batch.write({ sync: false });
  }
}
