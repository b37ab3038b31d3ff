/**
 * Makes room in the row of packs. What a later pack replaces stays in the older one until that is
 * cleaned: what is alive in it is written anew by the next checkpoint, which then begins behind it.
 *
 * Always the oldest pack is cleaned, so that whatever an absence in it hides is gone already, and it
 * needs no trace of its own.
 */

import type { DataTree } from './data-tree.ts';
import type { PackPlace } from './keyspace.ts';
import { openPack } from './pack-scan.ts';
import type { StateStore } from './state-store.ts';
import { StoreError } from './store-error.ts';

/** So many more entries than twice the nodes are not worth the work, by default. */
const SLACK_ENTRIES = 256;
/** For each entry that a checkpoint wrote so many are cleaned, and some in any case. */
const CLEANED_PER_ENTRY = 2;
const CLEANED_AT_LEAST = 1024;

/** Where the packs begin that still count, and how many entries stand before. */
export interface Cleaned {
  readonly first: PackPlace;
  readonly entryCount: number;
}

export class PackCleaner {
  readonly #state: StateStore;
  readonly #tree: DataTree;
  /** Has the next checkpoint write a node anew. */
  readonly #rewrite: (path: string) => void;
  readonly #slackEntries: number;

  constructor(
    state: StateStore,
    tree: DataTree,
    rewrite: (path: string) => void,
    slackEntries = SLACK_ENTRIES,
  ) {
    this.#state = state;
    this.#tree = tree;
    this.#rewrite = rewrite;
    this.#slackEntries = slackEntries;
  }

  /**
   * After a checkpoint that wrote so many entries: cleans some of the oldest packs if there is reason
   * to. Everything that it marks belongs to the next checkpoint.
   */
  async clean(writtenCount: number): Promise<Cleaned> {
    const { first, entryCount } = this.#state.checkpoint;
    const wasteMax = this.#tree.nodeCount + this.#slackEntries;
    const countMax = writtenCount * CLEANED_PER_ENTRY + CLEANED_AT_LEAST;
    let cleaned: Cleaned = { first, entryCount: 0 };
    const isEnough = (): boolean =>
      cleaned.entryCount >= countMax ||
      entryCount - cleaned.entryCount - this.#tree.nodeCount <= wasteMax;
    if (isEnough()) return cleaned;
    const scan = this.#state.scanPacks({ isReversed: false });
    try {
      for (let packs = await scan.next(); packs !== undefined; packs = await scan.next()) {
        for (const stored of packs) {
          const pack = openPack(stored);
          const { sequence, number } = stored.place;
          while (pack.next()) {
            const { path } = pack;
            if (this.#tree.find(path)?.checkpointMark === sequence) this.#rewrite(path);
          }
          cleaned = {
            first: { sequence, number: number + 1 },
            entryCount: cleaned.entryCount + pack.entryCount,
          };
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
}
