/**
 * From connect request to session. A new session is a transaction like any write; an old one is
 * re-attached if its password fits and the server that expires sessions still knows it. Until the
 * answer is out the connection reads nothing, so requests sent behind the connect request wait.
 */

import type { Identity } from '../base/acl.ts';
import { ErrorCode } from '../base/error-code.ts';
import { SESSION_NONE, type SessionId, sessionIdHex, type Zxid } from '../base/ids.ts';
import { OpCode } from '../base/op-code.ts';
import {
  type ConnectRequest,
  decodeConnectRequest,
  encodeConnectResponse,
  encodeSessionGone,
} from '../protocol/records/connect.ts';
import { createSessionRecord } from '../protocol/records/write-request.ts';
import { isSessionPassword, sessionPassword } from '../session/session-id.ts';
import type { ApplyResult } from '../store/data-tree.ts';
import type { ClientWrite, ServingMode } from './backend.ts';
import type { Connection } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';

/**
 * Takes the first frame of a connection, at which the host's reader is aimed. The order of checks is
 * the original's; a frame that fails one of the first three ends the connection without an answer,
 * which sends the client to another server with its session untouched.
 */
export function openSession(connection: Connection, host: ConnectionHost): void {
  host.stats.counters.connectionRequests += 1;
  const request = decodeConnectRequest(host.reader);
  if (request === undefined) {
    connection.drop('connect request not decodable');
    return;
  }
  const isReadOnly = host.backend.mode === 'read-only';
  if (isReadOnly && request.readOnly !== true) {
    connection.drop('client does not agree to a read-only server');
    return;
  }
  if (request.lastZxidSeen > host.backend.lastZxid) {
    connection.drop('client has seen a later zxid than this server');
    return;
  }
  const { minSessionTimeoutMs, maxSessionTimeoutMs } = host.options;
  const asked = Math.max(request.timeoutMs, minSessionTimeoutMs);
  const timeoutMs = Math.min(asked, maxSessionTimeoutMs);
  connection.connecting(timeoutMs);
  if (request.sessionId === SESSION_NONE) {
    const opening = new SessionOpening(connection, host, timeoutMs, request.readOnly);
    host.backend.submit(opening);
  } else renewSession(connection, host, request, timeoutMs);
}

/** The transaction that begins a session, and what follows when it is applied. */
class SessionOpening implements ClientWrite {
  readonly sessionId: SessionId;
  readonly cxid = 0;
  readonly op = OpCode.createSession;
  readonly payload: Uint8Array;
  readonly identities: readonly Identity[];
  readonly #connection: Connection;
  readonly #host: ConnectionHost;
  readonly #timeoutMs: number;
  readonly #readOnly: boolean | undefined;
  readonly #receivedMs: number;

  constructor(
    connection: Connection,
    host: ConnectionHost,
    timeoutMs: number,
    readOnly: boolean | undefined,
  ) {
    this.#connection = connection;
    this.#host = host;
    this.#timeoutMs = timeoutMs;
    this.#readOnly = readOnly;
    this.#receivedMs = host.nowMs;
    this.sessionId = host.backend.nextSessionId();
    this.identities = connection.identities;
    this.payload = createSessionRecord(timeoutMs);
  }

  completed(zxid: Zxid, result: ApplyResult): void {
    this.#host.refreshNow();
    this.#host.requestSettled();
    const connection = this.#connection;
    if (!connection.isConnecting) return;
    if (result.error !== ErrorCode.ok) {
      refuse(connection, this.#readOnly, this.#receivedMs, this.#host);
      return;
    }
    const { sessionId } = this;
    const { mode } = this.#host.backend;
    welcome(connection, sessionId, this.#timeoutMs, this.#readOnly, mode, zxid, this.#receivedMs);
  }

  dropped(): void {
    this.#host.requestSettled();
    this.#connection.drop('session not created');
  }
}

function renewSession(
  connection: Connection,
  host: ConnectionHost,
  request: ConnectRequest,
  timeoutMs: number,
): void {
  const { sessionId, password, readOnly } = request;
  const receivedMs = host.nowMs;
  if (host.backend.mode === 'read-only' && host.backend.tree.sessions.has(sessionId)) {
    connection.drop('a replicated session cannot be resumed without a quorum');
    return;
  }
  // Before the password is looked at, as in the original, and so even when it turns out wrong.
  host.disconnect(sessionId);
  if (!isSessionPassword(sessionId, password)) {
    host.log.warn('session refused', {
      reason: 'wrong password',
      session: sessionIdHex(sessionId),
      remote: connection.remoteHost,
    });
    refuse(connection, readOnly, receivedMs, host);
    return;
  }
  host.backend.revalidate(sessionId, timeoutMs, (isValid) => {
    host.refreshNow();
    if (!connection.isConnecting) return;
    if (isValid === undefined) connection.drop('nobody can say whether the session lives');
    else if (!isValid) refuse(connection, readOnly, receivedMs, host);
    else {
      const zxid = host.backend.lastZxid;
      const { mode } = host.backend;
      welcome(connection, sessionId, timeoutMs, readOnly, mode, zxid, receivedMs);
    }
  });
}

/** The last byte of an answer: whether this server is read-only. It goes only to those that sent theirs. */
function readOnlyAnswer(
  asked: boolean | undefined,
  mode: ServingMode | undefined,
): boolean | undefined {
  return asked === undefined ? undefined : mode === 'read-only';
}

/** Tells the client that its session is set up. */
function welcome(
  connection: Connection,
  sessionId: SessionId,
  timeoutMs: number,
  readOnly: boolean | undefined,
  mode: ServingMode | undefined,
  zxid: Zxid,
  receivedMs: number,
): void {
  const mark = connection.replies.writer.beginFrame();
  encodeConnectResponse(connection.replies.writer, {
    protocolVersion: 0,
    timeoutMs,
    sessionId,
    password: sessionPassword(sessionId),
    readOnly: readOnlyAnswer(readOnly, mode),
  });
  connection.replies.endFrame(mark, OpCode.createSession, 0, zxid, receivedMs);
  connection.opened(sessionId);
}

/** Tells the client that its session is gone, and closes. */
function refuse(
  connection: Connection,
  readOnly: boolean | undefined,
  receivedMs: number,
  host: ConnectionHost,
): void {
  const mark = connection.replies.writer.beginFrame();
  encodeSessionGone(connection.replies.writer, readOnlyAnswer(readOnly, host.backend.mode));
  connection.replies.endFrame(mark, OpCode.createSession, 0, host.backend.lastZxid, receivedMs);
  connection.endAfterReplies();
}
