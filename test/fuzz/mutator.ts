/**
 * Damage to bytes, drawn from a seed. One mutator has one scratch memory in which it works, so a
 * mutation costs no allocation; what it hands out is good until it is asked again.
 */

import { invariant } from '../../src/base/assert.ts';
import type { Prng } from '../../src/base/prng.ts';
import { extremeInt } from './draw.ts';

/** Longer inputs are cut. */
const SCRATCH_BYTES = 256 * 1024;
/** What turns text into none: lone continuation, overlong slash, a surrogate, above U+10FFFF, cut short. */
const BAD_UTF8: readonly (readonly number[])[] = [
  [0x80],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf0, 0x9f],
  [0xff, 0xfe],
  [0x00],
];

const Damage = {
  flipBit: 0,
  setByte: 1,
  setInt: 2,
  truncate: 3,
  insert: 4,
  remove: 5,
  splice: 6,
  duplicate: 7,
  badText: 8,
  fill: 9,
} as const;
const DAMAGE_COUNT = 10;

export class Mutator {
  readonly #prng: Prng;
  readonly #scratch = Buffer.alloc(SCRATCH_BYTES);
  /** Inputs of before, pieces of which are spliced into others. */
  readonly #pool: Uint8Array[] = [];
  #length = 0;

  constructor(prng: Prng, pool: readonly Uint8Array[] = []) {
    this.#prng = prng;
    this.#pool.push(...pool.filter((input) => input.length > 0));
  }

  /** The input with one to four damages behind its first `spared` bytes; a view of the scratch. */
  damaged(input: Uint8Array, spared: number): Uint8Array {
    this.#length = Math.min(input.length, SCRATCH_BYTES / 2);
    this.#scratch.set(input.subarray(0, this.#length));
    for (let count = this.#prng.between(1, 4); count > 0; count--) {
      if (this.#length > spared) this.#damage(spared);
    }
    invariant(this.#length <= SCRATCH_BYTES, 'damage left the scratch');
    return this.#scratch.subarray(0, this.#length);
  }

  #damage(spared: number): void {
    const prng = this.#prng;
    const at = prng.between(spared, this.#length - 1);
    switch (prng.between(0, DAMAGE_COUNT - 1)) {
      case Damage.flipBit:
        this.#scratch[at] = (this.#scratch[at] ?? 0) ^ (1 << prng.between(0, 7));
        break;
      case Damage.setByte:
        this.#scratch[at] = prng.between(0, 255);
        break;
      case Damage.setInt:
        this.#setInt(spared, at);
        break;
      case Damage.truncate:
        this.#length = at;
        break;
      case Damage.insert:
        this.#open(at, prng.between(1, 16));
        break;
      case Damage.remove:
        this.#cut(at, prng.between(1, 16));
        break;
      case Damage.splice:
        this.#splice(at);
        break;
      case Damage.duplicate:
        this.#insert(at, this.#scratch.subarray(spared, Math.min(this.#length, spared + 64)));
        break;
      case Damage.badText:
        this.#overwrite(at, BAD_UTF8[prng.between(0, BAD_UTF8.length - 1)] ?? []);
        break;
      case Damage.fill:
        this.#scratch.fill(prng.chance(0.5) ? 0xff : 0, at, Math.min(this.#length, at + 8));
        break;
    }
  }

  /** Mostly where a field of a record begins, if what stands before it has no text. */
  #setInt(spared: number, at: number): void {
    const place = this.#prng.chance(0.5) ? at : at - ((at - spared) % 4);
    if (place + 4 <= this.#length) this.#scratch.writeInt32BE(extremeInt(this.#prng), place);
  }

  #splice(at: number): void {
    const other = this.#pool[this.#prng.between(0, this.#pool.length - 1)];
    if (other === undefined) return;
    const start = this.#prng.between(0, other.length - 1);
    this.#insert(at, other.subarray(start, start + this.#prng.between(1, 200)));
  }

  #insert(at: number, piece: Uint8Array): void {
    const copy = Uint8Array.from(piece);
    if (this.#open(at, copy.length)) this.#scratch.set(copy, at);
  }

  /** Makes room whose content is what happened to be there; false when there is none to be had. */
  #open(at: number, count: number): boolean {
    if (this.#length + count > SCRATCH_BYTES) return false;
    this.#scratch.copyWithin(at + count, at, this.#length);
    this.#length += count;
    return true;
  }

  #cut(at: number, count: number): void {
    const end = Math.min(this.#length, at + count);
    this.#scratch.copyWithin(at, end, this.#length);
    this.#length -= end - at;
  }

  #overwrite(at: number, bytes: readonly number[]): void {
    for (let i = 0; i < bytes.length && at + i < this.#length; i++) {
      this.#scratch[at + i] = bytes[i] ?? 0;
    }
  }
}
