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

/** Appends to a buffer of its own that grows as needed. */
export class ByteWriter {
  #bytes: Buffer;
  #view: DataView;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
    this.#view = viewOf(this.#bytes);
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
    this.#view.setUint8(this.#claim(1), value);
  }

  u32(value: number): void {
    this.#view.setUint32(this.#claim(4), value);
  }

  i32(value: number): void {
    this.#view.setInt32(this.#claim(4), value);
  }

  /** A number that need not be a 32-bit integer, exact. */
  f64(value: number): void {
    this.#view.setFloat64(this.#claim(8), value);
  }

  i64(value: bigint): void {
    this.#view.setBigInt64(this.#claim(8), value);
  }

  zxid(zxid: Zxid): void {
    const at = this.#claim(8);
    this.#view.setUint32(at, zxidEpoch(zxid));
    this.#view.setUint32(at + 4, zxidCounter(zxid));
  }

  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#claim(bytes.length));
  }

  /** Length and bytes. */
  block(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  /** Length and UTF-8. */
  text(text: string): void {
    this.u32(Buffer.byteLength(text));
    this.#bytes.write(text, this.#claim(Buffer.byteLength(text)), 'utf8');
  }

  /** One byte per character, no length in front. */
  latin1(text: string): void {
    const at = this.#claim(text.length);
    this.#bytes.write(text, at, 'latin1');
  }

  #claim(count: number): number {
    const at = this.#length;
    if (at + count > this.#bytes.length) this.#grow(at + count);
    this.#length = at + count;
    return at;
  }

  /** The old buffer is left as it is, because views of it may be on their way to the disk. */
  #grow(needed: number): void {
    const bigger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    bigger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bigger;
    this.#view = viewOf(bigger);
  }
}

/** Reads from bytes that may be anything: reading past the end gives zeros and clears `isIntact`. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #position = 0;
  #isIntact = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#view = viewOf(bytes);
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
    return this.#isIntact ? this.#bytes.toString('utf8', at, at + length) : '';
  }

  #take(count: number): number {
    const at = this.#position;
    if (count > this.#bytes.length - at) this.#isIntact = false;
    else this.#position = at + count;
    return at;
  }
}
