/**
 * What a replica does only while it leads: makes transactions of requests, knows who is alive and
 * where, expires sessions, sweeps containers. It is made when a leadership begins and thrown away
 * with it, so that nothing of one leadership reaches into another.
 */

import type { BackendStatus } from '../api/backend.ts';
import type { Identity } from '../base/acl.ts';
import { ErrorCode } from '../base/error-code.ts';
import {
  SERVER_NONE,
  SESSION_NONE,
  type ServerId,
  type SessionId,
  type Zxid,
} from '../base/ids.ts';
import { OpCode } from '../base/op-code.ts';
import type { WriteRequest } from '../base/write-request.ts';
import type { ZabNode } from '../consensus/zab-node.ts';
import type { ForwardedRequest, RefusalReason } from '../peer/peer-message.ts';
import { JuteReader } from '../protocol/jute-reader.ts';
import { decodeWriteRequest, makeWriteRequest } from '../protocol/records/write-request.ts';
import type { Clock } from '../runtime/runtime.ts';
import { SessionClock } from '../session/session-clock.ts';
import { SessionTracker } from '../session/session-tracker.ts';
import type { DataTree } from '../store/data-tree.ts';
import { Preparer } from '../store/prepare.ts';
import type { QuotaExcess } from '../store/quota.ts';
import { type Txn, type TxnBody, TxnType } from '../store/txn.ts';
import { encodeDetaching } from '../store/txn-codec.ts';
import type { ServerConfig } from './config.ts';
import { ContainerSweep } from './container-sweep.ts';
import { ProposedTxns } from './proposed-txns.ts';
import { ordinaryTurnMs } from './turn-length.ts';

export interface LeadershipOptions {
  readonly config: ServerConfig;
  readonly clock: Clock;
  readonly node: ZabNode;
  /** Holds everything committed before this leadership. */
  readonly tree: DataTree;
  /** Time of the last transaction applied: this leadership's clock does not go behind it. */
  readonly lastTimeMs: number;
  /** The core has been given work. */
  readonly wake: () => void;
  readonly proposed: (bytes: number) => void;
  readonly quotaExceeded: (excess: QuotaExcess) => void;
  /** Nothing but sessions may come and go. */
  readonly isDiskFull: () => boolean;
}

/** A request as clients' servers hand it on. */
export type LeaderRequest = Pick<
  ForwardedRequest,
  'sessionId' | 'cxid' | 'op' | 'payload' | 'identities'
>;

/**
 * Why no transaction was made: the session belongs to another server by now, and there will be no
 * answer; or the request cannot be read, which takes no place in the order unless it is a multi (as
 * in the original since 3.9); or the disk is nearly full.
 */
export type Refusal = 'moved' | RefusalReason;

const NO_IDENTITIES: readonly Identity[] = [];

export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #preparer: Preparer;
  readonly #tracker: SessionTracker;
  readonly #sweep: ContainerSweep;
  readonly #proposed = new ProposedTxns();
  readonly #reader = new JuteReader();
  /** Clock of the transactions; never goes back. */
  #lastTimeMs: number;
  readonly #sessionClock: SessionClock;

  constructor(options: LeadershipOptions) {
    const { config, clock, tree } = options;
    const nowMs = clock.monotonicMs();
    this.#options = options;
    const { extendedTypesEnabled: extendedTypes, skipAcl, enforceQuota } = config;
    const { quotaExceeded } = options;
    this.#preparer = new Preparer(tree, { extendedTypes, skipAcl, enforceQuota, quotaExceeded });
    this.#lastTimeMs = options.lastTimeMs;
    this.#sessionClock = new SessionClock(nowMs, ordinaryTurnMs(config));
    this.#tracker = new SessionTracker(config.tickTimeMs);
    // Nobody knows who was heard from last: every session gets its whole timeout again.
    for (const [sessionId, timeoutMs] of tree.sessions.entries()) {
      this.#tracker.add(sessionId, timeoutMs, SERVER_NONE, nowMs);
    }
    const hooks = {
      isPending: (path: string) => this.#preparer.isPending(path),
      delete: (path: string) => this.#deleteContainer(path),
    };
    this.#sweep = new ContainerSweep(config.containerSweep, hooks, nowMs);
  }

  /** Living sessions with the milliseconds each has left. */
  get sessionDeadlines(): BackendStatus['sessionDeadlines'] {
    return this.#tracker.deadlines(this.#sessionMs);
  }

  /** Proposes what the request leads to, or says why not. `isLocal`: only the request's server knows its session. */
  propose(
    origin: ServerId,
    requestId: number,
    request: LeaderRequest,
    isLocal: boolean,
  ): Refusal | undefined {
    const { sessionId, cxid, op, payload, identities } = request;
    const isAboutSession = op === OpCode.createSession || op === OpCode.closeSession;
    if (!isAboutSession && !this.isOwner(sessionId, origin)) return 'moved';
    if (!isAboutSession && this.#options.isDiskFull()) return 'noSpace';
    if (op === OpCode.closeSession) this.#tracker.markClosing(sessionId);
    this.#reader.aim(payload);
    const decoded = decodeWriteRequest(op as OpCode, this.#reader);
    if (decoded === undefined && op !== OpCode.multi) return 'undecodable';
    const body: TxnBody =
      decoded === undefined
        ? { type: TxnType.error, error: ErrorCode.marshallingError }
        : this.#prepare(decoded, sessionId, identities, isLocal);
    if (body.type === TxnType.createSession) {
      // Known from now on, not from its application here: a quorum without this server can commit
      // it, and its client come back to ask for it, while this server's own disk is still busy.
      this.#tracker.add(sessionId, body.timeoutMs, origin, this.#sessionMs);
    }
    this.#proposeBody(origin, requestId, sessionId, cxid, body);
    return undefined;
  }

  /** The transaction proposed under the zxid, to be applied without decoding it; undefined when this leadership did not propose it. */
  take(zxid: Zxid): Txn | undefined {
    return this.#proposed.take(zxid);
  }

  /** The tree has applied the transaction, in the same step. */
  applied(zxid: Zxid): void {
    this.#preparer.applied(zxid);
  }

  closed(sessionId: SessionId): void {
    this.#tracker.remove(sessionId);
  }

  touch(sessionId: SessionId): void {
    this.#tracker.touch(sessionId, this.#sessionMs);
  }

  /** A session that nobody claimed yet belongs to whoever asks. */
  isOwner(sessionId: SessionId, sid: ServerId): boolean {
    const owner = this.#tracker.owner(sessionId);
    return owner === undefined || owner === SERVER_NONE || owner === sid;
  }

  /** False when the session does not live; otherwise it is the server's from now on. */
  renew(sessionId: SessionId, timeoutMs: number, owner: ServerId): boolean {
    return this.#tracker.renew(sessionId, timeoutMs, owner, this.#sessionMs);
  }

  /** Several times a second, and each time after everything that had arrived by the last was heard. */
  tick(): void {
    this.#expireSessions();
    this.#sweep.tick(this.#options.tree, this.#nowMs, this.#options.clock.wallMs());
  }

  get #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  get #sessionMs(): number {
    return this.#sessionClock.at(this.#nowMs);
  }

  #prepare(
    request: WriteRequest,
    sessionId: SessionId,
    identities: readonly Identity[],
    isLocal = false,
  ): TxnBody {
    const zxid = this.#options.node.nextZxid;
    return this.#preparer.prepare(request, { sessionId, identities, zxid, isLocal });
  }

  #proposeBody(
    origin: ServerId,
    requestId: number,
    sessionId: SessionId,
    cxid: number,
    body: TxnBody,
  ): void {
    const timeMs = Math.max(this.#lastTimeMs, this.#options.clock.wallMs());
    this.#lastTimeMs = timeMs;
    const txn = { sessionId, cxid, timeMs, origin, requestId, body };
    const bytes = encodeDetaching(txn);
    const zxid = this.#options.node.propose(bytes);
    this.#proposed.add(zxid, txn);
    this.#options.proposed(bytes.length);
    this.#options.wake();
  }

  #expireSessions(): void {
    for (const sessionId of this.#tracker.expired(this.#sessionClock.turned(this.#nowMs))) {
      const body = this.#prepare(makeWriteRequest(OpCode.closeSession), sessionId, NO_IDENTITIES);
      this.#proposeBody(SERVER_NONE, 0, sessionId, 0, body);
    }
  }

  /** Nobody waits for the outcome, so a deletion that cannot be takes no place in the order. */
  #deleteContainer(path: string): void {
    const request = makeWriteRequest(OpCode.deleteContainer, { path });
    const body = this.#prepare(request, SESSION_NONE, NO_IDENTITIES);
    if (body.type === TxnType.error) return;
    this.#proposeBody(SERVER_NONE, 0, SESSION_NONE, 0, body);
  }
}
