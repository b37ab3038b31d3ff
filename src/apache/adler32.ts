/** Adler-32, the checksum of the original's files (RFC 1950), kept up while bytes go by. */

const MODULUS = 65521;
/** So many bytes may be summed before the sums could leave what a small integer holds exactly. */
const BYTES_BEFORE_MODULO = 3800;

export class Adler32 {
  #low = 1;
  #high = 0;

  /** 32 bits, unsigned. */
  get value(): number {
    return ((this.#high << 16) | this.#low) >>> 0;
  }

  update(bytes: Uint8Array, start = 0, end = bytes.length): this {
    let low = this.#low;
    let high = this.#high;
    for (let at = start; at < end; ) {
      const stop = Math.min(end, at + BYTES_BEFORE_MODULO);
      for (; at < stop; at++) {
        low += bytes[at] ?? 0;
        high += low;
      }
      low %= MODULUS;
      high %= MODULUS;
    }
    this.#low = low;
    this.#high = high;
    return this;
  }
}

export function adler32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return new Adler32().update(bytes, start, end).value;
}
