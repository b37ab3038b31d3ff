/** Operations that change nothing. */

import { ErrorCode } from '../base/error-code.ts';
import { OpCode } from '../base/op-code.ts';
import { isValidPath } from '../base/path.ts';
import type { Stat } from '../base/stat.ts';
import { decodeGetAclReply } from '../protocol/records/acl.ts';
import { decodeWhoAmIReply } from '../protocol/records/auth.ts';
import {
  decodeGetAllChildrenNumberReply,
  decodeGetChildren2Reply,
  decodeGetChildrenReply,
  decodeGetDataReply,
  decodeGetEphemeralsReply,
  decodeSyncReply,
} from '../protocol/records/read-reply.ts';
import { encodePathRequest, encodeWatchedRead } from '../protocol/records/read-request.ts';
import { decodeStat } from '../protocol/records/stat.ts';
import { KeeperError } from './keeper-error.ts';
import type { Children, ClientIdentity, NodeAcl, NodeData } from './node-types.ts';
import { type Call, DONE } from './request.ts';

/** What the methods that read have in common. `path` is the caller's, `serverPath` the server's. */
export interface ReadScope {
  readonly path: string;
  readonly serverPath: string;
  readonly watch: boolean;
  readonly onReply: ((error: number) => void) | undefined;
}

/** Undefined when the path is one that servers take. */
export function refusePath(name: string, path: string): KeeperError | undefined {
  if (isValidPath(path)) return undefined;
  return new KeeperError('BAD_ARGUMENTS', name, { path, reason: 'this is not a valid path' });
}

export function existsCall(scope: ReadScope): Call<Stat | undefined> {
  return {
    ...watchedRead(OpCode.exists, 'exists', scope),
    decode: (reader) => boxed(decodeStat(reader)),
    resultOf: (error) => (error === ErrorCode.noNode ? DONE : undefined),
  };
}

export function getCall(scope: ReadScope): Call<NodeData> {
  return {
    ...watchedRead(OpCode.getData, 'get', scope),
    decode: (reader) => {
      const reply = decodeGetDataReply(reader);
      return reply && { value: { data: ownBytes(reply.data), stat: reply.stat } };
    },
  };
}

export function childrenCall(scope: ReadScope): Call<string[]> {
  return {
    ...watchedRead(OpCode.getChildren, 'children', scope),
    decode: (reader) => {
      const reply = decodeGetChildrenReply(reader);
      return reply && { value: [...reply.names] };
    },
  };
}

export function childrenStatCall(scope: ReadScope): Call<Children> {
  return {
    ...watchedRead(OpCode.getChildren2, 'children', scope),
    decode: (reader) => {
      const reply = decodeGetChildren2Reply(reader);
      return reply && { value: { children: [...reply.names], stat: reply.stat } };
    },
  };
}

export function getAclCall(path: string, serverPath: string): Call<NodeAcl> {
  return {
    ...pathRead(OpCode.getAcl, 'getAcl', path, serverPath),
    decode: (reader) => {
      const reply = decodeGetAclReply(reader);
      return reply && { value: { acl: reply.acl ?? [], stat: reply.stat } };
    },
  };
}

export function syncCall(path: string, serverPath: string): Call<undefined> {
  return {
    ...pathRead(OpCode.sync, 'sync', path, serverPath),
    decode: (reader) => decodeSyncReply(reader) && DONE,
  };
}

export function getAllChildrenNumberCall(path: string, serverPath: string): Call<number> {
  return {
    ...pathRead(OpCode.getAllChildrenNumber, 'getAllChildrenNumber', path, serverPath),
    decode: (reader) => boxed(decodeGetAllChildrenNumberReply(reader)?.count),
  };
}

/** `toClient` turns a server's path into the caller's. */
export function getEphemeralsCall(
  path: string,
  serverPath: string,
  toClient: (path: string) => string,
): Call<string[]> {
  return {
    ...pathRead(OpCode.getEphemerals, 'getEphemerals', path, serverPath),
    decode: (reader) => {
      const reply = decodeGetEphemeralsReply(reader);
      return reply && { value: reply.paths.map(toClient) };
    },
  };
}

export function whoAmICall(): Call<ClientIdentity[]> {
  return {
    op: OpCode.whoAmI,
    name: 'whoAmI',
    path: undefined,
    isWrite: false,
    encode: () => undefined,
    decode: (reader) => {
      const identities = decodeWhoAmIReply(reader);
      const value = identities?.map(({ scheme, user }) => ({
        scheme: scheme ?? '',
        user: user ?? '',
      }));
      return boxed(value);
    },
  };
}

/** A copy that belongs to the caller: replies lie in memory of the connection. */
export function ownBytes(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}

function boxed<T>(value: T | undefined): { readonly value: T } | undefined {
  return value === undefined ? undefined : { value };
}

function watchedRead(op: OpCode, name: string, scope: ReadScope): Omit<Call<never>, 'decode'> {
  const { path, serverPath, watch, onReply } = scope;
  return {
    op,
    name,
    path,
    isWrite: false,
    refusal: refusePath(name, path),
    encode: (writer) => encodeWatchedRead(writer, serverPath, watch),
    onReply,
  };
}

function pathRead(
  op: OpCode,
  name: string,
  path: string,
  serverPath: string,
): Omit<Call<never>, 'decode' | 'resultOf'> {
  return {
    op,
    name,
    path,
    isWrite: false,
    refusal: refusePath(name, path),
    encode: (writer) => encodePathRequest(writer, serverPath),
  };
}
