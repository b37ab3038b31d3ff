/** Bodies of replies for scripted servers. */

import { SESSION_NONE, type Zxid } from '../../src/base/ids.ts';
import type { Stat } from '../../src/base/stat.ts';
import type { JuteWriter } from '../../src/protocol/jute-writer.ts';
import { encodeStat } from '../../src/protocol/records/stat.ts';

export const SOME_STAT: Stat = {
  czxid: 1 as Zxid,
  mzxid: 2 as Zxid,
  pzxid: 3 as Zxid,
  ctimeMs: 4,
  mtimeMs: 5,
  version: 6,
  cversion: 7,
  aversion: 8,
  ephemeralOwner: SESSION_NONE,
  dataLength: 9,
  numChildren: 10,
};

export function statBody(writer: JuteWriter): void {
  encodeStat(writer, SOME_STAT);
}

export function dataBody(text: string): (writer: JuteWriter) => void {
  return (writer) => {
    writer.writeBuffer(new TextEncoder().encode(text));
    encodeStat(writer, SOME_STAT);
  };
}

export function pathBody(path: string): (writer: JuteWriter) => void {
  return (writer) => writer.writeString(path);
}
