/**
 * An ordered key-value table in memory, with batches that can be taken back and views that later
 * batches do not change. Keys are Latin-1 strings, one character a byte, because their order as
 * strings is the order of the bytes.
 */

import { invariant } from '../base/assert.ts';
import { keyBytes, keyText } from '../base/key-text.ts';
import type { KeyRange, KeyValue } from '../runtime/runtime.ts';

/** `value` undefined: a deletion. */
export interface TableChange {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** From here on one sort is cheaper than moving the tail of the array for every new key. */
const REBUILD_MIN = 32;

export class SimTable {
  #keys: string[] = [];
  readonly #values = new Map<string, Uint8Array>();
  readonly #views = new Set<TableView>();
  #byteSize = 0;

  get size(): number {
    return this.#keys.length;
  }

  /** Bytes of all keys and values. */
  get byteSize(): number {
    return this.#byteSize;
  }

  /** The table's own bytes: not to be changed. */
  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  keys(): readonly string[] {
    return this.#keys;
  }

  /** Keeps the values as they are. Returns the changes that take these back. */
  apply(changes: readonly TableChange[]): TableChange[] {
    for (const view of this.#views) view.detach(this.#keys, this.#values);
    this.#views.clear();
    const undo: TableChange[] = [];
    const added = new Set<string>();
    const removed = new Set<string>();
    for (const { key, value } of changes) {
      const before = this.#values.get(key);
      undo.push({ key, value: before });
      this.#byteSize += pairBytes(key, value) - pairBytes(key, before);
      if (value !== undefined) this.#values.set(key, value);
      else this.#values.delete(key);
      if (before === undefined && value !== undefined && !removed.delete(key)) added.add(key);
      if (before !== undefined && value === undefined && !added.delete(key)) removed.add(key);
    }
    this.#reorder(added, removed);
    return undo.reverse();
  }

  /** The pairs of a range as they are now. Close it, or every batch will pay for it. */
  view(range: KeyRange): TableView {
    const [low, high] = this.#indexRange(range);
    const view = new TableView(low, high, range.reverse === true, () => this.#views.delete(view));
    view.attach(this.#keys, this.#values);
    this.#views.add(view);
    return view;
  }

  #reorder(added: Set<string>, removed: Set<string>): void {
    if (added.size + removed.size < REBUILD_MIN) {
      for (const key of removed) this.#keys.splice(this.#lowerBound(key), 1);
      for (const key of added) this.#keys.splice(this.#lowerBound(key), 0, key);
    } else {
      if (removed.size > 0) this.#keys = this.#keys.filter((key) => !removed.has(key));
      const last = this.#keys.at(-1);
      const news = [...added].sort(compareKeys);
      const first = news[0];
      for (const key of news) this.#keys.push(key);
      if (last !== undefined && first !== undefined && first < last) this.#keys.sort(compareKeys);
    }
    invariant(this.#keys.length === this.#values.size, 'the key order lost a key');
  }

  /** Index of the first key that is not less than the given one. */
  #lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const candidate = this.#keys[middle];
      if (candidate !== undefined && candidate < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #upperBound(key: string): number {
    const index = this.#lowerBound(key);
    return this.#keys[index] === key ? index + 1 : index;
  }

  #indexRange(range: KeyRange): [low: number, high: number] {
    let low = 0;
    let high = this.#keys.length;
    if (range.gte !== undefined) low = Math.max(low, this.#lowerBound(keyText(range.gte)));
    if (range.gt !== undefined) low = Math.max(low, this.#upperBound(keyText(range.gt)));
    if (range.lt !== undefined) high = Math.min(high, this.#lowerBound(keyText(range.lt)));
    if (range.lte !== undefined) high = Math.min(high, this.#upperBound(keyText(range.lte)));
    return [low, Math.max(low, high)];
  }
}

/** Reads the table directly while nothing changes, and its own copy of the references after. */
export class TableView {
  #keys: readonly string[] = [];
  #values: ReadonlyMap<string, Uint8Array> = new Map();
  #low: number;
  #high: number;
  readonly #reverse: boolean;
  readonly #onClose: () => void;

  constructor(low: number, high: number, reverse: boolean, onClose: () => void) {
    this.#low = low;
    this.#high = high;
    this.#reverse = reverse;
    this.#onClose = onClose;
  }

  attach(keys: readonly string[], values: ReadonlyMap<string, Uint8Array>): void {
    this.#keys = keys;
    this.#values = values;
  }

  /** Takes what is left to read out of the table, which is about to change. */
  detach(keys: readonly string[], values: ReadonlyMap<string, Uint8Array>): void {
    const left = keys.slice(this.#low, this.#high);
    const kept = new Map<string, Uint8Array>();
    for (const key of left) {
      const value = values.get(key);
      if (value !== undefined) kept.set(key, value);
    }
    this.attach(left, kept);
    this.#low = 0;
    this.#high = left.length;
  }

  /** Up to `limit` pairs, copied; fewer only at the end. */
  next(limit: number): KeyValue[] {
    const pairs: KeyValue[] = [];
    while (pairs.length < limit && this.#low < this.#high) {
      const key = this.#keys[this.#reverse ? --this.#high : this.#low++];
      const value = key === undefined ? undefined : this.#values.get(key);
      invariant(key !== undefined && value !== undefined, 'a view lost a key of its range');
      pairs.push([keyBytes(key), value.slice()]);
    }
    return pairs;
  }

  close(): void {
    this.#low = this.#high;
    this.#onClose();
  }
}

function pairBytes(key: string, value: Uint8Array | undefined): number {
  return value === undefined ? 0 : key.length + value.length;
}

/** Code units, as `<` does; `sort` without it would do the same, more slowly. */
function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
