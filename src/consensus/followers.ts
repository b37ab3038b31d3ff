/**
 * The learners of one leader, and which of them count. A voter counts while its disk holds what it
 * vouched for; one that lost its data is a learner like an observer until it was let in again.
 */

import { type Epoch, type ServerId, ZXID_NONE, type Zxid, zxidEpoch } from '../base/ids.ts';
import type { LinkId } from './effects.ts';
import { Progress } from './progress.ts';
import type { ZabState } from './zab-state.ts';

export class Followers {
  readonly byLink = new Map<LinkId, Progress>();
  readonly #state: ZabState;

  constructor(state: ZabState) {
    this.#state = state;
  }

  get all(): Iterable<Progress> {
    return this.byLink.values();
  }

  /** The log after this zxid is still to be sent to learners that catch up; undefined when to none. */
  get awaitedAfter(): Zxid | undefined {
    let after: Zxid | undefined;
    for (const { phase, sentZxid } of this.all) {
      if (phase !== 'snapshot' && phase !== 'catchingUp') continue;
      if (after === undefined || sentZxid < after) after = sentZxid;
    }
    return after;
  }

  connected(link: LinkId, sid: ServerId, incarnation: string): void {
    for (const other of this.all) {
      // A learner that comes back has given its old connection up, whatever TCP still believes.
      if (other.sid === sid) this.drop(other, 'the learner connected again');
    }
    const { quorum, nowMs } = this.#state;
    this.byLink.set(link, new Progress(link, { sid, incarnation }, quorum.isVoter(sid), nowMs));
  }

  drop(learner: Progress, reason: string): void {
    this.byLink.delete(learner.link);
    this.#state.close(learner.link, reason);
  }

  dropAll(reason: string): void {
    for (const learner of this.all) this.#state.close(learner.link, reason);
    this.byLink.clear();
  }

  /** True when this server and the learners that count and satisfy the predicate are a quorum. */
  isQuorum(has: (learner: Progress) => boolean): boolean {
    const { quorum, sid } = this.#state;
    const found = new Set<ServerId>([sid]);
    for (const learner of this.all) if (learner.isCounted && has(learner)) found.add(learner.sid);
    return quorum.contains((voter) => found.has(voter));
  }

  /** What a voter has durably of this leadership, as far as it counts. */
  ackedBy(sid: ServerId): Zxid {
    for (const learner of this.all) {
      if (learner.sid !== sid || !learner.isCounted) continue;
      if (learner.hasAckedNewLeader) return learner.ackedZxid;
    }
    return ZXID_NONE;
  }

  /** Ends the connections of those that say nothing, or acknowledge nothing. */
  dropSilent(): void {
    const { nowMs, config } = this.#state;
    for (const learner of [...this.all]) {
      if (nowMs - learner.lastHeardMs > config.timings.peerTimeoutMs) this.drop(learner, 'silent');
      else if (this.#isStuck(learner)) this.drop(learner, 'acknowledges nothing');
    }
  }

  isWaitedFor(learner: Progress, epoch: Epoch | undefined): boolean {
    if (!learner.hasAckedNewLeader) return true;
    // The initial history is acknowledged by NEWLEADER's ack; only this epoch's proposals count.
    const hasOutstanding = zxidEpoch(learner.sentZxid) === epoch;
    return learner.isVoter && learner.ackedZxid < learner.sentZxid && hasOutstanding;
  }

  #isStuck({ hasAckedNewLeader, waitingSinceMs }: Progress): boolean {
    const { nowMs, config } = this.#state;
    const { syncTimeoutMs, initTimeoutMs } = config.timings;
    const limitMs = hasAckedNewLeader ? syncTimeoutMs : initTimeoutMs;
    return waitingSinceMs !== undefined && nowMs - waitingSinceMs > limitMs;
  }
}
