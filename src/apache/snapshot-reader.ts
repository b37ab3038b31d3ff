/**
 * A snapshot of the original's:
 *
 *     "ZKSN":4 version:int=2 dbid:long
 *     sessions:int { id:long timeout:int }...
 *     ACLs:int { id:long vector<ACL> }...
 *     { path data:buffer aclId:long StatPersisted }...   parents first, the root's path being ""
 *     "/"                                                the end of the nodes
 *     Adler-32 of all before it:long "/"                 a seal; here files of 3.4 and 3.5 end
 *     zxid:long version:int digest:long, a seal          since 3.6, when digests are on
 *     zxid:long, a seal                                  since 3.9
 *
 * It was written while changes went on: it holds everything up to the zxid in its name, and of what
 * came later some and some not. Only replaying the log behind it makes it the tree of one moment.
 */

import { type Acl, OPEN_ACL } from '../base/acl.ts';
import type { SessionId, Zxid } from '../base/ids.ts';
import { JuteReader } from '../protocol/jute-reader.ts';
import { readAcls } from '../protocol/records/acl.ts';
import type { NodeFields } from '../store/znode.ts';
import { Adler32 } from './adler32.ts';
import { type ByteSource, RECORD_BYTES_MAX } from './byte-source.ts';
import { DIGEST_VERSION } from './txn-record.ts';

export const SNAPSHOT_MAGIC = 0x5a4b534e;
export const SNAPSHOT_VERSION = 2;
export const SNAPSHOT_HEADER_BYTES = 16;
/** The id of the ACL that is open to everybody, which is in no table. */
export const OPEN_ACL_ID = -1;
export const STAT_PERSISTED_BYTES = 60;
export const SEAL_TEXT = '/';
/** Two lengths, the ACL's id and the numbers: a node whose path and data are empty. */
const NODE_BYTES_MIN = 4 + 4 + 8 + STAT_PERSISTED_BYTES;

/** What a snapshot holds, in this order. Data are views that stay valid. */
export interface SnapshotVisitor {
  session(sessionId: SessionId, timeoutMs: number): void;
  /** In words why the node cannot be, if so. `path` of the root is `/`. */
  node(path: string, fields: NodeFields): string | undefined;
  /** Awaited between pieces of the file: who cannot keep up is waited for. */
  turn?(): Promise<void>;
}

export interface SnapshotSummary {
  readonly sessionCount: number;
  readonly nodeCount: number;
  /** Of the tree as it was after `zxid`, which may be later than the one in the file's name. */
  readonly digest: { readonly zxid: Zxid; readonly value: bigint } | undefined;
  /** Nodes whose ACL is not in the table: replaying must bring it. */
  readonly missingAclCount: number;
}

/** Stands for an ACL that the table does not hold: it lets nobody do anything. */
const MISSING_SCHEME = 'missing-acl';

export function isMissingAcl(acl: readonly Acl[]): boolean {
  return acl[0]?.scheme === MISSING_SCHEME;
}

/** Reads all of it. Throws an `ApacheDataError` of code `DAMAGED`. */
export function readSnapshot(
  source: ByteSource,
  visitor: SnapshotVisitor,
): Promise<SnapshotSummary> {
  return new SnapshotReading(source, visitor).run();
}

class SnapshotReading {
  readonly #source: ByteSource;
  readonly #visitor: SnapshotVisitor;
  readonly #sum = new Adler32();
  readonly #acls = new Map<number, readonly Acl[]>([[OPEN_ACL_ID, OPEN_ACL]]);
  readonly #reader = new JuteReader();
  #nodeCount = 0;
  #missingAclCount = 0;
  #hasEnded = false;

  constructor(source: ByteSource, visitor: SnapshotVisitor) {
    this.#source = source;
    this.#visitor = visitor;
  }

  async run(): Promise<SnapshotSummary> {
    await this.#readHeader();
    const sessionCount = await this.#readSessions();
    await this.#readAclTable();
    while (!this.#hasEnded) {
      this.#readNodes();
      await this.#visitor.turn?.();
      if (!this.#hasEnded && !(await this.#source.more())) throw this.#cutOff();
    }
    await this.#readSeal();
    const digest = await this.#readTrailers();
    const nodeCount = this.#nodeCount;
    return { sessionCount, nodeCount, digest, missingAclCount: this.#missingAclCount };
  }

  async #readHeader(): Promise<void> {
    const source = this.#source;
    if (!(await source.require(SNAPSHOT_HEADER_BYTES))) throw this.#cutOff();
    this.#reader.aim(source.window);
    if (this.#reader.readInt() !== SNAPSHOT_MAGIC) {
      throw source.damaged('it does not begin as a snapshot does');
    }
    const version = this.#reader.readInt();
    if (version !== SNAPSHOT_VERSION) throw source.damaged(`its format ${version} is not known`);
    this.#consume(SNAPSHOT_HEADER_BYTES);
  }

  async #readSessions(): Promise<number> {
    const count = await this.#readCount();
    for (let i = 0; i < count; i++) {
      const sessionId = await this.#decode((reader) => {
        const id = reader.readSessionId();
        const timeoutMs = reader.readInt();
        if (!reader.failed) this.#visitor.session(id, timeoutMs);
        return id;
      });
      if (sessionId === undefined) throw this.#cutOff();
    }
    return count;
  }

  async #readAclTable(): Promise<void> {
    const count = await this.#readCount();
    for (let i = 0; i < count; i++) {
      const entry = await this.#decode((reader) => ({
        id: reader.readLong(),
        acl: readAcls(reader) ?? [],
      }));
      if (entry === undefined) throw this.#cutOff();
      this.#acls.set(entry.id, entry.acl);
    }
  }

  async #readCount(): Promise<number> {
    const count = await this.#decode((reader) => reader.readInt());
    if (count === undefined) throw this.#cutOff();
    if (count < 0) throw this.#source.damaged('a count in it is negative');
    return count;
  }

  /** The nodes that are whole in the window. */
  #readNodes(): void {
    const { window, offset } = this.#source;
    const view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    const reader = this.#reader;
    reader.aim(window);
    let at = 0;
    for (;;) {
      const length = nodeLength(view, at);
      if (length === undefined) break;
      if (length < 0) throw this.#source.damaged('no node can be read there', offset + at);
      if (length === 0) {
        at += 5;
        this.#hasEnded = true;
        break;
      }
      this.#readNode(reader, offset + at);
      at += length;
    }
    this.#consume(at);
  }

  #readNode(reader: JuteReader, offset: number): void {
    const path = reader.readString() ?? '';
    const data = reader.readBuffer();
    const acl = this.#aclOf(reader.readLong());
    const czxid = reader.readZxid();
    const mzxid = reader.readZxid();
    const ctimeMs = reader.readLong();
    const mtimeMs = reader.readLong();
    const version = reader.readInt();
    const creates = reader.readInt();
    const aversion = reader.readInt();
    const storedOwner = reader.readSessionId();
    const pzxid = reader.readZxid();
    if (reader.failed) throw this.#source.damaged('a zxid of the node is out of range', offset);
    const problem = this.#visitor.node(path === '' ? '/' : path, {
      data,
      acl,
      czxid,
      mzxid,
      pzxid,
      ctimeMs,
      mtimeMs,
      version,
      creates,
      aversion,
      storedOwner,
    });
    if (problem !== undefined) throw this.#source.damaged(`node ${path}: ${problem}`, offset);
    this.#nodeCount += 1;
  }

  /** The table was written before the nodes: a node that has a newer ACL names one it does not hold. */
  #aclOf(id: number): readonly Acl[] {
    const acl = this.#acls.get(id);
    if (acl !== undefined) return acl;
    this.#missingAclCount += 1;
    const missing = [{ perms: 0, scheme: MISSING_SCHEME, id: String(id) }];
    this.#acls.set(id, missing);
    return missing;
  }

  async #readSeal(): Promise<void> {
    const expected = this.#sum.value;
    const { offset } = this.#source;
    const sum = await this.#decode((reader) => reader.readLong());
    const text = await this.#decode((reader) => reader.readString());
    if (sum === undefined || text === undefined) throw this.#cutOff();
    if (sum === expected && text === SEAL_TEXT) return;
    throw this.#source.damaged('its checksum does not match what stands before', offset);
  }

  /** Which of the two follow shows in how much follows: 33 bytes, 21 bytes, or both. */
  async #readTrailers(): Promise<SnapshotSummary['digest']> {
    const source = this.#source;
    let digest: SnapshotSummary['digest'];
    if (await source.require(DIGEST_TRAILER_BYTES)) {
      const trailer = await this.#decode((reader) => ({
        zxid: reader.readZxid(),
        version: reader.readInt(),
        value: BigInt.asUintN(64, reader.readSessionId()),
      }));
      if (trailer === undefined) throw source.damaged('its digest cannot be read');
      if (trailer.version < DIGEST_VERSION) return undefined;
      await this.#readSeal();
      if (trailer.version === DIGEST_VERSION && trailer.zxid > 0) digest = trailer;
    }
    if (await source.require(1)) {
      const zxid = await this.#decode((reader) => reader.readZxid());
      if (zxid === undefined) throw this.#cutOff();
      await this.#readSeal();
    }
    if (await source.require(1)) throw source.damaged('something follows behind its end');
    return digest;
  }

  async #decode<T>(read: (reader: JuteReader) => T): Promise<T | undefined> {
    const source = this.#source;
    // The bytes are summed before they are consumed: the window may be another one afterwards.
    return await source.decode((reader) => {
      const value = read(reader);
      if (!reader.failed) this.#sum.update(source.window, 0, reader.position);
      return value;
    });
  }

  #consume(count: number): void {
    this.#sum.update(this.#source.window, 0, count);
    this.#source.consume(count);
  }

  #cutOff(): Error {
    return this.#source.damaged('it ends before it is complete');
  }
}

const SEAL_BYTES = 8 + 5;
const DIGEST_TRAILER_BYTES = 8 + 4 + 8 + SEAL_BYTES;

/** Bytes of the node there; 0 at the end of the nodes, -1 for what is none, undefined when it is not all there. */
function nodeLength(view: DataView, at: number): number | undefined {
  const available = view.byteLength - at;
  if (available < 5) return undefined;
  const pathBytes = view.getInt32(at);
  if (pathBytes === 1 && view.getUint8(at + 4) === 0x2f) return 0;
  if (pathBytes < 0 || pathBytes > RECORD_BYTES_MAX) return -1;
  if (available < 4 + pathBytes + 4) return undefined;
  const dataBytes = view.getInt32(at + 4 + pathBytes);
  if (dataBytes < -1 || dataBytes > RECORD_BYTES_MAX) return -1;
  const length = NODE_BYTES_MIN + pathBytes + Math.max(0, dataBytes);
  return available < length ? undefined : length;
}
