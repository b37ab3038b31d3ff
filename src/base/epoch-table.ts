/**
 * Which zxids of which epochs a history holds. Two histories that share an epoch are equal up to the
 * smaller of their last zxids in it, so two tables suffice to find where two servers' logs part.
 */

import { invariant } from './assert.ts';
import { type Epoch, follows, ZXID_NONE, type Zxid, zxidEpoch } from './ids.ts';

/** Last zxid that a history holds of one epoch. */
export interface EpochEnd {
  readonly epoch: Epoch;
  readonly last: Zxid;
}

export class EpochTable {
  #ends: EpochEnd[];

  constructor(ends: readonly EpochEnd[] = []) {
    this.#ends = [...ends];
    for (let i = 0; i < ends.length; i++) {
      const end = this.#ends[i];
      invariant(
        end !== undefined && zxidEpoch(end.last) === end.epoch,
        'epoch end of another epoch',
      );
      const previous = this.#ends[i - 1];
      invariant(previous === undefined || previous.epoch < end.epoch, 'epoch table not ascending');
    }
  }

  /** Ascending by epoch; a copy. */
  get ends(): EpochEnd[] {
    return [...this.#ends];
  }

  get last(): Zxid {
    return this.#ends.at(-1)?.last ?? ZXID_NONE;
  }

  append(zxid: Zxid): void {
    invariant(follows(this.last, zxid), 'append leaves a gap in the history');
    const epoch = zxidEpoch(zxid);
    const end: EpochEnd = { epoch, last: zxid };
    // In place: taking the last one off and putting another on makes a new array each time.
    if (this.#ends.at(-1)?.epoch === epoch) this.#ends[this.#ends.length - 1] = end;
    else this.#ends.push(end);
  }

  /** Forgets everything after the given zxid, which must be one this history holds, or 0. */
  truncateAfter(zxid: Zxid): void {
    const epoch = zxidEpoch(zxid);
    const kept = this.#ends.filter((end) => end.epoch < epoch);
    const cut = this.#ends.find((end) => end.epoch === epoch);
    if (zxid !== ZXID_NONE) {
      invariant(cut !== undefined && zxid <= cut.last, 'truncation point not in the history');
      kept.push({ epoch, last: zxid });
    }
    this.#ends = kept;
  }

  /** The same history cut after `zxid`. */
  upTo(zxid: Zxid): EpochTable {
    const table = new EpochTable(this.#ends);
    table.truncateAfter(zxid);
    return table;
  }

  /** True when the history reaches the zxid's epoch at least as far as the zxid (trimmed entries count). */
  holds(zxid: Zxid): boolean {
    if (zxid === ZXID_NONE) return true;
    const epoch = zxidEpoch(zxid);
    return this.#ends.some((end) => end.epoch === epoch && zxid <= end.last);
  }

  /** False only when the history is known not to hold it: of epochs before the table's nothing is known. */
  mayHold(zxid: Zxid): boolean {
    const first = this.#ends[0];
    return this.holds(zxid) || (first !== undefined && zxidEpoch(zxid) < first.epoch);
  }

  /** The last zxid both histories have in common; 0 when they share no epoch. */
  commonWith(other: EpochTable): Zxid {
    for (let i = this.#ends.length - 1; i >= 0; i--) {
      const mine = this.#ends[i];
      const theirs = mine && other.#ends.find((end) => end.epoch === mine.epoch);
      if (mine && theirs) return mine.last < theirs.last ? mine.last : theirs.last;
    }
    return ZXID_NONE;
  }
}
