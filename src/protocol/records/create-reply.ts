/**
 * Replies of the creating operations. delete and check have none, setData and setACL a Stat alone.
 *
 *     create                                = path:ustring
 *     create2, createContainer, createTTL   = path:ustring Stat
 *
 * The path is the final one, sequence number included.
 */

import type { Stat } from '../../base/stat.ts';
import type { JuteReader } from '../jute-reader.ts';
import type { JuteWriter } from '../jute-writer.ts';
import { decodeStat, encodeStat } from './stat.ts';

export interface CreateReply {
  readonly path: string;
}

export interface Create2Reply {
  readonly path: string;
  readonly stat: Stat;
}

export function encodeCreateReply(writer: JuteWriter, path: string): void {
  writer.writeString(path);
}

export function decodeCreateReply(reader: JuteReader): CreateReply | undefined {
  const path = reader.readString();
  return reader.failed || path === null ? undefined : { path };
}

export function encodeCreate2Reply(writer: JuteWriter, path: string, stat: Stat): void {
  writer.writeString(path);
  encodeStat(writer, stat);
}

export function decodeCreate2Reply(reader: JuteReader): Create2Reply | undefined {
  const path = reader.readString();
  const stat = decodeStat(reader);
  return stat === undefined || path === null ? undefined : { path, stat };
}
