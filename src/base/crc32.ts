/**
 * CRC-32 as zlib computes it, for short pieces of larger memory: a call into the platform for each of
 * them, with a view made for it, costs more than the sum itself.
 */

const POLYNOMIAL = 0xedb8_8320;
/** Four tables, so that four bytes are worked into the sum at once. */
const TABLES = makeTables();

/** The sum over the bytes from `start` up to `end`, continued from the sum over what came before. */
export function crc32Of(bytes: Uint8Array, start: number, end: number, before: number): number {
  let crc = ~before;
  let at = start;
  for (const whole = end - 3; at < whole; at += 4) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (TABLES[768 | (crc & 0xff)] as number) ^
      (TABLES[512 | ((crc >>> 8) & 0xff)] as number) ^
      (TABLES[256 | ((crc >>> 16) & 0xff)] as number) ^
      (TABLES[crc >>> 24] as number);
  }
  for (; at < end; at++) {
    crc = (TABLES[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(1024);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
    tables[byte] = crc;
  }
  for (let at = 256; at < 1024; at++) {
    const before = tables[at - 256] as number;
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}
