/** Reads the packs of a committed checkpoint, each checked, in the order of their writing or against it. */

import type { KeyRange, KeyValueStore } from '../runtime/runtime.ts';
import { type PackPlace, packPlace, packsOf, stateKeyKind } from './keyspace.ts';
import { openValue, stateDamaged } from './state-codec.ts';
import { PackReader } from './state-pack.ts';
import type { StoreError } from './store-error.ts';
import { ChunkReader } from './store-scan.ts';

/** A pack as it was found. Bytes belong to whoever reads. */
export interface StoredPack {
  readonly place: PackPlace;
  readonly bytes: Uint8Array;
}

export interface PackScanOptions {
  /** The first pack that counts, and the last checkpoint of which packs do. */
  readonly first: PackPlace;
  readonly sequence: number;
  /** From the newest to the first. */
  readonly isReversed: boolean;
  /** So many are handed out together at most; 16 if it is not said. */
  readonly atOnce?: number | undefined;
}

/** About 1 MiB of usual packs: more would come together where small ones are followed by full ones. */
const AT_ONCE = 16;

export class PackScan {
  readonly #reader: ChunkReader;

  /** Opens the view at once: what is written later does not change what is read. */
  constructor(store: KeyValueStore, generation: number, options: PackScanOptions) {
    const { first, sequence, isReversed, atOnce = AT_ONCE } = options;
    const range: KeyRange = { ...packsOf(generation, first, sequence), reverse: isReversed };
    this.#reader = new ChunkReader(store.scan(range), atOnce);
  }

  /** The next packs, never none of them; undefined at the end. Rejects with a `StoreError` of code `STATE_DAMAGED`. */
  async next(): Promise<readonly StoredPack[] | undefined> {
    const pairs = await this.#reader.next();
    return pairs?.map(([key, value]) => {
      if (stateKeyKind(key) !== 'pack') {
        const name = Buffer.from(key).toString('hex');
        throw stateDamaged(`state store, key ${name}`, 'not a known key');
      }
      const place = packPlace(key);
      const bytes = openValue([key, value]);
      if (bytes === undefined) throw packDamaged(place, 'its checksum does not match');
      return { place, bytes };
    });
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}

/** What a pack that was checked says. Throws a `StoreError` if it cannot be told. */
export function openPack({ place, bytes }: StoredPack): PackReader {
  const pack = new PackReader(bytes);
  if (!pack.isIntact) throw packDamaged(place, 'its format is not known');
  return pack;
}

export function packDamaged({ sequence, number }: PackPlace, problem: string): StoreError {
  return stateDamaged(`state store, pack ${number} of checkpoint ${sequence}`, problem);
}
