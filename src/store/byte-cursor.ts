/** Cursors over bytes that go to disk: big-endian, bounds checked, no exceptions for short input. */

import {
  EPOCH_MAX,
  makeEpoch,
  makeZxid,
  ZXID_NONE,
  type Zxid,
  zxidCounter,
  zxidEpoch,
} from '../base/ids.ts';
import { viewOf } from './keyspace.ts';

const TWO_POW_32 = 0x1_0000_0000;

/** Appends to a buffer of its own that grows as needed. */
export class ByteWriter {
  /** Not a Buffer, whose `slice` would share memory where that of what we hand out must copy. */
  #bytes: Uint8Array;
  #view: DataView;
  /** The same memory, for text. */
  #text: Buffer;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = viewOf(this.#bytes);
    this.#text = bufferOf(this.#bytes);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written since `start`: a view, never overwritten before `restart`. */
  written(start = 0): Uint8Array {
    return this.#bytes.subarray(start, this.#length);
  }

  /** Forgets what was written; views handed out are overwritten by what follows. */
  restart(): void {
    this.#length = 0;
  }

  u8(value: number): void {
    const at = this.#claim(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#claim(2);
    this.#view.setUint16(at, value);
  }

  u32(value: number): void {
    const at = this.#claim(4);
    this.#view.setUint32(at, value);
  }

  /** Replaces a number that was written, in the buffer as it is now. */
  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  i32(value: number): void {
    const at = this.#claim(4);
    this.#view.setInt32(at, value);
  }

  /** A number that need not be a 32-bit integer, exact. */
  f64(value: number): void {
    const at = this.#claim(8);
    this.#view.setFloat64(at, value);
  }

  i64(value: bigint): void {
    const at = this.#claim(8);
    this.#view.setBigInt64(at, value);
  }

  /** A whole number as a 64-bit integer; exact as far as the number is. */
  long(value: number): void {
    const at = this.#claim(8);
    this.#view.setInt32(at, Math.floor(value / TWO_POW_32));
    this.#view.setUint32(at + 4, value >>> 0);
  }

  zxid(zxid: Zxid): void {
    const at = this.#claim(8);
    this.#view.setUint32(at, zxidEpoch(zxid));
    this.#view.setUint32(at + 4, zxidCounter(zxid));
  }

  raw(bytes: Uint8Array): void {
    const at = this.#claim(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Length and bytes. */
  block(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  /** Length and UTF-8. */
  text(text: string): void {
    const length = Buffer.byteLength(text);
    this.u32(length);
    const at = this.#claim(length);
    this.#text.write(text, at, 'utf8');
  }

  /** One byte per character, no length in front. */
  latin1(text: string): void {
    const at = this.#claim(text.length);
    this.#text.write(text, at, 'latin1');
  }

  /** To be called before the buffer is touched: it may be another one afterwards. */
  #claim(count: number): number {
    const at = this.#length;
    if (at + count > this.#bytes.length) this.#grow(at + count);
    this.#length = at + count;
    return at;
  }

  /** The old buffer is left as it is, because views of it may be on their way to the disk. */
  #grow(needed: number): void {
    const bigger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    bigger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bigger;
    this.#view = viewOf(bigger);
    this.#text = bufferOf(bigger);
  }
}

/** Reads from bytes that may be anything: reading past the end gives zeros and clears `isIntact`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #text: Buffer;
  #position = 0;
  #isIntact = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#text = bufferOf(bytes);
  }

  /** False once something was read that was not there or cannot be what it was read as. */
  get isIntact(): boolean {
    return this.#isIntact;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  u8(): number {
    const at = this.#take(1);
    return this.#isIntact ? this.#view.getUint8(at) : 0;
  }

  u32(): number {
    const at = this.#take(4);
    return this.#isIntact ? this.#view.getUint32(at) : 0;
  }

  i32(): number {
    const at = this.#take(4);
    return this.#isIntact ? this.#view.getInt32(at) : 0;
  }

  f64(): number {
    const at = this.#take(8);
    return this.#isIntact ? this.#view.getFloat64(at) : 0;
  }

  long(): number {
    const at = this.#take(8);
    return this.#isIntact ? readLong(this.#view, at) : 0;
  }

  i64(): bigint {
    const at = this.#take(8);
    return this.#isIntact ? this.#view.getBigInt64(at) : 0n;
  }

  zxid(): Zxid {
    const epoch = this.u32();
    const counter = this.u32();
    if (epoch > EPOCH_MAX) this.#isIntact = false;
    return this.#isIntact ? makeZxid(makeEpoch(epoch), counter) : ZXID_NONE;
  }

  /** A view of so many bytes. */
  raw(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#isIntact ? this.#bytes.subarray(at, at + count) : new Uint8Array(0);
  }

  /** A view of bytes that stand behind their length. */
  block(): Uint8Array {
    return this.raw(this.u32());
  }

  text(): string {
    const length = this.u32();
    const at = this.#take(length);
    return this.#isIntact ? this.#text.toString('utf8', at, at + length) : '';
  }

  #take(count: number): number {
    const at = this.#position;
    if (count > this.#bytes.length - at) this.#isIntact = false;
    else this.#position = at + count;
    return at;
  }
}

/** A 64-bit integer as a number. */
export function readLong(view: DataView, at: number): number {
  return view.getInt32(at) * TWO_POW_32 + view.getUint32(at + 4);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
