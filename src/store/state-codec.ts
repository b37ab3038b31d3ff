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
  FIRST_PLACE,
  NUMBER_MAX,
  type PackPlace,
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
  /** The first pack that counts; what stands before it is about to be deleted. */
  readonly first: PackPlace;
  /** Entries in all packs from the first on, those that later ones replace too. */
  readonly entryCount: number;
  /** False for a checkpoint of the first format, whose nodes are records of their own. */
  readonly hasPacks: boolean;
}

/** What a record is about: a path or a session id. */
export type Subject = string | SessionId;

const META_FORMAT = 2;
/** Nodes are no packs but records of their own. */
const META_FORMAT_RECORDS = 1;
const CRC_BYTES = 4;
const ABSENT = 0;
/** A session; formerly a node, too, with 64-bit floating point numbers. */
const PRESENT = 1;
/** A node like that, with the ACL that most nodes have, which is then left out. */
const PRESENT_OPEN = 2;
/** A node whose numbers stand as in what its digest is made of. */
export const NODE = 3;
export const NODE_OPEN = 4;
/** Numbers of a node, behind the form: five of 64 bits, three of 32, and the owner. */
export const STAT_BYTES = 60;
/** A node's payload beside its ACL and its data. */
export const NODE_BYTES = 1 + STAT_BYTES + 4;
export const NULL_DATA = 0xffff_ffff;
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
  writer.u8(hasOpenAcl ? NODE_OPEN : NODE);
  writer.long(node.czxid);
  writer.long(node.mzxid);
  writer.long(node.pzxid);
  writer.long(node.ctimeMs);
  writer.long(node.mtimeMs);
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
  if (form < PRESENT || form > NODE_OPEN) return undefined;
  const isOld = form === PRESENT || form === PRESENT_OPEN;
  const number = (): number => (isOld ? reader.f64() : reader.long());
  const czxid = parseZxid(number());
  const mzxid = parseZxid(number());
  const pzxid = parseZxid(number());
  if (czxid === undefined || mzxid === undefined || pzxid === undefined) return undefined;
  const fields: NodeFields = {
    czxid,
    mzxid,
    pzxid,
    ctimeMs: number(),
    mtimeMs: number(),
    version: reader.i32(),
    creates: reader.i32(),
    aversion: reader.i32(),
    storedOwner: makeSessionId(reader.i64()),
    acl: form === PRESENT_OPEN || form === NODE_OPEN ? OPEN_ACL : readAcl(reader),
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

export function readAcl(reader: ByteReader): Acl[] {
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
  invariant(meta.hasPacks, 'a checkpoint of a former format is written');
  writer.u8(META_FORMAT);
  writer.zxid(meta.zxid);
  writer.u32(meta.sequence);
  writer.text(meta.digest);
  writer.f64(meta.nodeCount);
  writer.f64(meta.sessionCount);
  writer.u32(meta.first.sequence);
  writer.u32(meta.first.number);
  writer.f64(meta.entryCount);
  return [key, sealValue(writer, 0, key)];
}

/** Throws a `StoreError` of code `STATE_DAMAGED` or `FORMAT_UNKNOWN`. */
export function decodeCheckpointMeta(generation: number, value: Uint8Array): CheckpointMeta {
  const place = `state store, generation ${generation}, checkpoint record`;
  const payload = openValue([stateMetaKey(generation), value]);
  if (payload === undefined) throw stateDamaged(place, 'its checksum does not match');
  const reader = new ByteReader(payload);
  const format = reader.u8();
  if (format !== META_FORMAT && format !== META_FORMAT_RECORDS) {
    throw new StoreError(
      'FORMAT_UNKNOWN',
      place,
      `its format is ${format}, this version reads ${META_FORMAT_RECORDS} to ${META_FORMAT}`,
      'start the version that wrote it, or a newer one',
    );
  }
  const meta: CheckpointMeta = {
    zxid: reader.zxid(),
    sequence: reader.u32(),
    digest: reader.text(),
    nodeCount: reader.f64(),
    sessionCount: reader.f64(),
    ...(format === META_FORMAT ? readPackFacts(reader) : NO_PACKS),
  };
  const isSane = meta.sequence <= NUMBER_MAX && meta.first.sequence > 0;
  if (!reader.isIntact || reader.remaining !== 0 || !isSane) {
    throw stateDamaged(place, 'its fields do not fit its length');
  }
  // Nothing was written yet, so there is nothing in the former format either.
  return Object.freeze(meta.sequence === 0 ? { ...meta, hasPacks: true } : meta);
}

type PackFacts = Pick<CheckpointMeta, 'first' | 'entryCount' | 'hasPacks'>;

const NO_PACKS: PackFacts = Object.freeze({
  first: FIRST_PLACE,
  entryCount: 0,
  hasPacks: false,
});

function readPackFacts(reader: ByteReader): PackFacts {
  const first = { sequence: reader.u32(), number: reader.u32() };
  return { first, entryCount: reader.f64(), hasPacks: true };
}

/** The state before the first checkpoint of a new server. */
export const EMPTY_CHECKPOINT: CheckpointMeta = Object.freeze({
  zxid: ZXID_NONE,
  sequence: 0,
  digest: '',
  nodeCount: 0,
  sessionCount: 0,
  first: FIRST_PLACE,
  entryCount: 0,
  hasPacks: true,
});

export function stateDamaged(place: string, problem: string): StoreError {
  return new StoreError(
    'STATE_DAMAGED',
    place,
    problem,
    'restore both data directories from one backup, or remove them and let the server join anew while the others run',
  );
}
