/**
 * Credentials for a connection; the reply is a header only.
 *
 *     AuthPacket = type:int scheme:ustring auth:buffer
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
