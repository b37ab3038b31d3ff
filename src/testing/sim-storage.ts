/** The storage half of the seam, for one process of a simulated host: time, faults and locks over a `SimDisk`. */

import { invariant } from '../base/assert.ts';
import { keyText } from '../base/key-text.ts';
import {
  type Cursor,
  type DiskSpace,
  type KeyRange,
  type KeyValueStore,
  RuntimeError,
  type Storage,
  type WriteBatch,
} from '../runtime/runtime.ts';
import { type DiskBatch, DiskStore, isWithin, normalizePath, type SimDisk } from './sim-disk.ts';
import type { SimProcess } from './sim-process.ts';
import { TraceKind } from './sim-scheduler.ts';
import type { TableChange, TableView } from './sim-table.ts';

export class SimStorage implements Storage {
  readonly #process: SimProcess;
  readonly #disk: SimDisk;

  constructor(process: SimProcess, disk: SimDisk) {
    this.#process = process;
    this.#disk = disk;
  }

  open(directory: string, options: { readonly create: boolean }): Promise<KeyValueStore> {
    const path = normalizePath(directory);
    return this.#process.later(this.#readDelayUs(), () => {
      let store = this.#disk.stores.get(path);
      if (store === undefined && !options.create) {
        throw new RuntimeError('STORE_MISSING', `no store in ${this.#place(path)}`);
      }
      if (store === undefined) {
        store = new DiskStore();
        this.#disk.stores.set(path, store);
      }
      if (store.isLocked) {
        throw new RuntimeError('STORE_LOCKED', `${this.#place(path)} is open already`);
      }
      if (store.isDamaged) {
        throw new RuntimeError('STORE_DAMAGED', `the store in ${this.#place(path)} is damaged`);
      }
      store.isLocked = true;
      return new SimKeyValueStore(this.#process, this.#disk, store, this.#place(path));
    });
  }

  exists(directory: string): Promise<boolean> {
    const path = normalizePath(directory);
    return this.#process.later(this.#readDelayUs(), () => this.#disk.stores.has(path));
  }

  readText(file: string): Promise<string | undefined> {
    const path = normalizePath(file);
    return this.#process.later(this.#readDelayUs(), () => this.#disk.files.get(path));
  }

  writeText(file: string, text: string): Promise<void> {
    const path = normalizePath(file);
    const { options } = this.#disk;
    const delayUs = this.#process.scheduler.drawUs(options.minSyncMs, options.maxSyncMs);
    return this.#process.later(delayUs + this.#stallUs(), () => {
      if (this.#process.scheduler.prng.chance(options.writeErrorProbability)) {
        throw new RuntimeError('IO', `cannot write ${this.#place(path)}`);
      }
      this.#disk.files.set(path, text);
    });
  }

  move(from: string, to: string): Promise<void> {
    const { options } = this.#disk;
    const delayUs = this.#process.scheduler.drawUs(options.minSyncMs, options.maxSyncMs);
    return this.#process.later(delayUs + this.#stallUs(), () => {
      if (!this.#disk.move(from, to)) {
        throw new RuntimeError('IO', `cannot move ${this.#place(from)}: it is not there`);
      }
    });
  }

  list(directory: string): Promise<string[]> {
    const prefix = normalizePath(directory);
    return this.#process.later(this.#readDelayUs(), () => {
      const names = new Set<string>();
      const { stores, files } = this.#disk;
      // A store is a directory with files of its own, of which one is enough to show.
      const storeFiles = [...stores.keys()].map((path) => `${path}/CURRENT`);
      for (const path of [...files.keys(), ...storeFiles]) {
        if (!isWithin(path, prefix)) continue;
        const name = path
          .slice(prefix.length)
          .split('/')
          .find((part) => part !== '');
        if (name !== undefined) names.add(name);
      }
      return [...names].sort();
    });
  }

  space(): Promise<DiskSpace | undefined> {
    return this.#process.later(this.#readDelayUs(), () => ({
      freeBytes: this.#disk.freeBytes,
      totalBytes: this.#disk.capacityBytes,
    }));
  }

  size(directory: string): Promise<number> {
    const prefix = normalizePath(directory);
    return this.#process.later(this.#readDelayUs(), () => {
      let bytes = 0;
      for (const [path, store] of this.#disk.stores) {
        if (isWithin(path, prefix)) bytes += store.table.byteSize;
      }
      for (const [path, text] of this.#disk.files) {
        if (isWithin(path, prefix)) bytes += Buffer.byteLength(text);
      }
      return bytes;
    });
  }

  #place(path: string): string {
    return `${this.#disk.hostName}:${path}`;
  }

  #readDelayUs(): number {
    const { minReadMs, maxReadMs } = this.#disk.options;
    return this.#process.scheduler.drawUs(minReadMs, maxReadMs) + this.#stallUs();
  }

  #stallUs(): number {
    return Math.max(0, this.#disk.stalledUntilUs - this.#process.scheduler.nowUs);
  }
}

class SimKeyValueStore implements KeyValueStore {
  readonly #process: SimProcess;
  readonly #disk: SimDisk;
  readonly #store: DiskStore;
  readonly #place: string;
  readonly #cursors = new Set<SimCursor>();
  #closed = false;
  #failed = false;

  constructor(process: SimProcess, disk: SimDisk, store: DiskStore, place: string) {
    this.#process = process;
    this.#disk = disk;
    this.#store = store;
    this.#place = place;
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const text = keyText(key);
    return this.#read(() => this.#store.table.get(text)?.slice());
  }

  batch(): WriteBatch {
    this.#refuseIfClosed();
    return new SimWriteBatch((changes, sync) => this.#write(changes, sync));
  }

  scan(range: KeyRange): Cursor {
    this.#refuseIfClosed();
    const view = this.#store.table.view(range);
    const cursor = new SimCursor(view, (work) => this.#read(work), this.#cursors);
    this.#cursors.add(cursor);
    return cursor;
  }

  close(): Promise<void> {
    const isFirst = !this.#closed;
    this.#closed = true;
    return this.#process.promise((settle) => this.#closeWhenIdle(isFirst, settle));
  }

  #closeWhenIdle(isFirst: boolean, settle: (work: () => void) => void): void {
    // One microsecond after the last write, so that a write in flight settles before its store.
    const waitUs = Math.max(0, this.#store.busyUntilUs - this.#process.scheduler.nowUs) + 1;
    this.#process.after(waitUs, () => {
      // The disk may have come to a stand since.
      if (this.#store.busyUntilUs >= this.#process.scheduler.nowUs) {
        this.#closeWhenIdle(isFirst, settle);
        return;
      }
      for (const cursor of this.#cursors) cursor.release();
      if (isFirst) this.#store.isLocked = false;
      settle(() => undefined);
    });
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new RuntimeError('IO', `the store in ${this.#place} is closed`);
  }

  #read<T>(work: () => T): Promise<T> {
    const { scheduler } = this.#process;
    const { minReadMs, maxReadMs } = this.#disk.options;
    const stallUs = Math.max(0, this.#disk.stalledUntilUs - scheduler.nowUs);
    return this.#process.later(scheduler.drawUs(minReadMs, maxReadMs) + stallUs, () => {
      this.#refuseIfClosed();
      scheduler.trace.mix(TraceKind.read);
      return work();
    });
  }

  #write(changes: readonly TableChange[], sync: boolean): Promise<void> {
    if (this.#closed || this.#failed) {
      return this.#process.later(0, () => {
        const state = this.#closed ? 'is closed' : 'has failed before';
        throw new RuntimeError('IO', `the store in ${this.#place} ${state}`);
      });
    }
    return this.#process.promise((settle) => {
      const { scheduler } = this.#process;
      const batch = this.#store.submit(changes);
      const startUs = Math.max(scheduler.nowUs, this.#store.busyUntilUs, this.#disk.stalledUntilUs);
      const dueUs = startUs + this.#writeDelayUs(sync);
      this.#store.busyUntilUs = dueUs;
      scheduler.after(dueUs - scheduler.nowUs, () => this.#finish(batch, sync, settle));
    });
  }

  /** The disk goes on while the process is paused, so this is nobody's event but the disk's. */
  #finish(batch: DiskBatch, sync: boolean, settle: (work: () => void) => void): void {
    if (batch.settled) return;
    const { scheduler } = this.#process;
    if (scheduler.nowUs < this.#disk.stalledUntilUs) {
      this.#store.busyUntilUs = Math.max(this.#store.busyUntilUs, this.#disk.stalledUntilUs);
      const waitUs = this.#disk.stalledUntilUs - scheduler.nowUs;
      scheduler.after(waitUs, () => this.#finish(batch, sync, settle));
      return;
    }
    const problem = this.#perform(batch, sync);
    this.#process.run(() =>
      settle(() => {
        if (problem !== undefined) throw new RuntimeError('IO', `${problem} in ${this.#place}`);
      }),
    );
  }

  /** Returns what went wrong, if anything did. */
  #perform(batch: DiskBatch, sync: boolean): string | undefined {
    const { scheduler } = this.#process;
    const { options } = this.#disk;
    if (this.#failed) {
      this.#store.discard(batch);
      return 'a write before has failed';
    }
    const directed = this.#store.failNext;
    if (directed === 'write' || scheduler.prng.chance(options.writeErrorProbability)) {
      this.#store.failNext = undefined;
      this.#failed = true;
      this.#store.discard(batch);
      return 'a write failed';
    }
    if (this.#disk.freeBytes < byteSize(batch)) {
      this.#failed = true;
      this.#store.discard(batch);
      return 'no space left on the disk';
    }
    this.#store.write(batch);
    scheduler.trace.mix(TraceKind.write);
    for (const { key, value } of batch.changes) {
      scheduler.trace.mixText(key);
      if (value !== undefined) scheduler.trace.mixBytes(value);
    }
    if (!sync) return undefined;
    if (directed === 'sync' || scheduler.prng.chance(options.syncErrorProbability)) {
      this.#store.failNext = undefined;
      this.#failed = true;
      return 'a sync failed';
    }
    this.#store.markSynced(batch);
    return undefined;
  }

  #writeDelayUs(sync: boolean): number {
    const { scheduler } = this.#process;
    const { options } = this.#disk;
    if (!sync) return scheduler.drawUs(options.minWriteMs, options.maxWriteMs);
    const isSlow = scheduler.prng.chance(options.slowSyncProbability);
    return scheduler.drawUs(options.minSyncMs, isSlow ? options.slowSyncMaxMs : options.maxSyncMs);
  }
}

function byteSize(batch: DiskBatch): number {
  let bytes = 0;
  for (const { key, value } of batch.changes) bytes += key.length + (value?.length ?? 0);
  return bytes;
}

class SimWriteBatch implements WriteBatch {
  readonly #changes: TableChange[] = [];
  readonly #write: (changes: readonly TableChange[], sync: boolean) => Promise<void>;
  #written = false;

  constructor(write: (changes: readonly TableChange[], sync: boolean) => Promise<void>) {
    this.#write = write;
  }

  get length(): number {
    return this.#changes.length;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    invariant(!this.#written, 'a batch takes nothing more once it is written');
    this.#changes.push({ key: keyText(key), value });
  }

  delete(key: Uint8Array): void {
    invariant(!this.#written, 'a batch takes nothing more once it is written');
    this.#changes.push({ key: keyText(key), value: undefined });
  }

  write(options: { readonly sync: boolean }): Promise<void> {
    invariant(!this.#written, 'a batch is written once');
    this.#written = true;
    return this.#write(this.#changes, options.sync);
  }
}

class SimCursor implements Cursor {
  readonly #view: TableView;
  readonly #read: <T>(work: () => T) => Promise<T>;
  readonly #siblings: Set<SimCursor>;
  #closed = false;

  constructor(view: TableView, read: <T>(work: () => T) => Promise<T>, siblings: Set<SimCursor>) {
    this.#view = view;
    this.#read = read;
    this.#siblings = siblings;
  }

  next(limit: number): ReturnType<Cursor['next']> {
    invariant(limit > 0, 'a cursor is asked for at least one pair');
    return this.#read(() => {
      if (this.#closed) throw new RuntimeError('IO', 'the cursor is closed');
      return this.#view.next(limit);
    });
  }

  close(): Promise<void> {
    this.release();
    return Promise.resolve();
  }

  /** Idempotent. */
  release(): void {
    this.#closed = true;
    this.#view.close();
    this.#siblings.delete(this);
  }
}
