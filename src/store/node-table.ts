/**
 * The nodes of a tree by slot: their names and data, who is whose child, and the way from a path to a
 * node. Nothing here is an object of its own, so a tree of ten million nodes costs the garbage
 * collector nothing, and a node about 115 bytes besides its name and data.
 *
 * A path is not stored: it follows from the names up to the root.
 */

import { invariant } from '../base/assert.ts';
import { SESSION_NONE, type SessionId } from '../base/ids.ts';
import { ByteSlab } from './byte-slab.ts';
import { continueHash, HASH_SEED, PathIndex } from './path-index.ts';
import { INT, NO_SLOT, StatSlab } from './stat-slab.ts';

const SLASH = 0x2f;
const ASCII_MAX = 0x7f;
const SHORT_BYTES = 128;

/** In the column `flags`; the bits above them hold the length of the name in bytes. */
export const FLAG = {
  kindMask: 3,
  /** The digest of the tree does not cover the node. */
  uncounted: 4,
  /** The owner is not 0. */
  owned: 8,
  /** The client sent null for data, not an empty string. */
  nullData: 16,
  /** The name has characters beyond ASCII, so its bytes are more than its characters. */
  wideName: 32,
} as const;
const NAME_LENGTH_SHIFT = 6;
const NAME_BYTES_MAX = 1 << (31 - NAME_LENGTH_SHIFT);

/** Where a node's name and data stand. */
interface PackedNode {
  readonly bytes: Buffer;
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly payloadEnd: number;
}

export class NodeTable {
  /** Data of all nodes. */
  dataBytes = 0;
  /** Names beyond ASCII. */
  wideNameCount = 0;
  readonly slab = new StatSlab();
  readonly root: number;
  readonly #index = new PathIndex(this.slab);
  readonly #bytes = new ByteSlab();
  /** Of the few nodes that have one. */
  readonly #owners = new Map<number, SessionId>();

  constructor() {
    this.root = this.slab.allocate();
    this.slab.setInt(this.root, INT.hash, HASH_SEED);
    this.slab.setInt(this.root, INT.flags, FLAG.nullData);
  }

  /** Bytes taken from the system for names and data. */
  get textBytes(): number {
    return this.#bytes.spanBytes;
  }

  // Paths ---------------------------------------------------------------------------------------

  /** The node at the part of a path before `end`, or `NO_SLOT`. Nothing and `/` name the root. */
  find(path: string, end: number): number {
    if (end === 0 || path.charCodeAt(0) !== SLASH) return end === 0 ? this.root : NO_SLOT;
    if (end === 1) return this.root;
    const hash = continueHash(HASH_SEED, path, 0, end);
    let slot = this.#index.first(hash);
    while (slot !== NO_SLOT) {
      if (this.slab.int(slot, INT.hash) === hash && this.#isAt(slot, path, end)) return slot;
      slot = this.slab.int(slot, INT.nextInBucket);
    }
    return NO_SLOT;
  }

  /** The child that the part of a path from the slash at `cut` on names, or `NO_SLOT`. */
  child(parent: number, path: string, cut: number): number {
    const hash = continueHash(this.slab.int(parent, INT.hash), path, cut, path.length);
    let slot = this.#index.first(hash);
    while (slot !== NO_SLOT) {
      if (
        this.slab.int(slot, INT.hash) === hash &&
        this.slab.int(slot, INT.parent) === parent &&
        this.#nameStart(slot, path, path.length) === cut + 1
      ) {
        return slot;
      }
      slot = this.slab.int(slot, INT.nextInBucket);
    }
    return NO_SLOT;
  }

  /** The child whose name, in ASCII, stands between two offsets, or `NO_SLOT`; the hash is its path's. */
  childNamed(parent: number, hash: number, source: Buffer, start: number, end: number): number {
    let slot = this.#index.first(hash);
    while (slot !== NO_SLOT) {
      const { ints } = this.slab.page(slot);
      const at = this.slab.intsAt(slot);
      if (
        ints[at + INT.hash] === hash &&
        ints[at + INT.parent] === parent &&
        this.#isNamed(slot, source, start, end)
      ) {
        return slot;
      }
      slot = ints[at + INT.nextInBucket] as number;
    }
    return NO_SLOT;
  }

  #isNamed(slot: number, source: Buffer, start: number, end: number): boolean {
    const name = this.nameBytes(slot);
    return name.compare(source, start, end) === 0;
  }

  #isAt(slot: number, path: string, end: number): boolean {
    let rest = end;
    for (let at = slot; at !== this.root; at = this.slab.int(at, INT.parent)) {
      const start = this.#nameStart(at, path, rest);
      if (start < 1 || path.charCodeAt(start - 1) !== SLASH) return false;
      rest = start - 1;
    }
    return rest === 0;
  }

  /** Where the name begins in the path if it stands right before `end`, else -1. */
  #nameStart(slot: number, path: string, end: number): number {
    const page = this.slab.page(slot);
    const ints = this.slab.intsAt(slot);
    const flags = page.ints[ints + INT.flags] as number;
    if ((flags & FLAG.wideName) !== 0) {
      const name = this.name(slot);
      return path.endsWith(name, end) ? end - name.length : -1;
    }
    const length = flags >>> NAME_LENGTH_SHIFT;
    const start = end - length;
    if (start < 0) return -1;
    const address = page.ints[ints + INT.block] as number;
    const bytes = this.#bytes.bytes(address);
    const offset = this.#bytes.offset(address);
    for (let i = 0; i < length; i++) {
      if (bytes[offset + i] !== path.charCodeAt(start + i)) return -1;
    }
    return start;
  }

  // Coming and going ----------------------------------------------------------------------------

  /** To be called before many nodes come, so that each finds its bucket there. */
  reserve(nodeCount: number): void {
    this.#index.reserve(nodeCount);
  }

  /**
   * A node below its parent, last of the children, without data but with room for so many bytes, every
   * other number zero. The name follows the slash at `cut`.
   */
  insert(parent: number, path: string, cut: number, dataBytes: number): number {
    const slot = this.slab.allocate();
    const isWide = !isAscii(path, cut + 1);
    const length = isWide ? Buffer.byteLength(path.slice(cut + 1)) : path.length - cut - 1;
    invariant(length < NAME_BYTES_MAX, 'name longer than any frame');
    const address = this.#bytes.allocate(length + dataBytes);
    this.dataBytes += dataBytes;
    if (isWide) this.wideNameCount += 1;
    const bytes = this.#bytes.bytes(address);
    const offset = this.#bytes.offset(address);
    if (isWide) bytes.write(path.slice(cut + 1), offset, 'utf8');
    else for (let i = 0; i < length; i++) bytes[offset + i] = path.charCodeAt(cut + 1 + i);
    const flags = (isWide ? FLAG.wideName : 0) | FLAG.nullData;
    this.slab.setInt(slot, INT.flags, flags | (length << NAME_LENGTH_SHIFT));
    // What the block was made for; there is nothing to be read of it before it is set.
    this.slab.setInt(slot, INT.dataLength, dataBytes);
    this.slab.setInt(slot, INT.block, address);
    const hash = continueHash(this.slab.int(parent, INT.hash), path, cut, path.length);
    this.slab.setInt(slot, INT.hash, hash);
    this.#index.add(slot);
    this.#adopt(parent, slot);
    return slot;
  }

  /**
   * As `insert`, for a node of a checkpoint, with its data: both stand in the pack, the name in ASCII,
   * the data from an offset to the end of the entry. The hash is that of its path.
   */
  insertNamed(
    parent: number,
    hash: number,
    { bytes: source, nameStart, nameEnd, payloadEnd }: PackedNode,
    dataStart: number,
    isDataNull: boolean,
  ): number {
    const slot = this.slab.allocate();
    const nameLength = nameEnd - nameStart;
    const dataLength = payloadEnd - dataStart;
    const address = this.#bytes.allocate(nameLength + dataLength);
    this.dataBytes += dataLength;
    const target = this.#bytes.bytes(address);
    const offset = this.#bytes.offset(address);
    copyBytes(source, nameStart, nameLength, target, offset);
    copyBytes(source, dataStart, dataLength, target, offset + nameLength);
    const { ints } = this.slab.page(slot);
    const at = this.slab.intsAt(slot);
    ints[at + INT.flags] = (isDataNull ? FLAG.nullData : 0) | (nameLength << NAME_LENGTH_SHIFT);
    ints[at + INT.dataLength] = dataLength;
    ints[at + INT.block] = address;
    ints[at + INT.hash] = hash;
    this.#index.add(slot);
    this.#adopt(parent, slot);
    return slot;
  }

  /** Takes a node without children out of the tree; all it has stays readable until its release. */
  remove(slot: number): void {
    const { slab } = this;
    const parent = slab.int(slot, INT.parent);
    invariant(slab.int(slot, INT.numChildren) === 0, 'node removed before its children');
    this.#index.remove(slot);
    const next = slab.int(slot, INT.nextSibling);
    const previous = slab.int(slot, INT.previousSibling);
    const first = slab.int(parent, INT.firstChild);
    if (slot === first) slab.setInt(parent, INT.firstChild, next);
    else slab.setInt(previous, INT.nextSibling, next);
    // The first child's predecessor is the last one.
    if (next !== NO_SLOT) slab.setInt(next, INT.previousSibling, previous);
    else if (slot !== first) slab.setInt(first, INT.previousSibling, previous);
    slab.setInt(parent, INT.numChildren, slab.int(parent, INT.numChildren) - 1);
  }

  /** After the removal: from here on the slot may become another node. */
  release(slot: number): void {
    this.#bytes.release(this.slab.int(slot, INT.block));
    this.dataBytes -= this.slab.int(slot, INT.dataLength);
    if ((this.flags(slot) & FLAG.wideName) !== 0) this.wideNameCount -= 1;
    if ((this.slab.int(slot, INT.flags) & FLAG.owned) !== 0) this.#owners.delete(slot);
    this.slab.release(slot);
  }

  #adopt(parent: number, slot: number): void {
    const { slab } = this;
    const first = slab.int(parent, INT.firstChild);
    slab.setInt(slot, INT.parent, parent);
    if (first === NO_SLOT) {
      slab.setInt(parent, INT.firstChild, slot);
      slab.setInt(slot, INT.previousSibling, slot);
    } else {
      const last = slab.int(first, INT.previousSibling);
      slab.setInt(last, INT.nextSibling, slot);
      slab.setInt(slot, INT.previousSibling, last);
      slab.setInt(first, INT.previousSibling, slot);
    }
    slab.setInt(parent, INT.numChildren, slab.int(parent, INT.numChildren) + 1);
  }

  // What a node has -----------------------------------------------------------------------------

  flags(slot: number): number {
    return this.slab.int(slot, INT.flags);
  }

  addFlags(slot: number, flags: number): void {
    this.slab.setInt(slot, INT.flags, this.flags(slot) | flags);
  }

  owner(slot: number): SessionId {
    if ((this.flags(slot) & FLAG.owned) === 0) return SESSION_NONE;
    return this.#owners.get(slot) ?? SESSION_NONE;
  }

  /** Once, for a new node. */
  setOwner(slot: number, owner: SessionId): void {
    if (owner === SESSION_NONE) return;
    this.#owners.set(slot, owner);
    this.addFlags(slot, FLAG.owned);
  }

  nameLength(slot: number): number {
    return this.flags(slot) >>> NAME_LENGTH_SHIFT;
  }

  name(slot: number): string {
    const flags = this.flags(slot);
    const address = this.slab.int(slot, INT.block);
    const start = this.#bytes.offset(address);
    const encoding = (flags & FLAG.wideName) === 0 ? 'latin1' : 'utf8';
    const end = start + (flags >>> NAME_LENGTH_SHIFT);
    return this.#bytes.bytes(address).toString(encoding, start, end);
  }

  /** In UTF-8: a view, good until the tree changes. */
  nameBytes(slot: number): Buffer {
    const address = this.slab.int(slot, INT.block);
    const start = this.#bytes.offset(address);
    return this.#bytes.bytes(address).subarray(start, start + this.nameLength(slot));
  }

  /** A view, good until the tree changes. */
  data(slot: number): Buffer | null {
    if ((this.flags(slot) & FLAG.nullData) !== 0) return null;
    const address = this.slab.int(slot, INT.block);
    const start = this.#bytes.offset(address) + this.nameLength(slot);
    const end = start + this.slab.int(slot, INT.dataLength);
    return this.#bytes.bytes(address).subarray(start, end);
  }

  /** One character a byte. */
  dataText(slot: number): string | null {
    if ((this.flags(slot) & FLAG.nullData) !== 0) return null;
    const address = this.slab.int(slot, INT.block);
    const start = this.#bytes.offset(address) + this.nameLength(slot);
    const end = start + this.slab.int(slot, INT.dataLength);
    return this.#bytes.bytes(address).toString('latin1', start, end);
  }

  /** Copies the data, which must not be a view of this table's. */
  setData(slot: number, data: Uint8Array | null): void {
    const { slab } = this;
    const length = data === null ? 0 : data.length;
    const nameLength = this.nameLength(slot);
    const oldLength = slab.int(slot, INT.dataLength);
    this.dataBytes += length - oldLength;
    if (!this.#bytes.isSameRoom(nameLength + oldLength, nameLength + length)) {
      this.#move(slot, nameLength, nameLength + length);
    }
    const flags = this.flags(slot) & ~FLAG.nullData;
    slab.setInt(slot, INT.flags, data === null ? flags | FLAG.nullData : flags);
    slab.setInt(slot, INT.dataLength, length);
    if (data === null || length === 0) return;
    const address = slab.int(slot, INT.block);
    this.#bytes.bytes(address).set(data, this.#bytes.offset(address) + nameLength);
  }

  /** Gives the name another block, with room behind it. */
  #move(slot: number, nameLength: number, bytes: number): void {
    const from = this.slab.int(slot, INT.block);
    const to = this.#bytes.allocate(bytes);
    const source = this.#bytes.bytes(from);
    const target = this.#bytes.bytes(to);
    const sourceAt = this.#bytes.offset(from);
    const targetAt = this.#bytes.offset(to);
    // Names are short: less work than a call into the engine.
    for (let i = 0; i < nameLength; i++) target[targetAt + i] = source[sourceAt + i] as number;
    this.#bytes.release(from);
    this.slab.setInt(slot, INT.block, to);
  }
}

function copyBytes(
  source: Buffer,
  start: number,
  length: number,
  target: Buffer,
  targetStart: number,
): void {
  // A few bytes are less work than a call into the engine.
  if (length > SHORT_BYTES) source.copy(target, targetStart, start, start + length);
  else for (let i = 0; i < length; i++) target[targetStart + i] = source[start + i] as number;
}

function isAscii(text: string, start: number): boolean {
  for (let i = start; i < text.length; i++) if (text.charCodeAt(i) > ASCII_MAX) return false;
  return true;
}
