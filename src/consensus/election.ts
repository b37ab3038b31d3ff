/**
 * Fast leader election: one attempt of a LOOKING server. Safety never rests on its outcome (epochs
 * and acknowledgements see to that); it only has to find the server with the best history, soon.
 *
 * Differences to the original, both for speed: when every voter that can be reached agrees, the
 * attempt ends without the waiting time, and the resend interval is capped at two seconds.
 */

import { makeEpoch, SERVER_NONE, type ServerId, ZXID_NONE } from '../base/ids.ts';
import { type Notification, PeerState, type Vote } from './messages.ts';
import type { ZabState } from './zab-state.ts';

/** Whether a peer's election port answers: decides for whose vote an attempt waits. */
export type Reachability = 'unknown' | 'up' | 'down';

export function isBetter(candidate: Vote, than: Vote): boolean {
  if (candidate.peerEpoch !== than.peerEpoch) return candidate.peerEpoch > than.peerEpoch;
  if (candidate.zxid !== than.zxid) return candidate.zxid > than.zxid;
  return candidate.leader > than.leader;
}

function isSameVote(a: Vote, b: Vote): boolean {
  return (
    a.leader === b.leader && a.zxid === b.zxid && a.peerEpoch === b.peerEpoch && a.round === b.round
  );
}

/** Members of a settled ensemble may differ in zxid and round; the leadership they follow is what counts. */
function isSameLeadership(a: Vote, b: Vote): boolean {
  return a.leader === b.leader && a.peerEpoch === b.peerEpoch;
}

function nobody(round: number): Vote {
  return { leader: SERVER_NONE, zxid: ZXID_NONE, peerEpoch: makeEpoch(0), round };
}

export class Election {
  readonly #state: ZabState;
  readonly #reachability: (sid: ServerId) => Reachability;
  #proposal: Vote;
  /** Votes of this round, own one included. */
  readonly #votes = new Map<ServerId, Vote>();
  /** What servers that follow or lead say, whatever their round. */
  readonly #settled = new Map<ServerId, Notification>();
  /** Voters that are there and do not vote in this attempt. */
  readonly #abstaining = new Set<ServerId>();
  #finalizeAtMs: number | undefined;
  #resendAtMs: number;
  #resendMs: number;
  #isStandingBack: boolean;

  /** Starts an attempt; `round` is one more than that of the last. */
  constructor(state: ZabState, round: number, reachability: (sid: ServerId) => Reachability) {
    this.#state = state;
    this.#reachability = reachability;
    this.#isStandingBack = !state.mayStand;
    this.#proposal = this.#ownVote(round);
    this.#resendMs = state.config.timings.resendMinMs;
    this.#resendAtMs = state.nowMs + this.#jittered(this.#resendMs);
    this.#adopt(this.#proposal);
  }

  get proposal(): Vote {
    return this.#proposal;
  }

  /** The elected vote, once there is one. */
  tick(): Vote | undefined {
    const now = this.#state.nowMs;
    if (this.#isStandingBack && this.#state.mayStand) this.#join();
    if (now >= this.#resendAtMs) {
      this.#broadcast();
      this.#resendMs = Math.min(this.#resendMs * 2, this.#state.config.timings.resendMaxMs);
      this.#resendAtMs = now + this.#jittered(this.#resendMs);
    }
    return this.#decide();
  }

  /** A peer can be reached (again): it may have missed our vote. */
  reached(sid: ServerId): void {
    this.#notify(sid);
  }

  receive(from: ServerId, notification: Notification): Vote | undefined {
    const { state, vote } = notification;
    if (!this.#state.quorum.isVoter(from)) {
      if (state === PeerState.looking) this.#notify(from);
      return undefined;
    }
    if (vote.leader === SERVER_NONE) return this.#receiveAbstention(from, state);
    // What others still hold of a vote that this server cast before it lost its data, or led.
    if (vote.leader === this.#state.sid && !this.#state.mayStand) return undefined;
    if (!this.#state.quorum.isVoter(vote.leader)) return undefined;
    if (state === PeerState.looking) return this.#receiveLooking(from, vote);
    if (state === PeerState.observing) return undefined;
    return this.#receiveSettled(from, notification);
  }

  /** A voter that lost its data wants to know who leads, as an observer does. */
  #receiveAbstention(from: ServerId, state: PeerState): Vote | undefined {
    if (state !== PeerState.looking) return undefined;
    this.#abstaining.add(from);
    this.#votes.delete(from);
    // Two that abstain have nothing to tell each other.
    if (this.#hasVote) this.#notify(from);
    return this.#decide();
  }

  #receiveLooking(from: ServerId, vote: Vote): Vote | undefined {
    if (vote.round < this.#proposal.round) {
      this.#correct(from);
      return undefined;
    }
    if (vote.round > this.#proposal.round) {
      this.#votes.clear();
      const own = this.#ownVote(vote.round);
      this.#adopt(isBetter(vote, own) ? vote : own);
    } else if (isBetter(vote, this.#proposal)) {
      this.#adopt(vote);
    } else if (isBetter(this.#proposal, vote)) {
      // It missed ours, for instance because it was still busy with its disk when we sent it.
      this.#correct(from);
    }
    this.#votes.set(from, vote);
    this.#settled.delete(from);
    this.#abstaining.delete(from);
    return this.#decide();
  }

  #receiveSettled(from: ServerId, notification: Notification): Vote | undefined {
    const { vote } = notification;
    this.#settled.set(from, notification);
    if (vote.round === this.#proposal.round) {
      this.#votes.set(from, vote);
      const agrees = (sid: ServerId): boolean => {
        const other = this.#votes.get(sid);
        return other !== undefined && isSameLeadership(other, vote);
      };
      if (this.#state.quorum.contains(agrees) && this.#leaderConfirms(vote)) return vote;
    }
    const follows = (sid: ServerId): boolean => {
      const other = this.#settled.get(sid);
      return other !== undefined && isSameLeadership(other.vote, vote);
    };
    if (this.#state.quorum.contains(follows) && this.#leaderConfirms(vote)) return vote;
    return undefined;
  }

  /** Keeps a vanished leader from being elected by the echoes of those who still follow it. */
  #leaderConfirms(vote: Vote): boolean {
    if (vote.leader === this.#state.sid) return vote.round === this.#proposal.round;
    return this.#settled.get(vote.leader)?.state === PeerState.leading;
  }

  #decide(): Vote | undefined {
    const proposal = this.#proposal;
    const agrees = (sid: ServerId): boolean => {
      const vote = this.#votes.get(sid);
      return vote !== undefined && isSameVote(vote, proposal);
    };
    if (!this.#state.quorum.contains(agrees)) {
      this.#finalizeAtMs = undefined;
      return undefined;
    }
    const isHeard = (sid: ServerId): boolean =>
      sid === this.#state.sid ||
      agrees(sid) ||
      this.#settled.has(sid) ||
      this.#abstaining.has(sid) ||
      this.#reachability(sid) === 'down';
    if (this.#state.quorum.voters.every(isHeard)) return proposal;
    this.#finalizeAtMs ??= this.#state.nowMs + this.#state.config.timings.finalizeMs;
    return this.#state.nowMs >= this.#finalizeAtMs ? proposal : undefined;
  }

  /** Nobody else was elected in the time in which this server stood back. */
  #join(): void {
    this.#isStandingBack = false;
    const own = this.#ownVote(this.#proposal.round);
    this.#adopt(isBetter(own, this.#proposal) ? own : this.#proposal);
  }

  #adopt(vote: Vote): void {
    this.#proposal = vote;
    this.#finalizeAtMs = undefined;
    if (this.#hasVote) this.#votes.set(this.#state.sid, vote);
    this.#broadcast();
  }

  /** Whoever stands back votes as soon as there is another to vote for; who lost its data never does. */
  get #hasVote(): boolean {
    return this.#state.isCounted && this.#proposal.leader !== SERVER_NONE;
  }

  /** A vote claims durable data only; the attempt starts when nothing is on its way to the disk. */
  #ownVote(round: number): Vote {
    const state = this.#state;
    if (!state.mayStand) return nobody(round);
    const zxid = state.history.durable;
    return { leader: state.sid, zxid, peerEpoch: state.currentEpoch, round };
  }

  #broadcast(): void {
    for (const sid of this.#state.quorum.voters) {
      if (sid !== this.#state.sid) this.#notify(sid);
    }
  }

  /** Who has no vote has nothing to correct, and would be answered, and answer, without end. */
  #correct(to: ServerId): void {
    if (this.#hasVote) this.#notify(to);
  }

  #notify(to: ServerId): void {
    const vote = this.#hasVote ? this.#proposal : nobody(this.#proposal.round);
    const notification = { state: PeerState.looking, vote };
    this.#state.emit({ kind: 'notify', to, notification });
  }

  #jittered(intervalMs: number): number {
    return intervalMs + this.#state.config.prng.between(0, Math.floor(intervalMs / 4));
  }
}
