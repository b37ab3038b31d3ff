/** What a leader knows of one learner, on one connection. */

import type { EpochTable } from '../base/epoch-table.ts';
import { type Epoch, type ServerId, ZXID_NONE, type Zxid } from '../base/ids.ts';
import type { LinkId } from './effects.ts';

/**
 * connected: nothing said yet. informed: FOLLOWERINFO came. promised: ACKEPOCH came.
 * snapshot, catchingUp: being sent state or log. live: gets every proposal (or, an observer, every
 * commit) as it is made; from here on NEWLEADER has been sent.
 */
export type ProgressPhase =
  | 'connected'
  | 'informed'
  | 'promised'
  | 'snapshot'
  | 'catchingUp'
  | 'live';

/** Which server it is, and which of its disks. */
export interface LearnerIdentity {
  readonly sid: ServerId;
  readonly incarnation: string;
}

export class Progress {
  readonly link: LinkId;
  readonly sid: ServerId;
  readonly incarnation: string;
  readonly isVoter: boolean;
  phase: ProgressPhase = 'connected';
  /** Its data is gone or doubtful: it gets all that a follower gets, and decides nothing. */
  isRecovering = false;
  acceptedEpoch: Epoch | undefined;
  /** The learner's history when it connected. */
  lastZxid: Zxid = ZXID_NONE;
  epochs: EpochTable | undefined;
  /** Whether ACKEPOCH counts (not a promise given to another leader). */
  isPromiseCounted = false;
  currentEpoch: Epoch | undefined;
  mode: 'diff' | 'trunc' | 'snap' = 'diff';
  /** Where the stream to the learner began, and the last zxid put on it. */
  streamFrom: Zxid = ZXID_NONE;
  sentZxid: Zxid = ZXID_NONE;
  /** The last zxid sent before NEWLEADER. */
  syncedZxid: Zxid = ZXID_NONE;
  hasAckedNewLeader = false;
  ackedZxid: Zxid = ZXID_NONE;
  lastHeardMs: number;
  /** Since when the oldest unacknowledged proposal waits; undefined when none does. */
  waitingSinceMs: number | undefined;
  /** Largest ping answered. */
  pongSequence = 0;

  /** A recovering learner is let in when a quorum of others has answered this ping. */
  awaitedPing = 0;
  isUpToDate = false;

  constructor(
    link: LinkId,
    { sid, incarnation }: LearnerIdentity,
    isVoter: boolean,
    nowMs: number,
  ) {
    this.link = link;
    this.sid = sid;
    this.incarnation = incarnation;
    this.isVoter = isVoter;
    this.lastHeardMs = nowMs;
  }

  /** Whether its promises, acknowledgements and signs of life count towards a quorum. */
  get isCounted(): boolean {
    return this.isVoter && !this.isRecovering;
  }
}
