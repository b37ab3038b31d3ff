/**
 * Writes msgpack into a slab of its own, for the few records that are written so often that a general
 * packer costs more than everything else done with them. What it writes is byte for byte what msgpackr
 * writes of the same values (texts being well formed), so either can read the other's.
 */

import { invariant } from './assert.ts';

const NO_BYTES = Buffer.alloc(0);
const SLAB_BYTES = 64 * 1024;
/** A head and the longest number behind it. */
const FIELD_BYTES_MAX = 9;
const TWO_POW_32 = 0x1_0000_0000;
const INT32_MIN = -0x8000_0000;
const ASCII_END = 0x80;
/** Longer text is left to the platform, whose call costs as much as a loop over so many characters. */
const LOOP_CHARS_MAX = 48;

export class MsgpackWriter {
  #slab: Buffer = NO_BYTES;
  #view: DataView = new DataView(NO_BYTES.buffer, 0, 0);
  #start = 0;
  #at = 0;

  /** Bytes written since `begin`. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** Begins a record with so many bytes in front that the caller fills in later. */
  begin(headerBytes: number): void {
    this.#start = this.#at;
    this.#reserve(headerBytes);
    this.#at += headerBytes;
  }

  /** The record: a view that belongs to the caller and is never written to again from here. */
  end(): Buffer {
    return this.#slab.subarray(this.#start, this.#at);
  }

  array(length: number): void {
    this.#reserve(FIELD_BYTES_MAX);
    if (length < 16) this.#byte(0x90 | length);
    else this.#head16or32(0xdc, length);
  }

  nil(): void {
    this.#reserve(FIELD_BYTES_MAX);
    this.#byte(0xc0);
  }

  bool(value: boolean): void {
    this.#reserve(FIELD_BYTES_MAX);
    this.#byte(value ? 0xc3 : 0xc2);
  }

  /** Any number; integers of 32 bits take as few bytes as they can, everything else takes nine. */
  number(value: number): void {
    this.#reserve(FIELD_BYTES_MAX);
    if (!Number.isInteger(value) || value < INT32_MIN || value >= TWO_POW_32) {
      this.#view.setUint8(this.#at, 0xcb);
      this.#view.setFloat64(this.#at + 1, value);
      this.#at += 9;
    } else if (value >= 0) this.#unsigned(value);
    else this.#negative(value);
  }

  /** A signed 64-bit integer in its full width. */
  int64(value: bigint): void {
    this.#reserve(FIELD_BYTES_MAX);
    this.#view.setUint8(this.#at, 0xd3);
    this.#view.setBigInt64(this.#at + 1, value);
    this.#at += 9;
  }

  text(value: string): void {
    const { length } = value;
    // A UTF-16 unit takes at most three bytes.
    this.#reserve(FIELD_BYTES_MAX + length * 3);
    if (length <= LOOP_CHARS_MAX && this.#ascii(value)) return;
    const byteLength = Buffer.byteLength(value);
    this.#textHead(byteLength);
    this.#at += this.#slab.write(value, this.#at, 'utf8');
  }

  /** Byte strings, copied. Returns where in the record they lie. */
  bytes(value: Uint8Array): number {
    const { length } = value;
    this.#reserve(FIELD_BYTES_MAX + length);
    if (length < 0x100) {
      this.#byte(0xc4);
      this.#byte(length);
    } else this.#head16or32(0xc5, length);
    const offset = this.length;
    this.#slab.set(value, this.#at);
    this.#at += length;
    return offset;
  }

  #ascii(value: string): boolean {
    const { length } = value;
    const slab = this.#slab;
    const from = this.#at + (length < 32 ? 1 : 2);
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= ASCII_END) return false;
      slab[from + i] = unit;
    }
    this.#textHead(length);
    this.#at += length;
    return true;
  }

  #textHead(byteLength: number): void {
    if (byteLength < 32) this.#byte(0xa0 | byteLength);
    else if (byteLength < 0x100) {
      this.#byte(0xd9);
      this.#byte(byteLength);
    } else this.#head16or32(0xda, byteLength);
  }

  #unsigned(value: number): void {
    if (value < 0x80) this.#byte(value);
    else if (value < 0x100) {
      this.#byte(0xcc);
      this.#byte(value);
    } else this.#head16or32(0xcd, value);
  }

  #negative(value: number): void {
    if (value >= -32) this.#byte(0x100 + value);
    else if (value >= -128) {
      this.#byte(0xd0);
      this.#byte(0x100 + value);
    } else if (value >= -0x8000) {
      this.#byte(0xd1);
      this.#view.setInt16(this.#at, value);
      this.#at += 2;
    } else {
      this.#byte(0xd2);
      this.#view.setInt32(this.#at, value);
      this.#at += 4;
    }
  }

  /** A head with 16 bits behind it, or the next one with 32. */
  #head16or32(head: number, value: number): void {
    if (value < 0x1_0000) {
      this.#byte(head);
      this.#view.setUint16(this.#at, value);
      this.#at += 2;
    } else {
      this.#byte(head + 1);
      this.#view.setUint32(this.#at, value);
      this.#at += 4;
    }
  }

  #byte(value: number): void {
    this.#slab[this.#at] = value;
    this.#at += 1;
  }

  /** Moves the record begun into a new slab when so many more bytes do not fit; the old one is left as it is. */
  #reserve(count: number): void {
    if (count <= this.#slab.length - this.#at) return;
    const used = this.length;
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, (used + count) * 2));
    this.#slab.copy(slab, 0, this.#start, this.#at);
    invariant(slab.length >= used + count, 'a slab without room for the record');
    this.#slab = slab;
    this.#view = new DataView(slab.buffer, slab.byteOffset, slab.length);
    this.#start = 0;
    this.#at = used;
  }
}
