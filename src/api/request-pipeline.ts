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

import { type Acl, type Identity, Perm } from '../base/acl.ts';
import { invariant } from '../base/assert.ts';
import { ErrorCode } from '../base/error-code.ts';
import { sessionIdHex } from '../base/ids.ts';
import { OpCode } from '../base/op-code.ts';
import type { JuteReader } from '../protocol/jute-reader.ts';
import { decodeAuthPacket, decodeSaslToken, encodeSaslToken } from '../protocol/records/auth.ts';
import { HEADER_ZXID_NONE, SpecialXid } from '../protocol/records/header.ts';
import { encodeSyncReply } from '../protocol/records/read-reply.ts';
import { decodePathRequest } from '../protocol/records/read-request.ts';
import type { Connection } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import { authenticate, whoAmI, withIdentity } from './handlers/auth.ts';
import {
  exists,
  getAcl,
  getChildren,
  getData,
  isPermitted,
  type ReadContext,
  WATCHES_FULL,
} from './handlers/read.ts';
import { getAllChildrenNumber, getEphemerals, multiRead } from './handlers/read-many.ts';
import { setWatches, setWatches2 } from './handlers/set-watches.ts';
import { addWatch, checkWatches, removeWatches } from './handlers/watch.ts';
import { encodeWriteReply, isWrite } from './handlers/write-reply.ts';
import { isList, isRefusedReadOnly, isUnknown } from './operation-kinds.ts';
import {
  type PendingOwner,
  PendingQueue,
  PendingRequest,
  PendingState,
} from './pending-request.ts';

/** Requests of one connection that may be pending before it is no longer read. */
export const CONNECTION_PENDING_MAX = 1000;
/**
 * Of those that look at many nodes, fewer: all that wait for a write are answered when it is
 * applied, one behind the other, and meanwhile nobody else is.
 */
export const CONNECTION_PENDING_LISTS_MAX = 16;
/** Bytes of them at which it is not read either. */
export const CONNECTION_PENDING_BYTES_MAX = 8 * 1024 * 1024;
/** Characters of all that a client has proved: every write carries them to the leader. */
const IDENTITY_CHARS_MAX = 16 * 1024;
/** With so many unsent bytes of replies a waiting read waits on, for the client to take some. */
const READ_BACKLOG_BYTES = 8 * 1024 * 1024;

const NO_BYTES = new Uint8Array(0);

export class RequestPipeline implements PendingOwner {
  readonly #connection: Connection;
  readonly #host: ConnectionHost;
  readonly #queue = new PendingQueue();
  readonly #context: ReadContext;
  #identities: readonly Identity[];
  /** False while the configuration asks for an identity that the client has not proved yet. */
  #isAdmitted: boolean;
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
  #isWarnedOfLimit = false;
  /** Zxid of the last reply: no later reply has a lower one, or a client would go back in time. */
  #lastReplyZxid = 0;

  constructor(connection: Connection, host: ConnectionHost) {
    this.#connection = connection;
    this.#host = host;
    this.#identities = [{ scheme: 'ip', id: connection.remoteHost }];
    this.#context = {
      tree: host.backend.tree,
      watches: host.watches,
      watcher: connection,
      identities: this.#identities,
      skipAcl: host.options.access.skipAcl,
      isReplyTooLong: false,
      replyBytesMax: host.options.replyBytesMax,
    };
    this.#isAdmitted = this.#isProven();
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
    return this.#identities;
  }

  /** Whether this client, as it has proved itself by now, may read a node with the ACL. */
  mayRead(acl: readonly Acl[]): boolean {
    this.#context.identities = this.#identities;
    return isPermitted(this.#context, acl, Perm.read);
  }

  /** Frames that have come together follow: what holds for the session at the first holds for all. */
  beginFrames(): void {
    this.#isSessionChecked = false;
  }

  /** Takes one frame, at which the host's reader is aimed. */
  accept(): void {
    const reader = this.#host.reader;
    const xid = reader.readInt();
    const type = reader.readInt();
    const connection = this.#connection;
    if (reader.failed) {
      connection.drop('request without a header');
      return;
    }
    if (!this.#isSessionChecked && !this.#checkSession()) return;
    if (type === OpCode.auth) this.#authenticate(xid, reader);
    else if (type === OpCode.sasl) this.#answerSasl(xid, reader);
    else if (!this.#isAdmitted) this.#refuseUnproven(xid, type);
    else if (this.#isThrottled(type)) this.#refuseThrottled(xid, type);
    else if (isWrite(type) && !this.#isForbidden(type)) this.#acceptWrite(xid, type);
    else if (type === OpCode.sync && !this.#isForbidden(type)) this.#acceptSync(xid);
    else if (this.#queue.count === 0) {
      this.#answer(xid, type, this.#identities, this.#receivedMs, reader);
    } else {
      this.#enqueue(xid, type, connection.payload().slice(), PendingState.local);
      if (isUnknown(type) && !this.#isForbidden(type)) connection.endAfterReplies();
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

  /** Whether read-only mode refuses the operation, whatever else could be said of the request. */
  #isForbidden(type: number): boolean {
    return this.#host.backend.mode === 'read-only' && isRefusedReadOnly(type);
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
        if (this.#connection.backlogBytes >= READ_BACKLOG_BYTES) break;
        this.#queue.shift();
        this.#localBytes -= request.recordBytes;
        if (isList(request.type)) this.#listCount -= 1;
        const reader = this.#host.reader;
        reader.aim(request.payload);
        this.#answer(request.cxid, request.type, request.identities, request.receivedMs, reader);
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
    const connection = this.#connection;
    const mark = connection.beginReply(xid, this.#replyZxid(this.#host.backend.lastZxid));
    connection.endReply(mark, type, xid, ErrorCode.throttledOp, receivedMs);
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
      this.#identities,
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
    const mark = connection.beginReply(cxid, this.#replyZxid(zxid));
    if (result.error === ErrorCode.ok) encodeWriteReply(connection.writer, request.op, result);
    connection.endReply(mark, type, cxid, result.error, receivedMs);
    request.result = undefined;
    if (type === OpCode.closeSession && result.error === ErrorCode.ok) connection.endAfterReplies();
  }

  #answerSync(request: PendingRequest): void {
    const connection = this.#connection;
    this.#host.reader.aim(request.payload);
    const sync = decodePathRequest(this.#host.reader);
    const mark = connection.beginReply(request.cxid, this.#replyZxid(this.#host.backend.lastZxid));
    if (sync !== undefined) encodeSyncReply(connection.writer, sync.path);
    const error = sync === undefined ? ErrorCode.marshallingError : ErrorCode.ok;
    connection.endReply(mark, OpCode.sync, request.cxid, error, request.receivedMs);
  }

  /** Answers a request that needs nobody else; the reader stands behind its header. */
  #answer(
    xid: number,
    type: number,
    identities: readonly Identity[],
    receivedMs: number,
    reader: JuteReader,
  ): void {
    const connection = this.#connection;
    if (type === OpCode.setWatches || type === OpCode.setWatches2) {
      this.#answerSetWatches(xid, type, identities, receivedMs, reader);
      return;
    }
    if (isUnknown(type) && !this.#isForbidden(type)) {
      const mark = connection.beginReply(xid, HEADER_ZXID_NONE);
      connection.endReply(mark, type, xid, ErrorCode.unimplemented, receivedMs);
      connection.endAfterReplies();
      return;
    }
    // Whatever xid a ping carries, clients look for the reply under the xid of pings.
    const replyXid = type === OpCode.ping ? SpecialXid.ping : xid;
    const mark = connection.beginReply(replyXid, this.#replyZxid(this.#host.backend.lastZxid));
    const bodyAt = connection.writer.length;
    const error = this.#bounded(this.#read(type, identities, reader), bodyAt);
    if (error !== ErrorCode.ok) connection.writer.truncate(bodyAt);
    connection.endReply(mark, type, replyXid, error, receivedMs);
  }

  /** The outcome of a read as the client is told: a limit that it met is counted, and noted once. */
  #bounded(error: ErrorCode, bodyAt: number): ErrorCode {
    const { counters } = this.#host.stats;
    const context = this.#context;
    const isTooLong =
      context.isReplyTooLong || this.#connection.writer.length - bodyAt > context.replyBytesMax;
    context.isReplyTooLong = false;
    if (isTooLong) {
      counters.repliesTooLong += 1;
      this.#warnOfLimit('reply too long');
      return ErrorCode.marshallingError;
    }
    if (error === WATCHES_FULL) {
      counters.watchesRefused += 1;
      this.#warnOfLimit('too many watches');
    }
    return error;
  }

  #warnOfLimit(limit: string): void {
    if (this.#isWarnedOfLimit) return;
    this.#isWarnedOfLimit = true;
    const { remoteHost, sessionId } = this.#connection;
    this.#host.log.warn('limit met', {
      limit,
      session: sessionIdHex(sessionId),
      remote: remoteHost,
    });
  }

  #read(type: number, identities: readonly Identity[], reader: JuteReader): ErrorCode {
    const context = this.#context;
    context.tree = this.#host.backend.tree;
    context.identities = identities;
    const writer = this.#connection.writer;
    switch (type) {
      case OpCode.ping:
        return ErrorCode.ok;
      case OpCode.exists:
        return exists(context, reader, writer);
      case OpCode.getData:
        return getData(context, reader, writer);
      case OpCode.getAcl:
        return getAcl(context, reader, writer);
      case OpCode.getChildren:
        return getChildren(context, reader, writer, false);
      case OpCode.getChildren2:
        return getChildren(context, reader, writer, true);
      case OpCode.multiRead:
        return multiRead(context, reader, writer);
      case OpCode.getEphemerals:
        return getEphemerals(context, reader, writer);
      case OpCode.getAllChildrenNumber:
        return getAllChildrenNumber(context, reader, writer);
      case OpCode.addWatch:
        return addWatch(context, reader, writer);
      case OpCode.checkWatches:
        return checkWatches(context, reader);
      case OpCode.removeWatches:
        return removeWatches(context, reader);
      case OpCode.whoAmI:
        whoAmI(identities, writer);
        return ErrorCode.ok;
      default:
        return this.#isForbidden(type) ? ErrorCode.notReadOnly : ErrorCode.unimplemented;
    }
  }

  #answerSetWatches(
    xid: number,
    type: typeof OpCode.setWatches | typeof OpCode.setWatches2,
    identities: readonly Identity[],
    receivedMs: number,
    reader: JuteReader,
  ): void {
    const context = this.#context;
    const connection = this.#connection;
    context.tree = this.#host.backend.tree;
    context.identities = identities;
    const set = type === OpCode.setWatches ? setWatches : setWatches2;
    const error = this.#bounded(set(context, reader, connection), connection.writer.length);
    if (connection.isClosed) return;
    if (error === WATCHES_FULL) {
      connection.drop('too many watches');
      return;
    }
    const mark = connection.beginReply(xid, this.#replyZxid(this.#host.backend.lastZxid));
    connection.endReply(mark, type, xid, error, receivedMs);
  }

  #authenticate(xid: number, reader: JuteReader): void {
    const connection = this.#connection;
    const packet = decodeAuthPacket(reader);
    if (packet === undefined) {
      // The original reads this packet where it reads frames, so bytes that are none end the connection.
      connection.drop('auth packet that cannot be decoded');
      return;
    }
    const mark = connection.beginReply(xid, 0);
    const receivedMs = this.#host.nowMs;
    const { superDigest } = this.#host.options.access;
    const proven = authenticate(packet, connection.remoteHost, superDigest);
    let identities = this.#identities;
    for (const identity of proven) identities = withIdentity(identities, identity);
    if (proven.length === 0 || charsOf(identities) > IDENTITY_CHARS_MAX) {
      this.#host.stats.counters.authFailures += 1;
      connection.endReply(mark, OpCode.auth, xid, ErrorCode.authFailed, receivedMs);
      connection.endAfterReplies();
      return;
    }
    this.#identities = identities;
    this.#isAdmitted = this.#isProven();
    connection.endReply(mark, OpCode.auth, xid, ErrorCode.ok, receivedMs);
  }

  /** No mechanism is configured: as in the original every exchange is over at once, and proves nothing. */
  #answerSasl(xid: number, reader: JuteReader): void {
    const connection = this.#connection;
    const request = decodeSaslToken(reader);
    if (request === undefined || request.token === null) {
      connection.drop('sasl request without a token');
      return;
    }
    const mark = connection.beginReply(xid, 0);
    encodeSaslToken(connection.writer, null);
    connection.endReply(mark, OpCode.sasl, xid, ErrorCode.ok, this.#host.nowMs);
  }

  /** Whoever is asked to prove an identity may do nothing else before. */
  #refuseUnproven(xid: number, type: number): void {
    const connection = this.#connection;
    const mark = connection.beginReply(xid, 0);
    connection.endReply(mark, type, xid, ErrorCode.sessionClosedRequireSaslAuth, this.#host.nowMs);
    connection.endAfterReplies();
  }

  #isProven(): boolean {
    const { enforcedSchemes } = this.#host.options.access;
    if (enforcedSchemes.length === 0) return true;
    return this.#identities.some(({ scheme }) => enforcedSchemes.includes(scheme));
  }

  #replyZxid(zxid: number): number {
    this.#lastReplyZxid = Math.max(this.#lastReplyZxid, zxid);
    return this.#lastReplyZxid;
  }
}

function charsOf(identities: readonly Identity[]): number {
  let chars = 0;
  for (const { scheme, id } of identities) chars += scheme.length + id.length;
  return chars;
}
