/**
 * Finds nodes by the hash of their path: a hash table that grows by one bucket at a time (linear
 * hashing), because rehashing millions of entries at once would hold up every request. Its chains
 * run through a column of the nodes.
 */

import { randomInt } from 'node:crypto';
import { invariant } from '../base/assert.ts';
import { INT, NO_SLOT, type StatSlab } from './stat-slab.ts';

const BUCKETS_PER_PAGE_LOG = 10;
const BUCKETS_PER_PAGE = 1 << BUCKETS_PER_PAGE_LOG;
const PAGE_MASK = BUCKETS_PER_PAGE - 1;
const FNV_PRIME = 0x0100_0193;

/**
 * The hash of no characters; longer ones continue it. Different in each process, so that nobody can
 * choose paths that all meet in one bucket. Nothing but the place of a bucket follows from it.
 */
export const HASH_SEED: number = randomInt(2 ** 31);

/** The hash of what was hashed before, followed by a part of the text. */
export function continueHash(hash: number, text: string, start: number, end: number): number {
  let h = hash;
  for (let i = start; i < end; i++) h = Math.imul(h ^ text.charCodeAt(i), FNV_PRIME);
  return h;
}

/** The same for one more character. */
export function continueHashByte(hash: number, character: number): number {
  return Math.imul(hash ^ character, FNV_PRIME);
}

/** The multiplications carry differences upwards only; buckets are told apart by the low bits. */
function mixed(hash: number): number {
  const h = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return h ^ (h >>> 13);
}

export class PathIndex {
  readonly #slab: StatSlab;
  /** First slot of each bucket's chain. */
  readonly #pages: Int32Array[] = [new Int32Array(BUCKETS_PER_PAGE)];
  #bucketCount = BUCKETS_PER_PAGE;
  /** The largest power of two that is not above the number of buckets, minus one. */
  #mask = PAGE_MASK;
  #count = 0;

  constructor(slab: StatSlab) {
    this.#slab = slab;
  }

  /** Makes the buckets at once that so many nodes will have. */
  reserve(nodeCount: number): void {
    while (this.#bucketCount < nodeCount) this.#split();
  }

  /** First of the slots whose hash may be the one asked for; INT.nextInBucket leads to the others. */
  first(hash: number): number {
    return this.#head(this.#bucketOf(hash));
  }

  add(slot: number): void {
    this.#count += 1;
    if (this.#count > this.#bucketCount) this.#split();
    this.#link(this.#bucketOf(this.#slab.int(slot, INT.hash)), slot);
  }

  remove(slot: number): void {
    this.#count -= 1;
    const bucket = this.#bucketOf(this.#slab.int(slot, INT.hash));
    const next = this.#slab.int(slot, INT.nextInBucket);
    this.#slab.setInt(slot, INT.nextInBucket, NO_SLOT);
    let before = this.#head(bucket);
    if (before === slot) {
      this.#setHead(bucket, next);
      return;
    }
    for (;;) {
      invariant(before !== NO_SLOT, 'node missing from its bucket');
      const after = this.#slab.int(before, INT.nextInBucket);
      if (after === slot) break;
      before = after;
    }
    this.#slab.setInt(before, INT.nextInBucket, next);
  }

  /** Divides the chain of the oldest undivided bucket between it and a new one. */
  #split(): void {
    const added = this.#bucketCount;
    if (added >>> BUCKETS_PER_PAGE_LOG === this.#pages.length) {
      this.#pages.push(new Int32Array(BUCKETS_PER_PAGE));
    }
    const divided = added & this.#mask;
    let slot = this.#head(divided);
    this.#setHead(divided, NO_SLOT);
    this.#bucketCount = added + 1;
    if (this.#bucketCount === 2 * (this.#mask + 1)) this.#mask = this.#bucketCount - 1;
    while (slot !== NO_SLOT) {
      const next = this.#slab.int(slot, INT.nextInBucket);
      this.#link(this.#bucketOf(this.#slab.int(slot, INT.hash)), slot);
      slot = next;
    }
  }

  #bucketOf(hash: number): number {
    const h = mixed(hash);
    const bucket = h & (2 * this.#mask + 1);
    return bucket < this.#bucketCount ? bucket : h & this.#mask;
  }

  #link(bucket: number, slot: number): void {
    this.#slab.setInt(slot, INT.nextInBucket, this.#head(bucket));
    this.#setHead(bucket, slot);
  }

  #head(bucket: number): number {
    const page = this.#pages[bucket >>> BUCKETS_PER_PAGE_LOG] as Int32Array;
    return page[bucket & PAGE_MASK] as number;
  }

  #setHead(bucket: number, slot: number): void {
    const page = this.#pages[bucket >>> BUCKETS_PER_PAGE_LOG] as Int32Array;
    page[bucket & PAGE_MASK] = slot;
  }
}
