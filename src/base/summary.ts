/**
 * Distributions of whole numbers, mostly milliseconds, in the shape in which the original reports
 * them: average, least, greatest, count and sum; those that carry percentiles keep them to about
 * three hundredths of their value in a table of fixed size.
 */

/** Where a summary's values go, by name. */
export type MetricSink = (name: string, value: number) => void;

export class Summary {
  #count = 0;
  #sum = 0;
  #min = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  get max(): number {
    return this.#max;
  }

  /** `value`: not negative; fractions are rounded. */
  record(value: number): void {
    const whole = Math.max(0, Math.round(value));
    if (this.#count === 0 || whole < this.#min) this.#min = whole;
    if (whole > this.#max) this.#max = whole;
    this.#sum += whole;
    this.#count += 1;
  }

  report(name: string, sink: MetricSink): void {
    sink(`avg_${name}`, this.#count === 0 ? 0 : this.#sum / this.#count);
    sink(`min_${name}`, this.#min);
    sink(`max_${name}`, this.#max);
    sink(`cnt_${name}`, this.#count);
    sink(`sum_${name}`, this.#sum);
  }
}

/** Below it every value has a place of its own; above, each power of two has half as many. */
const EXACT = 64;
const PER_OCTAVE = EXACT / 2;
const EXACT_BITS = 6;
const VALUE_MAX = 0x7fff_ffff;
const PLACES = EXACT + (31 - EXACT_BITS) * PER_OCTAVE;
const PERCENTILES = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p999', 0.999],
] as const;

export class PercentileSummary {
  readonly #summary = new Summary();
  readonly #counts = new Float64Array(PLACES);

  get count(): number {
    return this.#summary.count;
  }

  /** As `Summary.record`: O(1), nothing is allocated. */
  record(value: number): void {
    this.#summary.record(value);
    const place = placeOf(Math.min(Math.max(0, Math.round(value)), VALUE_MAX));
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
  }

  /** The value that the given share of all does not exceed, rounded up as the table does. */
  percentile(share: number): number {
    const wanted = Math.ceil(share * this.count);
    let seen = 0;
    for (let place = 0; place < PLACES; place++) {
      seen += this.#counts[place] ?? 0;
      if (seen >= wanted && seen > 0) return Math.min(greatestOf(place), this.#summary.max);
    }
    return 0;
  }

  report(name: string, sink: MetricSink): void {
    this.#summary.report(name, sink);
    for (const [prefix, share] of PERCENTILES) sink(`${prefix}_${name}`, this.percentile(share));
  }
}

function placeOf(value: number): number {
  if (value < EXACT) return value;
  const octave = 31 - Math.clz32(value);
  const within = (value >> (octave - EXACT_BITS + 1)) - PER_OCTAVE;
  return EXACT + (octave - EXACT_BITS) * PER_OCTAVE + within;
}

/** The greatest value that has the place. */
function greatestOf(place: number): number {
  if (place < EXACT) return place;
  const octave = Math.floor((place - EXACT) / PER_OCTAVE) + EXACT_BITS;
  const within = (place - EXACT) % PER_OCTAVE;
  const step = 2 ** (octave - EXACT_BITS + 1);
  return (PER_OCTAVE + within + 1) * step - 1;
}
