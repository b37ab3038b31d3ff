/**
 * Requests that change state, all through one record shape (see `base/write-request.ts`).
 *
 *     create, create2, createContainer = path:ustring data:buffer acls flags:int
 *     createTTL                        = path:ustring data:buffer acls flags:int ttl:long
 *     delete, check                    = path:ustring version:int
 *     setData                          = path:ustring data:buffer version:int
 *     setACL                           = path:ustring acls version:int
 *     reconfig                         = see `reconfig.ts`
 *     createSession                    = timeOut:int       among servers only
 *     closeSession                     =
 *     multi                            = (MultiHeader{type, 0, -1} record)* MultiHeader{-1, 1, -1}
 *
 * Bytes behind a record are ignored, as the original does.
 */

import type { Acl } from '../../base/acl.ts';
import { invariant } from '../../base/assert.ts';
import { CreateMode, OpCode } from '../../base/op-code.ts';
import type { WriteRequest } from '../../base/write-request.ts';
import type { JuteReader } from '../jute-reader.ts';
import type { JuteWriter } from '../jute-writer.ts';
import { encodeAcls, readAcls } from './acl.ts';
import { encodeMultiEnd, encodeMultiHeader } from './multi-header.ts';
import { decodeReconfig } from './reconfig.ts';

const NO_OPS: readonly WriteRequest[] = [];

/** What differs from an operation's neutral values; the rest of a `WriteRequest` need not be said. */
export type WriteRequestFields = Partial<Omit<WriteRequest, 'op'>>;

/** A write request with neutral values where `fields` says nothing. Borrows data, acl and ops. */
export function makeWriteRequest(op: OpCode, fields: WriteRequestFields = {}): WriteRequest {
  return {
    op,
    path: fields.path ?? null,
    data: fields.data ?? null,
    acl: fields.acl ?? null,
    flags: fields.flags ?? 0,
    version: fields.version ?? -1,
    durationMs: fields.durationMs ?? -1,
    ops: fields.ops ?? NO_OPS,
  };
}

/**
 * Decodes the record behind a request header. Undefined is a marshalling error, and so is every
 * operation that has no such record. `data` is a view of the frame.
 *
 * A null path decodes outside a multi, because what it means differs by operation. Inside one it is
 * a marshalling error of the whole multi, as are a null ACL, a member that may not be one, TTL flags
 * without a TTL, unknown flags and a missing end (the rules of 3.9).
 */
export function decodeWriteRequest(op: OpCode, reader: JuteReader): WriteRequest | undefined {
  const request = op === OpCode.multi ? decodeMulti(reader) : readSingle(op, reader);
  return reader.failed ? undefined : request;
}

/** Writes the record of `request.op`. Not for operations without one: the frame would be a lie. */
export function encodeWriteRequest(writer: JuteWriter, request: WriteRequest): void {
  switch (request.op) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      writer.writeString(request.path);
      writer.writeBuffer(request.data);
      encodeAcls(writer, request.acl);
      writer.writeInt(request.flags);
      if (request.op === OpCode.createTtl) writer.writeLong(request.durationMs);
      return;
    case OpCode.delete:
    case OpCode.check:
      writer.writeString(request.path);
      writer.writeInt(request.version);
      return;
    case OpCode.setData:
      writer.writeString(request.path);
      writer.writeBuffer(request.data);
      writer.writeInt(request.version);
      return;
    case OpCode.setAcl:
      writer.writeString(request.path);
      encodeAcls(writer, request.acl);
      writer.writeInt(request.version);
      return;
    case OpCode.createSession:
      writer.writeInt(request.durationMs);
      return;
    case OpCode.closeSession:
      return;
    case OpCode.multi:
      encodeMulti(writer, request.ops);
      return;
    default:
      invariant(false, 'operation is not a write');
  }
}

/** The record of createSession, for those who make the request themselves: 4 bytes, in the heap. */
export function createSessionRecord(timeoutMs: number): Uint8Array {
  return Uint8Array.of(timeoutMs >>> 24, timeoutMs >>> 16, timeoutMs >>> 8, timeoutMs);
}

/** Undefined, without failing the reader, when the operation has no record of this kind. */
function readSingle(op: OpCode, reader: JuteReader): WriteRequest | undefined {
  switch (op) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      return readCreate(op, reader);
    case OpCode.delete:
    case OpCode.check:
      return request(op, reader.readString(), null, null, 0, reader.readInt(), -1);
    case OpCode.setData: {
      const path = reader.readString();
      const data = reader.readBuffer();
      return request(op, path, data, null, 0, reader.readInt(), -1);
    }
    case OpCode.setAcl: {
      const path = reader.readString();
      const acl = readAcls(reader);
      return request(op, path, null, acl, 0, reader.readInt(), -1);
    }
    case OpCode.createSession:
      return request(op, null, null, null, 0, -1, reader.readInt());
    case OpCode.closeSession:
      return request(op, null, null, null, 0, -1, -1);
    case OpCode.reconfig:
      return readReconfig(reader);
    default:
      return undefined;
  }
}

/** What the record asks for is left behind: no server here carries a reconfiguration out. */
function readReconfig(reader: JuteReader): WriteRequest | undefined {
  if (decodeReconfig(reader) === undefined) return undefined;
  return request(OpCode.reconfig, null, null, null, 0, -1, -1);
}

function readCreate(op: OpCode, reader: JuteReader): WriteRequest {
  const path = reader.readString();
  const data = reader.readBuffer();
  const acl = readAcls(reader);
  const flags = reader.readInt();
  const ttlMs = op === OpCode.createTtl ? reader.readLong() : -1;
  return request(op, path, data, acl, flags, -1, ttlMs);
}

/** One literal for all operations, so that every request has the same hidden class. */
function request(
  op: OpCode,
  path: string | null,
  data: Uint8Array | null,
  acl: readonly Acl[] | null,
  flags: number,
  version: number,
  durationMs: number,
  ops: readonly WriteRequest[] = NO_OPS,
): WriteRequest {
  return { op, path, data, acl, flags, version, durationMs, ops };
}

function encodeMulti(writer: JuteWriter, ops: readonly WriteRequest[]): void {
  for (const member of ops) {
    invariant(isMultiMember(member.op), 'operation may not be part of a multi');
    encodeMultiHeader(writer, member.op, -1);
    encodeWriteRequest(writer, member);
  }
  encodeMultiEnd(writer);
}

function decodeMulti(reader: JuteReader): WriteRequest | undefined {
  const ops: WriteRequest[] = [];
  for (;;) {
    const type = reader.readInt();
    const isDone = reader.readBool();
    reader.readInt();
    if (reader.failed) return undefined;
    if (isDone) return request(OpCode.multi, null, null, null, 0, -1, -1, ops);
    if (!isMultiMember(type)) return undefined;
    const member = readSingle(type, reader);
    if (reader.failed || member === undefined || !isValidMember(member)) return undefined;
    ops.push(member);
  }
}

function isMultiMember(type: number): type is OpCode {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
    case OpCode.delete:
    case OpCode.setData:
    case OpCode.check:
      return true;
    default:
      return false;
  }
}

/** What 3.9 refuses while it still decodes a member, and therefore answers for the whole multi. */
function isValidMember(member: WriteRequest): boolean {
  if (member.path === null) return false;
  switch (member.op) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return member.acl !== null && isPlainFlag(member.flags);
    case OpCode.createTtl:
      return member.acl !== null && (isPlainFlag(member.flags) || isTtlFlag(member.flags));
    default:
      return true;
  }
}

function isPlainFlag(flags: number): boolean {
  return flags >= CreateMode.persistent && flags <= CreateMode.container;
}

function isTtlFlag(flags: number): boolean {
  return flags === CreateMode.persistentTtl || flags === CreateMode.persistentSequentialTtl;
}
