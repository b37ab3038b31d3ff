/**
 * Notifications, and the requests that are about watches and nothing else.
 *
 *     WatcherEvent  = type:int state:int path:ustring     behind ReplyHeader{-1, zxid, 0}
 *     setWatches    = relativeZxid:long data:vector<ustring> exist:vector<ustring>
 *                     child:vector<ustring>
 *     setWatches2   = setWatches persistent:vector<ustring> recursive:vector<ustring>
 *     checkWatches, removeWatches = path:ustring type:int
 *     addWatch      = path:ustring mode:int
 *     AddWatchReply = err:int                             always 0; the others' reply is a header
 */

import type { JuteReader } from '../jute-reader.ts';
import type { JuteWriter } from '../jute-writer.ts';

export interface WatcherEvent {
  /** An `EventType`, from a server of ours. */
  readonly type: number;
  readonly state: number;
  readonly path: string | null;
}

/** The lists are handled in this order; at a null one the request fails, those before it still count. */
export interface SetWatches {
  /** The last zxid the client saw; compares right with every zxid. */
  readonly relativeZxid: number;
  readonly data: readonly string[] | null;
  readonly exist: readonly string[] | null;
  readonly child: readonly string[] | null;
}

/** As setWatches, and then the watches that stay. */
export interface SetWatches2 extends SetWatches {
  readonly persistent: readonly string[] | null;
  readonly recursive: readonly string[] | null;
}

/** checkWatches and removeWatches; `type` as sent, one of `WatcherType` or not. */
export interface WatchesOfType {
  readonly path: string | null;
  readonly type: number;
}

/** `mode` as sent, one of `WatchMode` or not. */
export interface AddWatch {
  readonly path: string | null;
  readonly mode: number;
}

export function encodeWatcherEvent(
  writer: JuteWriter,
  type: number,
  state: number,
  path: string | null,
): void {
  writer.writeInt(type);
  writer.writeInt(state);
  writer.writeString(path);
}

export function decodeWatcherEvent(reader: JuteReader): WatcherEvent | undefined {
  const type = reader.readInt();
  const state = reader.readInt();
  const path = reader.readString();
  return reader.failed ? undefined : { type, state, path };
}

export function encodeSetWatches(writer: JuteWriter, request: SetWatches): void {
  writer.writeLong(request.relativeZxid);
  writer.writeStrings(request.data);
  writer.writeStrings(request.exist);
  writer.writeStrings(request.child);
}

export function decodeSetWatches(reader: JuteReader): SetWatches | undefined {
  const relativeZxid = reader.readLong();
  const data = reader.readStrings();
  const exist = reader.readStrings();
  const child = reader.readStrings();
  return reader.failed ? undefined : { relativeZxid, data, exist, child };
}

export function encodeSetWatches2(writer: JuteWriter, request: SetWatches2): void {
  encodeSetWatches(writer, request);
  writer.writeStrings(request.persistent);
  writer.writeStrings(request.recursive);
}

export function decodeSetWatches2(reader: JuteReader): SetWatches2 | undefined {
  const lists = decodeSetWatches(reader);
  const persistent = reader.readStrings();
  const recursive = reader.readStrings();
  if (lists === undefined || reader.failed) return undefined;
  return { ...lists, persistent, recursive };
}

/** checkWatches and removeWatches. */
export function encodeWatchesOfType(writer: JuteWriter, path: string | null, type: number): void {
  writer.writeString(path);
  writer.writeInt(type);
}

export function decodeWatchesOfType(reader: JuteReader): WatchesOfType | undefined {
  const path = reader.readString();
  const type = reader.readInt();
  return reader.failed ? undefined : { path, type };
}

export function encodeAddWatch(writer: JuteWriter, path: string | null, mode: number): void {
  writer.writeString(path);
  writer.writeInt(mode);
}

export function decodeAddWatch(reader: JuteReader): AddWatch | undefined {
  const path = reader.readString();
  const mode = reader.readInt();
  return reader.failed ? undefined : { path, mode };
}

/** What the original answers besides its header: one more error code, which is never anything but 0. */
export function encodeAddWatchReply(writer: JuteWriter): void {
  writer.writeInt(0);
}

export function decodeAddWatchReply(reader: JuteReader): { readonly error: number } | undefined {
  const error = reader.readInt();
  return reader.failed ? undefined : { error };
}
