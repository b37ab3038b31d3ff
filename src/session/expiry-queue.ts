/**
 * Deadlines of thousands of things that are touched all the time: sessions, idle connections.
 *
 * Deadlines are rounded up to a multiple of the tick, and things with the same deadline share a
 * bucket (the idea is ZooKeeper's ExpiryQueue). Unlike there, a touch only overwrites the deadline
 * in the thing's own entry: the entry stays in the bucket it was filed in and is filed anew when
 * that bucket falls due, once per timeout instead of once per touch.
 *
 * Time comes in as an argument: milliseconds of a clock that never goes back.
 */

import { invariant } from '../base/assert.ts';

/** One thing's place in the queue. Made by `add`, handed back to `touch` and `remove`. */
export class ExpiryEntry<T> {
  readonly value: T;
  /** When it expires unless touched: a multiple of the tick. Written by the queue only. */
  deadlineMs: number;
  /** The bucket it lies in, never later than its deadline; -1 once it left the queue. */
  filedMs: number;

  constructor(value: T, deadlineMs: number) {
    this.value = value;
    this.deadlineMs = deadlineMs;
    this.filedMs = deadlineMs;
  }
}

export class ExpiryQueue<T> {
  readonly #tickMs: number;
  readonly #buckets = new Map<number, Set<ExpiryEntry<T>>>();
  #count = 0;

  constructor(tickMs: number) {
    invariant(tickMs > 0, 'tick must be positive');
    this.#tickMs = tickMs;
  }

  /** Things in the queue. */
  get count(): number {
    return this.#count;
  }

  add(value: T, nowMs: number, timeoutMs: number): ExpiryEntry<T> {
    const entry = new ExpiryEntry(value, this.#deadline(nowMs, timeoutMs));
    this.#file(entry);
    this.#count += 1;
    return entry;
  }

  /** Sets a new deadline: O(1), and a mere assignment unless the deadline comes nearer. */
  touch(entry: ExpiryEntry<T>, nowMs: number, timeoutMs: number): void {
    invariant(entry.filedMs >= 0, 'touched an entry that left the queue');
    const deadlineMs = this.#deadline(nowMs, timeoutMs);
    entry.deadlineMs = deadlineMs;
    if (deadlineMs >= entry.filedMs) return;
    this.#unfile(entry);
    this.#file(entry);
  }

  /** Takes an entry out; no harm if it has left already. */
  remove(entry: ExpiryEntry<T>): void {
    if (entry.filedMs < 0) return;
    this.#unfile(entry);
    entry.filedMs = -1;
    this.#count -= 1;
  }

  /** Takes out what has expired, earliest deadline first, among equals in the order of filing. */
  expired(nowMs: number): T[] {
    const due: number[] = [];
    for (const bucketMs of this.#buckets.keys()) {
      if (bucketMs <= nowMs) due.push(bucketMs);
    }
    if (due.length === 0) return [];
    due.sort((a, b) => a - b);
    const gone: ExpiryEntry<T>[] = [];
    for (const bucketMs of due) this.#sift(bucketMs, nowMs, gone);
    gone.sort((a, b) => a.deadlineMs - b.deadlineMs);
    this.#count -= gone.length;
    return gone.map((entry) => entry.value);
  }

  /** Every entry, in no particular order; the queue must not change meanwhile. */
  *entries(): Generator<ExpiryEntry<T>> {
    for (const bucket of this.#buckets.values()) yield* bucket;
  }

  /** Empties a bucket that is due: what expired goes to `gone`, the rest to its real bucket. */
  #sift(bucketMs: number, nowMs: number, gone: ExpiryEntry<T>[]): void {
    const bucket = this.#buckets.get(bucketMs);
    invariant(bucket !== undefined, 'due bucket is missing');
    this.#buckets.delete(bucketMs);
    for (const entry of bucket) {
      if (entry.deadlineMs > nowMs) {
        this.#file(entry);
      } else {
        entry.filedMs = -1;
        gone.push(entry);
      }
    }
  }

  /** The end of the tick in which the timeout runs out: never early, at most a tick late. */
  #deadline(nowMs: number, timeoutMs: number): number {
    return (Math.floor((nowMs + timeoutMs) / this.#tickMs) + 1) * this.#tickMs;
  }

  #file(entry: ExpiryEntry<T>): void {
    entry.filedMs = entry.deadlineMs;
    const bucket = this.#buckets.get(entry.deadlineMs);
    if (bucket === undefined) this.#buckets.set(entry.deadlineMs, new Set([entry]));
    else bucket.add(entry);
  }

  #unfile(entry: ExpiryEntry<T>): void {
    const bucket = this.#buckets.get(entry.filedMs);
    const isRemoved = bucket?.delete(entry) === true;
    invariant(isRemoved, 'entry missing from its bucket');
    if (bucket?.size === 0) this.#buckets.delete(entry.filedMs);
  }
}
