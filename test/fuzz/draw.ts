/** Draws that every part of the fuzzer makes. */

import { invariant } from '../../src/base/assert.ts';
import type { Prng } from '../../src/base/prng.ts';

/** Where signs change, bytes overflow, and lengths mean null or more than there is. */
export const EXTREME_INTS: readonly number[] = [
  0, 1, 2, -1, -2, 3, 4, 7, 8, 31, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000, 0xffffe,
  0xfffff, 0x100000, 0x7ffffffe, 0x7fffffff, -0x80000000, -0x7fffffff, 0x01010101,
];

const EXTREME_LONGS: readonly number[] = [
  0, 1, -1, 1000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x1fffffffffffff,
  -0x1fffffffffffff, 0x10000000000, 0xffffffffff,
];

export function pick<T>(prng: Prng, items: readonly T[]): T {
  const item = items[prng.between(0, items.length - 1)];
  invariant(item !== undefined, 'nothing to pick from');
  return item;
}

/** Signed 32 bits: an extreme one or any. */
export function extremeInt(prng: Prng): number {
  return prng.chance(0.8) ? pick(prng, EXTREME_INTS) : prng.uint32() | 0;
}

/** A safe integer. */
export function extremeLong(prng: Prng): number {
  return prng.chance(0.8) ? pick(prng, EXTREME_LONGS) : prng.uint32() - 0x8000_0000;
}
