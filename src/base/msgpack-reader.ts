/**
 * A cursor over one msgpack array of plain fields, for the few records that are read so often that a
 * general unpacker costs more than everything else done with them. It makes nothing but what it is
 * asked for, and never throws on what the other side wrote: a field of another kind, or one that is
 * not there, makes the reader `failed` until it is aimed again, and yields neutral values from then
 * on. So a decoder checks once, at the end of the record.
 */

import { invariant } from './assert.ts';

const NO_BUFFER = Buffer.alloc(0);
/** Longer text is left to the platform, whose call costs as much as a loop over so many bytes. */
const LOOP_BYTES_MAX = 12;

export class MsgpackReader {
  /** All of the memory the record lies in: positions count from its beginning. */
  #memory: ArrayBufferLike = NO_BUFFER.buffer;
  #buffer: Buffer = NO_BUFFER;
  #view: DataView = new DataView(NO_BUFFER.buffer);
  #at = 0;
  #end = 0;
  #failed = false;

  /** Points the reader at `bytes` from `start` on, which it borrows: byte strings are views of them. */
  aim(bytes: Uint8Array, start = 0): void {
    invariant(start >= 0 && start <= bytes.length, 'record begins outside its bytes');
    if (bytes.buffer !== this.#memory) {
      this.#memory = bytes.buffer;
      this.#buffer = Buffer.from(bytes.buffer);
      this.#view = new DataView(bytes.buffer);
    }
    this.#at = bytes.byteOffset + start;
    this.#end = bytes.byteOffset + bytes.length;
    this.#failed = false;
  }

  /** Lets go of the bytes. */
  release(): void {
    this.#memory = NO_BUFFER.buffer;
    this.#buffer = NO_BUFFER;
    this.#view = new DataView(NO_BUFFER.buffer);
    this.#at = 0;
    this.#end = 0;
  }

  /** True once anything could not be read; what was read since then is made up. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Everything was read and there is nothing behind it. */
  get isDone(): boolean {
    return !this.#failed && this.#at === this.#end;
  }

  /** Where in its memory the cursor stands. */
  get position(): number {
    return this.#at;
  }

  /** Declares the record undecodable for a reason of the caller's. */
  fail(): void {
    this.#failed = true;
  }

  /** The number of fields of the array that begins here. */
  array(): number {
    const token = this.#token();
    if ((token & 0xf0) === 0x90) return token & 0x0f;
    let count = 0;
    if (token === 0xdc) count = this.#unsigned(2);
    else if (token === 0xdd) count = this.#unsigned(4);
    else this.#failed = true;
    // Every field takes a byte: nobody makes room for more than there can be.
    if (count > this.#end - this.#at) this.#failed = true;
    return this.#failed ? 0 : count;
  }

  /** True when an array begins here. */
  get isArrayNext(): boolean {
    const token = this.#buffer[this.#at] ?? 0;
    return this.#at < this.#end && ((token & 0xf0) === 0x90 || token === 0xdc || token === 0xdd);
  }

  /** A number, whatever it takes; one of 64 bits in integer form is none. */
  number(): number {
    const token = this.#token();
    if (token < 0x80) return token;
    if (token >= 0xe0) return token - 0x100;
    switch (token) {
      case 0xcc:
        return this.#unsigned(1);
      case 0xcd:
        return this.#unsigned(2);
      case 0xce:
        return this.#unsigned(4);
      case 0xd0:
        return (this.#unsigned(1) << 24) >> 24;
      case 0xd1:
        return (this.#unsigned(2) << 16) >> 16;
      case 0xd2:
        return this.#unsigned(4) | 0;
      case 0xca:
      case 0xcb:
        return this.#float(token === 0xca ? 4 : 8);
      default:
        this.#failed = true;
        return 0;
    }
  }

  /** A number that is a signed integer of 32 bits. */
  int32(): number {
    const value = this.number();
    if ((value | 0) !== value) this.#failed = true;
    return value | 0;
  }

  /** A number that is an integer from 0 to the last safe one. */
  count(): number {
    const value = this.number();
    if (Number.isSafeInteger(value) && value >= 0) return value;
    this.#failed = true;
    return 0;
  }

  /** A signed integer in its full width of 64 bits. */
  int64(): bigint {
    const isInt64 = this.#token() === 0xd3;
    const at = isInt64 ? this.#advance(8) : -1;
    if (at >= 0) return this.#view.getBigInt64(at);
    this.#failed = true;
    return 0n;
  }

  bool(): boolean {
    const token = this.#token();
    if (token !== 0xc2 && token !== 0xc3) this.#failed = true;
    return token === 0xc3;
  }

  /** UTF-8; malformed text yields U+FFFD. */
  text(): string {
    const token = this.#token();
    let length = 0;
    if (token >= 0xa0 && token < 0xc0) length = token & 0x1f;
    else if (token === 0xd9) length = this.#unsigned(1);
    else if (token === 0xda) length = this.#unsigned(2);
    else if (token === 0xdb) length = this.#unsigned(4);
    else this.#failed = true;
    const at = this.#advance(length);
    if (at < 0) return '';
    return this.#ascii(at, length) ?? this.#buffer.toString('utf8', at, at + length);
  }

  /** A byte string, a view of what the reader is aimed at. */
  bytes(): Uint8Array {
    const length = this.bytesHead();
    const at = this.#advance(length);
    return at < 0 ? NO_BUFFER : this.#buffer.subarray(at, at + length);
  }

  /** A byte string, or null. */
  bytesOrNull(): Uint8Array | null {
    if (this.#at >= this.#end || this.#buffer[this.#at] !== 0xc0) return this.bytes();
    this.#at += 1;
    return null;
  }

  /** The length of the byte string whose content follows; `skip` goes past that. */
  bytesHead(): number {
    const token = this.#token();
    if (token === 0xc4) return this.#unsigned(1);
    if (token === 0xc5) return this.#unsigned(2);
    if (token === 0xc6) return this.#unsigned(4);
    this.#failed = true;
    return 0;
  }

  skip(count: number): void {
    this.#advance(count);
  }

  /** Short text, which has no other characters as a rule; undefined when this one has. */
  #ascii(at: number, length: number): string | undefined {
    if (length > LOOP_BYTES_MAX) return undefined;
    let text = '';
    for (let i = at; i < at + length; i++) {
      const byte = this.#buffer[i] ?? 0x80;
      if (byte >= 0x80) return undefined;
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** The next byte; 0xc1, which begins nothing, where there is none. */
  #token(): number {
    const at = this.#advance(1);
    return at < 0 ? 0xc1 : (this.#buffer[at] ?? 0xc1);
  }

  #unsigned(size: number): number {
    const at = this.#advance(size);
    if (at < 0) return 0;
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #float(size: number): number {
    const at = this.#advance(size);
    if (at < 0) return 0;
    return size === 4 ? this.#view.getFloat32(at) : this.#view.getFloat64(at);
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
