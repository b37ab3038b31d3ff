/**
 * What has been true once and has to stay true: the committed history, and who claimed which epoch
 * with which history. Part of a world's state, by number.
 */

import { epochOfLabel, type Facts, showLabel } from './facts.ts';

interface Claim {
  readonly epoch: number;
  readonly sid: number;
  /** The history that the leader began the epoch with. */
  readonly initial: readonly number[];
}

interface Record {
  /** All that any server applied: a client may have been told of it. */
  readonly committed: readonly number[];
  readonly claims: readonly Claim[];
}

/** The record after a step, and what the step violated. */
export interface Entered {
  readonly record: number;
  readonly violation: string | undefined;
}

const STATES_MAX = 2 ** 30;

export class Chronicle {
  readonly #numbers = new Map<string, number>();
  readonly #records: Record[] = [];
  readonly #entered = new Map<number, Entered>();
  readonly empty: number;

  constructor() {
    this.empty = this.#numberOf({ committed: [], claims: [] });
  }

  get(number: number): Record {
    const record = this.#records[number];
    if (record === undefined) throw new RangeError(`no record ${number}`);
    return record;
  }

  /** Holds a server's new state against the record, and adds what is new. */
  enter(number: number, sid: number, state: number, facts: Facts): Entered {
    const key = number * STATES_MAX + state;
    let entered = this.#entered.get(key);
    if (entered === undefined) {
      entered = this.#enter(number, sid, facts);
      this.#entered.set(key, entered);
    }
    return entered;
  }

  #enter(number: number, sid: number, facts: Facts): Entered {
    const before = this.get(number);
    const after = withClaim(withApplied(before, facts), sid, facts);
    const violation = contradiction(after, sid, facts);
    return { record: after === before ? number : this.#numberOf(after), violation };
  }

  #numberOf(record: Record): number {
    const text = JSON.stringify(record);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#records.length;
      this.#numbers.set(text, number);
      this.#records.push(record);
    }
    return number;
  }
}

export function startsWith(history: readonly number[], prefix: readonly number[]): boolean {
  return prefix.every((entry, i) => history[i] === entry);
}

function withApplied(record: Record, { history, appliedCount }: Facts): Record {
  if (appliedCount <= record.committed.length) return record;
  const applied = history.slice(0, appliedCount);
  return startsWith(applied, record.committed) ? { ...record, committed: applied } : record;
}

function withClaim(record: Record, sid: number, { claimedEpoch, history }: Facts): Record {
  if (claimedEpoch === 0) return record;
  if (record.claims.some(({ epoch }) => epoch === claimedEpoch)) return record;
  const claim = { epoch: claimedEpoch, sid, initial: history };
  return { ...record, claims: [...record.claims, claim] };
}

function contradiction(
  { committed, claims }: Record,
  sid: number,
  facts: Facts,
): string | undefined {
  const { history, appliedCount, claimedEpoch, currentEpoch, servingEpoch, canPropose } = facts;
  const own = claims.find(({ epoch }) => epoch === currentEpoch);
  if (own !== undefined && !startsWith(history, own.initial)) {
    return `INV-6: server ${sid} has epoch ${currentEpoch} on disk without its initial history`;
  }
  if (!facts.isUp) return undefined;
  const applied = history.slice(0, appliedCount);
  if (!startsWith(committed, applied)) {
    const wrong = applied.find((entry, i) => committed[i] !== entry) ?? 0;
    return `INV-12: server ${sid} applied ${showLabel(wrong)}, which is not what was committed`;
  }
  const rival = claims.find((claim) => claim.epoch === claimedEpoch && claim.sid !== sid);
  if (rival !== undefined) {
    return `INV-11: servers ${rival.sid} and ${sid} both lead in epoch ${claimedEpoch}`;
  }
  const older = committed.filter((entry) => epochOfLabel(entry) < claimedEpoch);
  if (canPropose && !startsWith(history, older)) {
    return `INV-10, INV-13: server ${sid} leads epoch ${claimedEpoch} without an acknowledged write`;
  }
  const served = claims.find(({ epoch }) => epoch === servingEpoch);
  if (served !== undefined && !startsWith(applied, served.initial)) {
    return `INV-3: server ${sid} serves in epoch ${servingEpoch} without having applied what it began with`;
  }
  return undefined;
}
