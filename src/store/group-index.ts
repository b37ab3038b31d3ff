/**
 * Where each group of the log begins and ends, in memory: 32 bytes a group in typed arrays, so that
 * a log of a million small groups costs little and a reader knows its keys without searching.
 */

import { invariant } from '../base/assert.ts';
import type { Zxid } from '../base/ids.ts';

const INITIAL_CAPACITY = 64;

/** What the index keeps of a group, beside its sizes. */
interface IndexedGroup {
  readonly first: Zxid;
  readonly last: Zxid;
  readonly chain: number;
}

export class GroupIndex {
  #firsts = new Float64Array(INITIAL_CAPACITY);
  #lasts = new Float64Array(INITIAL_CAPACITY);
  /** Bytes of all groups up to and including this one, dropped ones too: differences count. */
  #byteEnds = new Float64Array(INITIAL_CAPACITY);
  #entryCounts = new Uint32Array(INITIAL_CAPACITY);
  #chains = new Uint32Array(INITIAL_CAPACITY);
  /** Live groups are those from `#start` to `#end`. */
  #start = 0;
  #end = 0;
  #bytesBefore = 0;
  #entryCount = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  /** Facts of the group at a position counted from the oldest. */
  first(index: number): Zxid {
    return this.#firsts[this.#at(index)] as Zxid;
  }

  last(index: number): Zxid {
    return this.#lasts[this.#at(index)] as Zxid;
  }

  chain(index: number): number {
    return this.#chains[this.#at(index)] as number;
  }

  /** Bytes of the groups from one position up to but not including another. */
  bytesBetween(from: number, to: number): number {
    return this.#bytesUpTo(to) - this.#bytesUpTo(from);
  }

  /** Position of the first group with an entry after the zxid; `length` when there is none. */
  firstAfter(zxid: Zxid): number {
    let low = this.#start;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#lasts[middle] as number) <= zxid) low = middle + 1;
      else high = middle;
    }
    return low - this.#start;
  }

  /** A group that takes so many bytes in the store. */
  push(group: IndexedGroup, entryCount: number, bytes: number): void {
    invariant(this.length === 0 || this.last(this.length - 1) < group.first, 'groups out of order');
    if (this.#end === this.#firsts.length) this.#makeRoom();
    const at = this.#end++;
    this.#firsts[at] = group.first;
    this.#lasts[at] = group.last;
    this.#chains[at] = group.chain;
    this.#entryCounts[at] = entryCount;
    this.#byteEnds[at] = this.#bytesUpTo(this.length - 1) + bytes;
    this.#entryCount += entryCount;
  }

  /** Forgets all groups from a position on. */
  dropFrom(index: number): void {
    for (let i = index; i < this.length; i++) this.#entryCount -= this.#entries(i);
    this.#end = this.#start + index;
  }

  /** Forgets all groups before a position. */
  dropBefore(index: number): void {
    const bytesBefore = this.#bytesUpTo(index);
    for (let i = 0; i < index; i++) this.#entryCount -= this.#entries(i);
    this.#start += index;
    this.#bytesBefore = bytesBefore;
  }

  #entries(index: number): number {
    return this.#entryCounts[this.#at(index)] as number;
  }

  #bytesUpTo(index: number): number {
    return index === 0 ? this.#bytesBefore : (this.#byteEnds[this.#at(index - 1)] as number);
  }

  #at(index: number): number {
    invariant(index >= 0 && index < this.length, 'no such group');
    return this.#start + index;
  }

  /** Moves the live groups to the front, into larger arrays when they fill more than half. */
  #makeRoom(): void {
    const { length } = this;
    const capacity = Math.max(INITIAL_CAPACITY, length * 2);
    const move = <A extends Float64Array | Uint32Array>(from: A, to: A): A => {
      to.set(from.subarray(this.#start, this.#end));
      return to;
    };
    this.#firsts = move(this.#firsts, new Float64Array(capacity));
    this.#lasts = move(this.#lasts, new Float64Array(capacity));
    this.#byteEnds = move(this.#byteEnds, new Float64Array(capacity));
    this.#entryCounts = move(this.#entryCounts, new Uint32Array(capacity));
    this.#chains = move(this.#chains, new Uint32Array(capacity));
    this.#start = 0;
    this.#end = length;
  }
}
