/**
 * How a voter that lost its data comes to count again, and how one that lost it unawares is found
 * out: a leader remembers what each voter vouched for.
 */

import type { Epoch, ServerId, Zxid } from '../base/ids.ts';
import type { Followers } from './followers.ts';
import type { LeaderPings } from './leader-pings.ts';
import { MessageType } from './messages.ts';
import type { Progress } from './progress.ts';
import type { ZabState } from './zab-state.ts';

/** What a voter vouched for to this leader: its promise of the epoch, and everything up to a zxid. */
interface Word {
  readonly incarnation: string;
  readonly epoch: Epoch;
  readonly zxid: Zxid;
}

export class Readmission {
  readonly #state: ZabState;
  readonly #followers: Followers;
  readonly #pings: LeaderPings;
  readonly #words = new Map<ServerId, Word>();

  constructor(state: ZabState, followers: Followers, pings: LeaderPings) {
    this.#state = state;
    this.#followers = followers;
    this.#pings = pings;
  }

  /** Everything up to a zxid is durable at the learner, and so is its promise of the epoch. */
  vouched({ sid, incarnation }: Progress, epoch: Epoch, zxid: Zxid): void {
    this.#words.set(sid, { incarnation, epoch, zxid });
  }

  /** A learner that says itself that its data is gone is bound by nothing it said before. */
  welcome(learner: Progress): void {
    this.#words.delete(learner.sid);
    learner.awaitedPing = this.#pings.askNext();
    this.#state.trace('recoveringLearner', { sid: learner.sid });
  }

  /**
   * Whether a learner that holds all that this leader has may serve, and count from its next
   * connection on. One that lost its data may when a majority without it was seen to follow this
   * leader after it came: only then can nobody be about to lead a later epoch on the strength of
   * what it promised and has forgotten.
   */
  mayComeIn(learner: Progress): boolean {
    if (!learner.isRecovering) return true;
    return this.#followers.isQuorum(
      (other) => other.hasAckedNewLeader && other.pongSequence >= learner.awaitedPing,
    );
  }

  /**
   * Whether a voter comes back with less than it vouched for: its disk went back in time, by a
   * restored backup or a lost write, or another disk took its place, and it has not noticed. It is
   * told, and will come again as one that lost its data.
   */
  isBehindItsWord(
    learner: Progress,
    { acceptedEpoch, lastZxid }: { readonly acceptedEpoch?: Epoch; readonly lastZxid?: Zxid },
  ): boolean {
    const word = this.#words.get(learner.sid);
    if (word === undefined || !learner.isCounted) return false;
    const isKept =
      word.incarnation === learner.incarnation &&
      (acceptedEpoch ?? word.epoch) >= word.epoch &&
      (lastZxid ?? word.zxid) >= word.zxid;
    if (isKept) return false;
    this.#state.trace('behindItsWord', { sid: learner.sid, zxid: word.zxid });
    this.#state.send(learner.link, { type: MessageType.recover });
    return true;
  }
}
