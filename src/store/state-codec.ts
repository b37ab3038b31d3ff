/**
 * Records of the state store as bytes. Every value ends in a checksum that covers its key too, so
 * a value that stands under another's key is found out as surely as one whose bits have changed.
 */

import { crc32 } from 'node:zlib';
import { type Acl, OPEN_ACL } from '../base/acl.ts';
import { invariant } from '../base/assert.ts';
import { makeSessionId, parseZxid, type SessionId, ZXID_NONE, type Zxid } from '../base/ids.ts';
import type { KeyValue } from '../runtime/runtime.ts';
import { isOpen } from './acl-table.ts';
import { ByteReader, ByteWriter } from './byte-cursor.ts';
import {
  NUMBER_MAX,
  pathSubject,
  RecordKind,
  readU32,
  recordKey,
  sessionSubject,
  stateMetaKey,
} from './keyspace.ts';
import { StoreError } from './store-error.ts';
import type { NodeFields, Znode } from './znode.ts';

/** A committed checkpoint: the state as it was right after one transaction. */
export interface CheckpointMeta {
  readonly zxid: Zxid;
  /** Counts the checkpoints of a generation; 0 for the state nothing was written to yet. */
  readonly sequence: number;
  /** The tree digest, hex. */
  readonly digest: string;
  readonly nodeCount: number;
  readonly sessionCount: number;
}

/** What a record is about: a path or a session id. */
export type Subject = string | SessionId;

const META_FORMAT = 1;
const CRC_BYTES = 4;
const ABSENT = 0;
const PRESENT = 1;
/** Present, with the ACL that most nodes have, which is then left out. */
const PRESENT_OPEN = 2;
const NULL_DATA = 0xffff_ffff;
const ACL_ENTRIES_MAX = 0xffff;

/** Key of one version of what is known about a subject. */
export function subjectKey(generation: number, subject: Subject, sequence: number): Uint8Array {
  if (typeof subject === 'string') {
    return recordKey(generation, RecordKind.node, pathSubject(subject), sequence);
  }
  return recordKey(generation, RecordKind.session, sessionSubject(subject), sequence);
}

/** Closes what was written since `start` with its checksum; a view of the whole value. */
export function sealValue(writer: ByteWriter, start: number, key: Uint8Array): Uint8Array {
  // The platform offers CRC-32 and not CRC-32C; either finds every burst up to 32 bits.
  writer.u32(crc32(writer.written(start), crc32(key)));
  return writer.written(start);
}

/** The value without its checksum, a view; undefined when the checksum does not match. */
export function openValue([key, value]: KeyValue): Uint8Array | undefined {
  const end = value.length - CRC_BYTES;
  if (end < 1) return undefined;
  const payload = value.subarray(0, end);
  return readU32(value, end) === crc32(payload, crc32(key)) ? payload : undefined;
}

// Payloads --------------------------------------------------------------------------------------

export function isAbsent(payload: Uint8Array): boolean {
  return payload[0] === ABSENT;
}

/** Says that the subject did not exist. Never changed. */
export const ABSENT_PAYLOAD: Uint8Array = Uint8Array.of(ABSENT);

export function writeSession(writer: ByteWriter, timeoutMs: number): void {
  writer.u8(PRESENT);
  writer.f64(timeoutMs);
}

/** The session's timeout in ms; undefined when the bytes are not a session. */
export function readSession(payload: Uint8Array): number | undefined {
  const reader = new ByteReader(payload);
  const isPresent = reader.u8() === PRESENT;
  const timeoutMs = reader.f64();
  return isPresent && reader.isIntact && reader.remaining === 0 ? timeoutMs : undefined;
}

export function writeNode(writer: ByteWriter, node: Znode): void {
  const acl = node.acl;
  const hasOpenAcl = isOpen(acl);
  writer.u8(hasOpenAcl ? PRESENT_OPEN : PRESENT);
  writer.f64(node.czxid);
  writer.f64(node.mzxid);
  writer.f64(node.pzxid);
  writer.f64(node.ctimeMs);
  writer.f64(node.mtimeMs);
  writer.i32(node.version);
  writer.i32(node.creates);
  writer.i32(node.aversion);
  writer.i64(node.storedOwner);
  if (!hasOpenAcl) writeAcl(writer, acl);
  const data = node.dataView;
  writer.u32(data === null ? NULL_DATA : data.length);
  if (data !== null) writer.raw(data);
}

/** undefined when the bytes are not a node. Data is a view of the payload. */
export function readNode(payload: Uint8Array): NodeFields | undefined {
  const reader = new ByteReader(payload);
  const form = reader.u8();
  if (form !== PRESENT && form !== PRESENT_OPEN) return undefined;
  const czxid = parseZxid(reader.f64());
  const mzxid = parseZxid(reader.f64());
  const pzxid = parseZxid(reader.f64());
  if (czxid === undefined || mzxid === undefined || pzxid === undefined) return undefined;
  const fields: NodeFields = {
    czxid,
    mzxid,
    pzxid,
    ctimeMs: reader.f64(),
    mtimeMs: reader.f64(),
    version: reader.i32(),
    creates: reader.i32(),
    aversion: reader.i32(),
    storedOwner: makeSessionId(reader.i64()),
    acl: form === PRESENT_OPEN ? OPEN_ACL : readAcl(reader),
    data: readData(reader),
  };
  return reader.isIntact && reader.remaining === 0 ? fields : undefined;
}

function writeAcl(writer: ByteWriter, acl: readonly Acl[]): void {
  invariant(acl.length <= ACL_ENTRIES_MAX, 'ACL longer than any frame can carry');
  writer.u32(acl.length);
  for (const entry of acl) {
    writer.i32(entry.perms);
    writer.text(entry.scheme);
    writer.text(entry.id);
  }
}

function readAcl(reader: ByteReader): Acl[] {
  const count = reader.u32();
  const acl: Acl[] = [];
  for (let i = 0; i < count && reader.isIntact; i++) {
    acl.push({ perms: reader.i32(), scheme: reader.text(), id: reader.text() });
  }
  return acl;
}

function readData(reader: ByteReader): Uint8Array | null {
  const length = reader.u32();
  return length === NULL_DATA ? null : reader.raw(length);
}

// Meta ------------------------------------------------------------------------------------------

export function encodeCheckpointMeta(generation: number, meta: CheckpointMeta): KeyValue {
  const key = stateMetaKey(generation);
  const writer = new ByteWriter(64);
  writer.u8(META_FORMAT);
  writer.zxid(meta.zxid);
  writer.u32(meta.sequence);
  writer.text(meta.digest);
  writer.f64(meta.nodeCount);
  writer.f64(meta.sessionCount);
  return [key, sealValue(writer, 0, key)];
}

/** Throws a `StoreError` of code `STATE_DAMAGED` or `FORMAT_UNKNOWN`. */
export function decodeCheckpointMeta(generation: number, value: Uint8Array): CheckpointMeta {
  const place = `state store, generation ${generation}, checkpoint record`;
  const payload = openValue([stateMetaKey(generation), value]);
  if (payload === undefined) throw stateDamaged(place, 'its checksum does not match');
  const reader = new ByteReader(payload);
  const format = reader.u8();
  if (format !== META_FORMAT) {
    throw new StoreError(
      'FORMAT_UNKNOWN',
      place,
      `its format is ${format}, this version reads ${META_FORMAT}`,
      'start the version that wrote it, or a newer one',
    );
  }
  const meta: CheckpointMeta = {
    zxid: reader.zxid(),
    sequence: reader.u32(),
    digest: reader.text(),
    nodeCount: reader.f64(),
    sessionCount: reader.f64(),
  };
  if (!reader.isIntact || reader.remaining !== 0 || meta.sequence > NUMBER_MAX) {
    throw stateDamaged(place, 'its fields do not fit its length');
  }
  return Object.freeze(meta);
}

/** The state before the first checkpoint of a new server. */
export const EMPTY_CHECKPOINT: CheckpointMeta = Object.freeze({
  zxid: ZXID_NONE,
  sequence: 0,
  digest: '',
  nodeCount: 0,
  sessionCount: 0,
});

export function stateDamaged(place: string, problem: string): StoreError {
  return new StoreError(
    'STATE_DAMAGED',
    place,
    problem,
    'restore both data directories from one backup, or remove them and let the server join anew while the others run',
  );
}
