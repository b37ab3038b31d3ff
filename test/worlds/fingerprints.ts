/** A set of rows, kept as 64 bits each: two different rows are taken for one about once in 10^5 runs of ten million. */

import type { Row } from './row.ts';

const FIRST_SLOTS = 2 ** 16;
const FILL_MAX = 0.7;

export class Fingerprints {
  #high = new Int32Array(FIRST_SLOTS);
  #low = new Int32Array(FIRST_SLOTS);
  #count = 0;
  /** The fingerprint computed last. */
  #a = 0;
  #b = 0;

  get count(): number {
    return this.#count;
  }

  /** True when the row was not there yet. */
  add(row: Row): boolean {
    this.#compute(row);
    if (this.#count > this.#high.length * FILL_MAX) this.#grow();
    return this.#insert(this.#a, this.#b);
  }

  #insert(a: number, b: number): boolean {
    const high = this.#high;
    const low = this.#low;
    const mask = high.length - 1;
    let slot = a & mask;
    for (;;) {
      const h = high[slot] ?? 0;
      const l = low[slot] ?? 0;
      if (h === 0 && l === 0) break;
      if (h === a && l === b) return false;
      slot = (slot + 1) & mask;
    }
    high[slot] = a;
    low[slot] = b;
    this.#count++;
    return true;
  }

  /** Two multiplicative hashes with different factors; never both 0, which marks a free slot. */
  #compute(row: Row): void {
    let a = 0x9e3779b9 | 0;
    let b = 0x7f4a7c15 | 0;
    for (let i = 0; i < row.length; i++) {
      const word = row[i] ?? 0;
      a = Math.imul(a ^ word, 0x85ebca6b);
      a ^= a >>> 15;
      b = Math.imul(b + word, 0xc2b2ae35);
      b ^= (b >>> 13) ^ (b << 7);
    }
    a = Math.imul(a ^ (a >>> 16), 0x27d4eb2f);
    b = Math.imul(b ^ (b >>> 14), 0x165667b1);
    this.#a = a ^ (a >>> 15);
    this.#b = b ^ (b >>> 16) || 1;
  }

  #grow(): void {
    const high = this.#high;
    const low = this.#low;
    this.#high = new Int32Array(high.length * 2);
    this.#low = new Int32Array(low.length * 2);
    this.#count = 0;
    for (let i = 0; i < high.length; i++) {
      const a = high[i] ?? 0;
      const b = low[i] ?? 0;
      if (a !== 0 || b !== 0) this.#insert(a, b);
    }
  }
}
