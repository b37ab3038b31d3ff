/**
 * Transactions as bytes: encoded once by the leader, the same bytes go into every log and over
 * every link.
 *
 *     version:u8  crc32:u32 (big-endian, over the rest)  msgpack array
 *     array = sessionId cxid timeMs origin requestId body...
 *     body  = type fields...        in the order of the members in txn.ts, data last
 *
 * A member of a multi is an array `[type, fields...]`. An ACL is a flat array of perms, scheme, id,
 * or 0 for the open one, which nearly all nodes have. Arrays of fixed position cost half of what
 * objects do and keep no state between messages.
 *
 * The checksum finds accidents; the shape is checked as well, because neither a disk nor a peer is
 * trusted to hold what this program wrote.
 */

import { crc32 } from 'node:zlib';
import type { Acl } from '../base/acl.ts';
import { invariant, unreachable } from '../base/assert.ts';
import { isPlainMsgpack } from '../base/msgpack-shape.ts';
import { MsgpackWriter } from '../base/msgpack-writer.ts';
import { isOpen } from './acl-table.ts';
import { type Txn, type TxnBody, TxnType } from './txn.ts';
import { readTxn } from './txn-reader.ts';

export type TxnDamage = 'TOO_SHORT' | 'VERSION_UNKNOWN' | 'CHECKSUM' | 'NOT_MSGPACK' | 'SHAPE';

/** Why bytes are not a transaction. A value, not thrown. */
export class TxnDecodeError extends Error {
  override readonly name = 'TxnDecodeError';
  readonly code = 'TXN_DAMAGED';
  readonly damage: TxnDamage;

  constructor(damage: TxnDamage) {
    super('bytes are not a transaction');
    this.damage = damage;
  }
}

const VERSION = 1;
const HEADER_BYTES = 5;
/** Fields in front of the body. */
const HEAD_FIELDS = 5;
const OPEN_ACL_MARK = 0;
/** A transaction holds the members of a multi, a member its ACL. */
const DEPTH_MAX = 3;

const writer = new MsgpackWriter();
/** Where in the record being encoded its byte strings lie, in order. */
const dataAt: number[] = [];

/** The transaction's bytes, owned by the caller. */
export function encodeTxn(txn: Txn): Uint8Array {
  writer.begin(HEADER_BYTES);
  writer.array(HEAD_FIELDS + fieldCount(txn.body));
  writer.int64(txn.sessionId);
  writer.number(txn.cxid);
  writer.number(txn.timeMs);
  writer.number(txn.origin);
  writer.number(txn.requestId);
  dataAt.length = 0;
  writeBody(txn.body);
  const bytes = writer.end();
  bytes[0] = VERSION;
  bytes.writeUInt32BE(crc32(bytes.subarray(HEADER_BYTES)), 1);
  return bytes;
}

/**
 * As `encodeTxn`; afterwards the data in the transaction are views of these bytes and no longer of the
 * frame of the request, which may go. So the transaction is what `decodeTxn` would make of the bytes,
 * at a fraction of the cost.
 */
export function encodeDetaching(txn: Txn): Uint8Array {
  const bytes = encodeTxn(txn);
  const { body } = txn;
  if (body.type !== TxnType.multi) {
    detach(body, bytes, 0);
    return bytes;
  }
  let at = 0;
  for (const op of body.ops) if (detach(op, bytes, at)) at += 1;
  return bytes;
}

/** `at`: how many of the transaction's byte strings stand in front of it. False when it holds none. */
function detach(body: TxnBody, bytes: Uint8Array, at: number): boolean {
  switch (body.type) {
    case TxnType.create:
    case TxnType.create2:
    case TxnType.createContainer:
    case TxnType.createTtl:
    case TxnType.setData: {
      if (body.data === null) return false;
      const offset = dataAt[at];
      invariant(offset !== undefined, 'data that was not encoded');
      body.data = bytes.subarray(offset, offset + body.data.length);
      return true;
    }
    default:
      return false;
  }
}

/** The transaction, its data being views of `bytes`; or what is wrong with them. */
export function decodeTxn(bytes: Uint8Array): Txn | TxnDecodeError {
  if (bytes.length <= HEADER_BYTES) return new TxnDecodeError('TOO_SHORT');
  if (bytes[0] !== VERSION) return new TxnDecodeError('VERSION_UNKNOWN');
  // Views of the memory and not of the bytes, which may be of a class that asks what its views are.
  const contentAt = bytes.byteOffset + HEADER_BYTES;
  const content = new Uint8Array(bytes.buffer, contentAt, bytes.length - HEADER_BYTES);
  if (checksumIn(bytes) !== crc32(content)) return new TxnDecodeError('CHECKSUM');
  const txn = readTxn(bytes, HEADER_BYTES);
  if (txn !== undefined) return txn;
  const isMsgpack = isPlainMsgpack(bytes, HEADER_BYTES, DEPTH_MAX);
  return new TxnDecodeError(isMsgpack ? 'SHAPE' : 'NOT_MSGPACK');
}

function checksumIn(bytes: Uint8Array): number {
  let value = 0;
  for (let at = 1; at < HEADER_BYTES; at++) value = value * 256 + (bytes[at] ?? 0);
  return value;
}

/** Elements that `writeBody` writes. */
function fieldCount(body: TxnBody): number {
  switch (body.type) {
    case TxnType.create:
    case TxnType.create2:
    case TxnType.createContainer:
    case TxnType.createTtl:
      return 6;
    case TxnType.setData:
    case TxnType.setAcl:
      return 4;
    case TxnType.multi:
      return 1 + body.ops.length;
    case TxnType.closeSession:
      return 1 + body.paths.length;
    default:
      return 2;
  }
}

function writeBody(body: TxnBody): void {
  writer.number(body.type);
  switch (body.type) {
    case TxnType.create:
    case TxnType.create2:
    case TxnType.createContainer:
    case TxnType.createTtl:
      writer.text(body.path);
      writeAcl(body.acl);
      writer.int64(body.ephemeralOwner);
      writer.number(body.parentCversion);
      writeData(body.data);
      return;
    case TxnType.delete:
    case TxnType.deleteContainer:
    case TxnType.check:
      writer.text(body.path);
      return;
    case TxnType.setData:
      writer.text(body.path);
      writer.number(body.version);
      writeData(body.data);
      return;
    case TxnType.setAcl:
      writer.text(body.path);
      writeAcl(body.acl);
      writer.number(body.version);
      return;
    case TxnType.multi:
      for (const op of body.ops) {
        writer.array(fieldCount(op));
        writeBody(op);
      }
      return;
    case TxnType.createSession:
      writer.number(body.timeoutMs);
      return;
    case TxnType.closeSession:
      for (const path of body.paths) writer.text(path);
      return;
    case TxnType.error:
      writer.number(body.error);
      return;
    default:
      unreachable(body);
  }
}

function writeData(data: Uint8Array | null): void {
  if (data === null) writer.nil();
  else dataAt.push(writer.bytes(data));
}

function writeAcl(acl: readonly Acl[]): void {
  if (isOpen(acl)) {
    writer.number(OPEN_ACL_MARK);
    return;
  }
  writer.array(acl.length * 3);
  for (const entry of acl) {
    writer.number(entry.perms);
    writer.text(entry.scheme);
    writer.text(entry.id);
  }
}
