/** Reading a whole range of a store in chunks whose memory stays bounded, whatever the values' sizes. */

import type { KeyRange, KeyValue, KeyValueStore, WriteBatch } from '../runtime/runtime.ts';

const CHUNK_BYTES = 1024 * 1024;
/** Values reach about 1 MiB each, so a chunk that follows small ones holds 128 MiB at the worst. */
const CHUNK_PAIRS_MAX = 128;

/** All pairs of the range as of the call of the first `next`, in chunks of about 1 MiB. */
export async function* scanChunks(
  store: KeyValueStore,
  range: KeyRange,
): AsyncGenerator<readonly KeyValue[], void, undefined> {
  const cursor = store.scan(range);
  try {
    let limit = 16;
    for (;;) {
      const pairs = await cursor.next(limit);
      if (pairs.length > 0) yield pairs;
      if (pairs.length < limit) return;
      let bytes = 0;
      for (const [key, value] of pairs) bytes += key.length + value.length;
      if (bytes > CHUNK_BYTES) limit = Math.max(1, limit >>> 1);
      else limit = Math.min(CHUNK_PAIRS_MAX, limit * 2);
    }
  } finally {
    await cursor.close();
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
    if (this.#batch.length >= 1024) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = this.#store.batch();
    await batch.write({ sync: false });
  }
}
