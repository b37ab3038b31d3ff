/**
 * The handshake: the first frame of each direction, without a header in front.
 *
 *     ConnectRequest  = protocolVersion:int lastZxidSeen:long timeOut:int sessionId:long
 *                       passwd:buffer [readOnly:boolean]
 *     ConnectResponse = protocolVersion:int timeOut:int sessionId:long passwd:buffer
 *                       [readOnly:boolean]
 *
 * Clients of 3.3 and before have no readOnly byte, and an answer has it only if the request had:
 * the C client tells the two by the frame's length.
 */

import { SESSION_NONE, type SessionId } from '../../base/ids.ts';
import type { JuteReader } from '../jute-reader.ts';
import type { JuteWriter } from '../jute-writer.ts';

/** Bytes of every password a server gives out. */
export const PASSWORD_BYTES = 16;

export interface ConnectRequest {
  /** Sent as 0, ignored by servers. */
  readonly protocolVersion: number;
  /** Compares right with every zxid, though a client may send anything (see `JuteReader.readLong`). */
  readonly lastZxidSeen: number;
  readonly timeoutMs: number;
  /** `SESSION_NONE` asks for a new session. */
  readonly sessionId: SessionId;
  /** A view of the frame; any length, or null, where a new session is asked for. */
  readonly password: Uint8Array | null;
  /** Undefined when the client left the byte out. */
  readonly readOnly: boolean | undefined;
}

export interface ConnectResponse {
  readonly protocolVersion: number;
  /** What was agreed; 0 says that the session is gone. */
  readonly timeoutMs: number;
  readonly sessionId: SessionId;
  /** `PASSWORD_BYTES` bytes, all zero when the session is gone. */
  readonly password: Uint8Array | null;
  /** True: this server is read-only. Undefined leaves the byte out. */
  readonly readOnly: boolean | undefined;
}

export function encodeConnectRequest(writer: JuteWriter, request: ConnectRequest): void {
  writer.writeInt(request.protocolVersion);
  writer.writeLong(request.lastZxidSeen);
  writer.writeInt(request.timeoutMs);
  writer.writeSessionId(request.sessionId);
  writer.writeBuffer(request.password);
  if (request.readOnly !== undefined) writer.writeBool(request.readOnly);
}

export function decodeConnectRequest(reader: JuteReader): ConnectRequest | undefined {
  const protocolVersion = reader.readInt();
  const lastZxidSeen = reader.readLong();
  const timeoutMs = reader.readInt();
  const sessionId = reader.readSessionId();
  const password = reader.readBuffer();
  const readOnly = reader.remaining > 0 ? reader.readBool() : undefined;
  if (reader.failed) return undefined;
  return { protocolVersion, lastZxidSeen, timeoutMs, sessionId, password, readOnly };
}

export function encodeConnectResponse(writer: JuteWriter, response: ConnectResponse): void {
  writer.writeInt(response.protocolVersion);
  writer.writeInt(response.timeoutMs);
  writer.writeSessionId(response.sessionId);
  writer.writeBuffer(response.password);
  if (response.readOnly !== undefined) writer.writeBool(response.readOnly);
}

export function decodeConnectResponse(reader: JuteReader): ConnectResponse | undefined {
  const protocolVersion = reader.readInt();
  const timeoutMs = reader.readInt();
  const sessionId = reader.readSessionId();
  const password = reader.readBuffer();
  const readOnly = reader.remaining > 0 ? reader.readBool() : undefined;
  if (reader.failed) return undefined;
  return { protocolVersion, timeoutMs, sessionId, password, readOnly };
}

/** The answer to an expired, closed, unknown or wrongly proven session; the connection closes after it. */
export function encodeSessionGone(writer: JuteWriter, readOnly: boolean | undefined): void {
  encodeConnectResponse(writer, {
    protocolVersion: 0,
    timeoutMs: 0,
    sessionId: SESSION_NONE,
    password: new Uint8Array(PASSWORD_BYTES),
    readOnly,
  });
}
