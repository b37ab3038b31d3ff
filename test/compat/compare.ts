/**
 * Tells two transcripts of one program apart. Zxids and session ids are compared as pairs: what was
 * equal, or earlier, on one server must have been so on the other.
 */

import { OpCode } from '../../src/base/op-code.ts';
import type { Exchange } from './driver.ts';
import { explain, type Pair } from './known-differences.ts';
import { opName } from './request.ts';
import type { Event } from './transcript.ts';

/** A difference that no rule explains. */
export interface Difference extends Pair {
  readonly problem: string;
}

export class Comparison {
  /** How often each known difference was seen, by its id. */
  readonly seen = new Map<string, number>();
  /** How many requests of each operation succeeded and failed, by its name. */
  readonly asked = new Map<string, { ok: number; failed: number }>();
  /** Notifications compared. */
  eventCount = 0;
  readonly #zxids = new Pairing(true);
  readonly #sessions = new Pairing(false);

  /** The differences of one step, all of them. */
  step(original: readonly Exchange[], ours: readonly Exchange[]): Difference[] {
    // Which of a closing session's nodes goes first is a matter of hash order.
    const anyOrder = original.some(({ asked }) => asked?.type === OpCode.closeSession);
    const differences: Difference[] = [];
    for (let at = 0; at < Math.max(original.length, ours.length); at++) {
      const pair = { original: original[at] ?? NO_EXCHANGE, ours: ours[at] ?? NO_EXCHANGE };
      const problem = this.#exchange(pair, anyOrder);
      if (problem !== undefined) differences.push({ ...pair, problem });
    }
    return differences;
  }

  #exchange(pair: Pair, anyOrder: boolean): string | undefined {
    const { original, ours } = pair;
    if (original.connection !== ours.connection || original.asked !== ours.asked) {
      return 'out of step';
    }
    this.#count(original);
    return this.#events(original, ours, anyOrder) ?? this.#outcome(pair);
  }

  #count({ asked, outcome, events }: Exchange): void {
    this.eventCount += events.length;
    if (asked === undefined) return;
    const name = opName(asked.type);
    const counts = this.asked.get(name) ?? { ok: 0, failed: 0 };
    // A multi that fails is a reply without an error, full of errors.
    const isOk = outcome.error === 0 && !/\n {4}-1 0 /.test(outcome.text);
    counts[isOk ? 'ok' : 'failed'] += 1;
    this.asked.set(name, counts);
  }

  #outcome(pair: Pair): string | undefined {
    const { outcome: first } = pair.original;
    const { outcome: second } = pair.ours;
    const isSame =
      first.text === second.text &&
      this.#sessions.areAlike(first.sessions, second.sessions) &&
      this.#zxids.areAlike(first.zxids, second.zxids);
    if (isSame) {
      this.#sessions.bind(first.sessions, second.sessions);
      this.#zxids.bind(first.zxids, second.zxids);
      return undefined;
    }
    const known = explain(pair);
    if (known === undefined) {
      return first.text === second.text ? 'other zxids or sessions' : 'another reply';
    }
    this.#note(known.id);
    // Both servers are where these zxids say, whichever of them took one more.
    if (first.zxid > 0n && second.zxid > 0n) this.#zxids.alias(first.zxid, second.zxid);
    return undefined;
  }

  #events(original: Exchange, ours: Exchange, anyOrder: boolean): string | undefined {
    const first = texts(original.events, anyOrder);
    const second = texts(ours.events, anyOrder);
    if (first.join('\n') !== second.join('\n')) return 'other events';
    for (const [at, event] of ours.events.entries()) {
      if (event.zxid === -1n) continue;
      if (original.events[at]?.zxid !== -1n) return 'other zxid of an event';
      if (event.zxid <= 0n || event.zxid > ours.outcome.zxid)
        return 'zxid of an event out of order';
      this.#note('event-zxid');
    }
    return undefined;
  }

  #note(id: string): void {
    this.seen.set(id, (this.seen.get(id) ?? 0) + 1);
  }
}

/** Numbers of one server and what they are on the other. */
class Pairing {
  /** New numbers are greater than all before, on both servers. */
  readonly #ascends: boolean;
  #greatest = 0n;
  #greatestOwn = 0n;
  readonly #ours = new Map<bigint, bigint>();
  readonly #originals = new Map<bigint, bigint>();

  constructor(ascends: boolean) {
    this.#ascends = ascends;
  }

  areAlike(originals: readonly bigint[], ours: readonly bigint[]): boolean {
    if (originals.length !== ours.length) return false;
    for (const [at, original] of originals.entries()) {
      const own = ours[at] ?? 0n;
      const isBound = this.#ours.get(original) === own || this.#originals.get(own) === original;
      const isNew = !this.#ours.has(original) && !this.#originals.has(own);
      if (!isBound && !isNew) return false;
      const isGreater = original > this.#greatest && own > this.#greatestOwn;
      if (isNew && this.#ascends && !isGreater) return false;
      if (isNew && originals.some((other, i) => isMixedUp(other, original, ours[i] ?? 0n, own))) {
        return false;
      }
    }
    return true;
  }

  bind(originals: readonly bigint[], ours: readonly bigint[]): void {
    for (const [at, original] of originals.entries()) this.alias(original, ours[at] ?? 0n);
  }

  alias(original: bigint, own: bigint): void {
    this.#ours.set(original, own);
    this.#originals.set(own, original);
    if (original > this.#greatest) this.#greatest = original;
    if (own > this.#greatestOwn) this.#greatestOwn = own;
  }
}

/** Two numbers are in one order here and in another there. */
function isMixedUp(original: bigint, other: bigint, own: bigint, otherOwn: bigint): boolean {
  return original < other !== own < otherOwn || (original === other) !== (own === otherOwn);
}

function texts(events: readonly Event[], anyOrder: boolean): string[] {
  const found = events.map((event) => event.text);
  return anyOrder ? found.sort() : found;
}

const NO_EXCHANGE: Exchange = {
  connection: -1,
  asked: undefined,
  events: [],
  outcome: { text: 'nothing', zxids: [], sessions: [], error: 0, zxid: 0n },
};
