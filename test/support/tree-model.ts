/**
 * The tree once more, slow and plain: one Map of paths, one request at a time, a copy of everything
 * before a multi. Shares no code with `src/store`.
 */

import { crc32 } from 'node:zlib';
import type { Acl } from '../../src/base/acl.ts';
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

export class TreeModel {
  nodes = new Map<string, ModelNode>([['/', newNode(0, 0, '')]]);
  readonly sessions = new Set<bigint>();

  /** Paths of direct children. */
  children(path: string): string[] {
    return [...this.nodes.keys()].filter((one) => one !== '/' && parentOf(one) === path);
  }

  /** One outcome, or for a multi one per member. */
  run(asked: WriteRequest, sessionId: bigint, zxid: number, timeMs: number): ModelOutcome[] {
    if (asked.op === OpCode.createSession) {
      this.sessions.add(sessionId);
      return [{ error: 0, path: null }];
    }
    if (asked.op === OpCode.closeSession) {
      for (const [path, node] of [...this.nodes]) {
        if (node.owner === sessionId) this.#remove(path, zxid);
      }
      this.sessions.delete(sessionId);
      return [{ error: 0, path: null }];
    }
    if (asked.op !== OpCode.multi) return [this.#one(asked, sessionId, zxid, timeMs)];
    const before = new Map([...this.nodes].map(([path, node]) => [path, { ...node }]));
    const outcomes = asked.ops.map((op) => this.#one(op, sessionId, zxid, timeMs));
    const failedAt = outcomes.findIndex((outcome) => outcome.error !== 0);
    if (failedAt === -1) return outcomes;
    this.nodes = before;
    return outcomes.map(({ error }, at) => {
      if (at < failedAt) return { error: 0, path: null };
      return { error: at === failedAt ? error : ErrorCode.runtimeInconsistency, path: null };
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

  #one(asked: WriteRequest, sessionId: bigint, zxid: number, timeMs: number): ModelOutcome {
    const failed = (error: number): ModelOutcome => ({ error, path: null });
    if (!this.sessions.has(sessionId)) return failed(ErrorCode.sessionExpired);
    const path = asked.path ?? '';
    if (asked.op === OpCode.create) return this.#create(asked, sessionId, zxid, timeMs);
    const node = this.nodes.get(path);
    if (node === undefined) return failed(ErrorCode.noNode);
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

  #create(asked: WriteRequest, sessionId: bigint, zxid: number, timeMs: number): ModelOutcome {
    const parent = this.nodes.get(parentOf(asked.path ?? ''));
    if (parent === undefined) return { error: ErrorCode.noNode, path: null };
    const isSequential = asked.flags === 2 || asked.flags === 3;
    const suffix = isSequential ? String(parent.creates).padStart(10, '0') : '';
    const path = asked.path + suffix;
    if (this.nodes.has(path)) return { error: ErrorCode.nodeExists, path: null };
    if (parent.owner !== 0n) return { error: ErrorCode.noChildrenForEphemerals, path: null };
    const isEphemeral = asked.flags === 1 || asked.flags === 3;
    const node = newNode(zxid, timeMs, textOf(asked.data));
    this.nodes.set(path, { ...node, acl: asked.acl ?? [], owner: isEphemeral ? sessionId : 0n });
    Object.assign(parent, { creates: parent.creates + 1, pzxid: zxid });
    return { error: 0, path };
  }

  #remove(path: string, zxid: number): void {
    this.nodes.delete(path);
    const parent = this.nodes.get(parentOf(path));
    if (parent !== undefined) parent.pzxid = zxid;
  }
}
