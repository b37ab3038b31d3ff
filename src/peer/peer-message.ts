/**
 * Everything that crosses a quorum connection: the consensus messages, and those about clients that
 * travel beside them (the original's REQUEST, REVALIDATE, SYNC and the session list of its PING).
 */

import type { Identity } from '../base/acl.ts';
import type { SessionId, Zxid } from '../base/ids.ts';
import type { QuorumMessage } from '../consensus/messages.ts';

export const ClientMessageType = {
  request: 1,
  revalidate: 6,
  sync: 7,
  revalidated: 40,
  synced: 41,
  dropped: 42,
  touched: 43,
  digest: 44,
  refused: 45,
  snapshotTaken: 46,
  room: 47,
  outvoted: 48,
} as const;

/** A client's write on its way to the leader. */
export interface ForwardedRequest {
  readonly type: typeof ClientMessageType.request;
  /** The learner's number for it, repeated in the transaction; never used twice by one server. */
  readonly requestId: number;
  readonly sessionId: SessionId;
  readonly cxid: number;
  readonly op: number;
  /** The request record as the client sent it. Encoding copies it; decoded, it is a view of the frame. */
  readonly payload: Uint8Array;
  readonly identities: readonly Identity[];
  /** The session is the learner's alone: it vouches for it, and no transaction began it. */
  readonly isLocal: boolean;
}

/** The leader will never make a transaction of the request: its client must be disconnected. */
export interface DroppedRequest {
  readonly type: typeof ClientMessageType.dropped;
  readonly requestId: number;
}

/** No record of its operation could be read from the request; or the leader's disk is nearly full. */
export type RefusalReason = 'undecodable' | 'noSpace';

/** No transaction is made of the request: its client gets an error. */
export interface RefusedRequest {
  readonly type: typeof ClientMessageType.refused;
  readonly requestId: number;
  readonly reason: RefusalReason;
}

/** Does the session live? If so, it is the asking learner's from now on. */
export interface Revalidate {
  readonly type: typeof ClientMessageType.revalidate;
  readonly token: number;
  readonly sessionId: SessionId;
  readonly timeoutMs: number;
}

export interface Revalidated {
  readonly type: typeof ClientMessageType.revalidated;
  readonly token: number;
  readonly isValid: boolean;
}

export interface Sync {
  readonly type: typeof ClientMessageType.sync;
  readonly token: number;
}

/** The learner is as fresh as the request demands once it has applied the zxid. */
export interface Synced {
  readonly type: typeof ClientMessageType.synced;
  readonly token: number;
  readonly zxid: Zxid;
}

/** Sessions whose clients gave a sign of life at this learner since the last such message. */
export interface Touched {
  readonly type: typeof ClientMessageType.touched;
  readonly sessionIds: readonly SessionId[];
}

/** What the sender's tree looked like at a zxid: leader and learners tell each other. */
export interface DigestReport {
  readonly type: typeof ClientMessageType.digest;
  readonly zxid: Zxid;
  /** Hex. */
  readonly digest: string;
}

/** So many bytes of a snapshot's parts have reached the learner's disk since it last said so. */
export interface SnapshotTaken {
  readonly type: typeof ClientMessageType.snapshotTaken;
  readonly byteCount: number;
}

/** Whether the learner has room on its disk: a leader without any hands over to one that has. */
export interface Room {
  readonly type: typeof ClientMessageType.room;
  readonly hasRoom: boolean;
}

/** A majority of the voters has another digest at the zxid than the learner: its state is wrong. */
export interface Outvoted {
  readonly type: typeof ClientMessageType.outvoted;
  readonly zxid: Zxid;
  /** Hex. */
  readonly digest: string;
}

export type ClientMessage =
  | ForwardedRequest
  | DroppedRequest
  | RefusedRequest
  | Revalidate
  | Revalidated
  | Sync
  | Synced
  | Touched
  | DigestReport
  | SnapshotTaken
  | Room
  | Outvoted;

export type PeerMessage = QuorumMessage | ClientMessage;

/** Tells messages about clients from those of the consensus core. */
export function isClientMessage(message: PeerMessage): message is ClientMessage {
  const { type } = message;
  return type === ClientMessageType.request || CLIENT_TYPES.has(type);
}

const CLIENT_TYPES: ReadonlySet<number> = new Set(Object.values(ClientMessageType));
