/**
 * Syncs on their way: first the leader has to confirm that it leads, then what it had proposed by
 * then has to be applied here. On the leader those of its learners wait for the first part, too.
 */

import type { ClientSync } from '../api/backend.ts';
import type { Zxid } from '../base/ids.ts';
import type { LinkId } from '../consensus/effects.ts';

/** A sync of a learner's client, under the learner's own number. */
export interface LearnerSync {
  readonly link: LinkId;
  readonly token: number;
}

interface Waiting {
  readonly zxid: Zxid;
  readonly sync: ClientSync;
}

export class SyncDesk {
  /** Syncs whose freshness is being asked for, by the numbers given out here. */
  readonly #asked = new Map<number, ClientSync | LearnerSync>();
  /** Syncs whose zxid is known and not yet applied, ascending. */
  #waiting: Waiting[] = [];
  #nextToken = 1;

  /** The number under which the answer will come. */
  add(sync: ClientSync | LearnerSync): number {
    const token = this.#nextToken++;
    this.#asked.set(token, sync);
    return token;
  }

  /**
   * The leader confirmed its leadership: the sync is over once `zxid` is applied. Returns a learner's
   * sync, which goes on there.
   */
  confirmed(token: number, zxid: Zxid, applied: Zxid): LearnerSync | undefined {
    const sync = this.#asked.get(token);
    this.#asked.delete(token);
    if (sync === undefined) return undefined;
    if ('link' in sync) return sync;
    if (applied >= zxid) sync.completed();
    else this.#waiting.push({ zxid, sync });
    return undefined;
  }

  applied(zxid: Zxid): void {
    while (this.#waiting[0] !== undefined && this.#waiting[0].zxid <= zxid) {
      this.#waiting.shift()?.sync.completed();
    }
  }

  /** Forgets everything, and returns the syncs of this server's clients. */
  takeAll(): ClientSync[] {
    const syncs = this.#waiting.map((waiting) => waiting.sync);
    for (const sync of this.#asked.values()) if ('dropped' in sync) syncs.push(sync);
    this.#asked.clear();
    this.#waiting = [];
    return syncs;
  }
}
