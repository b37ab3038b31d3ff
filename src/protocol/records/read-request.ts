/**
 * Requests that name a node and change nothing.
 *
 *     exists, getData, getChildren, getChildren2 = path:ustring watch:boolean
 *     getACL, sync, getAllChildrenNumber         = path:ustring
 *     getEphemerals                              = prefix:ustring
 *
 * A null path decodes: sync and getEphemerals let it pass, the others answer a marshalling error.
 */

import type { JuteReader } from '../jute-reader.ts';
import type { JuteWriter } from '../jute-writer.ts';

export interface ReadRequest {
  readonly path: string | null;
  /** False for operations that have no watch. */
  readonly watch: boolean;
}

export function encodeWatchedRead(writer: JuteWriter, path: string | null, watch: boolean): void {
  writer.writeString(path);
  writer.writeBool(watch);
}

/** exists, getData, getChildren, getChildren2. */
export function decodeWatchedRead(reader: JuteReader): ReadRequest | undefined {
  const path = reader.readString();
  const watch = reader.readBool();
  return reader.failed ? undefined : { path, watch };
}

export function encodePathRequest(writer: JuteWriter, path: string | null): void {
  writer.writeString(path);
}

/** getACL, sync, getAllChildrenNumber, getEphemerals. */
export function decodePathRequest(reader: JuteReader): ReadRequest | undefined {
  const path = reader.readString();
  return reader.failed ? undefined : { path, watch: false };
}
