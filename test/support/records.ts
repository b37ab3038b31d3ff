/** Short ways to a record's bytes and back, for tests. */

import { JuteReader } from '../../src/protocol/jute-reader.ts';
import { JuteWriter } from '../../src/protocol/jute-writer.ts';
import { fromHex, toHex } from './hex.ts';

export function encoded(encode: (writer: JuteWriter) => void): string {
  const writer = new JuteWriter();
  encode(writer);
  return toHex(writer.take());
}

export function decoded<T>(hex: string, decode: (reader: JuteReader) => T): T {
  const reader = new JuteReader();
  reader.aim(fromHex(hex));
  return decode(reader);
}
