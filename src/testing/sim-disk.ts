/**
 * What one simulated host has on its disk. It outlives the host's processes; a crash takes from it
 * what a crash takes from a real disk: a suffix of the batches that were not synced.
 */

import { invariant } from '../base/assert.ts';
import { keyText } from '../base/key-text.ts';
import type { Prng } from '../base/prng.ts';
import type { KeyValue } from '../runtime/runtime.ts';
import { SimTable, type TableChange } from './sim-table.ts';

/** Delays are drawn evenly between their bounds; probabilities are per batch. */
export interface SimStorageOptions {
  readonly minReadMs: number;
  readonly maxReadMs: number;
  readonly minWriteMs: number;
  readonly maxWriteMs: number;
  readonly minSyncMs: number;
  readonly maxSyncMs: number;
  readonly slowSyncProbability: number;
  readonly slowSyncMaxMs: number;
  readonly writeErrorProbability: number;
  readonly syncErrorProbability: number;
}

/** A healthy solid-state disk. */
export const DEFAULT_STORAGE_OPTIONS: SimStorageOptions = Object.freeze({
  minReadMs: 0.01,
  maxReadMs: 0.1,
  minWriteMs: 0.01,
  maxWriteMs: 0.1,
  minSyncMs: 0.2,
  maxSyncMs: 2,
  slowSyncProbability: 0,
  slowSyncMaxMs: 500,
  writeErrorProbability: 0,
  syncErrorProbability: 0,
});

/**
 * What becomes of batches that were not synced. `draw`: the seed says how many, oldest first,
 * survive (power loss). `keep`: all that were written (the process died, the machine did not).
 * `drop`: none.
 */
export type UnsyncedFate = 'draw' | 'keep' | 'drop';

/** A batch on its way to the disk, or there and not synced. */
export interface DiskBatch {
  readonly changes: readonly TableChange[];
  /** Takes the batch back; undefined while it is not written. */
  undo: TableChange[] | undefined;
  /** True when a crash has decided about it. */
  settled: boolean;
}

/** One store's files. */
export class DiskStore {
  readonly table = new SimTable();
  /** Batches not known to be synced, in order: first written ones, then ones in flight. */
  readonly #unsynced: DiskBatch[] = [];
  /** Virtual time at which the writes so far will be done. */
  busyUntilUs = 0;
  /** The process that has it open holds the lock. */
  isLocked = false;
  isDamaged = false;
  /** The next write, or the next sync, is to fail. */
  failNext: 'write' | 'sync' | undefined = undefined;

  submit(changes: readonly TableChange[]): DiskBatch {
    const batch: DiskBatch = { changes, undo: undefined, settled: false };
    this.#unsynced.push(batch);
    return batch;
  }

  /** Copies the values in: their owner may change them once the write has settled. */
  write(batch: DiskBatch): void {
    invariant(!batch.settled && batch.undo === undefined, 'a batch is written once');
    const copies: TableChange[] = [];
    for (const { key, value } of batch.changes) copies.push({ key, value: value?.slice() });
    batch.undo = this.table.apply(copies);
  }

  /** Everything up to this batch is now safe from crashes. */
  markSynced(batch: DiskBatch): void {
    const index = this.#unsynced.indexOf(batch);
    invariant(index >= 0 && batch.undo !== undefined, 'only a written batch can be synced');
    this.#unsynced.splice(0, index + 1);
  }

  /** Forgets a batch whose write failed before any of it was written. */
  discard(batch: DiskBatch): void {
    invariant(batch.undo === undefined, 'a written batch stays');
    const index = this.#unsynced.indexOf(batch);
    if (index >= 0) this.#unsynced.splice(index, 1);
    batch.settled = true;
  }

  crash(fate: UnsyncedFate, prng: Prng): void {
    const batches = this.#unsynced.splice(0);
    const writtenCount = batches.filter((batch) => batch.undo !== undefined).length;
    let keepCount = 0;
    if (fate === 'draw') keepCount = prng.between(0, batches.length);
    if (fate === 'keep') keepCount = prng.between(writtenCount, batches.length);
    for (const batch of batches.slice(keepCount).reverse()) {
      if (batch.undo !== undefined) this.table.apply(batch.undo);
      batch.settled = true;
    }
    for (const batch of batches.slice(0, keepCount)) {
      if (batch.undo === undefined) this.write(batch);
      batch.settled = true;
    }
    this.isLocked = false;
    this.busyUntilUs = 0;
    this.failNext = undefined;
  }
}

/** A copy of a disk, to go back to an older state of it. */
export interface DiskImage {
  readonly stores: ReadonlyMap<string, readonly KeyValue[]>;
  readonly files: ReadonlyMap<string, string>;
}

/** Paths have no trailing slash and no empty part. */
export class SimDisk {
  readonly hostName: string;
  readonly stores = new Map<string, DiskStore>();
  readonly files = new Map<string, string>();
  options: SimStorageOptions;
  /** What fits on it; a write beyond that fails. */
  capacityBytes = 2 ** 40;
  /** What others have put on it. */
  occupiedBytes = 0;
  /** Until then nothing is read or written: a disk that hangs. */
  stalledUntilUs = 0;
  readonly #prng: Prng;

  constructor(hostName: string, options: SimStorageOptions, prng: Prng) {
    this.hostName = hostName;
    this.options = options;
    this.#prng = prng;
  }

  configure(options: Partial<SimStorageOptions>): void {
    this.options = { ...this.options, ...options };
  }

  crash(fate: UnsyncedFate): void {
    for (const store of this.stores.values()) store.crash(fate, this.#prng);
    this.stalledUntilUs = 0;
  }

  get freeBytes(): number {
    let bytes = this.capacityBytes - this.occupiedBytes;
    for (const { table } of this.stores.values()) bytes -= table.byteSize;
    return Math.max(0, bytes);
  }

  /** All pairs of a store in key order, synced or not; empty when there is no store. */
  entries(directory: string): KeyValue[] {
    const store = this.stores.get(normalizePath(directory));
    if (store === undefined) return [];
    const view = store.table.view({});
    const pairs = view.next(store.table.size);
    view.close();
    return pairs;
  }

  /** Changes a store behind its owner's back, durably; makes the store when there is none. */
  edit(directory: string, key: Uint8Array, value: Uint8Array | undefined): void {
    const path = normalizePath(directory);
    const store = this.stores.get(path) ?? new DiskStore();
    this.stores.set(path, store);
    store.table.apply([{ key: keyText(key), value: value?.slice() }]);
  }

  /** Flips one bit, drawn by the seed, of each value chosen. Returns how many were changed. */
  corrupt(directory: string, chosen: (key: Uint8Array, value: Uint8Array) => boolean): number {
    const store = this.stores.get(normalizePath(directory));
    const changes: TableChange[] = [];
    for (const [key, value] of this.entries(directory)) {
      if (value.length === 0 || !chosen(key, value)) continue;
      const bit = this.#prng.between(0, value.length * 8 - 1);
      value[bit >> 3] = (value[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      changes.push({ key: keyText(key), value });
    }
    store?.table.apply(changes);
    return changes.length;
  }

  /** From now on `open` says that the store is damaged. */
  damage(directory: string): void {
    const store = this.stores.get(normalizePath(directory));
    invariant(store !== undefined, 'no store to damage');
    store.isDamaged = true;
  }

  /** The next batch written to the store is rejected: nothing of it, or nothing known, is kept. */
  failNext(directory: string, what: 'write' | 'sync'): void {
    const store = this.stores.get(normalizePath(directory));
    invariant(store !== undefined, 'no store to fail');
    store.failNext = what;
  }

  /** Removes everything under a directory, or all. The host must be down. */
  wipe(directory = ''): void {
    const prefix = normalizePath(directory);
    for (const [path, store] of this.stores) {
      if (!isWithin(path, prefix)) continue;
      invariant(!store.isLocked, 'the disk of a running host is wiped');
      this.stores.delete(path);
    }
    for (const path of this.files.keys()) if (isWithin(path, prefix)) this.files.delete(path);
  }

  /** Renames a file or a directory. False when there is none. */
  move(from: string, to: string): boolean {
    const source = normalizePath(from);
    const target = normalizePath(to);
    let isFound = false;
    for (const [path, store] of [...this.stores]) {
      if (!isWithin(path, source)) continue;
      invariant(!store.isLocked, 'an open store is moved');
      this.stores.delete(path);
      this.stores.set(target + path.slice(source.length), store);
      isFound = true;
    }
    for (const [path, text] of [...this.files]) {
      if (!isWithin(path, source)) continue;
      this.files.delete(path);
      this.files.set(target + path.slice(source.length), text);
      isFound = true;
    }
    return isFound;
  }

  image(): DiskImage {
    const stores = new Map<string, KeyValue[]>();
    for (const path of this.stores.keys()) stores.set(path, this.entries(path));
    return { stores, files: new Map(this.files) };
  }

  /** Goes back to an image, as a restored backup does. The host must be down. */
  restore(image: DiskImage): void {
    this.wipe();
    for (const [path, pairs] of image.stores) {
      const store = new DiskStore();
      this.stores.set(path, store);
      store.table.apply(pairs.map(([key, value]) => ({ key: keyText(key), value: value.slice() })));
    }
    for (const [path, text] of image.files) this.files.set(path, text);
  }
}

/** What is spelled as it should be, as nearly every path is. */
const NORMAL_PATH = /^(?:\/[^/.][^/]*)+$/;

/** One spelling for every path: no empty or `.` parts, no slash at the end. */
export function normalizePath(path: string): string {
  if (NORMAL_PATH.test(path)) return path;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return (path.startsWith('/') ? '/' : '') + parts.join('/');
}

/** Whether a normalized path lies in, or is, a normalized directory; everything lies in ''. */
export function isWithin(path: string, directory: string): boolean {
  if (directory === '' || path === directory) return true;
  return path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}
