/**
 * Notifications, and the request that re-arms watches after a reconnect.
 *
 *     WatcherEvent = type:int state:int path:ustring      behind ReplyHeader{-1, zxid, 0}
 *     setWatches   = relativeZxid:long data:vector<ustring> exist:vector<ustring>
 *                    child:vector<ustring>                its reply is a header only
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
