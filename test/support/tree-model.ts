/**
 * The tree once more, slow and plain: one Map of paths, one request at a time, a copy of everything
 * before a multi. Shares no code with `src/store`.
 */

import { crc32 } from 'node:zlib';
import type { Acl, Identity } from '../../src/base/acl.ts';
import { ErrorCode } from '../../src/base/error-code.ts';
import { OpCode } from '../../src/base/op-code.ts';
import type { WriteRequest } from '../../src/base/write-request.ts';

export interface ModelNode {
  data: string | null;
  acl: readonly Acl[];
  czxid: number;
  mzxid: number;
  pzxid: number;
  ctimeMs: number;
  mtimeMs: number;
  version: number;
  creates: number;
  aversion: number;
  owner: bigint;
}

export interface ModelOutcome {
  readonly error: number;
  readonly path: string | null;
}

/** Who asks, and when. */
export interface ModelAsker {
  readonly sessionId: bigint;
  readonly zxid: number;
  readonly timeMs: number;
  /** Default: none. */
  readonly identities?: readonly Identity[];
  /** The session is known to its own server only. */
  readonly isLocal?: boolean;
}

const READ = 1;
const WRITE = 2;
const CREATE = 4;
const DELETE = 8;
const ADMIN = 16;
const CONTAINER_OWNER = -(2n ** 63n);
const TTL_OWNER = -(2n ** 56n);

function newNode(zxid: number, timeMs: number, data: string | null): ModelNode {
  const numbers = { czxid: zxid, mzxid: zxid, pzxid: zxid, ctimeMs: timeMs, mtimeMs: timeMs };
  return { data, acl: [], ...numbers, version: 0, creates: 0, aversion: 0, owner: 0n };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function textOf(data: Uint8Array | null): string | null {
  return data === null ? null : Buffer.from(data).toString('latin1');
}

function failed(error: number): ModelOutcome {
  return { error, path: null };
}

export class TreeModel {
  nodes = new Map<string, ModelNode>([['/', newNode(0, 0, '')]]);
  /** Timeouts of sessions. */
  readonly sessions = new Map<bigint, number>();
  readonly #knowsTtl: boolean;

  /** `knowsTtl`: nodes may have a time to live. */
  constructor({ knowsTtl = false } = {}) {
    this.#knowsTtl = knowsTtl;
  }

  clone(): TreeModel {
    const copy = new TreeModel({ knowsTtl: this.#knowsTtl });
    copy.nodes = this.#copyOfNodes();
    for (const [id, timeoutMs] of this.sessions) copy.sessions.set(id, timeoutMs);
    return copy;
  }

  /** Paths of direct children. */
  children(path: string): string[] {
    return [...this.nodes.keys()].filter((one) => one !== '/' && parentOf(one) === path);
  }

  /** Paths of the nodes that go with a session. */
  ephemerals(sessionId: bigint): string[] {
    const nodes = sessionId === 0n ? [] : [...this.nodes];
    return nodes.filter(([, node]) => node.owner === sessionId).map(([path]) => path);
  }

  /** One outcome, or for a multi one per member. */
  run(asked: WriteRequest, asker: ModelAsker): ModelOutcome[] {
    const { sessionId, zxid } = asker;
    if (asked.op === OpCode.createSession) {
      this.sessions.set(sessionId, asked.durationMs);
      return [{ error: 0, path: null }];
    }
    if (asked.op === OpCode.closeSession) {
      for (const path of this.ephemerals(sessionId)) this.#remove(path, zxid);
      this.sessions.delete(sessionId);
      return [{ error: 0, path: null }];
    }
    if (asked.op !== OpCode.multi) return [this.#one(asked, asker)];
    const before = this.#copyOfNodes();
    const outcomes = asked.ops.map((op) => this.#one(op, asker));
    const failedAt = outcomes.findIndex((outcome) => outcome.error !== 0);
    if (failedAt === -1) return outcomes;
    this.nodes = before;
    return outcomes.map(({ error }, at) => {
      if (at < failedAt) return { error: 0, path: null };
      return failed(at === failedAt ? error : ErrorCode.runtimeInconsistency);
    });
  }

  /** Sum of the digests of all nodes, computed from nothing but the values. */
  digest(nodeOfZookeeper: bigint): bigint {
    let sum = nodeOfZookeeper;
    for (const [path, node] of this.nodes) {
      const stat = Buffer.alloc(60);
      const view = new DataView(stat.buffer, stat.byteOffset, 60);
      const longs = [node.czxid, node.mzxid, node.pzxid, node.ctimeMs, node.mtimeMs];
      for (const [at, value] of longs.entries()) view.setBigInt64(at * 8, BigInt(value));
      view.setInt32(40, node.version);
      view.setInt32(44, node.creates);
      view.setInt32(48, node.aversion);
      view.setBigInt64(52, node.owner);
      const head = Buffer.from(path === '/' ? '' : path);
      sum += BigInt(crc32(Buffer.concat([head, Buffer.from(node.data ?? '', 'latin1'), stat])));
    }
    return BigInt.asUintN(64, sum);
  }

  #copyOfNodes(): Map<string, ModelNode> {
    return new Map([...this.nodes].map(([path, node]) => [path, { ...node }]));
  }

  #one(asked: WriteRequest, asker: ModelAsker): ModelOutcome {
    const { sessionId, isLocal = false, zxid, timeMs } = asker;
    const path = asked.path ?? '';
    if (asked.op === OpCode.deleteContainer) return this.#sweep(path, asker);
    const isCreate = this.#isCreate(asked.op);
    if (isCreate && asked.flags > 4 && !this.#knowsTtl) return failed(ErrorCode.unimplemented);
    const isOpen = sessionId === 0n || this.sessions.has(sessionId);
    const isEphemeral = isCreate && (asked.flags === 1 || asked.flags === 3);
    if (isEphemeral && isLocal && !isOpen) return failed(ErrorCode.ephemeralOnLocalSession);
    if (!isOpen && !isLocal) return failed(ErrorCode.sessionExpired);
    if (isCreate) return this.#create(asked, asker);
    if (asked.op === OpCode.setAcl && !asked.acl?.length) return failed(ErrorCode.invalidAcl);
    if (asked.op === OpCode.delete) {
      const parent = this.nodes.get(parentOf(path));
      if (parent === undefined) return failed(ErrorCode.noNode);
      if (!mayDo(parent, DELETE, asker)) return failed(ErrorCode.noAuth);
    }
    const node = this.nodes.get(path);
    if (node === undefined) return failed(ErrorCode.noNode);
    if (!mayDo(node, neededFor(asked.op), asker)) return failed(ErrorCode.noAuth);
    const actual = asked.op === OpCode.setAcl ? node.aversion : node.version;
    if (asked.version !== -1 && asked.version !== actual) return failed(ErrorCode.badVersion);
    if (asked.op === OpCode.delete) {
      if (this.children(path).length > 0) return failed(ErrorCode.notEmpty);
      this.#remove(path, zxid);
    } else if (asked.op === OpCode.setData) {
      const version = node.version + 1;
      Object.assign(node, { data: textOf(asked.data), version, mzxid: zxid, mtimeMs: timeMs });
    } else if (asked.op === OpCode.setAcl) {
      Object.assign(node, { acl: asked.acl, aversion: node.aversion + 1 });
    }
    return { error: 0, path };
  }

  #isCreate(op: number): boolean {
    const creates: readonly number[] = [
      OpCode.create,
      OpCode.create2,
      OpCode.createContainer,
      OpCode.createTtl,
    ];
    return creates.includes(op);
  }

  #create(asked: WriteRequest, asker: ModelAsker): ModelOutcome {
    const { sessionId, zxid, timeMs } = asker;
    if (!asked.acl?.length) return failed(ErrorCode.invalidAcl);
    const parent = this.nodes.get(parentOf(asked.path ?? ''));
    if (parent === undefined) return failed(ErrorCode.noNode);
    if (!mayDo(parent, CREATE, asker)) return failed(ErrorCode.noAuth);
    const isSequential = asked.flags === 2 || asked.flags === 3 || asked.flags === 6;
    const suffix = isSequential ? String(parent.creates).padStart(10, '0') : '';
    const path = asked.path + suffix;
    if (this.nodes.has(path)) return failed(ErrorCode.nodeExists);
    const isOwned = parent.owner !== 0n && !isMarker(parent.owner);
    if (isOwned) return failed(ErrorCode.noChildrenForEphemerals);
    let owner = 0n;
    if (asked.flags === 1 || asked.flags === 3) owner = sessionId;
    if (asked.flags === 4) owner = CONTAINER_OWNER;
    if (asked.flags > 4) owner = TTL_OWNER + BigInt(asked.durationMs);
    const node = newNode(zxid, timeMs, textOf(asked.data));
    this.nodes.set(path, { ...node, acl: asked.acl, owner });
    Object.assign(parent, { creates: parent.creates + 1, pzxid: zxid });
    return { error: 0, path };
  }

  /** What the leader itself removes when nobody needs it any more. */
  #sweep(path: string, { sessionId, zxid }: ModelAsker): ModelOutcome {
    if (sessionId !== 0n) return failed(ErrorCode.unimplemented);
    const node = this.nodes.get(path);
    if (node === undefined) return failed(ErrorCode.noNode);
    if (this.children(path).length > 0) return failed(ErrorCode.notEmpty);
    if (!isMarker(node.owner)) return failed(ErrorCode.badVersion);
    this.#remove(path, zxid);
    return { error: 0, path };
  }

  #remove(path: string, zxid: number): void {
    this.nodes.delete(path);
    const parent = this.nodes.get(parentOf(path));
    if (parent !== undefined) parent.pzxid = zxid;
  }
}

/** Owners that say what kind a node is of, and not whose it is. */
function isMarker(owner: bigint): boolean {
  return owner === CONTAINER_OWNER || (owner < 0n && owner >= TTL_OWNER);
}

/** Deleting needs a permission on the parent only. */
function neededFor(op: number): number {
  if (op === OpCode.setData) return WRITE;
  if (op === OpCode.setAcl) return ADMIN;
  return op === OpCode.delete ? 0 : READ;
}

function mayDo(node: ModelNode, needed: number, { identities = [] }: ModelAsker): boolean {
  if (needed === 0 || node.acl.length === 0) return true;
  return node.acl.some(({ perms, scheme, id }) => {
    if ((perms & needed) === 0) return false;
    const isEverybody = scheme === 'world' && id === 'anyone';
    return isEverybody || identities.some((own) => own.scheme === scheme && own.id === id);
  });
}
