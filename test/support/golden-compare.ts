/**
 * Compares what a server sent with what was recorded. Bytes must be equal outside the volatile
 * ranges; inside, a value is bound to its name at first sight and must stay the same. Zxids z1, z2,
 * ... must ascend strictly with their numbers, gaps allowed; a password must be the function of its
 * session id that every server of an ensemble computes.
 */

import type { GoldenProfile, GoldenStep, VolatileRange } from './golden-scenarios.ts';
import { fromHex, toHex } from './hex.ts';

/** Header of a reply with its length, and the vector's count: what stands before its elements. */
const ELEMENTS_AT = 24;
const MAX_DIFFERENCE_CHARS = 400;

export class GoldenComparison {
  readonly #profile: GoldenProfile;
  readonly #values = new Map<string, string>();

  constructor(profile: GoldenProfile) {
    this.#profile = profile;
  }

  /** What to send, as the bytes recorded with bound variables filled in; a string says what is missing. */
  request(step: GoldenStep): Uint8Array | string {
    let hex = step.send ?? '';
    for (const range of step.sendVars ?? []) {
      const value = range.var === undefined ? undefined : this.#values.get(range.var);
      if (value === undefined) return `variable ${range.var ?? '(no name)'} is not bound`;
      hex = hex.slice(0, range.at * 2) + value + hex.slice((range.at + range.len) * 2);
    }
    return fromHex(hex);
  }

  /** Compares the frame at `index` of the step; undefined: no difference. */
  frame(step: GoldenStep, index: number, bytes: Uint8Array): string | undefined {
    const expected = step.expect[index];
    if (expected === undefined) return `unexpected frame ${shorten(toHex(bytes))}`;
    const ranges = step.volatile[index] ?? [];
    const actual = toHex(bytes);
    if (normalise(mask(actual, ranges), step) !== normalise(mask(expected, ranges), step)) {
      return `expected ${shorten(mask(expected, ranges))} but got ${shorten(mask(actual, ranges))}`;
    }
    for (const range of ranges) {
      const problem = this.#bind(range, slice(actual, range), actual, ranges);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #bind(
    range: VolatileRange,
    value: string,
    frame: string,
    ranges: readonly VolatileRange[],
  ): string | undefined {
    if (range.type === 'eventZxid') return this.#checkEventZxid(value);
    if (range.type === 'pw') {
      const sid = ranges.find((other) => other.type === 'sid');
      if (sid !== undefined && value !== passwordOf(slice(frame, sid))) {
        return `password ${value} does not belong to session ${slice(frame, sid)}`;
      }
    }
    if (range.var === undefined) return undefined;
    const bound = this.#values.get(range.var);
    if (bound !== undefined) {
      return bound === value ? undefined : `${range.var} was ${bound} and is now ${value}`;
    }
    this.#values.set(range.var, value);
    return range.type === 'zxid' ? this.#checkOrder(range.var, BigInt(`0x${value}`)) : undefined;
  }

  #checkOrder(name: string, zxid: bigint): string | undefined {
    const rank = Number(name.slice(1));
    for (const [other, hex] of this.#values) {
      if (!/^z\d+$/.test(other) || other === name) continue;
      const isBefore = Number(other.slice(1)) < rank;
      const otherZxid = BigInt(`0x${hex}`);
      if (isBefore ? otherZxid >= zxid : otherZxid <= zxid) {
        return `${name} = ${zxid} is not in order with ${other} = ${otherZxid}`;
      }
    }
    return undefined;
  }

  /** Up to 3.8 a notification's header has no zxid, from 3.9 on that of the transaction. */
  #checkEventZxid(value: string): string | undefined {
    const isNone = value === 'ffffffffffffffff';
    if (isNone === (this.#profile === '3.8')) return undefined;
    return `notification with zxid ${value}`;
  }
}

/** The 16 bytes of `java.util.Random(sessionId ^ 0xB3415C00).nextBytes`, in hex. */
function passwordOf(sessionId: string): string {
  const mask48 = (1n << 48n) - 1n;
  let seed = (BigInt(`0x${sessionId}`) ^ 0xb3415c00n ^ 0x5deece66dn) & mask48;
  let hex = '';
  for (let word = 0; word < 4; word++) {
    seed = (seed * 0x5deece66dn + 0xbn) & mask48;
    const digits = ((seed >> 16n) & 0xffffffffn).toString(16).padStart(8, '0');
    hex += digits.slice(6) + digits.slice(4, 6) + digits.slice(2, 4) + digits.slice(0, 2);
  }
  return hex;
}

function slice(hex: string, range: VolatileRange): string {
  return hex.slice(range.at * 2, (range.at + range.len) * 2);
}

/** Dots where bytes are volatile. */
function mask(hex: string, ranges: readonly VolatileRange[]): string {
  let masked = hex;
  for (const range of ranges) {
    const end = (range.at + range.len) * 2;
    if (end <= masked.length) {
      masked = masked.slice(0, range.at * 2) + '.'.repeat(range.len * 2) + masked.slice(end);
    }
  }
  return masked;
}

/** Sorts the elements of a vector of strings, or of records of strings, whose order means nothing. */
function normalise(hex: string, step: GoldenStep): string {
  if (step.unordered !== true) return hex;
  const count = Number.parseInt(hex.slice((ELEMENTS_AT - 4) * 2, ELEMENTS_AT * 2), 16);
  const strings: string[] = [];
  for (let at = ELEMENTS_AT * 2; at < hex.length; ) {
    const end = at + 8 + Number.parseInt(hex.slice(at, at + 8), 16) * 2;
    if (!(end > at && end <= hex.length)) return hex;
    strings.push(hex.slice(at, end));
    at = end;
  }
  const perElement = strings.length / count;
  if (!Number.isInteger(perElement) || perElement === 0) return hex;
  const elements: string[] = [];
  for (let i = 0; i < strings.length; i += perElement) {
    elements.push(strings.slice(i, i + perElement).join(''));
  }
  return hex.slice(0, ELEMENTS_AT * 2) + elements.sort().join('');
}

function shorten(hex: string): string {
  return hex.length <= MAX_DIFFERENCE_CHARS ? hex : `${hex.slice(0, MAX_DIFFERENCE_CHARS)}...`;
}
