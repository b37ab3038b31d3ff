/**
 * One node of the tree, made to be small: its numbers live in a slab, its data is a string of one
 * byte per character (a Buffer each would cost about 100 bytes more), its ACL is shared, its
 * path is not stored at all but follows from the names up to the root.
 */

import type { Acl } from '../base/acl.ts';
import { SESSION_NONE, type SessionId, type Zxid } from '../base/ids.ts';
import type { Stat } from '../base/stat.ts';
import type { SharedAcl } from './acl-table.ts';
import { NodeKind } from './owner.ts';
import { INT, INTS_PER_SLOT, LONG, LONGS_PER_SLOT, StatPage, type StatSlab } from './stat-slab.ts';

/** Everything a node is made of besides its name and children, as a checkpoint keeps it. */
export interface NodeFields {
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly pzxid: Zxid;
  readonly ctimeMs: number;
  readonly mtimeMs: number;
  readonly version: number;
  /** Children ever created: the stored cversion. */
  readonly creates: number;
  readonly aversion: number;
  /** As stored, with the special values of containers and TTL nodes. */
  readonly storedOwner: SessionId;
}

const NO_CHILDREN: ReadonlyMap<string, Znode> = new Map();
/** What the numbers of a deleted node read as: zeros, never those of the slot's next user. */
const RELEASED_PAGE = new StatPage(1);
const KIND_MASK = 3;
const UNCOUNTED_FLAG = 4;
/** From this length on V8 makes a slice a view that keeps the whole string alive. */
const SLICE_IS_VIEW_LENGTH = 13;

/**
 * Satisfies `Stat` as a client sees it, so encoders need no copy. A node handed out by the tree is
 * valid until the next transaction is applied. Methods are for the tree only.
 */
export class Znode implements Stat {
  readonly name: string;
  readonly parent: Znode | undefined;
  /** As stored: 0, a session id, or the special values of containers and TTL nodes. */
  readonly storedOwner: SessionId;
  #children: Map<string, Znode> | undefined;
  #data: string | null = null;
  #acl: SharedAcl;
  #page: StatPage;
  #slot: number;
  #place: number;

  /** Takes over one count of `acl`. `isCounted`: whether the tree digest covers the node. */
  constructor(
    slab: StatSlab,
    parent: Znode | undefined,
    name: string,
    acl: SharedAcl,
    owner: SessionId,
    kind: NodeKind,
    isCounted: boolean,
  ) {
    this.name = ownText(name);
    this.parent = parent;
    this.storedOwner = owner;
    this.#children = undefined;
    this.#acl = acl;
    this.#slot = slab.allocate();
    this.#page = slab.page(this.#slot);
    this.#place = slab.place(this.#slot);
    this.#setInt(INT.flags, isCounted ? kind : kind | UNCOUNTED_FLAG);
  }

  get czxid(): Zxid {
    return this.#long(LONG.czxid) as Zxid;
  }

  get mzxid(): Zxid {
    return this.#long(LONG.mzxid) as Zxid;
  }

  get pzxid(): Zxid {
    return this.#long(LONG.pzxid) as Zxid;
  }

  get ctimeMs(): number {
    return this.#long(LONG.ctimeMs);
  }

  get mtimeMs(): number {
    return this.#long(LONG.mtimeMs);
  }

  get version(): number {
    return this.#int(INT.version);
  }

  /** As on the wire: every creation and every deletion of a child counts one. */
  get cversion(): number {
    return (2 * this.creates - this.numChildren) | 0;
  }

  get aversion(): number {
    return this.#int(INT.aversion);
  }

  /** As on the wire: the session for ephemerals, else 0. */
  get ephemeralOwner(): SessionId {
    return this.isEphemeral ? this.storedOwner : SESSION_NONE;
  }

  get dataLength(): number {
    return this.#data === null ? 0 : this.#data.length;
  }

  get numChildren(): number {
    return this.#children === undefined ? 0 : this.#children.size;
  }

  /** Children ever created: the stored cversion, and the next sequence number. */
  get creates(): number {
    return this.#int(INT.creates);
  }

  get kind(): NodeKind {
    return (this.#int(INT.flags) & KIND_MASK) as NodeKind;
  }

  get isEphemeral(): boolean {
    return this.kind === NodeKind.ephemeral;
  }

  /** Whether the tree digest covers the node. */
  get isCounted(): boolean {
    return (this.#int(INT.flags) & UNCOUNTED_FLAG) === 0;
  }

  get acl(): readonly Acl[] {
    return this.#acl.list;
  }

  get sharedAcl(): SharedAcl {
    return this.#acl;
  }

  /** The data as a string with one byte per character (latin1); null where the client sent null. */
  get dataText(): string | null {
    return this.#data;
  }

  /** The data as bytes: a copy, owned by the caller. */
  get data(): Uint8Array | null {
    return this.#data === null ? null : Buffer.from(this.#data, 'latin1');
  }

  get children(): ReadonlyMap<string, Znode> {
    return this.#children ?? NO_CHILDREN;
  }

  /** Built from the names up to the root: O(depth). */
  get path(): string {
    if (this.parent === undefined) return '/';
    let path = `/${this.name}`;
    let node = this.parent;
    while (node.parent !== undefined) {
      path = `/${node.name}${path}`;
      node = node.parent;
    }
    return path;
  }

  /** For the change tracker: the mark of the last change it was told of. */
  get checkpointMark(): number {
    return this.#int(INT.checkpointMark);
  }

  set checkpointMark(mark: number) {
    this.#setInt(INT.checkpointMark, mark);
  }

  /** CRC-32 over path and data: where the node's digest starts from when only numbers change. */
  get prefixCrc(): number {
    return this.#int(INT.prefixCrc) >>> 0;
  }

  set prefixCrc(crc: number) {
    this.#setInt(INT.prefixCrc, crc);
  }

  /** The node's part of the tree digest as last computed. */
  get digest(): number {
    return this.#int(INT.digest) >>> 0;
  }

  set digest(digest: number) {
    this.#setInt(INT.digest, digest);
  }

  /** A copy of the Stat that later changes do not reach. */
  snapshot(): Stat {
    return new StatSnapshot(this);
  }

  child(name: string): Znode | undefined {
    return this.#children === undefined ? undefined : this.#children.get(name);
  }

  addChild(child: Znode): void {
    if (this.#children === undefined) this.#children = new Map();
    this.#children.set(child.name, child);
  }

  removeChild(name: string): void {
    if (this.#children === undefined) return;
    this.#children.delete(name);
    if (this.#children.size === 0) this.#children = undefined;
  }

  /** The numbers of a node just created. */
  recordBirth(data: Uint8Array | null, zxid: Zxid, timeMs: number): void {
    this.#data = textOf(data);
    this.#setLong(LONG.czxid, zxid);
    this.#setLong(LONG.mzxid, zxid);
    this.#setLong(LONG.pzxid, zxid);
    this.#setLong(LONG.ctimeMs, timeMs);
    this.#setLong(LONG.mtimeMs, timeMs);
  }

  recordData(data: Uint8Array | null, version: number, zxid: Zxid, timeMs: number): void {
    this.#data = textOf(data);
    this.#setInt(INT.version, version);
    this.#setLong(LONG.mzxid, zxid);
    this.#setLong(LONG.mtimeMs, timeMs);
  }

  /** Replaces the data and leaves every number as it is. */
  recordText(data: string): void {
    this.#data = data;
  }

  recordAcl(acl: SharedAcl, aversion: number): void {
    this.#acl = acl;
    this.#setInt(INT.aversion, aversion);
  }

  /** Raises counter and pzxid together, never lowers them: a counter at its end sticks, with pzxid. */
  recordChildCreated(creates: number, zxid: Zxid): void {
    if (creates <= this.creates) return;
    this.#setInt(INT.creates, creates);
    this.#setLong(LONG.pzxid, zxid);
  }

  recordChildDeleted(zxid: Zxid): void {
    if (zxid > this.pzxid) this.#setLong(LONG.pzxid, zxid);
  }

  recordFields(fields: NodeFields): void {
    this.#data = textOf(fields.data);
    this.#setLong(LONG.czxid, fields.czxid);
    this.#setLong(LONG.mzxid, fields.mzxid);
    this.#setLong(LONG.pzxid, fields.pzxid);
    this.#setLong(LONG.ctimeMs, fields.ctimeMs);
    this.#setLong(LONG.mtimeMs, fields.mtimeMs);
    this.#setInt(INT.version, fields.version);
    this.#setInt(INT.creates, fields.creates);
    this.#setInt(INT.aversion, fields.aversion);
  }

  /** Gives the slot back; from here on the node's numbers read as zero. */
  release(slab: StatSlab): void {
    slab.release(this.#slot);
    this.#page = RELEASED_PAGE;
    this.#place = 0;
  }

  #long(column: number): number {
    return this.#page.longs[this.#place * LONGS_PER_SLOT + column] ?? 0;
  }

  #setLong(column: number, value: number): void {
    this.#page.longs[this.#place * LONGS_PER_SLOT + column] = value;
  }

  #int(column: number): number {
    return this.#page.ints[this.#place * INTS_PER_SLOT + column] ?? 0;
  }

  #setInt(column: number, value: number): void {
    this.#page.ints[this.#place * INTS_PER_SLOT + column] = value;
  }
}

class StatSnapshot implements Stat {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly pzxid: Zxid;
  readonly ctimeMs: number;
  readonly mtimeMs: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: SessionId;
  readonly dataLength: number;
  readonly numChildren: number;

  constructor(node: Znode) {
    this.czxid = node.czxid;
    this.mzxid = node.mzxid;
    this.pzxid = node.pzxid;
    this.ctimeMs = node.ctimeMs;
    this.mtimeMs = node.mtimeMs;
    this.version = node.version;
    this.cversion = node.cversion;
    this.aversion = node.aversion;
    this.ephemeralOwner = node.ephemeralOwner;
    this.dataLength = node.dataLength;
    this.numChildren = node.numChildren;
  }
}

function textOf(data: Uint8Array | null): string | null {
  if (data === null) return null;
  if (data instanceof Buffer) return data.toString('latin1');
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1');
}

/** A string of its own: a name cut from a path must not keep that path in memory. */
function ownText(name: string): string {
  return name.length < SLICE_IS_VIEW_LENGTH ? name : Buffer.from(name).toString();
}
