/**
 * One node of the tree, as whoever asks for it sees it. All it has stays in the table of nodes: this is
 * a place to look from, made when a node is asked for and forgotten soon.
 */

import type { Acl } from '../base/acl.ts';
import { SESSION_NONE, type SessionId, type Zxid } from '../base/ids.ts';
import type { Stat } from '../base/stat.ts';
import type { AclTable, SharedAcl } from './acl-table.ts';
import { FLAG, type NodeTable } from './node-table.ts';
import { NodeKind } from './owner.ts';
import { INT, LONG, NO_SLOT, type StatPage } from './stat-slab.ts';

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

/**
 * Satisfies `Stat` as a client sees it, so encoders need no copy. A node handed out by the tree is
 * valid until the next transaction is applied. Methods are for the tree only.
 */
export class Znode implements Stat {
  readonly #table: NodeTable;
  readonly #acls: AclTable;
  #slot: number;
  #page: StatPage;
  #ints: number;
  #longs: number;

  constructor(table: NodeTable, acls: AclTable, slot: number) {
    this.#table = table;
    this.#acls = acls;
    this.#slot = slot;
    this.#page = table.slab.page(slot);
    this.#ints = table.slab.intsAt(slot);
    this.#longs = table.slab.longsAt(slot);
  }

  /** What names the node in the table, as long as it is in the tree. */
  get slot(): number {
    return this.#slot;
  }

  get name(): string {
    return this.#table.name(this.#slot);
  }

  get parent(): Znode | undefined {
    const parent = this.#int(INT.parent);
    return parent === NO_SLOT ? undefined : this.#at(parent);
  }

  /** As stored: 0, a session id, or the special values of containers and TTL nodes. */
  get storedOwner(): SessionId {
    return this.#table.owner(this.#slot);
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
    return this.#int(INT.dataLength);
  }

  get numChildren(): number {
    return this.#int(INT.numChildren);
  }

  /** Children ever created: the stored cversion, and the next sequence number. */
  get creates(): number {
    return this.#int(INT.creates);
  }

  get kind(): NodeKind {
    return (this.#int(INT.flags) & FLAG.kindMask) as NodeKind;
  }

  get isEphemeral(): boolean {
    return this.kind === NodeKind.ephemeral;
  }

  /** Whether the tree digest covers the node. */
  get isCounted(): boolean {
    return (this.#int(INT.flags) & FLAG.uncounted) === 0;
  }

  get acl(): readonly Acl[] {
    return this.sharedAcl.list;
  }

  get sharedAcl(): SharedAcl {
    return this.#acls.byId(this.#int(INT.acl));
  }

  /** The data as a string with one byte per character (latin1); null where the client sent null. */
  get dataText(): string | null {
    return this.#table.dataText(this.#slot);
  }

  /** The data as bytes: a view, good until the next transaction is applied. */
  get dataView(): Uint8Array | null {
    return this.#table.data(this.#slot);
  }

  /** The data as bytes: a copy, owned by the caller. */
  get data(): Uint8Array | null {
    const data = this.#table.data(this.#slot);
    return data === null ? null : Buffer.from(data);
  }

  /** In the order of their creation, or of the checkpoint that they came from. */
  *children(): Generator<Znode> {
    const { slab } = this.#table;
    for (let at = this.#int(INT.firstChild); at !== NO_SLOT; at = slab.int(at, INT.nextSibling)) {
      yield this.#at(at);
    }
  }

  *childNames(): Generator<string> {
    const { slab } = this.#table;
    for (let at = this.#int(INT.firstChild); at !== NO_SLOT; at = slab.int(at, INT.nextSibling)) {
      yield this.#table.name(at);
    }
  }

  /** The names in UTF-8: views, good until the next transaction is applied. */
  *childNameBytes(): Generator<Uint8Array> {
    const { slab } = this.#table;
    for (let at = this.#int(INT.firstChild); at !== NO_SLOT; at = slab.int(at, INT.nextSibling)) {
      yield this.#table.nameBytes(at);
    }
  }

  /** Built from the names up to the root: O(depth). */
  get path(): string {
    const { slab, root } = this.#table;
    if (this.#slot === root) return '/';
    let path = '';
    for (let at = this.#slot; at !== root; at = slab.int(at, INT.parent)) {
      path = `/${this.#table.name(at)}${path}`;
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

  /** Facts of a new node, once: the count of `acl` passes to it, `isCounted` says whether the digest covers it. */
  recordNature(acl: SharedAcl, owner: SessionId, kind: NodeKind, isCounted: boolean): void {
    this.#setInt(INT.acl, acl.id);
    this.#table.addFlags(this.#slot, isCounted ? kind : kind | FLAG.uncounted);
    this.#table.setOwner(this.#slot, owner);
  }

  /** The numbers of a node just created. */
  recordBirth(data: Uint8Array | null, zxid: Zxid, timeMs: number): void {
    this.#table.setData(this.#slot, data);
    this.#setLong(LONG.czxid, zxid);
    this.#setLong(LONG.mzxid, zxid);
    this.#setLong(LONG.pzxid, zxid);
    this.#setLong(LONG.ctimeMs, timeMs);
    this.#setLong(LONG.mtimeMs, timeMs);
  }

  recordData(data: Uint8Array | null, version: number, zxid: Zxid, timeMs: number): void {
    this.#table.setData(this.#slot, data);
    this.#setInt(INT.version, version);
    this.#setLong(LONG.mzxid, zxid);
    this.#setLong(LONG.mtimeMs, timeMs);
  }

  /** Replaces the data and leaves every number as it is. */
  recordText(data: string): void {
    this.#table.setData(this.#slot, Buffer.from(data, 'latin1'));
  }

  recordAcl(acl: SharedAcl, aversion: number): void {
    this.#setInt(INT.acl, acl.id);
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
    this.#table.setData(this.#slot, fields.data);
    this.#setLong(LONG.czxid, fields.czxid);
    this.#setLong(LONG.mzxid, fields.mzxid);
    this.#setLong(LONG.pzxid, fields.pzxid);
    this.#setLong(LONG.ctimeMs, fields.ctimeMs);
    this.#setLong(LONG.mtimeMs, fields.mtimeMs);
    this.#setInt(INT.version, fields.version);
    this.#setInt(INT.creates, fields.creates);
    this.#setInt(INT.aversion, fields.aversion);
  }

  /** Gives the ACL and the slot back; from here on the node's numbers read as zero. */
  release(): void {
    this.#acls.release(this.sharedAcl);
    this.#table.release(this.#slot);
    this.#slot = NO_SLOT;
    this.#page = this.#table.slab.page(NO_SLOT);
    this.#ints = this.#table.slab.intsAt(NO_SLOT);
    this.#longs = this.#table.slab.longsAt(NO_SLOT);
  }

  #at(slot: number): Znode {
    return new Znode(this.#table, this.#acls, slot);
  }

  #long(column: number): number {
    return this.#page.longs[this.#longs + column] as number;
  }

  #setLong(column: number, value: number): void {
    this.#page.longs[this.#longs + column] = value;
  }

  #int(column: number): number {
    return this.#page.ints[this.#ints + column] as number;
  }

  #setInt(column: number, value: number): void {
    this.#page.ints[this.#ints + column] = value;
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
