/**
 * Several reads in one request, each with a result or an error of its own.
 *
 *     multiRead      = (MultiHeader{type, 0, -1} path:ustring watch:boolean)* MultiHeader{-1, 1, -1}
 *     MultiReadReply = (MultiHeader{type, 0, 0} result | MultiHeader{-1, 0, err} err:int)*
 *                      MultiHeader{-1, 1, -1}
 *     result         = getData 4: data:buffer Stat     getChildren 8: vector<name:ustring>
 *
 * The watch flags mean nothing. Any other member makes the whole request a marshalling error.
 */

import { OpCode } from '../../base/op-code.ts';
import type { Stat } from '../../base/stat.ts';
import type { JuteReader } from '../jute-reader.ts';
import type { JuteWriter } from '../jute-writer.ts';
import { encodeMultiEnd, encodeMultiHeader } from './multi-header.ts';
import { decodeGetChildrenReply, decodeGetDataReply } from './read-reply.ts';
import { decodeWatchedRead, encodeWatchedRead } from './read-request.ts';

export interface MultiReadOp {
  readonly type: typeof OpCode.getData | typeof OpCode.getChildren;
  readonly path: string | null;
}

/** Fields that the type has no use for are null. */
export interface MultiReadResult {
  /** getData, getChildren or error. */
  readonly type: number;
  readonly error: number;
  readonly data: Uint8Array | null;
  readonly stat: Stat | null;
  readonly names: readonly string[] | null;
}

export function encodeMultiRead(writer: JuteWriter, ops: readonly MultiReadOp[]): void {
  for (const { type, path } of ops) {
    encodeMultiHeader(writer, type, -1);
    encodeWatchedRead(writer, path, false);
  }
  encodeMultiEnd(writer);
}

/** Undefined when it is cut short, has no end, or holds anything but reads of these two types. */
export function decodeMultiRead(reader: JuteReader): readonly MultiReadOp[] | undefined {
  const ops: MultiReadOp[] = [];
  for (;;) {
    const type = reader.readInt();
    const isDone = reader.readBool();
    reader.readInt();
    if (reader.failed) return undefined;
    if (isDone) return ops;
    if (type !== OpCode.getData && type !== OpCode.getChildren) return undefined;
    const read = decodeWatchedRead(reader);
    if (read === undefined) return undefined;
    ops.push({ type, path: read.path });
  }
}

/** Goes in front of a result, which is written as the reply of a single getData or getChildren. */
export function encodeReadResultHeader(writer: JuteWriter, type: MultiReadOp['type']): void {
  encodeMultiHeader(writer, type, 0);
}

export function encodeReadError(writer: JuteWriter, error: number): void {
  encodeMultiHeader(writer, OpCode.error, error);
  writer.writeInt(error);
}

export function encodeMultiReadEnd(writer: JuteWriter): void {
  encodeMultiEnd(writer);
}

export function decodeMultiReadReply(reader: JuteReader): readonly MultiReadResult[] | undefined {
  const results: MultiReadResult[] = [];
  for (;;) {
    const type = reader.readInt();
    const isDone = reader.readBool();
    reader.readInt();
    if (reader.failed) return undefined;
    if (isDone) return results;
    const result = decodeResult(reader, type);
    if (result === undefined) return undefined;
    results.push(result);
  }
}

function decodeResult(reader: JuteReader, type: number): MultiReadResult | undefined {
  switch (type) {
    case OpCode.getData: {
      const reply = decodeGetDataReply(reader);
      if (reply === undefined) return undefined;
      return { type, error: 0, data: reply.data, stat: reply.stat, names: null };
    }
    case OpCode.getChildren: {
      const reply = decodeGetChildrenReply(reader);
      if (reply === undefined) return undefined;
      return { type, error: 0, data: null, stat: null, names: reply.names };
    }
    case OpCode.error: {
      const error = reader.readInt();
      return reader.failed ? undefined : { type, error, data: null, stat: null, names: null };
    }
    default:
      return undefined;
  }
}
