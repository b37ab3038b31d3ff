/**
 * What servers say to each other. Each message carries what the packet of the same name and number
 * carries in ZooKeeper's own protocol, so that a second codec could speak to the original; the
 * fields that are ours alone are marked.
 */

import type { EpochEnd } from '../base/epoch-table.ts';
import type { Epoch, ServerId, Zxid } from '../base/ids.ts';

/** A transaction in the log: opaque bytes under their zxid. */
export interface LogEntry {
  readonly zxid: Zxid;
  readonly bytes: Uint8Array;
}

// Election port ---------------------------------------------------------------------------------

export const PeerState = { looking: 0, following: 1, leading: 2, observing: 3 } as const;
export type PeerState = (typeof PeerState)[keyof typeof PeerState];

/** A candidate: larger epoch wins, then larger zxid, then larger server id. */
export interface Vote {
  readonly leader: ServerId;
  readonly zxid: Zxid;
  readonly peerEpoch: Epoch;
  /** Number of the election attempt, volatile; says nothing about data. */
  readonly round: number;
}

export interface Notification {
  readonly state: PeerState;
  readonly vote: Vote;
}

// Quorum port -----------------------------------------------------------------------------------

export const MessageType = {
  proposal: 2,
  ack: 3,
  commit: 4,
  ping: 5,
  inform: 8,
  newLeader: 10,
  followerInfo: 11,
  upToDate: 12,
  diff: 13,
  trunc: 14,
  snap: 15,
  observerInfo: 16,
  leaderInfo: 17,
  ackEpoch: 18,
  pong: 32,
  snapChunk: 33,
  snapEnd: 34,
  recover: 35,
} as const;

/** Consecutive transactions; several of the original's PROPOSAL packets in one. */
export interface Proposal {
  readonly type: typeof MessageType.proposal;
  readonly entries: readonly LogEntry[];
}

/** Everything up to the zxid is durable here; `(epoch, 0)` acknowledges NEWLEADER. */
export interface Ack {
  readonly type: typeof MessageType.ack;
  readonly zxid: Zxid;
}

/** Everything up to the zxid is committed. */
export interface Commit {
  readonly type: typeof MessageType.commit;
  readonly zxid: Zxid;
}

export interface Ping {
  readonly type: typeof MessageType.ping;
  /** Ours: the answer repeats it, which tells the leader who followed it at that moment. */
  readonly sequence: number;
}

export interface Pong {
  readonly type: typeof MessageType.pong;
  readonly sequence: number;
}

/** PROPOSAL and COMMIT in one, for observers. */
export interface Inform {
  readonly type: typeof MessageType.inform;
  readonly entries: readonly LogEntry[];
}

export interface NewLeader {
  readonly type: typeof MessageType.newLeader;
  readonly epoch: Epoch;
  /** Ours: 128 random bits in hex that name the ensemble. */
  readonly clusterId: string;
}

export interface LearnerInfo {
  readonly type: typeof MessageType.followerInfo | typeof MessageType.observerInfo;
  readonly acceptedEpoch: Epoch;
  /** Ours: what this server once vouched for may be gone, so nothing it says is to be counted. */
  readonly isRecovering: boolean;
}

export interface LeaderInfo {
  readonly type: typeof MessageType.leaderInfo;
  readonly epoch: Epoch;
}

export interface AckEpoch {
  readonly type: typeof MessageType.ackEpoch;
  /** Epoch of the history below; undefined (-1 in the original): already promised, do not count. */
  readonly currentEpoch: Epoch | undefined;
  readonly lastZxid: Zxid;
  /** Ours: where each epoch of the durable history ends. */
  readonly epochs: readonly EpochEnd[];
}

/** Your history ends where mine continues: keep all. */
export interface Diff {
  readonly type: typeof MessageType.diff;
  readonly zxid: Zxid;
}

/** Forget everything after the zxid. */
export interface Trunc {
  readonly type: typeof MessageType.trunc;
  readonly zxid: Zxid;
}

/** Replace everything by the state that follows, exact at the zxid. */
export interface Snap {
  readonly type: typeof MessageType.snap;
  readonly zxid: Zxid;
  /** Ours: the history that the state stands for. */
  readonly epochs: readonly EpochEnd[];
}

/** Ours: a piece of the state, opaque here. */
export interface SnapChunk {
  readonly type: typeof MessageType.snapChunk;
  readonly bytes: Uint8Array;
}

/** Ours: the state is complete; its summary, opaque here, lets the learner check it. */
export interface SnapEnd {
  readonly type: typeof MessageType.snapEnd;
  readonly summary: Uint8Array;
}

/** Ours: the learner's history is older than its own word; it must fetch everything anew. */
export interface Recover {
  readonly type: typeof MessageType.recover;
}

export interface UpToDate {
  readonly type: typeof MessageType.upToDate;
}

export type QuorumMessage =
  | Proposal
  | Ack
  | Commit
  | Ping
  | Pong
  | Inform
  | NewLeader
  | LearnerInfo
  | LeaderInfo
  | AckEpoch
  | Diff
  | Trunc
  | Snap
  | SnapChunk
  | SnapEnd
  | Recover
  | UpToDate;
