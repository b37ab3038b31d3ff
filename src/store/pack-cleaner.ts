/**
 * Makes room in the row of packs. What a later pack replaces stays in the older one until that is
 * cleaned: what is alive in it is written anew by the next checkpoint, which then begins behind it.
 *
 * Always the oldest pack is cleaned, so that whatever an absence in it hides is gone already, and it
 * needs no trace of its own.
 */

import type { DataTree } from './data-tree.ts';
import type { PackPlace } from './keyspace.ts';
import { openPack, packDamaged, type StoredPack } from './pack-scan.ts';
import { NODE_BYTES } from './state-codec.ts';
import { PACK_ENTRY_BYTES } from './state-pack.ts';
import type { StateStore } from './state-store.ts';
import { StoreError } from './store-error.ts';

/** So many more entries than twice the nodes are not worth the work, by default. */
const SLACK_ENTRIES = 256;
/** So many more bytes than twice what the nodes need are not, either. */
const SLACK_BYTES = 4 * 1024 * 1024;
/** For each entry that a checkpoint wrote so many are cleaned, and some in any case. */
const CLEANED_PER_ENTRY = 2;
const CLEANED_AT_LEAST = 1024;
/** Thousands of absences fit in a pack: other work gets its turn behind so many. */
const PACKS_AT_ONCE = 2;

/** Where the packs begin that still count, and what stands before. */
export interface Cleaned {
  readonly first: PackPlace;
  readonly entryCount: number;
  readonly byteCount: number;
}

export interface PackCleanerOptions {
  /** Default 256. */
  readonly slackEntries?: number | undefined;
  /** Default 4 MiB. */
  readonly slackBytes?: number | undefined;
}

export class PackCleaner {
  readonly #state: StateStore;
  readonly #tree: DataTree;
  /** Has the next checkpoint write a node anew. */
  readonly #rewrite: (path: string) => void;
  readonly #slackEntries: number;
  readonly #slackBytes: number;

  constructor(
    state: StateStore,
    tree: DataTree,
    rewrite: (path: string) => void,
    options: PackCleanerOptions,
  ) {
    this.#state = state;
    this.#tree = tree;
    this.#rewrite = rewrite;
    this.#slackEntries = options.slackEntries ?? SLACK_ENTRIES;
    this.#slackBytes = options.slackBytes ?? SLACK_BYTES;
  }

  /**
   * After a checkpoint that wrote so many entries, and with which all packs hold so many bytes: cleans
   * some of the oldest packs if there is reason to. All that it marks belongs to the next checkpoint.
   */
  async clean(writtenCount: number, packBytes: number): Promise<Cleaned> {
    const { first } = this.#state.checkpoint;
    const countMax = writtenCount * CLEANED_PER_ENTRY + CLEANED_AT_LEAST;
    let cleaned: Cleaned = { first, entryCount: 0, byteCount: 0 };
    const isEnough = (): boolean =>
      cleaned.entryCount >= countMax || !this.#isWasteful(cleaned, packBytes);
    if (isEnough()) return cleaned;
    const scan = this.#state.scanPacks({ isReversed: false, atOnce: PACKS_AT_ONCE });
    try {
      for (let packs = await scan.next(); packs !== undefined; packs = await scan.next()) {
        for (const stored of packs) {
          cleaned = this.#cleanPack(stored, cleaned);
          if (isEnough()) return cleaned;
        }
      }
    } catch (error) {
      // Memory has everything: whoever looks for damage finds it and has all of it written anew.
      if (!(error instanceof StoreError)) throw error;
    } finally {
      await scan.close();
    }
    return cleaned;
  }

  /**
   * Whether more than half of what the rest holds is of no use. Entries count since each costs time at
   * a start, bytes since one large node that changes again and again would fill the disk.
   */
  #isWasteful({ entryCount, byteCount }: Cleaned, packBytes: number): boolean {
    const { nodeCount, contentBytes } = this.#tree;
    const entries = this.#state.checkpoint.entryCount - entryCount;
    if (entries > 2 * nodeCount + this.#slackEntries) return true;
    const needed = nodeCount * (NODE_BYTES + PACK_ENTRY_BYTES) + contentBytes;
    return packBytes - byteCount > 2 * needed + this.#slackBytes;
  }

  #cleanPack(stored: StoredPack, { entryCount, byteCount }: Cleaned): Cleaned {
    const pack = openPack(stored);
    const { sequence, number } = stored.place;
    while (pack.next()) {
      const { path } = pack;
      if (this.#tree.find(path)?.checkpointMark === sequence) this.#rewrite(path);
    }
    // What was not met would be deleted without having been written anew.
    if (!pack.isIntact) throw packDamaged(stored.place, 'its entries do not fit its length');
    return {
      first: { sequence, number: number + 1 },
      entryCount: entryCount + pack.entryCount,
      byteCount: byteCount + stored.bytes.length,
    };
  }
}
