/** A simulated host with a disk, for tests of what is written to it and found there after a crash. */

import type { KeyValue, KeyValueStore, WriteBatch } from '../../src/runtime/runtime.ts';
import type { SimDisk, UnsyncedFate } from '../../src/testing/sim-disk.ts';
import { SimWorld } from '../../src/testing/sim-world.ts';

const HOST = 'host';
const INSTANT = {
  minReadMs: 0,
  maxReadMs: 0,
  minWriteMs: 0,
  maxWriteMs: 0,
  minSyncMs: 0,
  maxSyncMs: 0,
};

export class StoreHost {
  readonly #world: SimWorld;

  constructor(seed = 1) {
    this.#world = new SimWorld(seed, { selfRunning: true, storage: INSTANT });
  }

  get disk(): SimDisk {
    return this.#world.disk(HOST);
  }

  /** Opens a store of the host's living process, and makes it if there is none. */
  open(directory: string): Promise<KeyValueStore> {
    return this.#world.runtimeFor(HOST).storage.open(directory, { create: true });
  }

  /** All promises of the process that was alive are silent from now on. */
  crash(unsynced: UnsyncedFate): void {
    if (this.#world.isUp(HOST)) this.#world.crash(HOST, { unsynced });
  }

  /** The pair whose key begins with these bytes; the first if there are several. */
  entry(directory: string, ...prefix: readonly number[]): KeyValue {
    const found = this.disk
      .entries(directory)
      .find(([key]) => prefix.every((byte, i) => key[i] === byte));
    if (found === undefined) throw new Error('no such key in the store');
    return found;
  }
}

/**
 * Runs work that writes through `guard` and kills the host at the given write, counted from 0: the
 * moment it is submitted (`draw`: any of the batches under way may have reached the disk), or when
 * it is done and nobody knows yet (`keep`, `drop`: with what became of unsynced batches). False when
 * the work ended before.
 */
export async function crashAtWrite(
  host: StoreHost,
  index: number,
  fate: UnsyncedFate,
  work: (guard: (store: KeyValueStore) => KeyValueStore) => Promise<void>,
): Promise<boolean> {
  let writesLeft = index;
  return await new Promise<boolean>((resolve, reject) => {
    const onWrite = async (write: () => Promise<void>): Promise<void> => {
      if (writesLeft-- !== 0) return await write();
      const written = write();
      if (fate !== 'draw') await written;
      host.crash(fate);
      resolve(true);
      return await new Promise<void>(() => undefined);
    };
    work((store) => new GuardedStore(store, onWrite)).then(() => resolve(false), reject);
  });
}

type OnWrite = (write: () => Promise<void>) => Promise<void>;

class GuardedStore implements KeyValueStore {
  readonly #inner: KeyValueStore;
  readonly #onWrite: OnWrite;

  constructor(inner: KeyValueStore, onWrite: OnWrite) {
    this.#inner = inner;
    this.#onWrite = onWrite;
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#inner.get(key);
  }

  batch(): WriteBatch {
    return new GuardedBatch(this.#inner.batch(), this.#onWrite);
  }

  scan(range: Parameters<KeyValueStore['scan']>[0]): ReturnType<KeyValueStore['scan']> {
    return this.#inner.scan(range);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

class GuardedBatch implements WriteBatch {
  readonly #inner: WriteBatch;
  readonly #onWrite: OnWrite;

  constructor(inner: WriteBatch, onWrite: OnWrite) {
    this.#inner = inner;
    this.#onWrite = onWrite;
  }

  get length(): number {
    return this.#inner.length;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#inner.put(key, value);
  }

  delete(key: Uint8Array): void {
    this.#inner.delete(key);
  }

  write(options: { readonly sync: boolean }): Promise<void> {
    return this.#onWrite(() => this.#inner.write(options));
  }
}
