/**
 * The numbers of every node, in columns of typed arrays instead of fields of objects: a 64-bit
 * number kept in a field of a V8 object is a heap number of 16 bytes beside its 8-byte pointer,
 * here it costs 8, and no garbage collection looks at it. Nodes refer to each other by slot.
 */

import { invariant } from '../base/assert.ts';

/** Columns of 64-bit numbers. */
export const LONG = { czxid: 0, mzxid: 1, pzxid: 2, ctimeMs: 3, mtimeMs: 4 } as const;
export const LONGS_PER_SLOT = 5;

/** Columns of 32-bit numbers. */
export const INT = {
  version: 0,
  /** Children ever created: the stored cversion. */
  creates: 1,
  aversion: 2,
  prefixCrc: 3,
  digest: 4,
  checkpointMark: 5,
  /** Kind and facts about the node, and above them the bytes of its name. */
  flags: 6,
  dataLength: 7,
  /** Name and data, see `byte-slab.ts`. */
  block: 8,
  /** See `acl-table.ts`. */
  acl: 9,
  /** Of the path, see `path-index.ts`. */
  hash: 10,
  /** Slots of other nodes, or `NO_SLOT`; in a free slot `nextInBucket` is the next free one. */
  nextInBucket: 11,
  parent: 12,
  firstChild: 13,
  nextSibling: 14,
  /** Of the first child, the last one. */
  previousSibling: 15,
  numChildren: 16,
} as const;
export const INTS_PER_SLOT = 17;

/** No node's slot. Its numbers are zero for ever. */
export const NO_SLOT = 0;

/** Small enough that a simulator can afford hundreds of trees, large enough that pages cost nothing. */
const SLOTS_PER_PAGE_LOG = 10;
const SLOTS_PER_PAGE = 1 << SLOTS_PER_PAGE_LOG;
const PLACE_MASK = SLOTS_PER_PAGE - 1;

export class StatPage {
  readonly longs = new Float64Array(SLOTS_PER_PAGE * LONGS_PER_SLOT);
  readonly ints = new Int32Array(SLOTS_PER_PAGE * INTS_PER_SLOT);
}

/** Hands out slots and takes them back; pages never move and are never given up. */
export class StatSlab {
  readonly #pages: StatPage[] = [new StatPage()];
  #firstFree = NO_SLOT;
  #nextSlot = NO_SLOT + 1;

  /** Slots that were ever handed out are below. */
  get end(): number {
    return this.#nextSlot;
  }

  /** A slot with every column zero. */
  allocate(): number {
    const reused = this.#firstFree;
    if (reused !== NO_SLOT) {
      this.#firstFree = this.int(reused, INT.nextInBucket);
      this.setInt(reused, INT.nextInBucket, NO_SLOT);
      return reused;
    }
    const slot = this.#nextSlot;
    invariant(slot <= 0x7fff_ffff, 'more nodes than slots have numbers');
    if (slot >>> SLOTS_PER_PAGE_LOG === this.#pages.length) this.#pages.push(new StatPage());
    this.#nextSlot = slot + 1;
    return slot;
  }

  release(slot: number): void {
    invariant(slot !== NO_SLOT, 'released the slot of no node');
    const page = this.page(slot);
    const place = slot & PLACE_MASK;
    page.longs.fill(0, place * LONGS_PER_SLOT, (place + 1) * LONGS_PER_SLOT);
    page.ints.fill(0, place * INTS_PER_SLOT, (place + 1) * INTS_PER_SLOT);
    this.setInt(slot, INT.nextInBucket, this.#firstFree);
    this.#firstFree = slot;
  }

  page(slot: number): StatPage {
    return this.#pages[slot >>> SLOTS_PER_PAGE_LOG] as StatPage;
  }

  /** Where the slot's columns begin in its page. */
  intsAt(slot: number): number {
    return (slot & PLACE_MASK) * INTS_PER_SLOT;
  }

  longsAt(slot: number): number {
    return (slot & PLACE_MASK) * LONGS_PER_SLOT;
  }

  int(slot: number, column: number): number {
    return this.page(slot).ints[this.intsAt(slot) + column] as number;
  }

  setInt(slot: number, column: number, value: number): void {
    this.page(slot).ints[this.intsAt(slot) + column] = value;
  }
}
