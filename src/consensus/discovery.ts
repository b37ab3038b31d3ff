/**
 * How an elected server comes to own an epoch: it gathers promises from a quorum, and claims the
 * epoch with its own history. Numbers in comments are the steps of ZAB's establishment of a leader.
 */

import { invariant } from '../base/assert.ts';
import { EPOCH_MAX, type Epoch, makeEpoch } from '../base/ids.ts';
import type { Followers } from './followers.ts';
import type { LeaderPings } from './leader-pings.ts';
import { MessageType } from './messages.ts';
import type { Progress } from './progress.ts';
import type { ZabState } from './zab-state.ts';

/**
 * gathering: too few learners have come. promising: our own promise is on its way to the disk.
 * asking: learners are asked for theirs. claiming: the claim is on its way. done: it is durable.
 */
type Phase = 'gathering' | 'promising' | 'asking' | 'claiming' | 'done';

export class Discovery {
  readonly #state: ZabState;
  readonly #followers: Followers;
  readonly #pings: LeaderPings;
  #phase: Phase = 'gathering';
  #epoch: Epoch | undefined;
  #awaitedWrite: number | undefined;
  /** A promise counts when its giver has answered this ping, sent after the last promise came. */
  #claimPing = 0;
  /** When a voter first said that it had promised the epoch before. */
  #refusedMs: number | undefined;

  constructor(state: ZabState, followers: Followers, pings: LeaderPings) {
    this.#state = state;
    this.#followers = followers;
    this.#pings = pings;
    this.#tryNewEpoch();
  }

  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  get isDone(): boolean {
    return this.#phase === 'done';
  }

  /**
   * A voter has promised this epoch to another, or to nobody it remembers, and those who promise it
   * to this server are not a quorum soon. To wait for more would take until initLimit.
   */
  get isRefused(): boolean {
    const { nowMs, config } = this.#state;
    if (this.#phase !== 'asking' || this.#refusedMs === undefined) return false;
    return nowMs - this.#refusedMs >= config.timings.finalizeMs;
  }

  /** FOLLOWERINFO or OBSERVERINFO came. */
  informed(learner: Progress): void {
    if (this.#phase === 'gathering') this.#tryNewEpoch();
    else if (this.#phase !== 'promising') this.#sendLeaderInfo(learner);
  }

  /** (5) ACKEPOCH came. False when the learner holds a newer history: then this server must not lead. */
  promised(learner: Progress): boolean {
    if (this.#phase !== 'asking') return true;
    if (learner.isCounted && this.#isNewer(learner)) return false;
    if (learner.isCounted && !learner.isPromiseCounted) this.#refusedMs ??= this.#state.nowMs;
    this.#claimPing = this.#pings.askNext();
    this.tryClaim();
    return true;
  }

  persisted(): void {
    const awaited = this.#awaitedWrite;
    if (awaited === undefined || this.#state.persistedId < awaited) return;
    this.#awaitedWrite = undefined;
    if (this.#phase === 'promising') this.#askForPromises();
    else if (this.#phase === 'claiming') this.#phase = 'done';
  }

  /**
   * (5, 6) A quorum has promised: our history is the initial history of the epoch. Each of them must
   * be there after the last one's promise. Otherwise:
   *
   * 1. A promises us, vanishes, loses its disk, and with it the promise.
   * 2. A majority that follows another leader, of an earlier epoch, lets A in again; then one of
   *    them leaves it for us, and its promise makes us a quorum with that of the A that was.
   * 3. The other leader commits with the A that is now, and we claim the epoch without what it
   *    committed.
   *
   * In 2 a majority without A was there after A had lost its disk (see readmission.ts). One of it is
   * among those who promised us, and promised later; so the A that was cannot answer our ping.
   */
  tryClaim(): void {
    if (this.#phase !== 'asking') return;
    const isHere = (learner: Progress): boolean =>
      learner.isPromiseCounted && learner.pongSequence >= this.#claimPing;
    if (!this.#followers.isQuorum(isHere)) return;
    const { clusterId, config } = this.#state;
    invariant(this.#epoch !== undefined, 'claim without an epoch');
    this.#phase = 'claiming';
    this.#awaitedWrite = this.#state.persist({
      currentEpoch: this.#epoch,
      clusterId: clusterId === '' ? config.freshClusterId : clusterId,
    });
  }

  /** (2) The new epoch is one more than any that a quorum has accepted. */
  #tryNewEpoch(): void {
    if (!this.#followers.isQuorum((learner) => learner.acceptedEpoch !== undefined)) return;
    let highest: number = this.#state.acceptedEpoch;
    for (const { acceptedEpoch } of this.#followers.all) {
      highest = Math.max(highest, acceptedEpoch ?? 0);
    }
    if (highest >= EPOCH_MAX) {
      this.#state.emit({ kind: 'fatal', reason: 'the ensemble has used up its epochs' });
      return;
    }
    this.#epoch = makeEpoch(highest + 1);
    this.#phase = 'promising';
    this.#awaitedWrite = this.#state.persist({ acceptedEpoch: this.#epoch });
  }

  /** (3) Our own promise is durable: others may be asked for theirs. */
  #askForPromises(): void {
    this.#phase = 'asking';
    this.#state.promisedTo = this.#state.sid;
    for (const learner of this.#followers.all) {
      if (learner.phase === 'informed') this.#sendLeaderInfo(learner);
    }
    this.tryClaim();
  }

  #sendLeaderInfo(learner: Progress): void {
    const epoch = this.#epoch;
    invariant(epoch !== undefined, 'LEADERINFO without an epoch');
    this.#state.send(learner.link, { type: MessageType.leaderInfo, epoch });
  }

  #isNewer(learner: Progress): boolean {
    const { currentEpoch, history } = this.#state;
    if (learner.currentEpoch === undefined) return false;
    if (learner.currentEpoch !== currentEpoch) return learner.currentEpoch > currentEpoch;
    return learner.lastZxid > history.last;
  }
}
