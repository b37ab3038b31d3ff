/**
 * A node's Stat, 68 bytes.
 *
 *     Stat = czxid:long mzxid:long ctime:long mtime:long version:int cversion:int aversion:int
 *            ephemeralOwner:long dataLength:int numChildren:int pzxid:long
 *
 * It is the whole reply of exists, setData and setACL, and the end of several others.
 */

import type { Stat } from '../../base/stat.ts';
import type { JuteReader } from '../jute-reader.ts';
import type { JuteWriter } from '../jute-writer.ts';

export const STAT_BYTES = 68;

/** Reads each field of `stat` once: it may be a live node that computes them. */
export function encodeStat(writer: JuteWriter, stat: Stat): void {
  writer.writeLong(stat.czxid);
  writer.writeLong(stat.mzxid);
  writer.writeLong(stat.ctimeMs);
  writer.writeLong(stat.mtimeMs);
  writer.writeInt(stat.version);
  writer.writeInt(stat.cversion);
  writer.writeInt(stat.aversion);
  writer.writeSessionId(stat.ephemeralOwner);
  writer.writeInt(stat.dataLength);
  writer.writeInt(stat.numChildren);
  writer.writeLong(stat.pzxid);
}

/** Undefined when bytes are missing or a zxid is none of ours (negative, or epoch above the bound). */
export function decodeStat(reader: JuteReader): Stat | undefined {
  const czxid = reader.readZxid();
  const mzxid = reader.readZxid();
  const ctimeMs = reader.readLong();
  const mtimeMs = reader.readLong();
  const version = reader.readInt();
  const cversion = reader.readInt();
  const aversion = reader.readInt();
  const ephemeralOwner = reader.readSessionId();
  const dataLength = reader.readInt();
  const numChildren = reader.readInt();
  const pzxid = reader.readZxid();
  if (reader.failed) return undefined;
  return {
    czxid,
    mzxid,
    pzxid,
    ctimeMs,
    mtimeMs,
    version,
    cversion,
    aversion,
    ephemeralOwner,
    dataLength,
    numChildren,
  };
}
