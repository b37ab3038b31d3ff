/**
 * What the side that serves clients needs from the side that replicates, and the reverse.
 * `src/server` implements `Backend`; `ClientService` implements `ClientSide`.
 */

import type { Identity } from '../base/acl.ts';
import type { ServerId, SessionId, Zxid } from '../base/ids.ts';
import type { OpCode } from '../base/op-code.ts';
import type { ApplyResult, DataTree } from '../store/data-tree.ts';

/** A client's request on its way through the ensemble. The backend settles it exactly once. */
export interface ClientWrite {
  readonly sessionId: SessionId;
  /** The client's xid. */
  readonly cxid: number;
  readonly op: OpCode;
  /** The request record behind its header: a view, valid during `submit` only. */
  readonly payload: Uint8Array;
  readonly identities: readonly Identity[];
  /** The transaction is applied here and its watch events are queued. Of the result see `keptResult`. */
  completed(zxid: Zxid, result: ApplyResult): void;
  /** It will never be answered (session moved, leader lost): close the connection, the outcome is unknown. */
  dropped(): void;
}

/** A `sync` on its way to the leader and back. */
export interface ClientSync {
  readonly sessionId: SessionId;
  /** All that was committed when the leader saw the request is applied here. */
  completed(): void;
  dropped(): void;
}

/** `read-only`: the server knows no quorum and lets clients read what it has, if they agree to that. */
export type ServingMode = 'leader' | 'follower' | 'observer' | 'standalone' | 'read-only';

/** Facts of the replicated side for the four-letter words. */
export interface BackendStatus {
  readonly serverId: ServerId;
  /** Canonical `server.N=...` lines; empty when standalone. */
  readonly membership: readonly string[];
  readonly configVersion: Zxid;
  /** `leading - broadcast` and so on, as `zk_peer_state` prints it. */
  readonly peerState: string;
  readonly quorumSize: number;
  /** Leader only; zero elsewhere. */
  readonly learnerCount: number;
  readonly syncedFollowerCount: number;
  readonly syncedObserverCount: number;
  readonly syncedNonVotingFollowerCount: number;
  readonly pendingSyncCount: number;
  readonly leaderUptimeMs: number;
  /** Bytes; -1 before the first proposal. */
  readonly proposalSizes: { readonly last: number; readonly min: number; readonly max: number };
  /** Session id and milliseconds until it expires, for the one server that expires sessions (leader, standalone). */
  readonly sessionDeadlines: readonly (readonly [SessionId, number])[];
  /** The same for the sessions of this server alone; undefined when it has none and begins none. */
  readonly localSessionDeadlines: readonly (readonly [SessionId, number])[] | undefined;
  readonly dataDirBytes: number;
  readonly logDirBytes: number;
  /** Further counters and gauges by their `zk_` name without the prefix. */
  readonly metrics: ReadonlyMap<string, number>;
}

export interface Backend {
  /** Undefined while this server serves nobody. */
  readonly mode: ServingMode | undefined;
  readonly tree: DataTree;
  /** Zxid of the last transaction applied here. */
  readonly lastZxid: Zxid;
  /** Requests submitted by this server's clients and not yet settled. */
  readonly outstandingCount: number;
  /** Sessions that only this server knows. */
  readonly localSessionCount: number;
  /**
   * Called before bytes of a client are handled. If the whole process stood still (stopped, swapped
   * out), what is due comes first: a leader deposed meanwhile must not answer from its old state.
   */
  noticeTime(): void;
  /** A session id for a new client of this server. */
  nextSessionId(): SessionId;
  /** In read-only mode only `createSession` and `closeSession` are of use. */
  submit(write: ClientWrite): void;
  /** Not in read-only mode. */
  sync(sync: ClientSync): void;
  /**
   * Re-attaches a session to this server: whether it lives, asked of the server that expires
   * sessions. `undefined` when no answer can come (leader lost, read-only mode): close the connection.
   */
  revalidate(
    sessionId: SessionId,
    timeoutMs: number,
    answer: (isValid: boolean | undefined) => void,
  ): void;
  /** A sign of life of the session. Called whenever frames have come: must be cheap. */
  touch(sessionId: SessionId): void;
  /**
   * False when this server knows that the session moved to another one (only the leader does):
   * then a request on the old connection closes it.
   */
  ownsSession(sessionId: SessionId): boolean;
  status(): Promise<BackendStatus>;
  /** Digests of the tree after certain transactions, as hex, oldest first, for `hash`. */
  readonly digests: { entries(): Iterable<readonly [Zxid, string]> };
  /** `srst`: forget the proposal sizes. */
  resetStatistics(): void;
}

export interface ClientSide {
  /** Start taking sessions (handshakes were refused before). */
  startServing(): void;
  /** Close every client connection without a word; the sessions live on elsewhere. */
  stopServing(): void;
  /** The session's closing has been applied: after the pending replies, close its connection. */
  sessionClosed(sessionId: SessionId): void;
}
