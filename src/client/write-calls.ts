/** Operations that change something, alone and as members of a transaction. */

import { type Acl, OPEN_ACL } from '../base/acl.ts';
import { CreateMode, OpCode } from '../base/op-code.ts';
import { isValidPath } from '../base/path.ts';
import type { Stat } from '../base/stat.ts';
import type { WriteRequest } from '../base/write-request.ts';
import {
  type Create2Reply,
  type CreateReply,
  decodeCreate2Reply,
  decodeCreateReply,
} from '../protocol/records/create-reply.ts';
import { decodeGetDataReply } from '../protocol/records/read-reply.ts';
import { encodeReconfig } from '../protocol/records/reconfig.ts';
import { decodeStat } from '../protocol/records/stat.ts';
import { encodeWriteRequest, makeWriteRequest } from '../protocol/records/write-request.ts';
import type { Chroot } from './chroot.ts';
import { KeeperError } from './keeper-error.ts';
import type {
  CreatedNode,
  Data,
  NodeData,
  NodeMode,
  NodeOptions,
  Reconfiguration,
} from './node-types.ts';
import { ownBytes, refusePath } from './read-calls.ts';
import { type Call, DONE } from './request.ts';

const FLAGS: Readonly<Record<NodeMode, CreateMode>> = {
  persistent: CreateMode.persistent,
  persistentSequential: CreateMode.persistentSequential,
  ephemeral: CreateMode.ephemeral,
  ephemeralSequential: CreateMode.ephemeralSequential,
  container: CreateMode.container,
};

/** One change, as it is sent, or why it is not. */
export interface Change {
  readonly path: string;
  readonly request: WriteRequest;
  readonly refusal: KeeperError | undefined;
}

/** `wantsStat`: an operation whose reply has one, if the kind of node leaves a choice. */
export function createChange(
  chroot: Chroot,
  path: string,
  data: Data,
  options: NodeOptions,
  wantsStat: boolean,
): Change {
  const { mode = 'persistent', ttlMs, acl = OPEN_ACL } = options;
  const isSequential = mode === 'persistentSequential' || mode === 'ephemeralSequential';
  let op: OpCode = wantsStat ? OpCode.create2 : OpCode.create;
  let flags = FLAGS[mode];
  if (ttlMs !== undefined) {
    op = OpCode.createTtl;
    flags = isSequential ? CreateMode.persistentSequentialTtl : CreateMode.persistentTtl;
  } else if (mode === 'container') op = OpCode.createContainer;
  const fields = { path: chroot.toServer(path), data: dataBytes(data), acl, flags };
  // What a sequential node is called ends in digits: its prefix may end in a slash.
  const named = isSequential ? `${path}0` : path;
  const durationMs = ttlMs ?? -1;
  const request = makeWriteRequest(op, { ...fields, durationMs });
  const refusal = isValidPath(named) ? refuseTtl(path, ttlMs) : refusePath('create', path);
  return { path, request, refusal };
}

export function setChange(chroot: Chroot, path: string, data: Data, version = -1): Change {
  const fields = { path: chroot.toServer(path), data: dataBytes(data), version };
  const request = makeWriteRequest(OpCode.setData, fields);
  return { path, request, refusal: refusePath('set', path) };
}

/** The root stays the root: a chroot is not deleted by a client that lives in it. */
export function deleteChange(chroot: Chroot, path: string, version = -1): Change {
  const serverPath = path === '/' ? path : chroot.toServer(path);
  const request = makeWriteRequest(OpCode.delete, { path: serverPath, version });
  return { path, request, refusal: refusePath('delete', path) };
}

export function checkChange(chroot: Chroot, path: string, version = -1): Change {
  const request = makeWriteRequest(OpCode.check, { path: chroot.toServer(path), version });
  return { path, request, refusal: refusePath('check', path) };
}

/** `wantsStat`: the result is the node and not its path alone. */
export function createCall(
  chroot: Chroot,
  change: Change,
  wantsStat: boolean,
): Call<CreatedNode | string> {
  const hasStat = change.request.op !== OpCode.create;
  return {
    ...write('create', change),
    decode: (reader) => {
      const reply = hasStat ? decodeCreate2Reply(reader) : decodeCreateReply(reader);
      if (reply === undefined) return undefined;
      const path = chroot.toClient(reply.path);
      return { value: wantsStat && isWithStat(reply) ? { path, stat: reply.stat } : path };
    },
  };
}

export function setCall(change: Change): Call<Stat> {
  return { ...write('set', change), decode: (reader) => boxedStat(decodeStat(reader)) };
}

export function deleteCall(change: Change): Call<undefined> {
  return { ...write('delete', change), decode: () => DONE };
}

export function setAclCall(
  chroot: Chroot,
  path: string,
  acl: readonly Acl[],
  version = -1,
): Call<Stat> {
  const request = makeWriteRequest(OpCode.setAcl, { path: chroot.toServer(path), acl, version });
  const change = { path, request, refusal: refusePath('setAcl', path) };
  return { ...write('setAcl', change), decode: (reader) => boxedStat(decodeStat(reader)) };
}

export function closeCall(): Call<undefined> {
  const request = makeWriteRequest(OpCode.closeSession);
  return {
    op: OpCode.closeSession,
    name: 'close',
    path: undefined,
    isWrite: true,
    encode: (writer) => encodeWriteRequest(writer, request),
    decode: () => DONE,
  };
}

export function reconfigCall(change: Reconfiguration): Call<NodeData> {
  const { joining, leaving, members, fromVersion = -1 } = change;
  const list = (entries: readonly string[] | undefined): string | null =>
    entries?.join(',') ?? null;
  const record = {
    joining: list(joining),
    leaving: list(leaving),
    newMembers: list(members),
    curConfigId: fromVersion,
  };
  return {
    op: OpCode.reconfig,
    name: 'reconfig',
    path: undefined,
    isWrite: true,
    encode: (writer) => encodeReconfig(writer, record),
    decode: (reader) => {
      const reply = decodeGetDataReply(reader);
      return reply && { value: { data: ownBytes(reply.data), stat: reply.stat } };
    },
  };
}

function write(
  name: string,
  { path, request, refusal }: Change,
): Omit<Call<never>, 'decode' | 'resultOf'> {
  return {
    op: request.op,
    name,
    path,
    isWrite: true,
    refusal,
    encode: (writer) => encodeWriteRequest(writer, request),
  };
}

function isWithStat(reply: CreateReply | Create2Reply): reply is Create2Reply {
  return 'stat' in reply;
}

function boxedStat(stat: Stat | undefined): { readonly value: Stat } | undefined {
  return stat === undefined ? undefined : { value: stat };
}

function dataBytes(data: Data): Uint8Array | null {
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
}

function refuseTtl(path: string, ttlMs: number | undefined): KeeperError | undefined {
  if (ttlMs === undefined || (Number.isSafeInteger(ttlMs) && ttlMs > 0)) return undefined;
  const reason = `ttlMs is ${ttlMs}, expected a positive whole number`;
  return new KeeperError('BAD_ARGUMENTS', 'create', { path, reason });
}
