/**
 * The messages of which there is one per write or per group of writes, encoded and decoded without a
 * general packer: log entries on their way to learners, and requests on their way to the leader. The
 * bytes are msgpack arrays like those of all other messages.
 */

import type { Identity } from '../base/acl.ts';
import { invariant } from '../base/assert.ts';
import { makeSessionId, parseZxid } from '../base/ids.ts';
import { MsgpackReader } from '../base/msgpack-reader.ts';
import { MsgpackWriter } from '../base/msgpack-writer.ts';
import type { LogEntry, MessageType } from '../consensus/messages.ts';
import { ClientMessageType, type ForwardedRequest } from './peer-message.ts';

type EntriesType = typeof MessageType.proposal | typeof MessageType.inform;

/** Zxids and bytes in turn: flat, because most proposals hold few entries. */
const FIELDS_PER_ENTRY = 2;
const REQUEST_FIELDS = 8;
const LENGTH_BYTES = 4;
const ARRAY_HEAD_BYTES = 5;
const FLOAT_BYTES = 9;
/** Entries of fewer bytes come to lie in memory shared with others. */
const SHARED_BYTES_MAX = 2048;

const writer = new MsgpackWriter();
const reader = new MsgpackReader();

/** A whole frame, with its length. */
export function encodeEntries(type: EntriesType, entries: readonly LogEntry[]): Uint8Array {
  let size = LENGTH_BYTES + ARRAY_HEAD_BYTES + 1;
  for (const { bytes } of entries) size += FLOAT_BYTES + bytesHeadLength(bytes) + bytes.length;
  const frame = Buffer.allocUnsafe(size);
  frame.writeUInt32BE(size - LENGTH_BYTES, 0);
  frame[4] = 0xdd;
  frame.writeUInt32BE(1 + entries.length * FIELDS_PER_ENTRY, 5);
  frame[9] = type;
  let at = 10;
  for (const { zxid, bytes } of entries) {
    frame[at] = 0xcb;
    at = frame.writeDoubleBE(zxid, at + 1);
    at = writeBytesHead(frame, at, bytes.length);
    frame.set(bytes, at);
    at += bytes.length;
  }
  invariant(at === size, 'entries of another size than planned');
  return frame;
}

function bytesHeadLength({ length }: Uint8Array): number {
  return length < 0x100 ? 2 : 5;
}

function writeBytesHead(frame: Buffer, at: number, length: number): number {
  if (length < 0x100) {
    frame[at] = 0xc4;
    frame[at + 1] = length;
    return at + 2;
  }
  frame[at] = 0xc6;
  return frame.writeUInt32BE(length, at + 1);
}

/** A whole frame, with its length; requests encoded one after another lie side by side in memory. */
export function encodeRequest(message: ForwardedRequest): Uint8Array {
  const { requestId, sessionId, cxid, op, payload, identities, isLocal } = message;
  writer.begin(LENGTH_BYTES);
  writer.array(REQUEST_FIELDS);
  writer.number(ClientMessageType.request);
  writer.number(requestId);
  writer.int64(sessionId);
  writer.number(cxid);
  writer.number(op);
  writer.bytes(payload);
  writer.array(identities.length * 2);
  for (const { scheme, id } of identities) {
    writer.text(scheme);
    writer.text(id);
  }
  writer.bool(isLocal);
  const frame = writer.end();
  frame.writeUInt32BE(frame.length - LENGTH_BYTES, 0);
  return frame;
}

/** The entries in a frame of their type, in memory of their own; undefined when they are none. */
export function decodeEntries(frame: Uint8Array): LogEntry[] | undefined {
  const fields = aimBehindType(frame);
  if (fields % FIELDS_PER_ENTRY !== 0) return undefined;
  // One copy of the whole frame costs less than one of each entry.
  const { length: size } = frame;
  const isShared = size < SHARED_BYTES_MAX;
  const copy = isShared ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size);
  copy.set(frame);
  const shift = copy.byteOffset - frame.byteOffset;
  const entries: LogEntry[] = [];
  for (let i = 0; i < fields; i += FIELDS_PER_ENTRY) {
    const zxid = parseZxid(reader.number());
    const length = reader.bytesHead();
    const start = reader.position + shift;
    reader.skip(length);
    if (zxid === undefined || reader.failed) return undefined;
    entries.push({ zxid, bytes: new Uint8Array(copy.buffer, start, length) });
  }
  return reader.isDone ? entries : undefined;
}

/** The request in a frame of its type; undefined when it is none. Its payload is a view of the frame. */
export function decodeRequest(frame: Uint8Array): ForwardedRequest | undefined {
  if (aimBehindType(frame) !== REQUEST_FIELDS - 1) return undefined;
  const requestId = reader.count();
  const sessionId = makeSessionId(reader.int64());
  const cxid = reader.int32();
  const op = reader.int32();
  const payload = reader.bytes();
  const identities = decodeIdentities();
  const isLocal = reader.bool();
  if (!reader.isDone) return undefined;
  const type = ClientMessageType.request;
  return { type, requestId, sessionId, cxid, op, payload, identities, isLocal };
}

function decodeIdentities(): readonly Identity[] {
  const identities: Identity[] = [];
  for (let left = reader.array(); left > 0 && !reader.failed; left -= 2) {
    const scheme = reader.text();
    identities.push({ scheme, id: reader.text() });
  }
  return identities;
}

/** Fields behind the message's type, at which the reader stands afterwards. */
function aimBehindType(frame: Uint8Array): number {
  reader.aim(frame);
  const fields = reader.array();
  reader.number();
  return fields - 1;
}

/** The message's type; undefined when the frame does not begin like a message. */
export function typeOf(frame: Uint8Array): number | undefined {
  reader.aim(frame);
  reader.array();
  const type = reader.number();
  return reader.failed ? undefined : type;
}
