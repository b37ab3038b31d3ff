/**
 * Memory for replies that the network has taken, kept for the next ones. Each piece made anew counts
 * against what the engine allows outside its heap, and some tens of megabytes of them make it look
 * through the whole heap: many times a second where replies are large.
 */

/** As many as there are connections that write in one turn, on a busy server. */
const SLABS_MAX = 64;
/** A slab of so many times the bytes wanted is left to somebody who wants more: its bytes may be held for long. */
const SURPLUS_MAX = 4;

export class SlabPool {
  readonly #slabs: Buffer[] = [];

  /** A slab of at least so many bytes, of any content. It belongs to the caller. */
  take(bytes: number): Buffer {
    const slab = this.#slabs.at(-1);
    if (slab === undefined || slab.length > bytes * SURPLUS_MAX)
      return Buffer.allocUnsafeSlow(bytes);
    this.#slabs.pop();
    // One that is too short is let go of: replies have become longer.
    return slab.length >= bytes ? slab : Buffer.allocUnsafeSlow(bytes);
  }

  /** Nobody reads or writes the slab any more. */
  give(slab: Buffer): void {
    if (this.#slabs.length < SLABS_MAX) this.#slabs.push(slab);
  }
}
