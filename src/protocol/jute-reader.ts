/**
 * A cursor over one record in jute's encoding (big-endian, no tags, no padding). One reader is aimed
 * at frame after frame; it never throws on what the other side sent. A read past the end or an
 * impossible length makes the reader `failed` for good (until it is aimed again) and yields neutral
 * values from then on, so that a decoder checks once, at the end of the record.
 */

import { invariant } from '../base/assert.ts';
import {
  makeSessionId,
  parseZxid,
  SESSION_NONE,
  type SessionId,
  ZXID_NONE,
  type Zxid,
} from '../base/ids.ts';

const NO_BYTES = Buffer.alloc(0);
const HIGH_WORD = 0x1_0000_0000;
/** High words from here on (and below its negative) stand for values a number cannot hold exactly. */
const HIGH_LIMIT = 0x20_0000;

export class JuteReader {
  /** All of the memory that the record lies in: what follows counts from its beginning. */
  #memory: ArrayBufferLike = NO_BYTES.buffer;
  #buffer: Buffer = NO_BYTES;
  #start = 0;
  #at = 0;
  #end = 0;
  #failed = false;

  /** Points the reader at `bytes[start, end)`, which it borrows: views it hands out are views of them. */
  aim(bytes: Uint8Array, start = 0, end = bytes.length): void {
    invariant(start >= 0 && start <= end, 'record range is reversed');
    invariant(end <= bytes.length, 'record range leaves the bytes');
    // Views of the memory and not of the bytes: the frames of one chunk, each in a view of its own,
    // share them, and two objects less a frame are worth a microsecond.
    if (bytes.buffer !== this.#memory) {
      this.#memory = bytes.buffer;
      this.#buffer = Buffer.from(bytes.buffer);
    }
    this.#start = bytes.byteOffset;
    this.#at = this.#start + start;
    this.#end = this.#start + end;
    this.#failed = false;
  }

  /** Lets go of the bytes, so that an idle reader keeps no socket chunk alive. */
  release(): void {
    this.#memory = NO_BYTES.buffer;
    this.#buffer = NO_BYTES;
    this.#start = 0;
    this.#at = 0;
    this.#end = 0;
    this.#failed = false;
  }

  /** True once anything could not be read; what was read since then is made up. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Bytes between the cursor and the end of the record. */
  get remaining(): number {
    return this.#end - this.#at;
  }

  /** Offset of the cursor in the bytes aimed at. */
  get position(): number {
    return this.#at - this.#start;
  }

  /** Declares the record undecodable for a reason of the caller's. */
  fail(): void {
    this.#failed = true;
  }

  /** One byte; everything but 0 is true, as the original reads it. */
  readBool(): boolean {
    const at = this.#advance(1);
    return at >= 0 && this.#buffer[at] !== 0;
  }

  /** Signed 32 bits. */
  readInt(): number {
    const at = this.#advance(4);
    return at < 0 ? 0 : this.#int32(at);
  }

  /**
   * Signed 64 bits as a number. Values beyond the exact range become the last safe integer on their
   * side: no zxid is greater, so comparisons still come out right.
   */
  readLong(): number {
    const at = this.#advance(8);
    if (at < 0) return 0;
    const high = this.#int32(at);
    if (high >= HIGH_LIMIT) return Number.MAX_SAFE_INTEGER;
    if (high < -HIGH_LIMIT) return Number.MIN_SAFE_INTEGER;
    const value = high * HIGH_WORD + (this.#int32(at + 4) >>> 0);
    return Math.max(value, Number.MIN_SAFE_INTEGER);
  }

  /** Signed 64 bits that must be a zxid; anything else fails the record. */
  readZxid(): Zxid {
    const at = this.#advance(8);
    if (at < 0) return ZXID_NONE;
    const value = this.#int32(at) * HIGH_WORD + (this.#int32(at + 4) >>> 0);
    const zxid = parseZxid(value);
    if (zxid === undefined) this.#failed = true;
    return zxid ?? ZXID_NONE;
  }

  /** All 64 bits of a session id. */
  readSessionId(): SessionId {
    const at = this.#advance(8);
    return at < 0 ? SESSION_NONE : makeSessionId(new DataView(this.#memory, at).getBigInt64(0));
  }

  /** A length and that many bytes: a view of the frame, null for length -1. */
  readBuffer(): Uint8Array | null {
    const length = this.#readLength();
    if (length < 0) return null;
    const at = this.#advance(length);
    return at < 0 ? null : this.#buffer.subarray(at, at + length);
  }

  /** A length and that many bytes of UTF-8, null for length -1; malformed text yields U+FFFD. */
  readString(): string | null {
    const length = this.#readLength();
    if (length < 0) return null;
    const at = this.#advance(length);
    return at < 0 ? null : this.#buffer.toString('utf8', at, at + length);
  }

  /**
   * The element count of a vector, -1 for null. A count that cannot fit into what is left, at
   * `elementBytesMin` bytes an element, fails here, before anybody makes room for it.
   */
  readCount(elementBytesMin: number): number {
    invariant(elementBytesMin > 0, 'vector elements take no bytes');
    const count = this.readInt();
    if (count >= -1 && count * elementBytesMin <= this.#end - this.#at) {
      return this.#failed ? -1 : count;
    }
    this.#failed = true;
    return -1;
  }

  /** A vector of strings, null for count -1. A null element fails the record: nothing means it. */
  readStrings(): string[] | null {
    const count = this.readCount(4);
    if (count < 0) return null;
    const strings: string[] = [];
    for (let i = 0; i < count && !this.#failed; i++) {
      const text = this.readString();
      if (text === null) this.#failed = true;
      else strings.push(text);
    }
    return strings;
  }

  /** A length field: -1 or a count of bytes; anything below -1 fails. */
  #readLength(): number {
    const length = this.readInt();
    if (length < -1) this.#failed = true;
    return this.#failed ? -1 : length;
  }

  /** Byte by byte: a DataView for each chunk of a socket would cost more than its reads save. */
  #int32(at: number): number {
    const bytes = this.#buffer;
    const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16);
    return high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  }

  /** Takes so many bytes and returns where they begin, or -1 when they are not there. */
  #advance(count: number): number {
    const at = this.#at;
    if (this.#failed || count > this.#end - at) {
      this.#failed = true;
      return -1;
    }
    this.#at = at + count;
    return at;
  }
}
