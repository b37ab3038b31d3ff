/**
 * The headers in front of every record after the handshake.
 *
 *     RequestHeader = xid:int type:int
 *     ReplyHeader   = xid:int zxid:long err:int
 *
 * Ping and closeSession are a header and nothing else, in both directions. A reply whose `err` is not
 * 0 normally has no body, and whoever reads one ignores it.
 */

import { OpCode } from '../../base/op-code.ts';
import type { JuteReader } from '../jute-reader.ts';
import type { JuteWriter } from '../jute-writer.ts';

/** Request ids with a meaning of their own; ordinary ones count up from 1. */
export const SpecialXid = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const;

/** Header zxid of notifications and of replies to unknown operations. */
export const HEADER_ZXID_NONE = -1;

export interface RequestHeader {
  readonly xid: number;
  /** As sent: `isKnownOp` says whether it is an operation at all. */
  readonly type: number;
}

export interface ReplyHeader {
  readonly xid: number;
  /** A zxid, 0 or `HEADER_ZXID_NONE`. */
  readonly zxid: number;
  readonly error: number;
}

export function encodeRequestHeader(writer: JuteWriter, xid: number, type: number): void {
  writer.writeInt(xid);
  writer.writeInt(type);
}

/** Undefined when the frame is too short: that closes the connection, there is no xid to answer. */
export function decodeRequestHeader(reader: JuteReader): RequestHeader | undefined {
  const xid = reader.readInt();
  const type = reader.readInt();
  return reader.failed ? undefined : { xid, type };
}

export function encodeReplyHeader(
  writer: JuteWriter,
  xid: number,
  zxid: number,
  error: number,
): void {
  writer.writeInt(xid);
  writer.writeLong(zxid);
  writer.writeInt(error);
}

export function decodeReplyHeader(reader: JuteReader): ReplyHeader | undefined {
  const xid = reader.readInt();
  const zxid = reader.readLong();
  const error = reader.readInt();
  return reader.failed ? undefined : { xid, zxid, error };
}

const KNOWN_OPS: ReadonlySet<number> = new Set(Object.values(OpCode));

/** Whether the original has an operation of this number, for clients or among servers. */
export function isKnownOp(type: number): type is OpCode {
  return KNOWN_OPS.has(type);
}
