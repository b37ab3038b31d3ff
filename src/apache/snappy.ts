/**
 * Decompression of the stream that the original's `.snappy` snapshots are: a header of 16 bytes, then
 * blocks, each its length as four bytes (big-endian) and a block in Snappy's raw format. A block
 * begins with its plain length as a varint; then follow elements, each a literal or a copy of
 * something at most 64 KiB back in the same block.
 */

import type { ByteSource } from './byte-source.ts';

const MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
const HEADER_BYTES = 16;
/** The writer's blocks are 32 KiB; its library allows 512 MiB, which nobody sets. */
const PLAIN_BYTES_MAX = 64 * 1024 * 1024;

/** The plain bytes, a block at a time. Throws an `ApacheDataError` where the stream is damaged. */
export async function* unsnappy(source: ByteSource): AsyncGenerator<Uint8Array> {
  if (!(await source.require(HEADER_BYTES))) throw source.damaged('it ends within its header');
  for (let at = 0; at < MAGIC.length; at++) {
    if (source.window[at] !== MAGIC[at]) throw source.damaged('it is not a Snappy stream');
  }
  source.consume(HEADER_BYTES);
  while (await source.require(1)) {
    const length = await source.decode((reader) => reader.readInt());
    if (length === undefined) throw source.damaged('it ends within a block');
    if (length <= 0 || length > PLAIN_BYTES_MAX) throw source.damaged('not the length of a block');
    if (!(await source.require(length))) throw source.damaged('it ends within a block');
    const plain = decompressBlock(source.window.subarray(0, length));
    if (plain === undefined) throw source.damaged('the block cannot be decompressed');
    source.consume(length);
    yield plain;
  }
}

/** One raw block; undefined when it is damaged. */
export function decompressBlock(block: Uint8Array): Uint8Array | undefined {
  let at = 0;
  let plainLength = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = block[at++];
    if (byte === undefined || shift > 28) return undefined;
    plainLength += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (plainLength > PLAIN_BYTES_MAX) return undefined;
  const plain = new Uint8Array(plainLength);
  let end = 0;
  while (at < block.length) {
    const tag = block[at++] ?? 0;
    const kind = tag & 3;
    if (kind === 0) {
      const extra = Math.max(0, (tag >> 2) - 59);
      const length = extra === 0 ? (tag >> 2) + 1 : littleEndian(block, at, extra) + 1;
      at += extra;
      if (at + length > block.length || end + length > plainLength) return undefined;
      plain.set(block.subarray(at, at + length), end);
      at += length;
      end += length;
      continue;
    }
    const offsetBytes = kind === 1 ? 1 : kind === 2 ? 2 : 4;
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const high = kind === 1 ? (tag >> 5) << 8 : 0;
    const offset = high + littleEndian(block, at, offsetBytes);
    at += offsetBytes;
    if (at > block.length || offset === 0 || offset > end || end + length > plainLength) {
      return undefined;
    }
    copyWithin(plain, end - offset, end, length);
    end += length;
  }
  return end === plainLength ? plain : undefined;
}

/** A copy may reach into what it writes itself: then a pattern repeats. */
function copyWithin(bytes: Uint8Array, from: number, to: number, length: number): void {
  if (to - from >= length) {
    bytes.copyWithin(to, from, from + length);
    return;
  }
  for (let i = 0; i < length; i++) bytes[to + i] = bytes[from + i] ?? 0;
}

/** Bytes that are not there count as zeros: the caller notices by its position. */
function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value += (bytes[at + i] ?? 0) * 2 ** (8 * i);
  return value;
}
