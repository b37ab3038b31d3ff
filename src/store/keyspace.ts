/**
 * Register of every key of the two stores. A prefix that was ever written is never used for
 * anything else: an old directory must not be readable as something it is not.
 *
 * Log store
 *   `M`                                          identity, promises, extent of the log (log-meta.ts)
 *   `L` zxid:8                                   group of entries that begins with that zxid (log-group.ts)
 *
 * State store, nearly all under one generation (a generation is one complete lineage of checkpoints)
 *   `G` generation:4 `k` sequence:4 number:4     many nodes as of one checkpoint (state-pack.ts)
 *   `G` generation:4 `m`                         the committed checkpoint (state-codec.ts)
 *   `G` generation:4 `n` path 0x00 sequence:4    a node as of one checkpoint, or its absence: in
 *                                                checkpoints of the first format only
 *   `G` generation:4 `s` sessionId:8 sequence:4  a session as of one checkpoint, or its absence
 * and beside the generations
 *   `O`                                          the log that the state belongs to (state-binding.ts)
 *
 * Numbers are big-endian, so that keys sort as the numbers do: packs in the order in which they were
 * written, and in front of the checkpoint's record. What is written with each checkpoint is then one
 * short range at the end; if it began in front of all packs, LevelDB would merge it with all of them.
 * No path contains the byte 0, so a parent sorts before its children and the versions of one path lie
 * together, oldest first.
 */

import { invariant } from '../base/assert.ts';
import {
  EPOCH_MAX,
  makeEpoch,
  makeSessionId,
  makeZxid,
  type SessionId,
  type Zxid,
  zxidCounter,
  zxidEpoch,
} from '../base/ids.ts';
import type { KeyRange } from '../runtime/runtime.ts';

const META = 0x4d;
const GROUP = 0x4c;
const GENERATION = 0x47;
const BINDING = 0x4f;

/** Kinds of versioned records in the state store. */
export const RecordKind = { node: 0x6e, session: 0x73 } as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];
const STATE_META = 0x6d;
const PACK = 0x6b;

const GROUP_KEY_BYTES = 9;
const GENERATION_KEY_BYTES = 6;
const SEQUENCE_BYTES = 4;
const SESSION_ID_BYTES = 8;
const PACK_KEY_BYTES = GENERATION_KEY_BYTES + 8;

/** Largest generation or checkpoint sequence number: they stay small integers for the engine. */
export const NUMBER_MAX = 0x3fff_ffff;

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A single number: a DataView made for it would cost more than the sum below. */
export function readU32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16);
  return (high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

// Log store -------------------------------------------------------------------------------------

export function metaKey(): Uint8Array {
  return Uint8Array.of(META);
}

export function isMetaKey(key: Uint8Array): boolean {
  return key.length === 1 && key[0] === META;
}

export function groupKey(first: Zxid): Uint8Array {
  const key = new Uint8Array(GROUP_KEY_BYTES);
  key[0] = GROUP;
  const view = viewOf(key);
  view.setUint32(1, zxidEpoch(first));
  view.setUint32(5, zxidCounter(first));
  return key;
}

/** The zxid in a group's key; undefined when the key is not one of a group. */
export function parseGroupKey(key: Uint8Array): Zxid | undefined {
  if (key.length !== GROUP_KEY_BYTES || key[0] !== GROUP) return undefined;
  const view = viewOf(key);
  const epoch = view.getUint32(1);
  if (epoch > EPOCH_MAX) return undefined;
  return makeZxid(makeEpoch(epoch), view.getUint32(5));
}

// State store -----------------------------------------------------------------------------------

export function bindingKey(): Uint8Array {
  return Uint8Array.of(BINDING);
}

export function isBindingKey(key: Uint8Array): boolean {
  return key.length === 1 && key[0] === BINDING;
}

function generationPrefix(generation: number, kind: number, bytes: number): Uint8Array {
  invariant(generation > 0 && generation <= NUMBER_MAX, 'generation out of range');
  const key = new Uint8Array(bytes);
  key[0] = GENERATION;
  viewOf(key).setUint32(1, generation);
  key[5] = kind;
  return key;
}

export function stateMetaKey(generation: number): Uint8Array {
  return generationPrefix(generation, STATE_META, GENERATION_KEY_BYTES);
}

/** The generation in a key of known kind. */
export function keyGeneration(key: Uint8Array): number {
  return readU32(key, 1);
}

/** Key of one version of a record. The subject is the path with a closing 0, or the id's 8 bytes. */
export function recordKey(
  generation: number,
  kind: RecordKind,
  subject: Uint8Array,
  sequence: number,
): Uint8Array {
  invariant(sequence > 0 && sequence <= NUMBER_MAX, 'checkpoint sequence out of range');
  const bytes = GENERATION_KEY_BYTES + subject.length + SEQUENCE_BYTES;
  const key = generationPrefix(generation, kind, bytes);
  key.set(subject, GENERATION_KEY_BYTES);
  viewOf(key).setUint32(GENERATION_KEY_BYTES + subject.length, sequence);
  return key;
}

export function pathSubject(path: string): Uint8Array {
  return Buffer.from(`${path}\0`, 'utf8');
}

export function sessionSubject(sessionId: SessionId): Uint8Array {
  const subject = new Uint8Array(SESSION_ID_BYTES);
  viewOf(subject).setBigInt64(0, sessionId);
  return subject;
}

/** Where a pack stands among those of its generation. */
export interface PackPlace {
  /** The checkpoint that wrote it. */
  readonly sequence: number;
  /** Counts the packs of a checkpoint from 0. */
  readonly number: number;
}

/** No pack stands before it. */
export const FIRST_PLACE: PackPlace = Object.freeze({ sequence: 1, number: 0 });

export function packKey(generation: number, { sequence, number }: PackPlace): Uint8Array {
  invariant(sequence > 0 && sequence <= NUMBER_MAX, 'checkpoint sequence out of range');
  const key = generationPrefix(generation, PACK, PACK_KEY_BYTES);
  const view = viewOf(key);
  view.setUint32(GENERATION_KEY_BYTES, sequence);
  view.setUint32(GENERATION_KEY_BYTES + 4, number);
  return key;
}

/** The place in a pack's key. */
export function packPlace(key: Uint8Array): PackPlace {
  return {
    sequence: readU32(key, GENERATION_KEY_BYTES),
    number: readU32(key, GENERATION_KEY_BYTES + 4),
  };
}

/** The packs of one generation from a place on, up to the last of a checkpoint. */
export function packsOf(generation: number, first: PackPlace, sequence: number): KeyRange {
  return { gte: packKey(generation, first), lt: packsEnd(generation, sequence) };
}

/** The packs of one generation before a place. */
export function packsBefore(generation: number, first: PackPlace): KeyRange {
  const start = generationPrefix(generation, PACK, GENERATION_KEY_BYTES);
  return { gte: start, lt: packKey(generation, first) };
}

/** The packs of one generation that belong to no checkpoint up to one. */
export function packsAfter(generation: number, sequence: number): KeyRange {
  const end = generationPrefix(generation, PACK + 1, GENERATION_KEY_BYTES);
  return { gte: packsEnd(generation, sequence), lt: end };
}

/** No pack of a checkpoint stands here or behind. */
function packsEnd(generation: number, sequence: number): Uint8Array {
  if (sequence === NUMBER_MAX) return generationPrefix(generation, PACK + 1, GENERATION_KEY_BYTES);
  return packKey(generation, { sequence: sequence + 1, number: 0 });
}

/** Everything of one generation beside the packs: what sorts before them, and what sorts behind. */
export function besidePacks(generation: number): readonly [KeyRange, KeyRange] {
  const { gte, lte } = generationRange(generation);
  const start = generationPrefix(generation, PACK, GENERATION_KEY_BYTES);
  const end = generationPrefix(generation, PACK + 1, GENERATION_KEY_BYTES);
  return [
    { gte, lt: start },
    { gte: end, lte },
  ];
}

/** What a key of the state store is for; undefined when it fits none of the shapes above. */
export function stateKeyKind(key: Uint8Array): 'meta' | 'pack' | RecordKind | undefined {
  if (key.length < GENERATION_KEY_BYTES || key[0] !== GENERATION) return undefined;
  const generation = keyGeneration(key);
  if (generation === 0 || generation > NUMBER_MAX) return undefined;
  const kind = key[5];
  if (kind === PACK) return key.length === PACK_KEY_BYTES ? 'pack' : undefined;
  if (kind === STATE_META) return key.length === GENERATION_KEY_BYTES ? 'meta' : undefined;
  if (kind !== RecordKind.node && kind !== RecordKind.session) return undefined;
  return isSubject(kind, keySubject(key)) ? kind : undefined;
}

/** The subject in a record's key: a view. */
export function keySubject(key: Uint8Array): Uint8Array {
  return key.subarray(GENERATION_KEY_BYTES, key.length - SEQUENCE_BYTES);
}

/** The checkpoint in a record's key. */
export function keySequence(key: Uint8Array): number {
  return readU32(key, key.length - SEQUENCE_BYTES);
}

/** Whether two keys of records differ in nothing but the checkpoint. */
export function haveSameSubject(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  // Neighbours share their beginnings, so the end tells sooner.
  for (let i = a.length - SEQUENCE_BYTES - 1; i >= 0; i--) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether bytes have the shape of a subject of that kind. */
export function isSubject(kind: RecordKind, subject: Uint8Array): boolean {
  if (kind === RecordKind.session) return subject.length === SESSION_ID_BYTES;
  return subject.length > 1 && subject[0] === 0x2f && subject.indexOf(0) === subject.length - 1;
}

/** The path in a node's subject. */
export function subjectPath(subject: Uint8Array): string {
  return Buffer.from(subject.buffer, subject.byteOffset, subject.length - 1).toString('utf8');
}

export function subjectSession(subject: Uint8Array): SessionId {
  return makeSessionId(viewOf(subject).getBigInt64(0));
}

/** All records of one kind in one generation. */
export function recordRange(generation: number, kind: RecordKind): KeyRange {
  return {
    gte: generationPrefix(generation, kind, GENERATION_KEY_BYTES),
    lt: generationPrefix(generation, kind + 1, GENERATION_KEY_BYTES),
  };
}

/** All keys of one generation. */
export function generationRange(generation: number): KeyRange {
  return {
    gte: generationPrefix(generation, 0, GENERATION_KEY_BYTES),
    lte: generationPrefix(generation, 0xff, GENERATION_KEY_BYTES),
  };
}
