/**
 * One connection's requests, from decoded header to reply. Replies leave in the order of requests:
 *
 * - A read is answered on the spot while nothing of this connection is pending, and otherwise waits
 *   behind it, so that it sees the session's own earlier writes.
 * - A write goes to the backend at once, whatever is pending: writes of one client are in flight
 *   together, and the ensemble keeps their order. Only behind a sync it is held back, or the sync
 *   and the reads behind it could see a write that the client sent later.
 * - auth and sasl are answered at once, in front of everything pending, as the original does.
 *
 * Reads run inside the backend's `completed` call, that is between two applied transactions.
 */

import type { Acl, Identity } from '../base/acl.ts';
import { invariant } from '../base/assert.ts';
import { ErrorCode } from '../base/error-code.ts';
import { OpCode } from '../base/op-code.ts';
import { encodeSyncReply } from '../protocol/records/read-reply.ts';
import { decodePathRequest } from '../protocol/records/read-request.ts';
import { ClientIdentity } from './client-identity.ts';
import type { Connection } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import { encodeWriteReply, isWrite } from './handlers/write-reply.ts';
import { LocalAnswers } from './local-answers.ts';
import { isForbidden, isList, isUnknown } from './operation-kinds.ts';
import {
  type PendingOwner,
  PendingQueue,
  PendingRequest,
  PendingState,
} from './pending-request.ts';
import type { ReplyWriter } from './reply-writer.ts';

/** Requests of one connection that may be pending before it is no longer read. */
export const CONNECTION_PENDING_MAX = 1000;
/**
 * Of those that look at many nodes, fewer: all that wait for a write are answered when it is
 * applied, one behind the other, and meanwhile nobody else is.
 */
export const CONNECTION_PENDING_LISTS_MAX = 16;
/** Bytes of them at which it is not read either. */
export const CONNECTION_PENDING_BYTES_MAX = 8 * 1024 * 1024;
/** With so many unsent bytes of replies a waiting read waits on, for the client to take some. */
const READ_BACKLOG_BYTES = 8 * 1024 * 1024;

const NO_BYTES = new Uint8Array(0);

export class RequestPipeline implements PendingOwner {
  readonly #connection: Connection;
  readonly #replies: ReplyWriter;
  readonly #host: ConnectionHost;
  readonly #queue = new PendingQueue();
  readonly #identity: ClientIdentity;
  readonly #answers: LocalAnswers;
  #heldCount = 0;
  #unsettledSyncCount = 0;
  /** Bytes of requests that are answered here, and of those that the backend has or will get. */
  #localBytes = 0;
  #backendBytes = 0;
  /** Requests that wait to be answered here and may take long. */
  #listCount = 0;
  #isDraining = false;
  /** It was seen, since `beginFrames`, to live here. */
  #isSessionChecked = false;

  constructor(connection: Connection, host: ConnectionHost) {
    this.#connection = connection;
    this.#host = host;
    this.#replies = connection.replies;
    this.#identity = new ClientIdentity(connection, host);
    this.#answers = new LocalAnswers(connection, host, this.#identity.identities);
  }

  /** Requests received and not yet answered. */
  get pendingCount(): number {
    return this.#queue.count;
  }

  get isFull(): boolean {
    if (this.#localBytes + this.#backendBytes >= CONNECTION_PENDING_BYTES_MAX) return true;
    if (this.#listCount >= CONNECTION_PENDING_LISTS_MAX) return true;
    return this.#queue.count >= CONNECTION_PENDING_MAX;
  }

  /** Bytes of requests that wait for those before them, to be answered here. */
  get localBytes(): number {
    return this.#localBytes;
  }

  get identities(): readonly Identity[] {
    return this.#identity.identities;
  }

  /** Whether this client, as it has proved itself by now, may read a node with the ACL. */
  mayRead(acl: readonly Acl[]): boolean {
    return this.#answers.mayRead(acl, this.#identity.identities);
  }

  /** Frames that have come together follow: what holds for the session at the first holds for all. */
  beginFrames(): void {
    this.#isSessionChecked = false;
  }

  /** Takes one frame, at which the host's reader is aimed. */
  accept(): void {
    const host = this.#host;
    const reader = host.reader;
    const xid = reader.readInt();
    const type = reader.readInt();
    const connection = this.#connection;
    if (reader.failed) {
      connection.drop('request without a header');
      return;
    }
    if (!this.#isSessionChecked && !this.#checkSession()) return;
    if (type === OpCode.auth) this.#identity.authenticate(xid, reader);
    else if (type === OpCode.sasl) this.#identity.answerSasl(xid, reader);
    else if (!this.#identity.isAdmitted) this.#identity.refuseUnproven(xid, type);
    else if (this.#isThrottled(type)) this.#refuseThrottled(xid, type);
    else if (isWrite(type) && !isForbidden(type, host.backend.mode)) this.#acceptWrite(xid, type);
    else if (type === OpCode.sync && !isForbidden(type, host.backend.mode)) this.#acceptSync(xid);
    else if (this.#queue.count === 0) {
      this.#answers.answer(xid, type, this.#identity.identities, this.#receivedMs, reader);
    } else {
      this.#enqueue(xid, type, connection.payload().slice(), PendingState.local);
      if (isUnknown(type) && !isForbidden(type, host.backend.mode)) connection.endAfterReplies();
    }
  }

  /** The session has given a sign of life. False when it lives at another server by now. */
  #checkSession(): boolean {
    const { sessionId } = this.#connection;
    const { backend } = this.#host;
    backend.touch(sessionId);
    this.#isSessionChecked = backend.ownsSession(sessionId);
    if (!this.#isSessionChecked) this.#connection.drop('session moved');
    return this.#isSessionChecked;
  }

  /** The connection is closed: what the backend has not been given yet, it never will be. */
  abandon(): void {
    if (this.#heldCount === 0) return;
    for (let request = this.#queue.head; request !== undefined; request = request.next) {
      if (request.state === PendingState.held) this.#noteBackendBytes(-request.recordBytes);
    }
    this.#heldCount = 0;
  }

  requestCompleted(request: PendingRequest): void {
    this.#host.refreshNow();
    this.#noteBackendBytes(-request.recordBytes);
    this.#host.requestSettled();
    if (this.#connection.isClosed) return;
    if (request.type === OpCode.sync) {
      this.#unsettledSyncCount -= 1;
      this.#submitHeld();
    }
    this.drain();
    request.keepResult();
    this.#host.requestTurn(this.#connection);
  }

  requestDropped(request: PendingRequest): void {
    this.#noteBackendBytes(-request.recordBytes);
    this.#host.requestSettled();
    if (!this.#connection.isClosed) this.#connection.drop('outcome of a request unknown');
  }

  /** Answers what can be answered, from the front. */
  drain(): void {
    // Answers are given from one place only: a request that the backend settles while it is being
    // submitted from here finds its turn in the loop that is already running.
    if (this.#isDraining) return;
    this.#isDraining = true;
    while (this.#connection.isOpen) {
      const request = this.#queue.head;
      if (request === undefined) break;
      if (request.state === PendingState.settled) {
        this.#queue.shift();
        this.#answerSettled(request);
      } else if (request.state === PendingState.throttled) {
        this.#queue.shift();
        this.#answerThrottled(request.cxid, request.type, request.receivedMs);
      } else if (request.state === PendingState.local) {
        if (this.#replies.backlogBytes >= READ_BACKLOG_BYTES) break;
        this.#queue.shift();
        this.#localBytes -= request.recordBytes;
        if (isList(request.type)) this.#listCount -= 1;
        const reader = this.#host.reader;
        reader.aim(request.payload);
        const { cxid, type, identities, receivedMs } = request;
        this.#answers.answer(cxid, type, identities, receivedMs, reader);
      } else break;
    }
    this.#isDraining = false;
  }

  /** When the frame being taken came to this server. */
  get #receivedMs(): number {
    return this.#host.nowMs - this.#connection.waitedMs;
  }

  #isThrottled(type: number): boolean {
    const maxMs = this.#host.options.throttledOpWaitMs;
    if (maxMs === 0 || this.#connection.waitedMs <= maxMs) return false;
    return type !== OpCode.ping && type !== OpCode.closeSession;
  }

  #refuseThrottled(xid: number, type: number): void {
    this.#host.stats.counters.throttledOps += 1;
    if (this.#queue.count > 0) this.#enqueue(xid, type, NO_BYTES, PendingState.throttled);
    else this.#answerThrottled(xid, type, this.#receivedMs);
  }

  #answerThrottled(xid: number, type: number, receivedMs: number): void {
    const replies = this.#replies;
    const mark = replies.begin(xid, replies.zxidFrom(this.#host.backend.lastZxid));
    replies.end(mark, type, xid, ErrorCode.throttledOp, receivedMs);
  }

  #acceptWrite(xid: number, type: OpCode): void {
    if (this.#unsettledSyncCount > 0) {
      this.#enqueue(xid, type, this.#connection.payload().slice(), PendingState.held);
      this.#heldCount += 1;
      return;
    }
    const payload = this.#connection.payload();
    const request = this.#enqueue(xid, type, payload, PendingState.submitted);
    this.#host.backend.submit(request);
    request.payload = NO_BYTES;
  }

  #acceptSync(xid: number): void {
    const payload = this.#connection.payload().slice();
    const request = this.#enqueue(xid, OpCode.sync, payload, PendingState.submitted);
    this.#unsettledSyncCount += 1;
    this.#host.backend.sync(request);
  }

  #enqueue(xid: number, type: number, payload: Uint8Array, state: PendingState): PendingRequest {
    const request = new PendingRequest(
      this,
      this.#connection.sessionId,
      xid,
      type,
      this.#identity.identities,
      this.#receivedMs,
      payload,
      state,
    );
    this.#queue.push(request);
    if (state === PendingState.local) {
      this.#localBytes += request.recordBytes;
      if (isList(type)) this.#listCount += 1;
    } else this.#noteBackendBytes(request.recordBytes);
    return request;
  }

  #noteBackendBytes(bytes: number): void {
    this.#backendBytes += bytes;
    this.#host.buffers.requested(bytes);
  }

  /** Sends the writes up to the next unsettled sync on their way. */
  #submitHeld(): void {
    // A request settled while it is submitted must not be answered from here: answering takes it out
    // of the queue, with it the way to the requests behind, and those would be held for good.
    const wasDraining = this.#isDraining;
    this.#isDraining = true;
    let request = this.#queue.head;
    while (this.#heldCount > 0 && request !== undefined && this.#connection.isOpen) {
      if (request.type === OpCode.sync && request.state === PendingState.submitted) break;
      if (request.state === PendingState.held) {
        this.#heldCount -= 1;
        request.state = PendingState.submitted;
        this.#host.backend.submit(request);
        request.payload = NO_BYTES;
      }
      request = request.next;
    }
    this.#isDraining = wasDraining;
  }

  #answerSettled(request: PendingRequest): void {
    const { cxid, type, receivedMs } = request;
    if (type === OpCode.sync) {
      this.#answerSync(request);
      return;
    }
    const { zxid, result } = request;
    invariant(zxid !== undefined && result !== undefined, 'write settled without a result');
    const connection = this.#connection;
    const replies = this.#replies;
    const mark = replies.begin(cxid, replies.zxidFrom(zxid));
    if (result.error === ErrorCode.ok) encodeWriteReply(replies.writer, request.op, result);
    replies.end(mark, type, cxid, result.error, receivedMs);
    request.result = undefined;
    if (type === OpCode.closeSession && result.error === ErrorCode.ok) connection.endAfterReplies();
  }

  #answerSync(request: PendingRequest): void {
    const replies = this.#replies;
    this.#host.reader.aim(request.payload);
    const sync = decodePathRequest(this.#host.reader);
    const mark = replies.begin(request.cxid, replies.zxidFrom(this.#host.backend.lastZxid));
    if (sync !== undefined) encodeSyncReply(replies.writer, sync.path);
    const error = sync === undefined ? ErrorCode.marshallingError : ErrorCode.ok;
    replies.end(mark, OpCode.sync, request.cxid, error, request.receivedMs);
  }
}
