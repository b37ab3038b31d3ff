/**
 * CRC-32 as zlib computes it, for short pieces of larger memory: a call into the platform for each of
 * them, with a view made for it, costs three times as much.
 */

const POLYNOMIAL = 0xedb8_8320;
/** Eight tables, so that eight bytes are worked into the sum at once. */
const TABLES = makeTables(8);

/** The sum over the bytes from `start` up to `end`, continued from the sum over what came before. */
export function crc32Of(view: DataView, start: number, end: number, before: number): number {
  let crc = ~before;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    const low = view.getInt32(at, true) ^ crc;
    const high = view.getInt32(at + 4, true);
    crc =
      tableAt(0x700 | (low & 0xff)) ^
      tableAt(0x600 | ((low >>> 8) & 0xff)) ^
      tableAt(0x500 | ((low >>> 16) & 0xff)) ^
      tableAt(0x400 | (low >>> 24)) ^
      tableAt(0x300 | (high & 0xff)) ^
      tableAt(0x200 | ((high >>> 8) & 0xff)) ^
      tableAt(0x100 | ((high >>> 16) & 0xff)) ^
      tableAt(high >>> 24);
  }
  for (; at < end; at++) crc = tableAt((crc ^ view.getUint8(at)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function tableAt(index: number): number {
  return TABLES[index] as number;
}

function makeTables(count: number): Int32Array {
  const tables = new Int32Array(count * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] as number;
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}
