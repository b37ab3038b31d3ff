/**
 * A pack: what one checkpoint says of many nodes, as one value of the state store.
 *
 *   format:1, entries:4, then each entry as
 *   parent:2 [, if it is the next number: length:4, path of the parent], length:4, name,
 *   length:4, payload (state-codec.ts)
 *
 * A parent is named by its number in the pack, in the order in which they first come. The path of the
 * parent of `/a` is empty; the root has no parent, and no name.
 */

import { invariant } from '../base/assert.ts';
import type { ByteWriter } from './byte-cursor.ts';
import { readU32, viewOf } from './keyspace.ts';

/** So much of a pack makes it full: what is read and checked at once, and cleaned at once. */
export const PACK_BYTES = 64 * 1024;

/** What a pack adds to the payload of an entry and its path, at most: it names a parent only once. */
export const PACK_ENTRY_BYTES = 14;

const FORMAT = 1;
const COUNT_AT = 1;
const HEADER_BYTES = 5;
/** The root's; every other number is smaller. */
const NO_PARENT = 0xffff;
const ENTRIES_MAX = NO_PARENT - 1;
const SLASH = 0x2f;

/** Appends the entries of one pack after the other to a writer. */
export class PackWriter {
  readonly #writer: ByteWriter;
  readonly #parents = new Map<string, number>();
  #start = 0;
  #entryCount = 0;
  #payloadAt = 0;

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  /** Bytes of the pack so far. */
  get length(): number {
    return this.#entryCount === 0 ? 0 : this.#writer.length - this.#start;
  }

  get isFull(): boolean {
    return this.#entryCount === ENTRIES_MAX;
  }

  /** Begins an entry; its payload is to be written next. */
  begin(path: string): void {
    const writer = this.#writer;
    if (this.#entryCount === 0) {
      this.#start = writer.length;
      writer.u8(FORMAT);
      writer.u32(0);
    }
    invariant(!this.isFull, 'more entries than a pack can tell apart');
    this.#entryCount += 1;
    const cut = path.lastIndexOf('/');
    if (path.length === 1) writer.u16(NO_PARENT);
    else this.#writeParent(path.slice(0, cut));
    writer.text(path.slice(cut + 1));
    this.#payloadAt = writer.length;
    writer.u32(0);
  }

  #writeParent(parent: string): void {
    const known = this.#parents.get(parent);
    const number = known ?? this.#parents.size;
    this.#writer.u16(number);
    if (known !== undefined) return;
    this.#parents.set(parent, number);
    this.#writer.text(parent);
  }

  /** Ends an entry. */
  end(): void {
    const bytes = this.#writer.length - this.#payloadAt - 4;
    this.#writer.setU32(this.#payloadAt, bytes);
  }

  /** Ends the pack; where it begins in the writer. */
  finish(): number {
    invariant(this.#entryCount > 0, 'a pack of nothing');
    this.#writer.setU32(this.#start + COUNT_AT, this.#entryCount);
    this.#entryCount = 0;
    this.#parents.clear();
    return this.#start;
  }
}

/** Reads the entries of a pack, one after the other. Where they are is told by offsets into `bytes`. */
export class PackReader {
  /** The pack, as it was given. */
  readonly bytes: Buffer;
  readonly view: DataView;
  /** How many entries there are said to be. */
  readonly entryCount: number;
  /** False once something was met that no pack holds. */
  isIntact = true;
  /** Number of the entry's parent in the pack; -1 for the root. */
  parent = -1;
  nameStart = 0;
  nameEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  readonly #parentStarts: number[] = [];
  readonly #parentEnds: number[] = [];
  readonly #parentPaths: (string | undefined)[] = [];
  #readCount = 0;
  #at = HEADER_BYTES;

  constructor(pack: Uint8Array) {
    this.bytes = Buffer.from(pack.buffer, pack.byteOffset, pack.byteLength);
    this.view = viewOf(pack);
    this.isIntact = pack.length >= HEADER_BYTES && pack[0] === FORMAT;
    this.entryCount = this.isIntact ? readU32(pack, COUNT_AT) : 0;
  }

  /** False at the end, or where the pack is not intact. */
  next(): boolean {
    if (!this.isIntact) return false;
    if (this.#readCount === this.entryCount) {
      this.isIntact = this.#at === this.bytes.length;
      return false;
    }
    this.#readCount += 1;
    this.#readParent();
    if (this.isIntact) this.#readName();
    return this.isIntact;
  }

  /** The path of a parent with that number, empty for the root. */
  parentPath(parent: number): string {
    let path = this.#parentPaths[parent];
    if (path === undefined) {
      path = this.bytes.toString('utf8', this.#parentStarts[parent], this.#parentEnds[parent]);
      this.#parentPaths[parent] = path;
    }
    return path;
  }

  get path(): string {
    const name = this.bytes.toString('utf8', this.nameStart, this.nameEnd);
    return this.parent < 0 ? '/' : `${this.parentPath(this.parent)}/${name}`;
  }

  /** A view of the entry's payload. */
  get payload(): Uint8Array {
    const { bytes, payloadStart, payloadEnd } = this;
    return new Uint8Array(bytes.buffer, bytes.byteOffset + payloadStart, payloadEnd - payloadStart);
  }

  #readParent(): void {
    const at = this.#at;
    if (at + 2 > this.bytes.length) {
      this.isIntact = false;
      return;
    }
    const parent = this.view.getUint16(at);
    this.#at = at + 2;
    this.parent = parent === NO_PARENT ? -1 : parent;
    if (parent === NO_PARENT || parent < this.#parentStarts.length) return;
    const end = this.#blockEnd(this.#at);
    // Siblings of the root's children have no path in front of them; others' parents begin with a slash.
    const isPath = end === this.#at + 4 || this.bytes[this.#at + 4] === SLASH;
    if (parent > this.#parentStarts.length || !isPath) this.isIntact = false;
    this.#parentStarts.push(this.#at + 4);
    this.#parentEnds.push(end);
    this.#at = end;
  }

  #readName(): void {
    this.nameStart = this.#at + 4;
    this.nameEnd = this.#blockEnd(this.#at);
    this.payloadStart = this.nameEnd + 4;
    this.payloadEnd = this.isIntact ? this.#blockEnd(this.nameEnd) : this.payloadStart;
    this.#at = this.payloadEnd;
    // The root alone has no name, and every payload says at least whether there is something.
    const isNamed = this.nameStart < this.nameEnd;
    if (isNamed === this.parent < 0 || this.payloadStart >= this.payloadEnd) this.isIntact = false;
  }

  /** Where the bytes end that stand behind their length. */
  #blockEnd(at: number): number {
    const start = at + 4;
    const end = start <= this.bytes.length ? start + readU32(this.bytes, at) : Infinity;
    if (end <= this.bytes.length) return end;
    this.isIntact = false;
    return start;
  }
}
