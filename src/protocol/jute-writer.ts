/**
 * Appends frames and records in jute's encoding to a slab that it owns and grows. A frame is written
 * straight away and its length patched in afterwards, because measuring first costs twice as much.
 * What was written leaves in one piece through `take`, without a copy: the writer goes on behind it.
 */

import { invariant } from '../base/assert.ts';
import type { SessionId } from '../base/ids.ts';
import { SLAB_BYTES, type Slab, SlabPool, slabOf } from './slab-pool.ts';

const NO_SLAB = slabOf(Buffer.alloc(0));
const HIGH_WORD = 0x1_0000_0000;
/** A slab with less room than this left is given up, and so is an oversized one: neither is worth keeping. */
const ROOM_MIN_BYTES = 128;
/** Room made in advance ends here: what was once taken in one long piece says little about the next. */
const EXPECTED_MAX_BYTES = 80 * 1024;

export class JuteWriter {
  readonly #slabBytes: number;
  readonly #pool: SlabPool;
  #slab: Slab = NO_SLAB;
  #buffer: Buffer = NO_SLAB.bytes;
  #view: DataView = NO_SLAB.view;
  /** Everything before it was taken and belongs to somebody else. */
  #start = 0;
  #at = 0;
  /** What will probably be written before the next `take`: what was before the last, and some more. */
  #expectedBytes = 0;

  /** `slabBytes`: the size of a new slab, made at the first write; longer output makes longer slabs. */
  constructor(slabBytes: number = SLAB_BYTES, pool: SlabPool = new SlabPool()) {
    invariant(slabBytes >= ROOM_MIN_BYTES, 'slab too small');
    this.#slabBytes = slabBytes;
    this.#pool = pool;
  }

  /** Bytes written since the last `take` or `reset`. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** Hands out what was written; the bytes now belong to the caller and are never written again. */
  take(): Uint8Array {
    const bytes = this.#buffer.subarray(this.#start, this.#at);
    this.#expectedBytes = Math.min(bytes.length + (bytes.length >> 2), EXPECTED_MAX_BYTES);
    this.#start = this.#at;
    const room = this.#buffer.length - this.#at;
    if (room < ROOM_MIN_BYTES || this.#buffer.length > this.#slabBytes) this.#use(NO_SLAB);
    return bytes;
  }

  /**
   * What was taken last comes back: nobody reads it any more, nor anything taken before it, and its
   * memory is written to again, by whoever takes it from the pool. Once for each `take`, and only while
   * nothing new is written.
   */
  reuse(bytes: Uint8Array): void {
    invariant(this.length === 0, 'memory comes back too late');
    invariant(bytes.length > 0, 'nothing comes back');
    const { buffer: memory } = bytes;
    if (memory === this.#buffer.buffer) {
      this.#pool.give(this.#slab);
      this.#use(NO_SLAB);
    } else if (memory.byteLength <= EXPECTED_MAX_BYTES)
      this.#pool.give(slabOf(Buffer.from(memory)));
  }

  /** Forgets what was written since the last `take`. */
  reset(): void {
    this.#at = this.#start;
  }

  /** Forgets what was written behind an offset since the last `take`. */
  truncate(length: number): void {
    invariant(length >= 0 && length <= this.length, 'truncation outside what was written');
    this.#at = this.#start + length;
  }

  /** Leaves room for a frame's length; the returned mark goes to `endFrame`. */
  beginFrame(): number {
    const mark = this.length;
    this.writeInt(0);
    return mark;
  }

  /** Sets the length of the frame begun at the mark. */
  endFrame(mark: number): void {
    this.patchInt(mark, this.length - mark - 4);
  }

  /** Overwrites an int written at an offset since the last `take`. */
  patchInt(offset: number, value: number): void {
    invariant(offset >= 0 && offset + 4 <= this.length, 'patch outside what was written');
    this.#view.setInt32(this.#start + offset, value);
  }

  writeBool(value: boolean): void {
    this.#reserve(1);
    this.#view.setUint8(this.#at, value ? 1 : 0);
    this.#at += 1;
  }

  /** Signed 32 bits. */
  writeInt(value: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.#at, value);
    this.#at += 4;
  }

  /** Signed 64 bits of a safe integer: a zxid, a time in milliseconds, or -1. */
  writeLong(value: number): void {
    invariant(Number.isSafeInteger(value), 'not a safe integer');
    this.#reserve(8);
    const high = Math.floor(value / HIGH_WORD);
    this.#view.setInt32(this.#at, high);
    this.#view.setUint32(this.#at + 4, value - high * HIGH_WORD);
    this.#at += 8;
  }

  writeSessionId(value: SessionId): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.#at, value);
    this.#at += 8;
  }

  /** Length and bytes, copied; length -1 for null. */
  writeBuffer(value: Uint8Array | null): void {
    if (value === null) {
      this.writeInt(-1);
      return;
    }
    this.#reserve(4 + value.length);
    this.#view.setInt32(this.#at, value.length);
    this.#buffer.set(value, this.#at + 4);
    this.#at += 4 + value.length;
  }

  /** As `writeBuffer`, for bytes kept as a string of one character U+0000 to U+00FF each. */
  writeBinaryString(value: string | null): void {
    if (value === null) {
      this.writeInt(-1);
      return;
    }
    this.#reserve(4 + value.length);
    this.#view.setInt32(this.#at, value.length);
    this.#buffer.write(value, this.#at + 4, 'latin1');
    this.#at += 4 + value.length;
  }

  /** Length and UTF-8; length -1 for null. */
  writeString(value: string | null): void {
    if (value === null) {
      this.writeInt(-1);
      return;
    }
    // A UTF-16 unit takes at most three bytes: a surrogate pair takes four for its two units.
    this.#reserve(4 + value.length * 3);
    const byteLength = this.#buffer.write(value, this.#at + 4, 'utf8');
    this.#view.setInt32(this.#at, byteLength);
    this.#at += 4 + byteLength;
  }

  /**
   * A vector of strings, or of their bytes in UTF-8; the count is patched in, so that any iterable will
   * do; count -1 for null.
   */
  writeStrings(values: Iterable<string | Uint8Array> | null): void {
    const mark = this.length;
    this.writeInt(-1);
    if (values === null) return;
    let count = 0;
    for (const value of values) {
      if (typeof value === 'string') this.writeString(value);
      else this.writeBuffer(value);
      count += 1;
    }
    this.patchInt(mark, count);
  }

  /** Makes sure that so many more bytes fit, moving what was not taken yet into a new slab if need be. */
  #reserve(count: number): void {
    if (count <= this.#buffer.length - this.#at) return;
    const used = this.length;
    // Growing from the smallest slab each time would copy a turn's replies once more in all.
    const wanted = Math.max(this.#slabBytes, this.#expectedBytes, used * 2, used + count);
    const slab = this.#pool.take(wanted);
    this.#buffer.copy(slab.bytes, 0, this.#start, this.#at);
    this.#use(slab);
    this.#at = used;
  }

  #use(slab: Slab): void {
    this.#slab = slab;
    this.#buffer = slab.bytes;
    this.#view = slab.view;
    this.#start = 0;
    this.#at = 0;
  }
}
