/**
 * The state store: checkpoints of the tree. A generation is one lineage of incremental checkpoints;
 * a snapshot from a leader fills a new one. Which generation counts is said by the log's identity
 * record alone, so that log and state change hands in one atomic write.
 */

import { invariant } from '../base/assert.ts';
import type { KeyRange, KeyValueStore, WriteBatch } from '../runtime/runtime.ts';
import { CheckpointScan } from './checkpoint-scan.ts';
import {
  FIRST_PLACE,
  generationRange,
  isBindingKey,
  keyGeneration,
  NUMBER_MAX,
  packsAfter,
  packsBefore,
  packsOf,
  RecordKind,
  recordRange,
  stateKeyKind,
  stateMetaKey,
} from './keyspace.ts';
import { PackScan, type PackScanOptions } from './pack-scan.ts';
import {
  type CheckpointMeta,
  decodeCheckpointMeta,
  EMPTY_CHECKPOINT,
  encodeCheckpointMeta,
  stateDamaged,
} from './state-codec.ts';
import { SnapshotReader, SnapshotStage } from './state-snapshot.ts';
import { StoreError } from './store-error.ts';
import { BulkDelete, ChunkReader } from './store-scan.ts';

export type { CheckpointMeta } from './state-codec.ts';

export class StateStore {
  readonly generation: number;
  readonly #store: KeyValueStore;
  #checkpoint: CheckpointMeta;

  private constructor(store: KeyValueStore, generation: number, checkpoint: CheckpointMeta) {
    this.#store = store;
    this.generation = generation;
    this.#checkpoint = checkpoint;
  }

  /**
   * Makes the state of a new server: generation 1, durable, with nothing in it. Rejects with a
   * `StoreError` of code `STATE_EXISTS` when that generation holds a checkpoint.
   */
  static async create(store: KeyValueStore): Promise<StateStore> {
    const generation = 1;
    if ((await store.get(stateMetaKey(generation))) !== undefined) {
      throw new StoreError(
        'STATE_EXISTS',
        `state store, generation ${generation}`,
        'it already holds data',
        'start the server without asking for a new store, or name an empty directory',
      );
    }
    const state = new StateStore(store, generation, EMPTY_CHECKPOINT);
    await state.commit(store.batch(), EMPTY_CHECKPOINT);
    return state;
  }

  /**
   * Opens the generation that the log names. Rejects with a `StoreError`: `STATE_MISSING`,
   * `STATE_DAMAGED`, `FORMAT_UNKNOWN`. Whether its zxid lies within the log is the caller's to see.
   */
  static async open(store: KeyValueStore, generationInUse: number): Promise<StateStore> {
    const value = await store.get(stateMetaKey(generationInUse));
    if (value === undefined) {
      throw new StoreError(
        'STATE_MISSING',
        `state store, generation ${generationInUse}`,
        'it is not there, although the log says that it is in use',
        'name the data directory that belongs to this log, or remove both and let the server join anew while the others run',
      );
    }
    return new StateStore(store, generationInUse, decodeCheckpointMeta(generationInUse, value));
  }

  /** The last committed checkpoint. */
  get checkpoint(): CheckpointMeta {
    return this.#checkpoint;
  }

  batch(): WriteBatch {
    return this.#store.batch();
  }

  /** Makes the batch durable together with the statement that this checkpoint is complete. */
  async commit(batch: WriteBatch, checkpoint: CheckpointMeta): Promise<void> {
    invariant(checkpoint.sequence >= this.#checkpoint.sequence, 'checkpoint would go back');
    invariant(checkpoint.zxid >= this.#checkpoint.zxid, 'checkpoint would go back in history');
    const [key, value] = encodeCheckpointMeta(this.generation, checkpoint);
    batch.put(key, value);
    await batch.write({ sync: true });
    this.#checkpoint = Object.freeze(checkpoint);
  }

  /** A view of the committed checkpoint's packs; close it. Has none in the first format. */
  scanPacks(options: Pick<PackScanOptions, 'isReversed' | 'atOnce'>): PackScan {
    const { first, sequence } = this.#checkpoint;
    return new PackScan(this.#store, this.generation, { ...options, first, sequence });
  }

  /** A view of what the committed checkpoint says in records of their own; close it. */
  scanRecords(): CheckpointScan {
    return new CheckpointScan(this.#store, this.generation, this.#checkpoint);
  }

  /** Deletes the packs that are no part of the committed checkpoint, the oldest first. */
  async dropOtherPacks(): Promise<void> {
    const { generation } = this;
    const { first, sequence, hasPacks } = this.#checkpoint;
    if (!hasPacks) {
      // An upgrade that did not come to its end.
      await this.#dropRange(packsOf(generation, FIRST_PLACE, NUMBER_MAX));
      return;
    }
    await this.#dropRange(packsBefore(generation, first));
    await this.#dropRange(packsAfter(generation, sequence));
  }

  /** Deletes what a checkpoint of the first format said of nodes. */
  async dropNodeRecords(): Promise<void> {
    await this.#dropRange(recordRange(this.generation, RecordKind.node));
  }

  /** Deletes keys in the order given, in bounded unsynced batches. */
  async deleteKeys(keys: readonly Uint8Array[]): Promise<void> {
    const deletion = new BulkDelete(this.#store);
    for (const key of keys) await deletion.delete(key);
    await deletion.flush();
  }

  /** Streams the committed checkpoint as it is now, whatever checkpoints follow. Close the reader. */
  openSnapshot(): SnapshotReader {
    const packs = this.scanPacks({ isReversed: false });
    return new SnapshotReader(packs, this.scanRecords(), this.#checkpoint);
  }

  /** Begins to receive a snapshot into another generation, emptied first. */
  async stageSnapshot(generation: number): Promise<SnapshotStage> {
    invariant(generation !== this.generation, 'snapshot staged over the state in use');
    await this.#dropGenerations(generationRange(generation));
    return new SnapshotStage(this.#store, generation);
  }

  /**
   * Deletes every generation but this one: those of the past, and a snapshot that was never
   * finished. Rejects with a `StoreError` of code `STATE_DAMAGED` at a key of no known kind.
   */
  async dropOtherGenerations(): Promise<void> {
    const { gte, lte } = generationRange(this.generation);
    for (const range of [{ lt: gte }, { gt: lte }]) await this.#dropGenerations(range);
  }

  /** A generation's checkpoint record goes first, so a half-deleted one is not taken for complete. */
  async #dropGenerations(range: KeyRange): Promise<void> {
    let generation = 0;
    await this.#drop(range, async (key, deletion) => {
      if (isBindingKey(key)) return;
      if (keyGeneration(key) !== generation) {
        generation = keyGeneration(key);
        await deletion.delete(stateMetaKey(generation));
      }
      await deletion.delete(key);
    });
  }

  async #dropRange(range: KeyRange): Promise<void> {
    await this.#drop(range, (key, deletion) => deletion.delete(key));
  }

  async #drop(
    range: KeyRange,
    drop: (key: Uint8Array, deletion: BulkDelete) => Promise<void>,
  ): Promise<void> {
    const reader = new ChunkReader(this.#store.scan(range));
    const deletion = new BulkDelete(this.#store);
    try {
      for (let pairs = await reader.next(); pairs !== undefined; pairs = await reader.next()) {
        for (const [key] of pairs) {
          if (stateKeyKind(key) === undefined && !isBindingKey(key)) {
            const name = Buffer.from(key).toString('hex');
            throw stateDamaged(`state store, key ${name}`, 'not a known key');
          }
          await drop(key, deletion);
        }
      }
      await deletion.flush();
    } finally {
      await reader.close();
    }
  }
}
