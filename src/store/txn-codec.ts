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
import { Packr } from 'msgpackr';
import { type Acl, OPEN_ACL } from '../base/acl.ts';
import { invariant, unreachable } from '../base/assert.ts';
import { ErrorCode } from '../base/error-code.ts';
import { makeServerId, makeSessionId, type SessionId } from '../base/ids.ts';
import { isPlainMsgpack } from '../base/msgpack-shape.ts';
import { MsgpackWriter } from '../base/msgpack-writer.ts';
import { isValidPath } from '../base/path.ts';
import { isOpen } from './acl-table.ts';
import {
  type CloseSessionTxn,
  type CreateTxn,
  type MultiTxn,
  type Txn,
  type TxnBody,
  TxnType,
} from './txn.ts';

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
/** Where a body begins in a transaction's array; 0 in that of a member of a multi. */
const BODY_AT = 5;
const MEMBER_AT = 0;
const OPEN_ACL_MARK = 0;
/** A transaction holds the members of a multi, a member its ACL. */
const DEPTH_MAX = 3;

const packr = new Packr({ useRecords: false });
const writer = new MsgpackWriter();
/** Where in the record being encoded its byte strings lie, in order. */
const dataAt: number[] = [];
const UNPACK_OPTIONS = { start: HEADER_BYTES } as const;
const ERROR_CODES: ReadonlySet<unknown> = new Set(Object.values(ErrorCode));

/** The transaction's bytes, owned by the caller. */
export function encodeTxn(txn: Txn): Uint8Array {
  writer.begin(HEADER_BYTES);
  writer.array(BODY_AT + fieldCount(txn.body));
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
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (view.getUint32(1) !== crc32(bytes.subarray(HEADER_BYTES))) {
    return new TxnDecodeError('CHECKSUM');
  }
  if (!isPlainMsgpack(bytes, HEADER_BYTES, DEPTH_MAX)) return new TxnDecodeError('NOT_MSGPACK');
  let fields: unknown;
  try {
    fields = packr.unpack(bytes, UNPACK_OPTIONS);
  } catch {
    return new TxnDecodeError('NOT_MSGPACK');
  }
  return parseTxn(fields) ?? new TxnDecodeError('SHAPE');
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
function parseTxn(fields: unknown): Txn | undefined {
  if (!Array.isArray(fields)) return undefined;
  const [sessionId, cxid, timeMs, origin, requestId] = fields as readonly unknown[];
  if (!isInt64(sessionId) || !isInt32(cxid) || !isSafeInteger(timeMs)) return undefined;
  if (!isSafeInteger(origin) || origin < 0 || origin > 255) return undefined;
  if (!isSafeInteger(requestId) || requestId < 0) return undefined;
  const body = parseBody(fields, BODY_AT);
  if (body === undefined) return undefined;
  return {
    sessionId: makeSessionId(sessionId),
    cxid,
    timeMs,
    origin: makeServerId(origin),
    requestId,
    body,
  };
}

function parseBody(fields: readonly unknown[], at: number): TxnBody | undefined {
  const type = fields[at];
  const count = fields.length - at - 1;
  const first = fields[at + 1];
  switch (type) {
    case TxnType.create:
    case TxnType.create2:
    case TxnType.createContainer:
    case TxnType.createTtl:
      return parseCreate(type, fields, at);
    case TxnType.delete:
    case TxnType.deleteContainer:
    case TxnType.check:
      return count === 1 && isPath(first) ? { type, path: first } : undefined;
    case TxnType.setData: {
      const version = fields[at + 2];
      const data = fields[at + 3];
      if (count !== 3 || !isPath(first) || !isData(data) || !isInt32(version)) return undefined;
      return { type, path: first, data, version };
    }
    case TxnType.setAcl: {
      const acl = parseAcl(fields[at + 2]);
      const version = fields[at + 3];
      if (count !== 3 || !isPath(first) || acl === undefined || !isInt32(version)) return undefined;
      return { type, path: first, acl, version };
    }
    case TxnType.multi:
      return at === MEMBER_AT ? undefined : parseMulti(fields, at);
    case TxnType.createSession:
      if (at === MEMBER_AT || count !== 1 || !isInt32(first)) return undefined;
      return { type, timeoutMs: first };
    case TxnType.closeSession:
      return at === MEMBER_AT ? undefined : parseCloseSession(fields, at);
    case TxnType.error:
      return count === 1 && isErrorCode(first) ? { type, error: first } : undefined;
    default:
      return undefined;
  }
}

function parseCreate(
  type: CreateTxn['type'],
  fields: readonly unknown[],
  at: number,
): CreateTxn | undefined {
  if (fields.length !== at + 6) return undefined;
  const path = fields[at + 1];
  const acl = parseAcl(fields[at + 2]);
  const ephemeralOwner = fields[at + 3];
  const parentCversion = fields[at + 4];
  const data = fields[at + 5];
  if (!isPath(path) || path === '/' || !isData(data) || acl === undefined) return undefined;
  if (!isInt64(ephemeralOwner) || !isInt32(parentCversion)) return undefined;
  return { type, path, data, acl, ephemeralOwner, parentCversion };
}

function parseMulti(fields: readonly unknown[], at: number): MultiTxn | undefined {
  const ops: TxnBody[] = [];
  for (let i = at + 1; i < fields.length; i++) {
    const member = fields[i];
    const op = Array.isArray(member) ? parseBody(member, MEMBER_AT) : undefined;
    if (op === undefined) return undefined;
    ops.push(op);
  }
  return { type: TxnType.multi, ops };
}

function parseCloseSession(fields: readonly unknown[], at: number): CloseSessionTxn | undefined {
  const paths = fields.slice(at + 1);
  return paths.every(isPath) ? { type: TxnType.closeSession, paths } : undefined;
}

function parseAcl(flat: unknown): readonly Acl[] | undefined {
  if (flat === OPEN_ACL_MARK) return OPEN_ACL;
  if (!Array.isArray(flat) || flat.length % 3 !== 0) return undefined;
  const acl: Acl[] = [];
  for (let i = 0; i < flat.length; i += 3) {
    const perms: unknown = flat[i];
    const scheme: unknown = flat[i + 1];
    const id: unknown = flat[i + 2];
    if (!isInt32(perms) || typeof scheme !== 'string' || typeof id !== 'string') return undefined;
    acl.push({ perms, scheme, id });
  }
  return acl;
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && isValidPath(value);
}

function isData(value: unknown): value is Uint8Array | null {
  return value === null || value instanceof Uint8Array;
}

function isInt32(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value;
}

function isSafeInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** msgpack gives a bigint beyond 63 bits as well; such a one was never written here. */
function isInt64(value: unknown): value is SessionId {
  return typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
}

function isErrorCode(value: unknown): value is ErrorCode {
  return ERROR_CODES.has(value);
}
