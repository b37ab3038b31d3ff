/**
 * Puts the nodes of packs into a tree that is being loaded: a million of them in about a second, so
 * what most nodes are goes from the pack into the columns of the table without becoming an object.
 *
 * The newest pack comes first, so whatever is there already is newer than what comes. A node may come
 * before its parent: then a placeholder is made, which its node must fill in the end.
 */

import { crc32 } from 'node:zlib';
import { OPEN_ACL } from '../base/acl.ts';
import { crc32Of } from '../base/crc32.ts';
import { EPOCH_MAX } from '../base/ids.ts';
import type { AclTable, SharedAcl } from './acl-table.ts';
import { ByteReader, readLong } from './byte-cursor.ts';
import type { TreeDigest } from './digest.ts';
import type { NodeTable } from './node-table.ts';
import { continueHashByte } from './path-index.ts';
import { INT, LONG, NO_SLOT } from './stat-slab.ts';
import {
  isAbsent,
  NODE,
  NODE_OPEN,
  NULL_DATA,
  readAcl,
  readNode,
  STAT_BYTES,
} from './state-codec.ts';
import type { PackReader } from './state-pack.ts';
import type { NodeFields } from './znode.ts';

/** `checkpointMark` of a node that is not there yet although a child of it is. */
export const PLACEHOLDER = -1;

const SLASH = 0x2f;
const ASCII_MAX = 0x7f;
/** From here on a call into the platform is worth its price. */
const LONG_DATA_BYTES = 512;
const NOT_A_NODE = 'an entry in it is not a node';
/** Below here nodes are bookkeeping: few, in no digest, some of them in every tree from its birth. */
const BOOKKEEPING = '/zookeeper';

/** What of a tree is filled. */
export interface RestoredTree {
  readonly table: NodeTable;
  readonly acls: AclTable;
  readonly digest: TreeDigest;
  /** As `DataTree.restoreNode`; fills a placeholder, too. */
  restoreNode(path: string, fields: NodeFields, mark: number): boolean;
  /** So many nodes came, with paths and data of so much together. */
  came(nodeCount: number, size: number): void;
}

/** A parent named by the pack that is being read. */
interface Parent {
  readonly slot: number;
  readonly hash: number;
  /** Length of the path and the slash behind it. */
  readonly length: number;
  /** Checksum over the path and the slash. */
  readonly crc: number;
  readonly isBookkeeping: boolean;
}

export class PackRestorer {
  readonly #tree: RestoredTree;
  readonly #parents: Parent[] = [];
  /** Paths that did not exist as of a pack newer than those that come. */
  readonly #gone = new Set<string>();
  readonly #acls = new Map<string, SharedAcl>();
  #sequence = 0;
  #nodeCount = 0;
  #size = 0;
  #placeholderCount = 0;

  constructor(tree: RestoredTree) {
    this.#tree = tree;
  }

  /** Nodes that children of theirs wait for. */
  get placeholderCount(): number {
    return this.#placeholderCount;
  }

  /** Takes the nodes of a pack that `sequence` wrote; what is wrong with it, if something is. */
  add(pack: PackReader, sequence: number): string | undefined {
    this.#parents.length = 0;
    this.#sequence = sequence;
    this.#nodeCount = 0;
    this.#size = 0;
    while (pack.next()) {
      const problem = this.#addEntry(pack);
      if (problem !== undefined) return problem;
    }
    if (!pack.isIntact) return 'its entries do not fit its length';
    this.#tree.came(this.#nodeCount, this.#size);
    return undefined;
  }

  #addEntry(pack: PackReader): string | undefined {
    const { bytes, payloadStart, payloadEnd } = pack;
    const form = bytes[payloadStart];
    if (pack.parent < 0 || (form !== NODE && form !== NODE_OPEN)) return this.#addRare(pack);
    const stat = payloadStart + 1;
    const rest = stat + STAT_BYTES;
    if (rest + 4 > payloadEnd) return NOT_A_NODE;
    // Before its parent is named, which may be gone, too.
    if (this.#gone.size > 0 && this.#gone.has(pack.path)) return undefined;
    const parent = this.#parents[pack.parent] ?? this.#nameParent(pack);
    if (parent === undefined) return 'a path in it is none';
    const hash = this.#hashOfName(pack, parent);
    const hasOwner = (pack.view.getInt32(stat + 52) | pack.view.getInt32(stat + 56)) !== 0;
    if (parent.isBookkeeping || hasOwner || hash === undefined) return this.#addRare(pack);
    const { table } = this.#tree;
    const known = table.childNamed(parent.slot, hash, bytes, pack.nameStart, pack.nameEnd);
    if (known !== NO_SLOT) return this.#isThere(known) ? undefined : this.#addRare(pack);
    const dataAt = form === NODE ? aclEnd(pack, rest) : rest;
    if (dataAt + 4 > payloadEnd || !hasZxids(pack, stat)) return NOT_A_NODE;
    const length = pack.view.getUint32(dataAt);
    const dataStart = dataAt + 4;
    const dataEnd = length === NULL_DATA ? dataStart : dataStart + length;
    if (dataEnd !== payloadEnd) return NOT_A_NODE;
    const acl = form === NODE ? this.#acl(pack, rest, dataAt) : this.#tree.acls.acquire(OPEN_ACL);
    if (acl === undefined) return NOT_A_NODE;
    const slot = table.insertNamed(parent.slot, hash, pack, dataStart, length === NULL_DATA);
    this.#setNumbers(slot, pack, stat, acl.id);
    this.#count(slot, pack, parent, stat, dataStart);
    return undefined;
  }

  /** Undefined for a name that is not plain ASCII, or none at all. */
  #hashOfName({ bytes, nameStart, nameEnd }: PackReader, parent: Parent): number | undefined {
    let hash = parent.hash;
    for (let at = nameStart; at < nameEnd; at++) {
      const byte = bytes[at] as number;
      if (byte === 0 || byte === SLASH || byte > ASCII_MAX) return undefined;
      hash = continueHashByte(hash, byte);
    }
    return hash;
  }

  #setNumbers(slot: number, { view }: PackReader, stat: number, acl: number): void {
    const { slab } = this.#tree.table;
    const { ints, longs } = slab.page(slot);
    const long = slab.longsAt(slot);
    longs[long + LONG.czxid] = readLong(view, stat);
    longs[long + LONG.mzxid] = readLong(view, stat + 8);
    longs[long + LONG.pzxid] = readLong(view, stat + 16);
    longs[long + LONG.ctimeMs] = readLong(view, stat + 24);
    longs[long + LONG.mtimeMs] = readLong(view, stat + 32);
    const int = slab.intsAt(slot);
    ints[int + INT.version] = view.getInt32(stat + 40);
    ints[int + INT.creates] = view.getInt32(stat + 44);
    ints[int + INT.aversion] = view.getInt32(stat + 48);
    ints[int + INT.checkpointMark] = this.#sequence;
    ints[int + INT.acl] = acl;
  }

  /** The node's part of the digest, as `TreeDigest` computes it: path, data, numbers. */
  #count(slot: number, pack: PackReader, parent: Parent, stat: number, dataStart: number): void {
    const { bytes, view, nameStart, nameEnd, payloadEnd } = pack;
    const pathCrc = crc32Of(view, nameStart, nameEnd, parent.crc);
    const prefixCrc =
      payloadEnd - dataStart < LONG_DATA_BYTES
        ? crc32Of(view, dataStart, payloadEnd, pathCrc)
        : crc32(bytes.subarray(dataStart, payloadEnd), pathCrc);
    const digest = crc32Of(view, stat, stat + STAT_BYTES, prefixCrc);
    const { slab } = this.#tree.table;
    slab.setInt(slot, INT.prefixCrc, prefixCrc);
    slab.setInt(slot, INT.digest, digest);
    this.#tree.digest.restored(digest);
    this.#nodeCount += 1;
    this.#size += parent.length + nameEnd - nameStart + payloadEnd - dataStart;
  }

  /** The shared form of an ACL that stands between two offsets. */
  #acl({ bytes }: PackReader, start: number, end: number): SharedAcl | undefined {
    const text = bytes.toString('latin1', start, end);
    const known = this.#acls.get(text);
    if (known !== undefined) return this.#tree.acls.share(known);
    const reader = new ByteReader(bytes.subarray(start, end));
    const acl = readAcl(reader);
    if (!reader.isIntact || reader.remaining > 0) return undefined;
    const shared = this.#tree.acls.acquire(acl);
    this.#acls.set(text, shared);
    return shared;
  }

  /** Whether a slot has its node, and does not only wait for it; those of every tree wait, too. */
  #isThere(slot: number): boolean {
    return this.#tree.table.slab.int(slot, INT.checkpointMark) > 0;
  }

  // Parents and what is rare --------------------------------------------------------------------

  #nameParent(pack: PackReader): Parent | undefined {
    const path = pack.parentPath(pack.parent);
    const slot = this.#place(path);
    if (slot === undefined) return undefined;
    const parent: Parent = {
      slot,
      hash: continueHashByte(this.#tree.table.slab.int(slot, INT.hash), SLASH),
      length: path.length + 1,
      crc: crc32(`${path}/`),
      isBookkeeping: path === BOOKKEEPING || path.startsWith(`${BOOKKEEPING}/`),
    };
    this.#parents[pack.parent] = parent;
    return parent;
  }

  /**
   * The slot of a path; made, as a placeholder, if there is none. Undefined if it is no path. Goes up to
   * what is there step by step: a client can make paths deeper than a stack that calls itself.
   */
  #place(path: string): number | undefined {
    const { table } = this.#tree;
    const ends: number[] = [];
    let end = path.length;
    let slot = table.find(path, end);
    while (slot === NO_SLOT) {
      const cut = path.lastIndexOf('/', end - 1);
      if (cut === -1 || cut + 1 === end) return undefined;
      ends.push(end);
      end = cut;
      slot = table.find(path, end);
    }
    if (path.includes('\0', end)) return undefined;
    for (let below = ends.pop(); below !== undefined; below = ends.pop()) {
      slot = table.insert(slot, path.slice(0, below), end, 0);
      table.slab.setInt(slot, INT.checkpointMark, PLACEHOLDER);
      this.#placeholderCount += 1;
      end = below;
    }
    return slot;
  }

  /** Nodes with an owner or of a name beyond ASCII, bookkeeping, absences, and those that fill a placeholder. */
  #addRare(pack: PackReader): string | undefined {
    const { path, payload } = pack;
    const { table } = this.#tree;
    const known = table.find(path, path.length);
    if (known !== NO_SLOT && this.#isThere(known)) return undefined;
    if (isAbsent(payload)) {
      this.#gone.add(path);
      return undefined;
    }
    if (this.#gone.has(path)) return undefined;
    const fields = readNode(payload);
    if (fields === undefined) return NOT_A_NODE;
    const cut = pack.parent < 0 ? 0 : pack.parentPath(pack.parent).length;
    if (known === NO_SLOT) {
      const isPath = isName(path, cut + 1) && this.#place(path.slice(0, cut)) !== undefined;
      if (!isPath) return 'a path in it is none';
    } else if (table.slab.int(known, INT.checkpointMark) === PLACEHOLDER) {
      this.#placeholderCount -= 1;
    }
    if (!this.#tree.restoreNode(path, fields, this.#sequence)) return NOT_A_NODE;
    return undefined;
  }
}

/** Whether what follows in a path can be the name of one node. */
function isName(path: string, start: number): boolean {
  return start < path.length && !path.includes('/', start) && !path.includes('\0', start);
}

function hasZxids({ view }: PackReader, stat: number): boolean {
  const a = view.getUint32(stat);
  const b = view.getUint32(stat + 8);
  const c = view.getUint32(stat + 16);
  return a <= EPOCH_MAX && b <= EPOCH_MAX && c <= EPOCH_MAX;
}

/** Behind the last entry of an ACL; Infinity if it does not fit. */
function aclEnd({ view, payloadEnd }: PackReader, start: number): number {
  let at = start + 4;
  const count = view.getUint32(start);
  for (let i = 0; i < count; i++) {
    at += 4;
    for (let text = 0; text < 2; text++) {
      if (at + 4 > payloadEnd) return Infinity;
      at += 4 + view.getUint32(at);
    }
  }
  return at;
}
