/**
 * The reply of a multi: one result a member, in order.
 *
 *     MultiReply = (MultiHeader{type, 0, 0} result | MultiHeader{-1, 0, err} err:int)*
 *                  MultiHeader{-1, 1, -1}
 *     result     = create 1: path:ustring     create2 15: path:ustring Stat
 *                  setData 5: Stat            delete 2, check 13: nothing
 *
 * createContainer and createTTL answer as create2. In a multi that failed every member is an error:
 * 0 before the failing one, its code, -2 behind it.
 */

import { invariant } from '../../base/assert.ts';
import { OpCode } from '../../base/op-code.ts';
import type { Stat } from '../../base/stat.ts';
import type { JuteReader } from '../jute-reader.ts';
import type { JuteWriter } from '../jute-writer.ts';
import { encodeMultiEnd, encodeMultiHeader } from './multi-header.ts';
import { decodeStat, encodeStat } from './stat.ts';

/** Result of one member. Fields the type has no use for are null. */
export interface MultiResult {
  /** The kind of change made; `OpCode.error` for every member of a multi that failed. */
  readonly type: number;
  /** Result code; 0 also for the members before the failing one. */
  readonly error: number;
  readonly path: string | null;
  readonly stat: Stat | null;
}

export function encodeMultiReply(writer: JuteWriter, results: readonly MultiResult[]): void {
  for (const result of results) encodeResult(writer, result);
  encodeMultiEnd(writer);
}

/** Undefined when it is cut short, holds a result of unknown type, or no end. */
export function decodeMultiReply(reader: JuteReader): readonly MultiResult[] | undefined {
  const results: MultiResult[] = [];
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

function encodeResult(writer: JuteWriter, result: MultiResult): void {
  switch (result.type) {
    case OpCode.create:
      encodeMultiHeader(writer, OpCode.create, 0);
      writer.writeString(result.path);
      return;
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTtl:
      encodeMultiHeader(writer, OpCode.create2, 0);
      writer.writeString(result.path);
      encodeResultStat(writer, result.stat);
      return;
    case OpCode.setData:
      encodeMultiHeader(writer, OpCode.setData, 0);
      encodeResultStat(writer, result.stat);
      return;
    case OpCode.delete:
    case OpCode.check:
      encodeMultiHeader(writer, result.type, 0);
      return;
    default:
      invariant(result.type === OpCode.error, 'result of a type no multi has');
      encodeMultiHeader(writer, OpCode.error, result.error);
      writer.writeInt(result.error);
  }
}

function encodeResultStat(writer: JuteWriter, stat: Stat | null): void {
  invariant(stat !== null, 'result without its stat');
  encodeStat(writer, stat);
}

function decodeResult(reader: JuteReader, type: number): MultiResult | undefined {
  let error = 0;
  let path: string | null = null;
  let stat: Stat | null = null;
  switch (type) {
    case OpCode.create:
      path = reader.readString();
      break;
    case OpCode.create2:
      path = reader.readString();
      stat = decodeStat(reader) ?? null;
      break;
    case OpCode.setData:
      stat = decodeStat(reader) ?? null;
      break;
    case OpCode.delete:
    case OpCode.check:
      break;
    case OpCode.error:
      error = reader.readInt();
      break;
    default:
      return undefined;
  }
  return reader.failed ? undefined : { type, error, path, stat };
}
