/**
 * A checkpoint on its way from one server to another, as opaque chunks:
 *
 *   format:1, number of the chunk:4, then as kind:1 and each part behind its length:4
 *   packs (`p`, pack), the oldest first, and sessions (`s`, subject, payload),
 *   at the end a checksum of the chunk:4
 *
 * The receiving side writes them into a generation of its own that nothing refers to yet.
 */

import { crc32 } from 'node:zlib';
import { invariant } from '../base/assert.ts';
import { type Zxid, zxidHex } from '../base/ids.ts';
import type { KeyValueStore } from '../runtime/runtime.ts';
import { ByteReader, ByteWriter } from './byte-cursor.ts';
import { type CheckpointScan, StateRecord } from './checkpoint-scan.ts';
import { FIRST_PLACE, isSubject, packKey, RecordKind, recordKey, viewOf } from './keyspace.ts';
import { openPack, type PackScan, type StoredPack } from './pack-scan.ts';
import {
  type CheckpointMeta,
  encodeCheckpointMeta,
  isAbsent,
  sealValue,
  stateDamaged,
} from './state-codec.ts';
import { PackReader } from './state-pack.ts';
import { StoreError } from './store-error.ts';

const FORMAT = 2;
const PACK = 0x70;
const CRC_BYTES = 4;
/** Kind and lengths of a part, at most. */
const PART_BYTES = 9;
/** All records of a staged snapshot count as written by the first checkpoint of their generation. */
const STAGED_SEQUENCE = 1;

/** What sender and receiver must agree on once all chunks have arrived. */
export interface SnapshotFacts {
  readonly zxid: Zxid;
  /** The tree digest, hex. */
  readonly digest: string;
  readonly nodeCount: number;
  readonly sessionCount: number;
  /** In all packs, those that later ones replace too. */
  readonly entryCount: number;
}

export class SnapshotReader implements SnapshotFacts {
  readonly zxid: Zxid;
  readonly digest: string;
  readonly nodeCount: number;
  readonly sessionCount: number;
  readonly entryCount: number;
  readonly #packs: PackScan;
  readonly #sessions: CheckpointScan;
  /** What was read and not yet handed out. */
  #parts: readonly (StoredPack | StateRecord)[] = [];
  #position = 0;
  #chunkNumber = 0;
  #foundEntries = 0;
  #foundSessions = 0;

  /** Takes the scans over. */
  constructor(packs: PackScan, sessions: CheckpointScan, checkpoint: CheckpointMeta) {
    invariant(checkpoint.sequence > 0, 'snapshot of a state that was never written');
    invariant(checkpoint.hasPacks, 'snapshot of a checkpoint of a former format');
    this.#packs = packs;
    this.#sessions = sessions;
    this.entryCount = checkpoint.entryCount;
    this.zxid = checkpoint.zxid;
    this.digest = checkpoint.digest;
    this.nodeCount = checkpoint.nodeCount;
    this.sessionCount = checkpoint.sessionCount;
  }

  /**
   * The next chunk, owned by the caller: about `maxBytes`, more only if a single record is larger;
   * undefined at the end. Rejects with a `StoreError` of code `STATE_DAMAGED`.
   */
  async next(maxBytes: number): Promise<Uint8Array | undefined> {
    const writer = new ByteWriter(Math.min(maxBytes, 1 << 20) + 64);
    writer.u8(FORMAT);
    writer.u32(this.#chunkNumber);
    const empty = writer.length;
    for (;;) {
      const part = await this.#peek();
      if (part === undefined) break;
      const bytes = CRC_BYTES + PART_BYTES + sizeOf(part);
      if (writer.length > empty && writer.length + bytes > maxBytes) break;
      this.#write(writer, part);
      this.#position += 1;
    }
    if (writer.length === empty) {
      this.#verifyCount();
      return undefined;
    }
    this.#chunkNumber += 1;
    writer.u32(crc32(writer.written()));
    return writer.written();
  }

  async close(): Promise<void> {
    await this.#packs.close();
    await this.#sessions.close();
  }

  /** What comes next; undefined at the end. */
  async #peek(): Promise<StoredPack | StateRecord | undefined> {
    for (;;) {
      const part = this.#parts[this.#position];
      if (part !== undefined) return part;
      const more = (await this.#packs.next()) ?? (await this.#sessions.next());
      if (more === undefined) return undefined;
      this.#parts = more;
      this.#position = 0;
    }
  }

  #write(writer: ByteWriter, part: StoredPack | StateRecord): void {
    if (part instanceof StateRecord) {
      this.#foundSessions += 1;
      writer.u8(part.kind);
      writer.block(part.subjectBytes);
      writer.block(part.payload);
      return;
    }
    this.#foundEntries += openPack(part).entryCount;
    writer.u8(PACK);
    writer.block(part.bytes);
  }

  /** What the disk lost without a trace would make every receiver refuse the snapshot, for ever. */
  #verifyCount(): void {
    const found = this.#foundEntries + this.#foundSessions;
    const written = this.entryCount + this.sessionCount;
    if (found === written) return;
    throw stateDamaged(
      `state store, checkpoint at ${zxidHex(this.zxid)}`,
      `it holds ${found} entries where ${written} were written`,
    );
  }
}

function sizeOf(part: StoredPack | StateRecord): number {
  if (part instanceof StateRecord) return part.subjectBytes.length + part.payload.length;
  return part.bytes.length;
}

/** A snapshot being received. Nothing counts before `finish`; a new attempt starts a new stage. */
export class SnapshotStage {
  readonly generation: number;
  readonly #store: KeyValueStore;
  #chunkCount = 0;
  #packCount = 0;
  #entryCount = 0;
  #sessionCount = 0;
  #previousKey: Uint8Array | undefined;
  #isDone = false;

  constructor(store: KeyValueStore, generation: number) {
    this.#store = store;
    this.generation = generation;
  }

  /**
   * Writes the next chunk, unsynced; its bytes are the caller's again afterwards. Rejects with a
   * `StoreError` of code `SNAPSHOT_DAMAGED`, after which the stage is of no more use.
   */
  async add(chunk: Uint8Array): Promise<void> {
    invariant(!this.#isDone, 'chunk behind the end of a snapshot');
    const reader = this.#openChunk(chunk);
    const batch = this.#store.batch();
    const writer = new ByteWriter(chunk.length + 1024);
    while (reader.remaining > 0) {
      const kind = reader.u8();
      const start = writer.length;
      const key =
        kind === PACK ? this.#addPack(reader, writer) : this.#addSession(kind, reader, writer);
      batch.put(key, sealValue(writer, start, key));
    }
    this.#chunkCount += 1;
    await batch.write({ sync: false });
  }

  /** The key; what is to be stored under it is written. */
  #addPack(reader: ByteReader, writer: ByteWriter): Uint8Array {
    const bytes = reader.block();
    const pack = new PackReader(bytes);
    if (!reader.isIntact || !pack.isIntact) throw this.#damaged('a pack in it cannot be read');
    this.#entryCount += pack.entryCount;
    writer.raw(bytes);
    const place = { sequence: STAGED_SEQUENCE, number: this.#packCount };
    this.#packCount += 1;
    return packKey(this.generation, place);
  }

  #addSession(kind: number, reader: ByteReader, writer: ByteWriter): Uint8Array {
    const subject = reader.block();
    const payload = reader.block();
    const isSession = kind === RecordKind.session && isSubject(RecordKind.session, subject);
    if (!reader.isIntact || !isSession || isAbsent(payload)) {
      throw this.#damaged('a record in it cannot be read');
    }
    const key = recordKey(this.generation, RecordKind.session, subject, STAGED_SEQUENCE);
    if (this.#previousKey !== undefined && Buffer.compare(this.#previousKey, key) >= 0) {
      throw this.#damaged('its records are out of order');
    }
    this.#previousKey = key;
    this.#sessionCount += 1;
    writer.raw(payload);
    return key;
  }

  /**
   * Makes the snapshot durable as a committed checkpoint of its generation. It is in use only once
   * the log says so; before that, load it: only loading proves the digest.
   */
  async finish(expected: SnapshotFacts): Promise<void> {
    invariant(!this.#isDone, 'snapshot finished twice');
    const { zxid, digest, nodeCount, sessionCount, entryCount } = expected;
    if (this.#entryCount !== entryCount || this.#sessionCount !== sessionCount) {
      throw this.#damaged('the snapshot ended before all of it had arrived');
    }
    this.#isDone = true;
    const counts = { nodeCount, sessionCount, entryCount };
    const place = { sequence: STAGED_SEQUENCE, first: FIRST_PLACE, hasPacks: true };
    const meta = { zxid, digest, ...place, ...counts };
    const [key, value] = encodeCheckpointMeta(this.generation, meta);
    const batch = this.#store.batch();
    batch.put(key, value);
    await batch.write({ sync: true });
  }

  /** The records of a chunk whose frame is in order. */
  #openChunk(chunk: Uint8Array): ByteReader {
    const end = chunk.length - CRC_BYTES;
    const body = chunk.subarray(0, Math.max(0, end));
    if (end < 0 || viewOf(chunk).getUint32(end) !== crc32(body)) {
      throw this.#damaged('its checksum does not match');
    }
    const reader = new ByteReader(body);
    if (reader.u8() !== FORMAT) throw this.#damaged('its format is not known');
    if (reader.u32() !== this.#chunkCount) throw this.#damaged('it is not the next one');
    return reader;
  }

  #damaged(problem: string): StoreError {
    this.#isDone = true;
    return new StoreError(
      'SNAPSHOT_DAMAGED',
      `snapshot for generation ${this.generation}, chunk ${this.#chunkCount}`,
      problem,
      'ask for the snapshot again',
    );
  }
}
