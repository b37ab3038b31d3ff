/** Reads that look at more than one node. They keep the rules of the single ones (`read.ts`). */

import { Perm } from '../../base/acl.ts';
import { ErrorCode } from '../../base/error-code.ts';
import { OpCode } from '../../base/op-code.ts';
import type { JuteReader } from '../../protocol/jute-reader.ts';
import type { JuteWriter } from '../../protocol/jute-writer.ts';
import {
  decodeMultiRead,
  encodeMultiReadEnd,
  encodeReadError,
  encodeReadResultHeader,
  type MultiReadOp,
} from '../../protocol/records/multi-read.ts';
import {
  encodeGetAllChildrenNumberReply,
  encodeGetChildrenReply,
  encodeGetDataReply,
  encodeGetEphemeralsReply,
} from '../../protocol/records/read-reply.ts';
import { decodePathRequest } from '../../protocol/records/read-request.ts';
import type { DataTree } from '../../store/data-tree.ts';
import type { Znode } from '../../store/znode.ts';
import { isPermitted, type ReadContext } from './read.ts';

/** One result or error a member; the request as a whole fails only when it cannot be read. */
export function multiRead(context: ReadContext, reader: JuteReader, writer: JuteWriter): ErrorCode {
  const ops = decodeMultiRead(reader);
  if (ops === undefined || ops.some((op) => op.path === null)) return ErrorCode.marshallingError;
  const start = writer.length;
  for (const op of ops) {
    readOne(context, op, writer);
    // A million bytes of paths may name a million times as much: no reason to gather all of it.
    if (writer.length - start > context.replyBytesMax) break;
  }
  encodeMultiReadEnd(writer);
  return ErrorCode.ok;
}

function readOne(context: ReadContext, op: MultiReadOp, writer: JuteWriter): void {
  const node = context.tree.find(op.path ?? '');
  if (node === undefined) {
    encodeReadError(writer, ErrorCode.noNode);
    return;
  }
  if (!isPermitted(context, node.acl, Perm.read)) {
    encodeReadError(writer, ErrorCode.noAuth);
    return;
  }
  encodeReadResultHeader(writer, op.type);
  if (op.type === OpCode.getData) encodeGetDataReply(writer, node.dataView, node);
  else encodeGetChildrenReply(writer, node.childNameBytes());
}

/** Ephemeral nodes of the asking session. The prefix is plain text: `/a` is one of `/ab` too. */
export function getEphemerals(
  context: ReadContext,
  reader: JuteReader,
  writer: JuteWriter,
): ErrorCode {
  const request = decodePathRequest(reader);
  if (request === undefined) return ErrorCode.marshallingError;
  const asked = request.path ?? '';
  const prefix = asked.trim() === '' ? '/' : asked;
  const paths: string[] = [];
  for (const node of context.tree.ephemerals.of(context.watcher.sessionId)) {
    const path = node.path;
    if (path.startsWith(prefix)) paths.push(path);
  }
  encodeGetEphemeralsReply(writer, paths);
  return ErrorCode.ok;
}

/** All nodes below the one asked for: O(1) for the root, else O(their number). */
export function getAllChildrenNumber(
  context: ReadContext,
  reader: JuteReader,
  writer: JuteWriter,
): ErrorCode {
  const request = decodePathRequest(reader);
  if (request === undefined || request.path === null) return ErrorCode.marshallingError;
  const node = context.tree.find(request.path);
  if (node === undefined) return ErrorCode.noNode;
  if (!isPermitted(context, node.acl, Perm.read)) return ErrorCode.noAuth;
  encodeGetAllChildrenNumberReply(writer, countBelow(context.tree, node));
  return ErrorCode.ok;
}

function countBelow(tree: DataTree, top: Znode): number {
  if (top.parent === undefined) return tree.nodeCount - 1;
  let count = 0;
  const pending = [top];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    count += node.numChildren;
    for (const child of node.children()) if (child.numChildren > 0) pending.push(child);
  }
  return count;
}
