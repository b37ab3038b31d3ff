/**
 * Reads a transaction's array field by field, in the order in which `txn-codec.ts` writes it. Every
 * transaction is read by every follower, so nothing is made on the way that is not in the result.
 */

import { type Acl, OPEN_ACL } from '../base/acl.ts';
import { ErrorCode } from '../base/error-code.ts';
import { makeServerId, makeSessionId } from '../base/ids.ts';
import { MsgpackReader } from '../base/msgpack-reader.ts';
import { isValidPath } from '../base/path.ts';
import {
  type CloseSessionTxn,
  type CreateTxn,
  type MultiTxn,
  type Txn,
  type TxnBody,
  TxnType,
} from './txn.ts';

/** Fields in front of the body. */
const HEAD_FIELDS = 5;
const SERVER_MAX = 255;
const ERROR_CODES: ReadonlySet<number> = new Set(Object.values(ErrorCode));

const reader = new MsgpackReader();

/** The transaction in `bytes` from `start` on, its data being views of them; undefined when it is none. */
export function readTxn(bytes: Uint8Array, start: number): Txn | undefined {
  reader.aim(bytes, start);
  const fields = reader.array();
  const sessionId = makeSessionId(reader.int64());
  const cxid = reader.int32();
  const timeMs = reader.number();
  const origin = reader.count();
  const requestId = reader.count();
  if (reader.failed || origin > SERVER_MAX || !Number.isSafeInteger(timeMs)) return undefined;
  const body = readBody(fields - HEAD_FIELDS, false);
  if (body === undefined || !reader.isDone) return undefined;
  return { sessionId, cxid, timeMs, origin: makeServerId(origin), requestId, body };
}

/** `fields`: how many the body has, its type included. `isMember`: it is one of a multi. */
function readBody(fields: number, isMember: boolean): TxnBody | undefined {
  const type = reader.number();
  switch (type) {
    case TxnType.create:
    case TxnType.create2:
    case TxnType.createContainer:
    case TxnType.createTtl:
      return fields === 6 ? readCreate(type) : undefined;
    case TxnType.delete:
    case TxnType.deleteContainer:
    case TxnType.check: {
      const path = readPath();
      return fields === 2 && !reader.failed ? { type, path } : undefined;
    }
    case TxnType.setData: {
      const path = readPath();
      const version = reader.int32();
      const data = reader.bytesOrNull();
      return fields === 4 && !reader.failed ? { type, path, data, version } : undefined;
    }
    case TxnType.setAcl: {
      const path = readPath();
      const acl = readAcl();
      const version = reader.int32();
      return fields === 4 && !reader.failed ? { type, path, acl, version } : undefined;
    }
    case TxnType.multi:
      return isMember ? undefined : readMulti(fields);
    case TxnType.createSession: {
      const timeoutMs = reader.int32();
      return fields === 2 && !isMember && !reader.failed ? { type, timeoutMs } : undefined;
    }
    case TxnType.closeSession:
      return isMember ? undefined : readCloseSession(fields);
    case TxnType.error: {
      const error = reader.number();
      return fields === 2 && isErrorCode(error) && !reader.failed ? { type, error } : undefined;
    }
    default:
      return undefined;
  }
}

function readCreate(type: CreateTxn['type']): CreateTxn | undefined {
  const path = readPath();
  const acl = readAcl();
  const ephemeralOwner = makeSessionId(reader.int64());
  const parentCversion = reader.int32();
  const data = reader.bytesOrNull();
  if (reader.failed || path === '/') return undefined;
  return { type, path, data, acl, ephemeralOwner, parentCversion };
}

function readMulti(fields: number): MultiTxn | undefined {
  const ops: TxnBody[] = [];
  for (let i = 1; i < fields; i++) {
    const op = readBody(reader.array(), true);
    if (op === undefined) return undefined;
    ops.push(op);
  }
  return { type: TxnType.multi, ops };
}

function readCloseSession(fields: number): CloseSessionTxn | undefined {
  const paths: string[] = [];
  for (let i = 1; i < fields && !reader.failed; i++) paths.push(readPath());
  return reader.failed ? undefined : { type: TxnType.closeSession, paths };
}

function readPath(): string {
  const path = reader.text();
  if (!isValidPath(path)) reader.fail();
  return path;
}

/** A flat array of perms, scheme, id; or 0 for the open one. */
function readAcl(): readonly Acl[] {
  if (!reader.isArrayNext) {
    if (reader.number() !== 0) reader.fail();
    return OPEN_ACL;
  }
  const acl: Acl[] = [];
  const count = reader.array();
  if (count % 3 !== 0) reader.fail();
  for (let i = 0; i < count && !reader.failed; i += 3) {
    const perms = reader.int32();
    const scheme = reader.text();
    acl.push({ perms, scheme, id: reader.text() });
  }
  return acl;
}

function isErrorCode(value: number): value is ErrorCode {
  return ERROR_CODES.has(value);
}
