/**
 * A leader's pings, and what their answers prove: a quorum that answered a ping followed this leader
 * at that moment. That makes `sync` honest: a leader that was deposed unawares cannot confirm it.
 */

import type { Zxid } from '../base/ids.ts';

interface Barrier {
  readonly token: number;
  readonly zxid: Zxid;
  /** Confirmed by a quorum of answers to this ping or a later one. */
  readonly sequence: number;
}

/** A barrier that is confirmed: its answer holds once `zxid` is applied. */
export type ConfirmedBarrier = Pick<Barrier, 'token' | 'zxid'>;

export class LeaderPings {
  readonly #intervalMs: number;
  #dueMs: number;
  #isAskedFor = false;
  #sequence = 0;
  #barriers: Barrier[] = [];

  constructor(intervalMs: number, nowMs: number) {
    this.#intervalMs = intervalMs;
    this.#dueMs = nowMs;
  }

  tick(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    this.#isAskedFor = true;
    this.#dueMs = nowMs + this.#intervalMs;
  }

  /** Wants leadership confirmed after this moment; pings at the end of the turn. */
  ask(token: number, zxid: Zxid): void {
    this.#isAskedFor = true;
    this.#barriers.push({ token, zxid, sequence: this.#sequence + 1 });
  }

  /** Wants a ping sent after this moment, and says its number. */
  askNext(): number {
    this.#isAskedFor = true;
    return this.#sequence + 1;
  }

  /** The number of the ping to be sent at the end of this turn, if one is due. */
  next(): number | undefined {
    if (!this.#isAskedFor) return undefined;
    this.#isAskedFor = false;
    return ++this.#sequence;
  }

  /** Barriers whose ping was sent and, as the predicate says of its number, answered by a quorum. */
  confirmed(isAnswered: (sequence: number) => boolean): ConfirmedBarrier[] {
    const done: ConfirmedBarrier[] = [];
    for (let first = this.#barriers[0]; first !== undefined; first = this.#barriers[0]) {
      if (first.sequence > this.#sequence || !isAnswered(first.sequence)) break;
      done.push(first);
      this.#barriers.shift();
    }
    return done;
  }
}
