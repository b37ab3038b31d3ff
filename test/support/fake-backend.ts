/**
 * The replicated side of a server, played by one real tree and its preparer. Writes are applied at
 * once or, with `holds` set, when the test says so, in the order they were submitted.
 */

import type {
  Backend,
  BackendStatus,
  ClientSync,
  ClientWrite,
  ServingMode,
} from '../../src/api/backend.ts';
import { invariant } from '../../src/base/assert.ts';
import { ErrorCode } from '../../src/base/error-code.ts';
import {
  makeEpoch,
  makeServerId,
  makeZxid,
  SERVER_NONE,
  type ServerId,
  type SessionId,
  type Zxid,
} from '../../src/base/ids.ts';
import { JuteReader } from '../../src/protocol/jute-reader.ts';
import { decodeWriteRequest } from '../../src/protocol/records/write-request.ts';
import { SessionIdGenerator } from '../../src/session/session-id.ts';
import { DataTree } from '../../src/store/data-tree.ts';
import { Preparer } from '../../src/store/prepare.ts';
import { type Txn, type TxnBody, TxnType } from '../../src/store/txn.ts';

const TIME_MS = 1_700_000_000_000;

interface Submitted {
  readonly write: ClientWrite;
  readonly zxid: Zxid;
  readonly txn: Txn;
}

const STATUS: BackendStatus = {
  serverId: makeServerId(3),
  membership: ['server.1=zk1:2888:3888:participant', 'server.3=zk3:2888:3888:participant'],
  configVersion: makeZxid(makeEpoch(1), 0),
  peerState: 'leading - broadcast',
  quorumSize: 3,
  learnerCount: 2,
  syncedFollowerCount: 2,
  syncedObserverCount: 0,
  syncedNonVotingFollowerCount: 0,
  pendingSyncCount: 0,
  leaderUptimeMs: 1500,
  proposalSizes: { last: 99, min: 36, max: 99 },
  sessionDeadlines: [],
  localSessionDeadlines: undefined,
  dataDirBytes: 66_253,
  logDirBytes: 67_108,
  metrics: new Map(),
};

export class FakeBackend implements Backend {
  readonly tree = new DataTree();
  mode: ServingMode | undefined = 'standalone';
  localSessionCount = 0;
  /** Writes, syncs and revalidations wait for the test. */
  holds = false;
  /** What `revalidate` answers; by default whether the session exists. */
  revalidation: boolean | undefined | 'byTree' = 'byTree';
  readonly movedSessions = new Set<SessionId>();
  readonly touched: SessionId[] = [];
  readonly digests = new Map<Zxid, string>();
  statistics: Partial<BackendStatus> = {};
  /** `status` answers when this is settled. */
  statusGate: Promise<void> = Promise.resolve();
  resetCount = 0;
  noticeCount = 0;
  /** Told of each session that a transaction closed. */
  onSessionClosed: ((sessionId: SessionId) => void) | undefined = undefined;
  readonly #preparer = new Preparer(this.tree);
  readonly #ids = new SessionIdGenerator(makeServerId(1), TIME_MS);
  readonly #reader = new JuteReader();
  readonly #submitted: Submitted[] = [];
  readonly #syncs: ClientSync[] = [];
  #prepared = 0;

  get lastZxid(): Zxid {
    return this.tree.lastZxid;
  }

  get outstandingCount(): number {
    return this.#submitted.length;
  }

  get syncCount(): number {
    return this.#syncs.length;
  }

  nextSessionId(): SessionId {
    return this.#ids.next();
  }

  submit(write: ClientWrite): void {
    this.#prepared += 1;
    const zxid = makeZxid(makeEpoch(0), this.#prepared);
    this.#reader.aim(write.payload.slice());
    const request = decodeWriteRequest(write.op, this.#reader);
    const { sessionId, identities, cxid } = write;
    const body: TxnBody =
      request === undefined
        ? { type: TxnType.error, error: ErrorCode.marshallingError }
        : this.#preparer.prepare(request, { sessionId, identities, zxid });
    const origin: ServerId = SERVER_NONE;
    const txn: Txn = { sessionId, cxid, timeMs: TIME_MS + zxid, origin, requestId: 0, body };
    this.#submitted.push({ write, zxid, txn });
    if (!this.holds) this.applyAll();
  }

  sync(sync: ClientSync): void {
    this.#syncs.push(sync);
    if (!this.holds) this.completeSync();
  }

  /** Applies the write submitted first. */
  applyNext(): void {
    const next = this.#submitted.shift();
    invariant(next !== undefined, 'nothing was submitted');
    const { write, zxid, txn } = next;
    const result = this.tree.apply(zxid, txn, true);
    this.#preparer.applied(zxid);
    write.completed(zxid, result);
    if (txn.body.type === TxnType.closeSession) this.onSessionClosed?.(txn.sessionId);
  }

  applyAll(): void {
    while (this.#submitted.length > 0) this.applyNext();
  }

  /** The write submitted first takes effect, but its client will not hear of it. */
  dropNext(): void {
    const next = this.#submitted.shift();
    invariant(next !== undefined, 'nothing was submitted');
    this.tree.apply(next.zxid, next.txn, false);
    this.#preparer.applied(next.zxid);
    next.write.dropped();
  }

  completeSync(): void {
    const sync = this.#syncs.shift();
    invariant(sync !== undefined, 'no sync was asked for');
    sync.completed();
  }

  /** The leader has found the session expired. */
  expire(sessionId: SessionId): void {
    this.submit({
      sessionId,
      cxid: 0,
      op: -11,
      payload: new Uint8Array(0),
      identities: [],
      completed: () => undefined,
      dropped: () => undefined,
    });
  }

  revalidate(
    sessionId: SessionId,
    _timeoutMs: number,
    answer: (isValid: boolean | undefined) => void,
  ): void {
    answer(this.revalidation === 'byTree' ? this.tree.sessions.has(sessionId) : this.revalidation);
  }

  touch(sessionId: SessionId): void {
    this.touched.push(sessionId);
  }

  noticeTime(): void {
    this.noticeCount += 1;
  }

  ownsSession(sessionId: SessionId): boolean {
    return !this.movedSessions.has(sessionId);
  }

  async status(): Promise<BackendStatus> {
    await this.statusGate;
    return { ...STATUS, ...this.statistics };
  }

  resetStatistics(): void {
    this.resetCount += 1;
  }
}
