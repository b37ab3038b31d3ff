/**
 * What a server does for its clients without asking another: it keeps the sessions that are its own
 * (local ones, and the temporary ones of read-only mode), and settles requests that concern nobody
 * else. It outlives roles, so that a change of leader costs no local session.
 */

import type { ClientWrite } from '../api/backend.ts';
import { invariant } from '../base/assert.ts';
import { ErrorCode } from '../base/error-code.ts';
import type { SessionId, Zxid } from '../base/ids.ts';
import { OpCode } from '../base/op-code.ts';
import { JuteReader } from '../protocol/jute-reader.ts';
import { decodeWriteRequest } from '../protocol/records/write-request.ts';
import type { Clock } from '../runtime/runtime.ts';
import { LocalSessions } from '../session/local-sessions.ts';
import type { SessionIdGenerator } from '../session/session-id.ts';
import { makesEphemeral } from '../store/create-flags.ts';
import type { ApplyResult } from '../store/data-tree.ts';
import { TxnType } from '../store/txn.ts';
import type { ServerConfig } from './config.ts';

const SESSION_BEGUN = result(TxnType.createSession, ErrorCode.ok);
const SESSION_ENDED = result(TxnType.closeSession, ErrorCode.ok);
const NOT_READ_ONLY = result(TxnType.error, ErrorCode.notReadOnly);

export class LocalService {
  readonly #isUpgrading: boolean;
  /** Whether new clients get local sessions; the original's standalone server has none either. */
  readonly isEnabled: boolean;
  readonly #clock: Clock;
  readonly #ids: SessionIdGenerator;
  readonly #sessionEnded: (sessionId: SessionId) => void;
  readonly #sessions: LocalSessions;
  readonly #reader = new JuteReader();
  /** The first id that read-only mode could give out; undefined out of that mode. */
  #readOnlySince: SessionId | undefined;

  constructor(
    config: ServerConfig,
    clock: Clock,
    ids: SessionIdGenerator,
    sessionEnded: (sessionId: SessionId) => void,
  ) {
    this.isEnabled = config.localSessionsEnabled && !config.isStandalone;
    this.#isUpgrading = config.localSessionsUpgradingEnabled;
    this.#clock = clock;
    this.#ids = ids;
    this.#sessionEnded = sessionEnded;
    this.#sessions = new LocalSessions(config.tickTimeMs, clock.monotonicMs());
  }

  get sessionCount(): number {
    return this.#sessions.count;
  }

  /** Living local sessions with the milliseconds each has left. */
  get sessionDeadlines(): (readonly [SessionId, number])[] {
    return this.#sessions.deadlines(this.#nowMs);
  }

  /** Clients come from now on; nobody could be heard before. */
  beginServing(): void {
    this.#sessions.renewAll(this.#nowMs);
  }

  beginReadOnly(): void {
    this.beginServing();
    this.#readOnlySince = this.#ids.upcoming;
  }

  endReadOnly(): void {
    this.#readOnlySince = undefined;
    this.#sessions.endTemporary();
  }

  /** Whether the session is one of this server alone. */
  has(sessionId: SessionId): boolean {
    return this.#sessions.count > 0 && this.#sessions.has(sessionId);
  }

  /** Settles the request if no other server has to know of it; false when one has to. */
  settle(write: ClientWrite, lastZxid: Zxid): boolean {
    const isReadOnly = this.#readOnlySince !== undefined;
    if (write.op === OpCode.createSession) {
      if (!isReadOnly && !this.isEnabled) return false;
      this.#begin(write, isReadOnly);
      write.completed(lastZxid, SESSION_BEGUN);
      return true;
    }
    if (write.op === OpCode.closeSession && this.has(write.sessionId)) {
      this.#sessions.remove(write.sessionId);
      write.completed(lastZxid, SESSION_ENDED);
      this.#sessionEnded(write.sessionId);
      return true;
    }
    if (isReadOnly) write.completed(lastZxid, NOT_READ_ONLY);
    return isReadOnly;
  }

  /**
   * Timeout of the session that has to be made a replicated one before the request, because the
   * request creates an ephemeral node. The session is no local one any more when this returns: what
   * it asks from here on goes the way of every replicated session's requests, behind its creation.
   */
  takeForUpgrade(write: ClientWrite): number | undefined {
    const { sessionId, op, payload } = write;
    if (!this.#isUpgrading || !this.has(sessionId)) return undefined;
    if (op !== OpCode.create && op !== OpCode.create2 && op !== OpCode.multi) return undefined;
    this.#reader.aim(payload);
    const request = decodeWriteRequest(op, this.#reader);
    if (request === undefined || !makesEphemeral(request)) return undefined;
    const timeoutMs = this.#sessions.timeoutMs(sessionId);
    this.#sessions.remove(sessionId);
    return timeoutMs;
  }

  /** A sign of life; false for a session that is none of this server's own. */
  touch(sessionId: SessionId): boolean {
    return this.#sessions.count > 0 && this.#sessions.touch(sessionId, this.#nowMs);
  }

  renew(sessionId: SessionId, timeoutMs: number): boolean {
    return this.#sessions.count > 0 && this.#sessions.renew(sessionId, timeoutMs, this.#nowMs);
  }

  /**
   * In read-only mode, of a session that is none of this server's own: whether it is known to be
   * over. Only a session that began in this very stretch of the mode is; of any other, the
   * servers of which this one is cut off may know better.
   */
  isOver(sessionId: SessionId): boolean {
    return this.#readOnlySince !== undefined && this.#ids.gaveOut(this.#readOnlySince, sessionId);
  }

  /** Several times a second while clients are served. */
  tick(): void {
    for (const sessionId of this.#sessions.expired(this.#nowMs)) this.#sessionEnded(sessionId);
  }

  get #nowMs(): number {
    return this.#clock.monotonicMs();
  }

  #begin(write: ClientWrite, isTemporary: boolean): void {
    this.#reader.aim(write.payload);
    const request = decodeWriteRequest(OpCode.createSession, this.#reader);
    invariant(request !== undefined, 'session without a timeout');
    const { sessionId } = write;
    if (isTemporary) this.#sessions.beginTemporary(sessionId, request.durationMs, this.#nowMs);
    else this.#sessions.begin(sessionId, request.durationMs, this.#nowMs);
  }
}

function result(type: TxnType, error: ErrorCode): ApplyResult {
  return Object.freeze({ type, error, path: null, stat: null, results: [] });
}
