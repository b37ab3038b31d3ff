/**
 * The numbers of every node, in columns of typed arrays instead of fields of objects: a 64-bit
 * number kept in a field of a V8 object is a heap number of 16 bytes beside its 8-byte pointer,
 * here it costs 8. A node holds its page and its place in it.
 */

import { invariant } from '../base/assert.ts';

/** Columns of 64-bit numbers. */
export const LONG = { czxid: 0, mzxid: 1, pzxid: 2, ctimeMs: 3, mtimeMs: 4 } as const;
export const LONGS_PER_SLOT = 5;

/** Columns of 32-bit numbers. `creates` is the count of children ever created (stored cversion). */
export const INT = {
  version: 0,
  creates: 1,
  aversion: 2,
  prefixCrc: 3,
  digest: 4,
  flags: 5,
  checkpointMark: 6,
} as const;
export const INTS_PER_SLOT = 7;

/** Small enough that a simulator can afford hundreds of trees, large enough that pages cost nothing. */
const SLOTS_PER_PAGE = 1024;

export class StatPage {
  readonly longs: Float64Array;
  readonly ints: Int32Array;

  constructor(slotCount: number) {
    this.longs = new Float64Array(slotCount * LONGS_PER_SLOT);
    this.ints = new Int32Array(slotCount * INTS_PER_SLOT);
  }
}

/** Hands out slots and takes them back; pages never move and are never given up. */
export class StatSlab {
  readonly #pages: StatPage[] = [];
  readonly #free: number[] = [];
  #nextSlot = 0;

  /** A slot with every column zero. */
  allocate(): number {
    const reused = this.#free.pop();
    if (reused !== undefined) return reused;
    const slot = this.#nextSlot;
    if (slot % SLOTS_PER_PAGE === 0) this.#pages.push(new StatPage(SLOTS_PER_PAGE));
    this.#nextSlot = slot + 1;
    return slot;
  }

  page(slot: number): StatPage {
    const page = this.#pages[Math.floor(slot / SLOTS_PER_PAGE)];
    invariant(page !== undefined, 'slot of no page');
    return page;
  }

  /** The slot's place in its page. */
  place(slot: number): number {
    return slot % SLOTS_PER_PAGE;
  }

  release(slot: number): void {
    const page = this.page(slot);
    const place = this.place(slot);
    page.longs.fill(0, place * LONGS_PER_SLOT, (place + 1) * LONGS_PER_SLOT);
    page.ints.fill(0, place * INTS_PER_SLOT, (place + 1) * INTS_PER_SLOT);
    this.#free.push(slot);
  }
}
