/**
 * Memory for replies that the network has taken, kept for whoever writes next, so that a client whose
 * answers went at once holds none while it waits. Each piece made anew counts against what the engine
 * allows outside its heap, and some tens of megabytes of them make it look through the whole heap: many
 * times a second where replies are large or sessions short.
 */

/** Memory to write to, and the view to write numbers by, which is dear to make. */
export interface Slab {
  readonly bytes: Buffer;
  readonly view: DataView;
}

/** The length of most slabs: for the replies of a turn to a client that does not pipeline. */
export const SLAB_BYTES = 4096;
/** As many as there are connections that write in one turn: an event may go to thousands. 16 MiB stay then. */
const COMMON_MAX = 4096;
/** As many as there are connections that read much in one turn. */
const OTHERS_MAX = 64;
/** A slab of so many times the bytes wanted is left to somebody who wants more: its bytes may be held for long. */
const SURPLUS_MAX = 4;

export class SlabPool {
  /** Of `SLAB_BYTES`. */
  readonly #common: Slab[] = [];
  /** Of any other length, most of them longer. */
  readonly #others: Slab[] = [];

  /** A slab of at least so many bytes, of any content. It belongs to the caller. */
  take(bytes: number): Slab {
    if (bytes === SLAB_BYTES) return this.#common.pop() ?? newSlab(bytes);
    const slab = this.#others.at(-1);
    if (slab === undefined || slab.bytes.length > bytes * SURPLUS_MAX) return newSlab(bytes);
    this.#others.pop();
    // One that is too short is let go of: replies have become longer.
    return slab.bytes.length >= bytes ? slab : newSlab(bytes);
  }

  /** Nobody reads or writes the slab any more. */
  give(slab: Slab): void {
    if (slab.bytes.length === SLAB_BYTES) {
      if (this.#common.length < COMMON_MAX) this.#common.push(slab);
    } else if (this.#others.length < OTHERS_MAX) this.#others.push(slab);
  }
}

export function slabOf(bytes: Buffer): Slab {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** Memory of its own, since that is how it comes back. */
function newSlab(length: number): Slab {
  return slabOf(Buffer.allocUnsafeSlow(length));
}
