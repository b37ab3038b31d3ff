/** Which sets of servers may decide. The only place that knows; weights and groups would fit here. */

import { invariant } from '../base/assert.ts';
import { type ServerId, ZXID_NONE, type Zxid } from '../base/ids.ts';

export class Quorum {
  readonly #voters: readonly ServerId[];

  constructor(voters: readonly ServerId[]) {
    invariant(voters.length > 0, 'a quorum needs voters');
    invariant(new Set(voters).size === voters.length, 'a voter is listed twice');
    this.#voters = voters;
  }

  get voters(): readonly ServerId[] {
    return this.#voters;
  }

  isVoter(sid: ServerId): boolean {
    return this.#voters.includes(sid);
  }

  /** True when the voters that satisfy the predicate are a majority. */
  contains(has: (sid: ServerId) => boolean): boolean {
    let count = 0;
    for (const sid of this.#voters) if (has(sid)) count++;
    return count * 2 > this.#voters.length;
  }

  /** The largest zxid that a quorum has reached. */
  reached(zxidOf: (sid: ServerId) => Zxid): Zxid {
    let best: Zxid = ZXID_NONE;
    for (const candidate of this.#voters) {
      const zxid = zxidOf(candidate);
      if (zxid > best && this.contains((sid) => zxidOf(sid) >= zxid)) best = zxid;
    }
    return best;
  }
}
