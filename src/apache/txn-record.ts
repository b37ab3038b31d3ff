/**
 * A transaction as it stands in the original's logs, and ours: a header of 32 bytes, a body whose
 * form follows from the type, and since 3.6 the digest of the tree right after it.
 *
 *     TxnHeader = clientId:long cxid:int zxid:long time:long type:int
 *     TxnDigest = version:int treeDigest:long
 */

import { invariant, unreachable } from '../base/assert.ts';
import { ErrorCode } from '../base/error-code.ts';
import { SERVER_NONE, SESSION_NONE, type SessionId, type Zxid } from '../base/ids.ts';
import { JuteReader } from '../protocol/jute-reader.ts';
import { JuteWriter } from '../protocol/jute-writer.ts';
import { encodeAcls, readAcls } from '../protocol/records/acl.ts';
import { CONTAINER_OWNER, TTL_MAX_MS, ttlOfOwner, ttlOwner } from '../store/owner.ts';
import {
  type CreateTxn,
  type ErrorTxn,
  type MultiTxn,
  type Txn,
  type TxnBody,
  TxnType,
} from '../store/txn.ts';

/** Version of the digest that both sides compute; another one is not compared. */
export const DIGEST_VERSION = 2;
const DIGEST_BYTES = 12;
/** A change of the membership is stored as a write of the node that shows it. */
const RECONFIG_TYPE = 16;
/** What creates before 3.4 leave out. */
const CVERSION_UNKNOWN = -1;
const MULTI_ENTRY_BYTES_MIN = 8;
const ERROR_CODES: ReadonlySet<number> = new Set(Object.values(ErrorCode));

export interface TxnRecord {
  readonly zxid: Zxid;
  /** Data in it are views of the bytes decoded. */
  readonly txn: Txn;
  /** Of the tree after this transaction, unsigned 64 bits; undefined when none was written. */
  readonly digest: bigint | undefined;
}

const reader = new JuteReader();
const memberReader = new JuteReader();
const writer = new JuteWriter(64 * 1024);
const memberWriter = new JuteWriter(64 * 1024);

/** The transaction, or in words what is wrong with the bytes. */
export function decodeTxnRecord(bytes: Uint8Array): TxnRecord | string {
  reader.aim(bytes);
  const sessionId = reader.readSessionId();
  const cxid = reader.readInt();
  const zxid = reader.readZxid();
  const timeMs = reader.readLong();
  const type = reader.readInt();
  if (reader.failed) return 'its header is not that of a transaction';
  const body =
    type === TxnType.multi ? readMulti(sessionId) : readBody(reader, type, sessionId, true);
  if (typeof body === 'string') return body;
  const digest = readDigest(reader);
  if (reader.failed || reader.remaining > 0) return `its body is not that of type ${type}`;
  const txn = { sessionId, cxid, timeMs, origin: SERVER_NONE, requestId: 0, body };
  return { zxid, txn, digest };
}

/** The bytes, owned by the caller. */
export function encodeTxnRecord({ zxid, txn, digest }: TxnRecord): Uint8Array {
  writer.writeSessionId(txn.sessionId);
  writer.writeInt(txn.cxid);
  writer.writeLong(zxid);
  writer.writeLong(txn.timeMs);
  writer.writeInt(txn.body.type);
  const { body } = txn;
  if (body.type === TxnType.multi) writeMulti(body);
  else writeBody(writer, body);
  if (digest !== undefined) {
    writer.writeInt(DIGEST_VERSION);
    writer.writeSessionId(BigInt.asIntN(64, digest) as SessionId);
  }
  return writer.take();
}

// Reading ---------------------------------------------------------------------------------------

function readDigest(from: JuteReader): bigint | undefined {
  if (from.remaining !== DIGEST_BYTES) return undefined;
  const version = from.readInt();
  const digest = BigInt.asUintN(64, from.readSessionId());
  return version === DIGEST_VERSION ? digest : undefined;
}

function readMulti(sessionId: SessionId): MultiTxn | string {
  const ops: TxnBody[] = [];
  const count = reader.readCount(MULTI_ENTRY_BYTES_MIN);
  for (let i = 0; i < count && !reader.failed; i++) {
    const type = reader.readInt();
    const bytes = reader.readBuffer();
    if (bytes === null || reader.failed) return 'a member of its multi is cut off';
    memberReader.aim(bytes);
    // A member that failed may still carry the bytes of what it was to be.
    const op =
      type === TxnType.error ? readError() : readBody(memberReader, type, sessionId, false);
    if (typeof op === 'string') return op;
    if (memberReader.failed) return `a member of its multi is not of type ${type}`;
    ops.push(op);
  }
  return { type: TxnType.multi, ops };
}

function readError(): ErrorTxn {
  const code = memberReader.remaining === 4 ? memberReader.readInt() : ErrorCode.ok;
  return { type: TxnType.error, error: errorCode(code) };
}

/** A code of a newer version says no more than that the operation failed. */
function errorCode(code: number): ErrorCode {
  return ERROR_CODES.has(code) ? (code as ErrorCode) : ErrorCode.systemError;
}

function readBody(
  from: JuteReader,
  type: number,
  sessionId: SessionId,
  isOnTop: boolean,
): TxnBody | string {
  switch (type) {
    case TxnType.create:
    case TxnType.create2:
    case TxnType.createContainer:
    case TxnType.createTtl:
      return readCreate(from, type, sessionId);
    case TxnType.delete:
    case TxnType.deleteContainer:
      return { type, path: readPath(from) };
    case TxnType.check: {
      const path = readPath(from);
      from.readInt();
      return { type, path };
    }
    case TxnType.setData:
    case RECONFIG_TYPE: {
      const path = readPath(from);
      const data = from.readBuffer();
      return { type: TxnType.setData, path, data, version: from.readInt() };
    }
    case TxnType.setAcl: {
      const path = readPath(from);
      const acl = readAcls(from) ?? [];
      return { type, path, acl, version: from.readInt() };
    }
    default:
  }
  if (!isOnTop) return `a member of its multi is of type ${type}, which no multi holds`;
  switch (type) {
    case TxnType.createSession:
      return { type, timeoutMs: from.readInt() };
    case TxnType.closeSession:
      return { type, paths: hasClosingPaths(from) ? (from.readStrings() ?? []) : [] };
    case TxnType.error:
      return { type, error: errorCode(from.readInt()) };
    default:
      return `its type ${type} is not known`;
  }
}

/**
 * Before 3.6, and later where that was switched off, a closing says nothing but which session. Then
 * a digest may follow all the same: two empty paths, which it would be otherwise, cannot be meant.
 */
function hasClosingPaths(from: JuteReader): boolean {
  return from.remaining > 0 && from.remaining !== DIGEST_BYTES;
}

function readCreate(
  from: JuteReader,
  type: CreateTxn['type'],
  sessionId: SessionId,
): CreateTxn | string {
  const path = readPath(from);
  const data = from.readBuffer();
  const acl = readAcls(from) ?? [];
  const isPlain = type === TxnType.create || type === TxnType.create2;
  const isEphemeral = isPlain && from.readBool();
  const isOldest = type === TxnType.create && from.remaining === 0;
  const parentCversion = isOldest ? CVERSION_UNKNOWN : from.readInt();
  let ephemeralOwner = isEphemeral ? sessionId : SESSION_NONE;
  if (type === TxnType.createContainer) ephemeralOwner = CONTAINER_OWNER;
  if (type === TxnType.createTtl) {
    const ttlMs = from.readLong();
    if (ttlMs <= 0 || ttlMs > TTL_MAX_MS) return 'the time to live in it is out of range';
    ephemeralOwner = ttlOwner(ttlMs);
  }
  return { type, path, data, acl, ephemeralOwner, parentCversion };
}

function readPath(from: JuteReader): string {
  const path = from.readString();
  if (path === null || !path.startsWith('/')) from.fail();
  return path ?? '';
}

// Writing ---------------------------------------------------------------------------------------

function writeMulti(multi: MultiTxn): void {
  writer.writeInt(multi.ops.length);
  for (const op of multi.ops) {
    invariant(op.type !== TxnType.multi, 'a multi inside a multi');
    writer.writeInt(op.type);
    writeBody(memberWriter, op);
    writer.writeBuffer(memberWriter.take());
  }
}

function writeBody(to: JuteWriter, body: Exclude<TxnBody, MultiTxn>): void {
  switch (body.type) {
    case TxnType.create:
    case TxnType.create2:
    case TxnType.createContainer:
    case TxnType.createTtl:
      writeCreate(to, body);
      return;
    case TxnType.delete:
    case TxnType.deleteContainer:
      to.writeString(body.path);
      return;
    case TxnType.check:
      to.writeString(body.path);
      // The version that was checked: nobody looks at it again.
      to.writeInt(-1);
      return;
    case TxnType.setData:
      to.writeString(body.path);
      to.writeBuffer(body.data);
      to.writeInt(body.version);
      return;
    case TxnType.setAcl:
      to.writeString(body.path);
      encodeAcls(to, body.acl);
      to.writeInt(body.version);
      return;
    case TxnType.createSession:
      to.writeInt(body.timeoutMs);
      return;
    case TxnType.closeSession:
      to.writeStrings(body.paths);
      return;
    case TxnType.error:
      to.writeInt(body.error);
      return;
    default:
      unreachable(body);
  }
}

function writeCreate(to: JuteWriter, body: CreateTxn): void {
  to.writeString(body.path);
  to.writeBuffer(body.data);
  encodeAcls(to, body.acl);
  const isPlain = body.type === TxnType.create || body.type === TxnType.create2;
  if (isPlain) to.writeBool(body.ephemeralOwner !== SESSION_NONE);
  to.writeInt(body.parentCversion);
  if (body.type === TxnType.createTtl) to.writeLong(ttlOfOwner(body.ephemeralOwner));
}
