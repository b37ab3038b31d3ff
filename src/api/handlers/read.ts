/**
 * Reads of the tree. Each handler decodes the request's record, and either returns an error and
 * writes nothing, or writes the reply's record and returns ok. Watches are set last, when nothing
 * can fail any more; only `exists` arms one on a missing node.
 *
 * Paths are not validated: what cannot be a path has no node. What the ACLs say does not count for
 * a context with `skipAcl`.
 */

import { type Acl, type Identity, Perm } from '../../base/acl.ts';
import { ErrorCode } from '../../base/error-code.ts';
import type { JuteReader } from '../../protocol/jute-reader.ts';
import type { JuteWriter } from '../../protocol/jute-writer.ts';
import { encodeGetAclReply } from '../../protocol/records/acl.ts';
import {
  encodeGetChildren2Reply,
  encodeGetChildrenReply,
  encodeGetDataReply,
} from '../../protocol/records/read-reply.ts';
import { decodePathRequest, decodeWatchedRead } from '../../protocol/records/read-request.ts';
import { encodeStat } from '../../protocol/records/stat.ts';
import type { Watcher, WatchManager } from '../../session/watch-manager.ts';
import { isAllowed, redactAcl } from '../../store/acl.ts';
import type { DataTree } from '../../store/data-tree.ts';
import type { Znode } from '../../store/znode.ts';

/** Who reads what. One object, filled anew for each request: nothing may keep it. */
export interface ReadContext {
  tree: DataTree;
  watches: WatchManager;
  watcher: Watcher;
  identities: readonly Identity[];
  /** Nobody is refused anything: the server was told to ignore ACLs. */
  readonly skipAcl: boolean;
  /** Bytes at which a reply is given up. */
  readonly replyBytesMax: number;
  /** Set by a handler that saw so in advance. */
  isReplyTooLong: boolean;
}

/**
 * A read that would set one watch too many is refused, watch and answer: a client that got the data
 * would count on the watch. Clients since 3.7 know the code, and no retry follows from it.
 */
export const WATCHES_FULL = ErrorCode.quotaExceeded;

/** Children that no reply is too short for, so that most lists are not looked through twice. */
const CHILDREN_SURE = 1000;

/** Whether the reader has one of the `needed` permission bits. */
export function isPermitted(context: ReadContext, acl: readonly Acl[], needed: number): boolean {
  return context.skipAcl || isAllowed(acl, needed, context.identities);
}

export function exists(context: ReadContext, reader: JuteReader, writer: JuteWriter): ErrorCode {
  const request = decodeWatchedRead(reader);
  if (request === undefined || request.path === null) return ErrorCode.marshallingError;
  const { path, watch } = request;
  if (path.includes('\0')) return ErrorCode.badArguments;
  const node = context.tree.find(path);
  if (node !== undefined && !isPermitted(context, node.acl, Perm.read)) {
    return ErrorCode.noAuth;
  }
  if (watch && !context.watches.addDataWatch(path, context.watcher)) return WATCHES_FULL;
  if (node === undefined) return ErrorCode.noNode;
  encodeStat(writer, node);
  return ErrorCode.ok;
}

export function getData(context: ReadContext, reader: JuteReader, writer: JuteWriter): ErrorCode {
  const request = decodeWatchedRead(reader);
  if (request === undefined || request.path === null) return ErrorCode.marshallingError;
  const node = context.tree.find(request.path);
  if (node === undefined) return ErrorCode.noNode;
  if (!isPermitted(context, node.acl, Perm.read)) return ErrorCode.noAuth;
  if (request.watch && !context.watches.addDataWatch(request.path, context.watcher)) {
    return WATCHES_FULL;
  }
  encodeGetDataReply(writer, node.dataView, node);
  return ErrorCode.ok;
}

/** getChildren, and getChildren2 which adds the Stat. The order of names means nothing. */
export function getChildren(
  context: ReadContext,
  reader: JuteReader,
  writer: JuteWriter,
  withStat: boolean,
): ErrorCode {
  const request = decodeWatchedRead(reader);
  if (request === undefined || request.path === null) return ErrorCode.marshallingError;
  const node = context.tree.find(request.path);
  if (node === undefined) return ErrorCode.noNode;
  if (!isPermitted(context, node.acl, Perm.read)) return ErrorCode.noAuth;
  if (areTooMany(node, context.replyBytesMax)) {
    context.isReplyTooLong = true;
    return ErrorCode.marshallingError;
  }
  const start = writer.length;
  if (withStat) encodeGetChildren2Reply(writer, node.childNameBytes(), node);
  else encodeGetChildrenReply(writer, node.childNameBytes());
  if (writer.length - start > context.replyBytesMax) {
    writer.truncate(start);
    context.isReplyTooLong = true;
    return ErrorCode.marshallingError;
  }
  if (!request.watch || context.watches.addChildWatch(request.path, context.watcher)) {
    return ErrorCode.ok;
  }
  writer.truncate(start);
  return WATCHES_FULL;
}

/** Whoever may read or administer a node may see its ACL, without the admin right only in part. */
export function getAcl(context: ReadContext, reader: JuteReader, writer: JuteWriter): ErrorCode {
  const request = decodePathRequest(reader);
  if (request === undefined || request.path === null) return ErrorCode.marshallingError;
  const node = context.tree.find(request.path);
  if (node === undefined) return ErrorCode.noNode;
  if (!isPermitted(context, node.acl, Perm.read | Perm.admin)) return ErrorCode.noAuth;
  const acl = context.skipAcl ? node.acl : redactAcl(node.acl, context.identities);
  encodeGetAclReply(writer, acl, node);
  return ErrorCode.ok;
}

/** Whether a list of the names would be longer than a reply may be. */
function areTooMany(node: Znode, bytesMax: number): boolean {
  if (node.numChildren <= CHILDREN_SURE) return false;
  let bytes = 0;
  for (const name of node.childNameBytes()) {
    bytes += 4 + name.length;
    if (bytes > bytesMax) return true;
  }
  return false;
}
