/**
 * Credentials for a connection, and who they make it.
 *
 *     AuthPacket  = type:int scheme:ustring auth:buffer     its reply is a header only
 *     sasl        = token:buffer                            request and reply
 *     WhoAmIReply = vector<scheme:ustring user:ustring>     whoAmI itself is a header only
 */

import type { JuteReader } from '../jute-reader.ts';
import type { JuteWriter } from '../jute-writer.ts';

export interface AuthPacket {
  /** Sent as 0, ignored by servers. */
  readonly type: number;
  readonly scheme: string | null;
  /** A view of the frame. */
  readonly auth: Uint8Array | null;
}

export interface SaslToken {
  /** A view of the frame; null in a reply that ends the exchange. */
  readonly token: Uint8Array | null;
}

/** One identity of a connection, without what proves it. */
export interface ClientInfo {
  readonly scheme: string | null;
  readonly user: string | null;
}

/** Lengths of two strings. */
const CLIENT_INFO_BYTES_MIN = 8;

export function encodeAuthPacket(writer: JuteWriter, packet: AuthPacket): void {
  writer.writeInt(packet.type);
  writer.writeString(packet.scheme);
  writer.writeBuffer(packet.auth);
}

export function decodeAuthPacket(reader: JuteReader): AuthPacket | undefined {
  const type = reader.readInt();
  const scheme = reader.readString();
  const auth = reader.readBuffer();
  return reader.failed ? undefined : { type, scheme, auth };
}

export function encodeSaslToken(writer: JuteWriter, token: Uint8Array | null): void {
  writer.writeBuffer(token);
}

export function decodeSaslToken(reader: JuteReader): SaslToken | undefined {
  const token = reader.readBuffer();
  return reader.failed ? undefined : { token };
}

export function encodeWhoAmIReply(writer: JuteWriter, clients: readonly ClientInfo[]): void {
  writer.writeInt(clients.length);
  for (const { scheme, user } of clients) {
    writer.writeString(scheme);
    writer.writeString(user);
  }
}

/** In no particular order. */
export function decodeWhoAmIReply(reader: JuteReader): readonly ClientInfo[] | undefined {
  const count = reader.readCount(CLIENT_INFO_BYTES_MIN);
  const clients: ClientInfo[] = [];
  for (let i = 0; i < count && !reader.failed; i++) {
    const scheme = reader.readString();
    clients.push({ scheme, user: reader.readString() });
  }
  return reader.failed || count < 0 ? undefined : clients;
}
