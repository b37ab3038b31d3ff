/** The operations of simulated clients as bytes of the client protocol, and the answers to them. */

import { OPEN_ACL } from '../../src/base/acl.ts';
import { invariant } from '../../src/base/assert.ts';
import { OpCode } from '../../src/base/op-code.ts';
import { WatchMode } from '../../src/base/watch-mode.ts';
import type { WriteRequest } from '../../src/base/write-request.ts';
import type { JuteReader } from '../../src/protocol/jute-reader.ts';
import type { JuteWriter } from '../../src/protocol/jute-writer.ts';
import { decodeCreate2Reply } from '../../src/protocol/records/create-reply.ts';
import { encodeRequestHeader } from '../../src/protocol/records/header.ts';
import { decodeMultiReply } from '../../src/protocol/records/multi-reply.ts';
import {
  decodeGetChildren2Reply,
  decodeGetDataReply,
} from '../../src/protocol/records/read-reply.ts';
import { encodePathRequest, encodeWatchedRead } from '../../src/protocol/records/read-request.ts';
import { decodeStat } from '../../src/protocol/records/stat.ts';
import { encodeAddWatch } from '../../src/protocol/records/watch.ts';
import { encodeWriteRequest, makeWriteRequest } from '../../src/protocol/records/write-request.ts';
import { type Change, type Draft, NO_REPLY, type OperationKind, type Reply } from './history.ts';
import { isRecursive } from './lasting-watch.ts';

const OP_CODES: Readonly<Record<OperationKind, OpCode>> = {
  create: OpCode.create2,
  delete: OpCode.delete,
  set: OpCode.setData,
  multi: OpCode.multi,
  get: OpCode.getData,
  exists: OpCode.exists,
  children: OpCode.getChildren2,
  sync: OpCode.sync,
  addWatch: OpCode.addWatch,
  close: OpCode.closeSession,
};

/** Writes the request's frame. */
export function encodeDraft(writer: JuteWriter, xid: number, draft: Draft): void {
  const mark = writer.beginFrame();
  const type = OP_CODES[draft.kind];
  encodeRequestHeader(writer, xid, type);
  switch (draft.kind) {
    case 'create':
    case 'delete':
    case 'set':
    case 'multi':
      encodeWriteRequest(writer, writeRequest(draft));
      break;
    case 'sync':
      encodePathRequest(writer, draft.path);
      break;
    case 'addWatch': {
      const { persistent, recursive } = WatchMode;
      encodeAddWatch(writer, draft.path, isRecursive(draft.path) ? recursive : persistent);
      break;
    }
    case 'close':
      break;
    default:
      encodeWatchedRead(writer, draft.path, draft.watch);
  }
  writer.endFrame(mark);
}

/** Reads the record of an answer without error. */
export function decodeReply(reader: JuteReader, kind: OperationKind): Reply | undefined {
  switch (kind) {
    case 'create':
      return decodeCreate2Reply(reader);
    case 'set':
    case 'exists': {
      const stat = decodeStat(reader);
      return stat && { stat };
    }
    case 'get': {
      const reply = decodeGetDataReply(reader);
      return reply && { stat: reply.stat, value: Buffer.from(reply.data ?? []).toString() };
    }
    case 'children':
      return decodeGetChildren2Reply(reader);
    case 'multi': {
      const results = decodeMultiReply(reader);
      if (results === undefined) return undefined;
      const error = results.find((result) => result.error !== 0)?.error ?? 0;
      return { stats: results.map((result) => result.stat ?? undefined), error };
    }
    case 'delete':
    case 'sync':
    case 'addWatch':
    case 'close':
      return NO_REPLY;
  }
}

function writeRequest(draft: Draft): WriteRequest {
  const members = draft.changes.map(changeRequest);
  if (draft.kind === 'multi') return makeWriteRequest(OpCode.multi, { ops: members });
  const [only] = members;
  invariant(only !== undefined, 'a write without a change');
  return only;
}

function changeRequest({ kind, path, value, version, mode }: Change): WriteRequest {
  switch (kind) {
    case 'create': {
      const data = Buffer.from(value);
      return makeWriteRequest(OpCode.create2, { path, data, acl: OPEN_ACL, flags: mode });
    }
    case 'set':
      return makeWriteRequest(OpCode.setData, { path, data: Buffer.from(value), version });
    case 'delete':
      return makeWriteRequest(OpCode.delete, { path, version });
    case 'check':
      return makeWriteRequest(OpCode.check, { path, version });
  }
}
