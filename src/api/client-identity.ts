/**
 * Who a client has proved to be on its connection, and whether that is enough to be served. Packets
 * that prove something are answered at once, in front of everything pending, as the original does.
 */

import type { Identity } from '../base/acl.ts';
import { ErrorCode } from '../base/error-code.ts';
import { OpCode } from '../base/op-code.ts';
import type { JuteReader } from '../protocol/jute-reader.ts';
import { decodeAuthPacket, decodeSaslToken, encodeSaslToken } from '../protocol/records/auth.ts';
import type { Connection } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import { authenticate, withIdentity } from './handlers/auth.ts';

/** Characters of all that a client has proved: every write carries them to the leader. */
const IDENTITY_CHARS_MAX = 16 * 1024;

export class ClientIdentity {
  readonly #connection: Connection;
  readonly #host: ConnectionHost;
  #identities: readonly Identity[];
  #isAdmitted: boolean;

  constructor(connection: Connection, host: ConnectionHost) {
    this.#connection = connection;
    this.#host = host;
    this.#identities = [{ scheme: 'ip', id: connection.remoteHost }];
    this.#isAdmitted = this.#isProven();
  }

  /** A list that is handed out stays as it is: what is proved later makes a new one. */
  get identities(): readonly Identity[] {
    return this.#identities;
  }

  /** False while the configuration asks for an identity that the client has not proved yet. */
  get isAdmitted(): boolean {
    return this.#isAdmitted;
  }

  /** Takes an auth packet. One that proves nothing ends the connection. */
  authenticate(xid: number, reader: JuteReader): void {
    const connection = this.#connection;
    const { replies } = connection;
    const packet = decodeAuthPacket(reader);
    if (packet === undefined) {
      // The original reads this packet where it reads frames, so bytes that are none end the connection.
      connection.drop('auth packet that cannot be decoded');
      return;
    }
    const mark = replies.begin(xid, 0);
    const receivedMs = this.#host.nowMs;
    const { superDigest } = this.#host.options.access;
    const proven = authenticate(packet, connection.remoteHost, superDigest);
    let identities = this.#identities;
    for (const identity of proven) identities = withIdentity(identities, identity);
    if (proven.length === 0 || charsOf(identities) > IDENTITY_CHARS_MAX) {
      this.#host.stats.counters.authFailures += 1;
      replies.end(mark, OpCode.auth, xid, ErrorCode.authFailed, receivedMs);
      connection.endAfterReplies();
      return;
    }
    this.#identities = identities;
    this.#isAdmitted = this.#isProven();
    replies.end(mark, OpCode.auth, xid, ErrorCode.ok, receivedMs);
  }

  /** No mechanism is configured: as in the original every exchange is over at once, and proves nothing. */
  answerSasl(xid: number, reader: JuteReader): void {
    const connection = this.#connection;
    const { replies } = connection;
    const request = decodeSaslToken(reader);
    if (request === undefined || request.token === null) {
      connection.drop('sasl request without a token');
      return;
    }
    const mark = replies.begin(xid, 0);
    encodeSaslToken(replies.writer, null);
    replies.end(mark, OpCode.sasl, xid, ErrorCode.ok, this.#host.nowMs);
  }

  /** Whoever is asked to prove an identity may do nothing else before. */
  refuseUnproven(xid: number, type: number): void {
    const connection = this.#connection;
    const { replies } = connection;
    const mark = replies.begin(xid, 0);
    replies.end(mark, type, xid, ErrorCode.sessionClosedRequireSaslAuth, this.#host.nowMs);
    connection.endAfterReplies();
  }

  #isProven(): boolean {
    const { enforcedSchemes } = this.#host.options.access;
    if (enforcedSchemes.length === 0) return true;
    return this.#identities.some(({ scheme }) => enforcedSchemes.includes(scheme));
  }
}

function charsOf(identities: readonly Identity[]): number {
  let chars = 0;
  for (const { scheme, id } of identities) chars += scheme.length + id.length;
  return chars;
}
