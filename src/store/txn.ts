/**
 * Transactions: what the leader's prepare step makes of a request, and what every server applies.
 * A body holds results, never differences, so applying it twice does no harm.
 */

import type { Acl } from '../base/acl.ts';
import type { ErrorCode } from '../base/error-code.ts';
import type { ServerId, SessionId } from '../base/ids.ts';

/** Numbers of the original's transaction types, kept so that its logs can be read and written. */
export const TxnType = {
  create: 1,
  delete: 2,
  setData: 5,
  setAcl: 7,
  check: 13,
  multi: 14,
  create2: 15,
  createContainer: 19,
  deleteContainer: 20,
  createTtl: 21,
  createSession: -10,
  closeSession: -11,
  error: -1,
} as const;
export type TxnType = (typeof TxnType)[keyof typeof TxnType];

export interface CreateTxn {
  readonly type:
    | typeof TxnType.create
    | typeof TxnType.create2
    | typeof TxnType.createContainer
    | typeof TxnType.createTtl;
  /** Final path, sequence number included. */
  readonly path: string;
  /** A view of the request's frame, or of the encoding: see `encodeDetaching`. */
  data: Uint8Array | null;
  readonly acl: readonly Acl[];
  /** As stored: 0, a session id, or the original's special values for container and TTL nodes. */
  readonly ephemeralOwner: SessionId;
  /** The parent's count of creations after this one (stored cversion). */
  readonly parentCversion: number;
}

export interface DeleteTxn {
  readonly type: typeof TxnType.delete | typeof TxnType.deleteContainer;
  readonly path: string;
}

export interface SetDataTxn {
  readonly type: typeof TxnType.setData;
  readonly path: string;
  /** As in `CreateTxn`. */
  data: Uint8Array | null;
  /** The version the node has afterwards. */
  readonly version: number;
}

export interface SetAclTxn {
  readonly type: typeof TxnType.setAcl;
  readonly path: string;
  readonly acl: readonly Acl[];
  /** The aversion the node has afterwards. */
  readonly version: number;
}

/** Only as a member of a multi; changes nothing. */
export interface CheckTxn {
  readonly type: typeof TxnType.check;
  readonly path: string;
}

export interface MultiTxn {
  readonly type: typeof TxnType.multi;
  /** All succeed, or all are `ErrorTxn`: 0 before the failing one, its code, -2 after it. */
  readonly ops: readonly TxnBody[];
}

export interface CreateSessionTxn {
  readonly type: typeof TxnType.createSession;
  readonly timeoutMs: number;
}

export interface CloseSessionTxn {
  readonly type: typeof TxnType.closeSession;
  /** The session's ephemerals, deleted in this order. */
  readonly paths: readonly string[];
}

/** A request that failed: takes its place in the order, changes nothing. */
export interface ErrorTxn {
  readonly type: typeof TxnType.error;
  readonly error: ErrorCode;
}

export type TxnBody =
  | CreateTxn
  | DeleteTxn
  | SetDataTxn
  | SetAclTxn
  | CheckTxn
  | MultiTxn
  | CreateSessionTxn
  | CloseSessionTxn
  | ErrorTxn;

export interface Txn {
  readonly sessionId: SessionId;
  /** The client's xid; 0 for what the leader itself asked for. */
  readonly cxid: number;
  /** Leader's wall clock, never going back within an epoch. */
  readonly timeMs: number;
  /** The server whose client asked, and the number that server gave the request; 0 and 0 for none. */
  readonly origin: ServerId;
  readonly requestId: number;
  readonly body: TxnBody;
}
