/**
 * A checkpoint on its way from one server to another, as opaque chunks:
 *
 *   format:1, number of the chunk:4, then records as kind:1, subject, payload, each of these two
 *   behind its length:4, at the end a checksum of the chunk:4
 *
 * The receiving side writes them into a generation of its own that nothing refers to yet.
 */

import { crc32 } from 'node:zlib';
import { invariant } from '../base/assert.ts';
import { type Zxid, zxidHex } from '../base/ids.ts';
import type { KeyValueStore } from '../runtime/runtime.ts';
import { ByteReader, ByteWriter } from './byte-cursor.ts';
import type { CheckpointScan, StateRecord } from './checkpoint-scan.ts';
import { isSubject, RecordKind, recordKey, viewOf } from './keyspace.ts';
import {
  type CheckpointMeta,
  encodeCheckpointMeta,
  isAbsent,
  sealValue,
  stateDamaged,
} from './state-codec.ts';
import { StoreError } from './store-error.ts';

const FORMAT = 1;
const CRC_BYTES = 4;
/** All records of a staged snapshot count as written by the first checkpoint of their generation. */
const STAGED_SEQUENCE = 1;

/** What sender and receiver must agree on once all chunks have arrived. */
export interface SnapshotFacts {
  readonly zxid: Zxid;
  /** The tree digest, hex. */
  readonly digest: string;
  readonly nodeCount: number;
  readonly sessionCount: number;
}

export class SnapshotReader implements SnapshotFacts {
  readonly zxid: Zxid;
  readonly digest: string;
  readonly nodeCount: number;
  readonly sessionCount: number;
  readonly #scan: CheckpointScan;
  #records: readonly StateRecord[] = [];
  #position = 0;
  #chunkNumber = 0;
  #recordCount = 0;

  /** Takes the scan over. */
  constructor(scan: CheckpointScan, checkpoint: CheckpointMeta) {
    invariant(checkpoint.sequence > 0, 'snapshot of a state that was never written');
    this.#scan = scan;
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
    let recordCount = 0;
    for (;;) {
      const record = this.#records[this.#position];
      if (record === undefined) {
        const more = await this.#scan.next();
        if (more === undefined) break;
        this.#records = more;
        this.#position = 0;
        continue;
      }
      const subject = record.subjectBytes;
      const bytes = 9 + subject.length + record.payload.length + CRC_BYTES;
      if (recordCount > 0 && writer.length + bytes > maxBytes) break;
      writer.u8(record.kind);
      writer.block(subject);
      writer.block(record.payload);
      this.#position += 1;
      recordCount += 1;
    }
    this.#recordCount += recordCount;
    if (recordCount === 0) {
      this.#verifyCount();
      return undefined;
    }
    this.#chunkNumber += 1;
    writer.u32(crc32(writer.written()));
    return writer.written();
  }

  close(): Promise<void> {
    return this.#scan.close();
  }

  /** What the disk lost without a trace would make every receiver refuse the snapshot, for ever. */
  #verifyCount(): void {
    const written = this.nodeCount + this.sessionCount;
    if (this.#recordCount === written) return;
    throw stateDamaged(
      `state store, checkpoint at ${zxidHex(this.zxid)}`,
      `it holds ${this.#recordCount} records where ${written} were written`,
    );
  }
}

/** A snapshot being received. Nothing counts before `finish`; a new attempt starts a new stage. */
export class SnapshotStage {
  readonly generation: number;
  readonly #store: KeyValueStore;
  #chunkCount = 0;
  #nodeCount = 0;
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
      const subject = reader.block();
      const payload = reader.block();
      const isKind = kind === RecordKind.node || kind === RecordKind.session;
      if (!reader.isIntact || !isKind || !isSubject(kind, subject) || isAbsent(payload)) {
        throw this.#damaged('a record in it cannot be read');
      }
      const key = recordKey(this.generation, kind, subject, STAGED_SEQUENCE);
      if (this.#previousKey !== undefined && Buffer.compare(this.#previousKey, key) >= 0) {
        throw this.#damaged('its records are out of order');
      }
      this.#previousKey = key;
      if (kind === RecordKind.node) this.#nodeCount += 1;
      else this.#sessionCount += 1;
      const start = writer.length;
      writer.raw(payload);
      batch.put(key, sealValue(writer, start, key));
    }
    this.#chunkCount += 1;
    await batch.write({ sync: false });
  }

  /**
   * Makes the snapshot durable as a committed checkpoint of its generation. It is in use only once
   * the log says so; before that, load it: only loading proves the digest.
   */
  async finish(expected: SnapshotFacts): Promise<void> {
    invariant(!this.#isDone, 'snapshot finished twice');
    const { zxid, digest, nodeCount, sessionCount } = expected;
    if (this.#nodeCount !== nodeCount || this.#sessionCount !== sessionCount) {
      throw this.#damaged('the snapshot ended before all of it had arrived');
    }
    this.#isDone = true;
    const meta = { zxid, sequence: STAGED_SEQUENCE, digest, nodeCount, sessionCount };
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
