/** A running fingerprint of everything that happened, to compare two runs of one seed. */

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class TraceHash {
  #hash = FNV_OFFSET;

  /** Mixes in the low 32 bits of a whole number and, where there are more, the next 21. */
  mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ (value >>> 0), FNV_PRIME);
    const high = Math.floor(value / 0x1_0000_0000);
    if (high !== 0) this.#hash = Math.imul(this.#hash ^ high, FNV_PRIME);
    this.#hash ^= this.#hash >>> 15;
  }

  mixBytes(bytes: Uint8Array): void {
    let hash = this.#hash;
    const tailIndex = bytes.length - (bytes.length % 4);
    // Four bytes a step: a multiplication has to wait for the one before.
    for (let i = 0; i < tailIndex; i += 4) {
      const low = (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8);
      const high = ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24);
      hash = Math.imul(hash ^ (low | high), FNV_PRIME);
      hash ^= hash >>> 15;
    }
    for (let i = tailIndex; i < bytes.length; i++) {
      hash = Math.imul(hash ^ (bytes[i] ?? 0), FNV_PRIME);
    }
    this.#hash = hash;
    this.mix(bytes.length);
  }

  mixText(text: string): void {
    let hash = this.#hash;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
    this.#hash = hash;
    this.mix(text.length);
  }

  /** Eight hex digits. */
  get hex(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }
}
