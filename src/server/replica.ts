/**
 * Between clients and consensus: turns requests into proposals (on the leader) or forwards them (on
 * a learner), and settles them when their transaction has been applied here.
 *
 * A request of a client of this server is known by a number of this server's own, which travels in
 * the transaction. So a transaction finds its request whatever the client's xid, and one that
 * belongs to an earlier life of this server finds none.
 */

import type {
  Backend,
  BackendStatus,
  ClientSide,
  ClientSync,
  ClientWrite,
  ServingMode,
} from '../api/backend.ts';
import { invariant } from '../base/assert.ts';
import { ErrorCode } from '../base/error-code.ts';
import type { ServerId, SessionId, Zxid } from '../base/ids.ts';
import type { LinkId } from '../consensus/effects.ts';
import {
  type ClientMessage,
  ClientMessageType,
  type ForwardedRequest,
  type RefusalReason,
} from '../peer/peer-message.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { SessionIdGenerator } from '../session/session-id.ts';
import type { ApplyResult, DataTree } from '../store/data-tree.ts';
import { type Txn, TxnType } from '../store/txn.ts';
import type { ServerConfig } from './config.ts';
import { Leadership } from './leadership.ts';
import { LearnerSessions, type RevalidationAnswer } from './learner-sessions.ts';
import { LocalService } from './local-service.ts';
import { PendingWrites } from './pending-writes.ts';
import { ProposalSizes } from './proposal-sizes.ts';
import type { ReplicaPeers } from './replica-peers.ts';
import { SessionUpgrade } from './session-upgrade.ts';
import { StateComparison } from './state-comparison.ts';
import { SyncDesk } from './sync-desk.ts';

type ReplicaRole = 'none' | 'leader' | 'learner';

const REFUSALS = {
  undecodable: ErrorCode.marshallingError,
  noSpace: ErrorCode.throttledOp,
} as const;

/** Result of a request that was never made a transaction of. */
function refusedFor(reason: RefusalReason): ApplyResult {
  const error = REFUSALS[reason];
  return { type: TxnType.error, error, path: null, stat: null, results: [] };
}

export class Replica implements Backend {
  readonly #config: ServerConfig;
  readonly #runtime: Runtime;
  readonly #peers: ReplicaPeers;
  #clientSide: ClientSide | undefined;
  readonly #sessionIds: SessionIdGenerator;
  readonly #local: LocalService;
  /** Of this server's state with the leader's. */
  readonly comparison: StateComparison;
  #role: ReplicaRole = 'none';
  #mode: ServingMode | undefined;
  /** While this server leads. */
  #leadership: Leadership | undefined;
  /** Requests of this server's clients under way, by their number. */
  readonly #pending: PendingWrites;
  readonly #syncs = new SyncDesk();
  /** Their part that the leader, if that is another server, has to know of. */
  readonly #sessions: LearnerSessions;
  /** The latest time that a transaction carried. */
  #lastTimeMs = 0;
  readonly #proposalSizes = new ProposalSizes();

  constructor(config: ServerConfig, runtime: Runtime, peers: ReplicaPeers) {
    this.#config = config;
    this.#runtime = runtime;
    this.#peers = peers;
    this.#sessions = new LearnerSessions((message) => peers.sendToLeader(message));
    this.#sessionIds = new SessionIdGenerator(config.serverId, runtime.clock.wallMs());
    this.#local = new LocalService(config, runtime.clock, this.#sessionIds, (sessionId) =>
      this.#clientSide?.sessionClosed(sessionId),
    );
    this.comparison = new StateComparison({
      tree: () => this.tree,
      broadcastToLearners: (message) => peers.broadcastToLearners(message),
      recorded: (zxid, digest) => peers.digestRecorded(zxid, digest),
      differs: (zxid, own, leaders) => peers.diverged(zxid, own, leaders),
    });
    const random = new DataView(runtime.randomBytes(8).buffer);
    this.#pending = new PendingWrites(random.getUint32(0) * 0x10000 + random.getUint16(4) + 1);
  }

  /** Who serves clients with this; before the node starts. */
  connect(clientSide: ClientSide): void {
    this.#clientSide = clientSide;
  }

  // Backend -------------------------------------------------------------------------------------

  get mode(): ServingMode | undefined {
    return this.#mode;
  }

  get tree(): DataTree {
    return this.#peers.tree;
  }

  get lastZxid(): Zxid {
    return this.#peers.tree.lastZxid;
  }

  get outstandingCount(): number {
    return this.#pending.size;
  }

  get localSessionCount(): number {
    return this.#local.sessionCount;
  }

  /** Digests of this replica's nodes at certain zxids, for the `hash` command. */
  get digests(): Backend['digests'] {
    return { entries: () => this.comparison.nodeDigests() };
  }

  noticeTime(): void {
    this.#peers.noticeTime();
  }

  nextSessionId(): SessionId {
    let sessionId = this.#sessionIds.next();
    // Ids begin at the wall clock of the start: one that was set back would give a living session's
    // id away again, and with it the session.
    while (this.tree.sessions.has(sessionId)) sessionId = this.#sessionIds.next();
    return sessionId;
  }

  submit(write: ClientWrite): void {
    if (!this.#isInRole && this.#mode !== 'read-only') {
      write.dropped();
      return;
    }
    if (this.#local.settle(write, this.lastZxid)) return;
    const timeoutMs = this.#local.takeForUpgrade(write);
    if (timeoutMs !== undefined) this.#submit(new SessionUpgrade(write, timeoutMs), false);
    this.#submit(write, this.#local.has(write.sessionId));
  }

  /** `isLocal`: the session is known here only. */
  #submit(write: ClientWrite, isLocal: boolean): void {
    const requestId = this.#pending.add(write);
    if (this.#leadership === undefined) {
      const { sessionId, cxid, op, payload, identities } = write;
      const type = ClientMessageType.request;
      const request = { type, requestId, sessionId, cxid, op, payload, identities, isLocal };
      this.#peers.sendToLeader(request);
      return;
    }
    const refusal = this.#leadership.propose(this.#config.serverId, requestId, write, isLocal);
    if (refusal === 'moved') this.#drop(requestId);
    else if (refusal !== undefined) this.#refuse(requestId, refusal);
  }

  sync(sync: ClientSync): void {
    if (!this.#isInRole) {
      sync.dropped();
      return;
    }
    const token = this.#syncs.add(sync);
    if (this.#role === 'learner') {
      this.#peers.sendToLeader({ type: ClientMessageType.sync, token });
      return;
    }
    this.#peers.node.barrier(token);
    this.#peers.wake();
  }

  revalidate(sessionId: SessionId, timeoutMs: number, answer: RevalidationAnswer): void {
    const isOwn = this.#mode !== undefined && this.#local.renew(sessionId, timeoutMs);
    if (isOwn) answer(true);
    else if (this.#mode === 'read-only') {
      answer(this.#local.isOver(sessionId) ? false : undefined);
    } else if (!this.#isInRole) answer(undefined);
    else if (this.#leadership !== undefined) {
      answer(this.#leadership.renew(sessionId, timeoutMs, this.#config.serverId));
    } else this.#sessions.revalidate(sessionId, timeoutMs, answer);
  }

  touch(sessionId: SessionId): void {
    if (this.#local.touch(sessionId)) return;
    if (this.#leadership !== undefined) this.#leadership.touch(sessionId);
    else if (this.#role === 'learner') this.#sessions.touch(sessionId);
  }

  ownsSession(sessionId: SessionId): boolean {
    return this.#leadership?.isOwner(sessionId, this.#config.serverId) ?? true;
  }

  async status(): Promise<BackendStatus> {
    const status = await this.#peers.status();
    const sessionDeadlines = this.#leadership?.sessionDeadlines ?? [];
    const hasLocal = this.#local.isEnabled || this.#local.sessionCount > 0;
    const localSessionDeadlines = hasLocal ? this.#local.sessionDeadlines : undefined;
    const proposalSizes = this.#proposalSizes.value;
    return { ...status, sessionDeadlines, localSessionDeadlines, proposalSizes };
  }

  resetStatistics(): void {
    this.#proposalSizes.reset();
  }

  // Roles ---------------------------------------------------------------------------------------

  /** The tree holds everything committed before this leadership: sessions begin to run, clients come. */
  lead(mode: ServingMode): void {
    invariant(this.#role === 'none', 'leads while in another role');
    const { node, tree } = this.#peers;
    this.#leadership = new Leadership({
      config: this.#config,
      clock: this.#runtime.clock,
      node,
      tree,
      lastTimeMs: this.#lastTimeMs,
      wake: () => this.#peers.wake(),
      proposed: (bytes) => this.#proposalSizes.add(bytes),
      quotaExceeded: (excess) => this.#peers.quotaExceeded(excess),
      isDiskFull: () => this.#peers.isDiskFull,
    });
    this.#serve('leader', mode);
  }

  follow(mode: ServingMode): void {
    invariant(this.#role === 'none', 'follows while in another role');
    this.#serve('learner', mode);
  }

  /**
   * This server knows no quorum: clients that agree to it may read what was committed as far as it
   * has come here. Ends with `retire`.
   */
  serveReadOnly(): void {
    invariant(this.#mode === undefined, 'serves already');
    this.#mode = 'read-only';
    this.#local.beginReadOnly();
    this.#clientSide?.startServing();
  }

  /** Nothing under way will be answered; clients find out by their connections closing. */
  retire(): void {
    if (this.#mode === undefined) return;
    this.#role = 'none';
    this.#mode = undefined;
    this.#clientSide?.stopServing();
    this.#local.endReadOnly();
    this.#leadership = undefined;
    const writes = this.#pending.takeAll();
    const syncs = this.#syncs.takeAll();
    const answers = this.#sessions.takeAll();
    for (const write of writes) write.dropped();
    for (const sync of syncs) sync.dropped();
    for (const answer of answers) answer(undefined);
  }

  #serve(role: ReplicaRole, mode: ServingMode): void {
    this.#role = role;
    this.#mode = mode;
    this.#local.beginServing();
    this.#clientSide?.startServing();
  }

  /**
   * False also in the rest of a turn in which the core gave its leadership up: the end of the role
   * is one of the effects that are still to be carried out.
   */
  get #isInRole(): boolean {
    return this.#role === 'learner' || (this.#role === 'leader' && this.#peers.node.canPropose);
  }

  // What the node reports -----------------------------------------------------------------------

  /** A transaction of this server's own leadership, which needs no decoding. */
  proposed(zxid: Zxid): Txn | undefined {
    return this.#leadership?.take(zxid);
  }

  isAwaited(txn: Txn): boolean {
    return txn.origin === this.#config.serverId && this.#pending.has(txn.requestId);
  }

  /** The tree has applied the transaction: watch events are queued, now come the reply and the rest. */
  applied(zxid: Zxid, txn: Txn, result: ApplyResult): void {
    if (txn.timeMs > this.#lastTimeMs) this.#lastTimeMs = txn.timeMs;
    this.#leadership?.applied(zxid);
    if (this.comparison.isDue(zxid)) this.comparison.applied(zxid, this.#role === 'leader');
    if (txn.origin === this.#config.serverId) {
      this.#pending.take(txn.requestId)?.completed(zxid, result);
    }
    if (txn.body.type === TxnType.closeSession) {
      this.#sessions.closed(txn.sessionId);
      this.#leadership?.closed(txn.sessionId);
      this.#clientSide?.sessionClosed(txn.sessionId);
    }
  }

  /** Everything known to be committed is applied. */
  caughtUp(): void {
    this.#syncs.applied(this.lastZxid);
  }

  /** The leader confirmed its leadership for a sync. */
  barrier(token: number, zxid: Zxid): void {
    const learners = this.#syncs.confirmed(token, zxid, this.lastZxid);
    if (learners === undefined) return;
    const type = ClientMessageType.synced;
    this.#peers.sendToLearner(learners.link, { type, token: learners.token, zxid });
  }

  /** Several times a second, and each time after everything that had arrived by the last was heard. */
  tick(): void {
    if (this.#mode !== undefined) this.#local.tick();
    if (this.#leadership !== undefined) {
      if (this.#isInRole) this.#leadership.tick();
    } else if (this.#role === 'learner') this.#sessions.tick();
  }

  fromLearner(link: LinkId, sid: ServerId, message: ClientMessage): void {
    const leadership = this.#leadership;
    if (leadership === undefined || !this.#isInRole) return;
    switch (message.type) {
      case ClientMessageType.request:
        this.#forwarded(leadership, link, sid, message);
        return;
      case ClientMessageType.revalidate: {
        const { token, sessionId, timeoutMs } = message;
        const isValid = leadership.renew(sessionId, timeoutMs, sid);
        this.#peers.sendToLearner(link, { type: ClientMessageType.revalidated, token, isValid });
        return;
      }
      case ClientMessageType.sync: {
        this.#peers.node.barrier(this.#syncs.add({ link, token: message.token }));
        this.#peers.wake();
        return;
      }
      case ClientMessageType.touched: {
        for (const sessionId of message.sessionIds) leadership.touch(sessionId);
        return;
      }
      case ClientMessageType.dropped:
      case ClientMessageType.refused:
      case ClientMessageType.revalidated:
      case ClientMessageType.synced:
      case ClientMessageType.digest:
      case ClientMessageType.snapshotTaken:
      case ClientMessageType.room:
      case ClientMessageType.outvoted:
        return;
    }
  }

  fromLeader(message: ClientMessage): void {
    switch (message.type) {
      case ClientMessageType.dropped:
        this.#drop(message.requestId);
        return;
      case ClientMessageType.refused:
        this.#refuse(message.requestId, message.reason);
        return;
      case ClientMessageType.revalidated:
        this.#sessions.revalidated(message.token, message.isValid);
        return;
      case ClientMessageType.synced:
        this.#syncs.confirmed(message.token, message.zxid, this.lastZxid);
        return;
      case ClientMessageType.digest:
        this.comparison.heard(message.zxid, message.digest, this.#mode !== undefined);
        return;
      case ClientMessageType.request:
      case ClientMessageType.revalidate:
      case ClientMessageType.sync:
      case ClientMessageType.touched:
      case ClientMessageType.snapshotTaken:
      case ClientMessageType.room:
      case ClientMessageType.outvoted:
        return;
    }
  }

  // Settling ------------------------------------------------------------------------------------

  #forwarded(leadership: Leadership, link: LinkId, sid: ServerId, request: ForwardedRequest): void {
    const { requestId } = request;
    const refusal = leadership.propose(sid, requestId, request, request.isLocal);
    if (refusal === undefined) return;
    const { dropped, refused } = ClientMessageType;
    const message =
      refusal === 'moved'
        ? { type: dropped, requestId }
        : { type: refused, requestId, reason: refusal };
    this.#peers.sendToLearner(link, message);
  }

  #drop(requestId: number): void {
    this.#pending.take(requestId)?.dropped();
  }

  /** The client hears of it when its earlier requests are answered. */
  #refuse(requestId: number, reason: RefusalReason): void {
    this.#pending.take(requestId)?.completed(this.lastZxid, refusedFor(reason));
  }
}
