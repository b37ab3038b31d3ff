/**
 * Counts of latencies in log-linear buckets: exact below 256 µs, 128 buckets to each power of two
 * above, so that a bucket's middle is never more than 0.4 % away from what was recorded.
 */

import { invariant } from '../base/assert.ts';

const EXACT = 256;
const PER_OCTAVE = 128;
const OCTAVES = 23;
/** The longest latency told apart from longer ones: 2^31 - 1 µs, more than half an hour. */
const LAST_US = 0x7fff_ffff;

export class Histogram {
  readonly #counts = new Float64Array(EXACT + OCTAVES * PER_OCTAVE);
  #total = 0;
  #maxUs = 0;

  /** Values recorded. */
  get total(): number {
    return this.#total;
  }

  /** The greatest value recorded, exactly. */
  get maxUs(): number {
    return this.#maxUs;
  }

  /** Microseconds, not negative; fractions are cut off. */
  record(us: number): void {
    const index = bucketOf(us);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
    if (us > this.#maxUs) this.#maxUs = us;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#maxUs = 0;
  }

  /** The least value that so great a part (0 to 1) of all values does not exceed; 0 when empty. */
  quantileUs(part: number): number {
    invariant(part >= 0 && part <= 1, 'quantile out of range');
    const rank = Math.max(1, Math.ceil(part * this.#total));
    let seen = 0;
    for (let index = 0; index < this.#counts.length; index++) {
      seen += this.#counts[index] ?? 0;
      if (seen >= rank) return Math.min(middleOf(index), this.#maxUs);
    }
    return this.#maxUs;
  }
}

/** The quantiles that a report keeps, by their name. */
export interface Latencies {
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly p9999Us: number;
  readonly maxUs: number;
}

export function latenciesOf(histogram: Histogram): Latencies {
  return {
    p50Us: histogram.quantileUs(0.5),
    p90Us: histogram.quantileUs(0.9),
    p99Us: histogram.quantileUs(0.99),
    p999Us: histogram.quantileUs(0.999),
    p9999Us: histogram.quantileUs(0.9999),
    maxUs: histogram.maxUs,
  };
}

function bucketOf(us: number): number {
  const value = Math.min(Math.max(Math.floor(us), 0), LAST_US);
  if (value < EXACT) return value;
  const shift = 24 - Math.clz32(value);
  return EXACT + (shift - 1) * PER_OCTAVE + (value >>> shift) - PER_OCTAVE;
}

function middleOf(index: number): number {
  if (index < EXACT) return index;
  const octave = Math.floor((index - EXACT) / PER_OCTAVE);
  const width = 2 ** (octave + 1);
  return (((index - EXACT) % PER_OCTAVE) + PER_OCTAVE) * width + width / 2;
}
