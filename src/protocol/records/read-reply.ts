/**
 * Replies of reads; exists answers a Stat alone (`stat.ts`), getACL is in `acl.ts`.
 *
 *     GetDataReply      = data:buffer Stat
 *     GetChildrenReply  = vector<name:ustring>
 *     GetChildren2Reply = vector<name:ustring> Stat
 *     SyncReply         = path:ustring        the path asked for, whatever it was
 *     GetEphemeralsReply        = vector<path:ustring>
 *     GetAllChildrenNumberReply = count:int
 */

import type { Stat } from '../../base/stat.ts';
import type { JuteReader } from '../jute-reader.ts';
import type { JuteWriter } from '../jute-writer.ts';
import { decodeStat, encodeStat } from './stat.ts';

export interface GetDataReply {
  /** A view of the frame. */
  readonly data: Uint8Array | null;
  readonly stat: Stat;
}

export interface GetChildrenReply {
  /** In no particular order. */
  readonly names: readonly string[];
}

export interface GetChildren2Reply {
  readonly names: readonly string[];
  readonly stat: Stat;
}

export interface SyncReply {
  readonly path: string | null;
}

/** `data` as bytes, or as a string of one character U+0000 to U+00FF a byte; copied into the frame. */
export function encodeGetDataReply(
  writer: JuteWriter,
  data: Uint8Array | string | null,
  stat: Stat,
): void {
  if (typeof data === 'string') writer.writeBinaryString(data);
  else writer.writeBuffer(data);
  encodeStat(writer, stat);
}

export function decodeGetDataReply(reader: JuteReader): GetDataReply | undefined {
  const data = reader.readBuffer();
  const stat = decodeStat(reader);
  return stat === undefined ? undefined : { data, stat };
}

export function encodeGetChildrenReply(
  writer: JuteWriter,
  names: Iterable<string | Uint8Array>,
): void {
  writer.writeStrings(names);
}

export function decodeGetChildrenReply(reader: JuteReader): GetChildrenReply | undefined {
  const names = reader.readStrings();
  return reader.failed || names === null ? undefined : { names };
}

export function encodeGetChildren2Reply(
  writer: JuteWriter,
  names: Iterable<string | Uint8Array>,
  stat: Stat,
): void {
  writer.writeStrings(names);
  encodeStat(writer, stat);
}

export function decodeGetChildren2Reply(reader: JuteReader): GetChildren2Reply | undefined {
  const names = reader.readStrings();
  const stat = decodeStat(reader);
  return stat === undefined || names === null ? undefined : { names, stat };
}

export function encodeSyncReply(writer: JuteWriter, path: string | null): void {
  writer.writeString(path);
}

export function decodeSyncReply(reader: JuteReader): SyncReply | undefined {
  const path = reader.readString();
  return reader.failed ? undefined : { path };
}

/** The paths, in no particular order. */
export function encodeGetEphemeralsReply(writer: JuteWriter, paths: Iterable<string>): void {
  writer.writeStrings(paths);
}

export function decodeGetEphemeralsReply(
  reader: JuteReader,
): { readonly paths: readonly string[] } | undefined {
  const paths = reader.readStrings();
  return reader.failed || paths === null ? undefined : { paths };
}

export function encodeGetAllChildrenNumberReply(writer: JuteWriter, count: number): void {
  writer.writeInt(count);
}

export function decodeGetAllChildrenNumberReply(
  reader: JuteReader,
): { readonly count: number } | undefined {
  const count = reader.readInt();
  return reader.failed ? undefined : { count };
}
