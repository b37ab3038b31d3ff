/**
 * A group: consecutive entries that reached the disk as one value.
 *
 *   checksum of the key and the header:4, format:1, count:4, previous zxid:8, last zxid:8,
 *   chain before:4, chain after:4, then each entry as zxid:8 length:4 bytes
 *
 * The chain is a CRC-32 that runs through all entries of the history as they stand here, whatever
 * their grouping. So one pass over the bytes checks both a group's content and its place.
 */

import { crc32 } from 'node:zlib';
import { invariant } from '../base/assert.ts';
import {
  EPOCH_MAX,
  follows,
  makeEpoch,
  makeZxid,
  type Zxid,
  zxidCounter,
  zxidEpoch,
} from '../base/ids.ts';
import { groupKey, parseGroupKey, viewOf } from './keyspace.ts';

/** One transaction of the history; what the bytes mean is not the log's business. */
export interface LogEntry {
  readonly zxid: Zxid;
  readonly bytes: Uint8Array;
}

const FORMAT = 1;
const CRC_BYTES = 4;
const HEADER_BYTES = 33;
const ENTRY_HEADER_BYTES = 12;

/** A larger append becomes several groups: what one read must hold in memory stays bounded. */
export const GROUP_BYTES_MAX = 1024 * 1024;

/** A group as it is put into the store. */
export interface EncodedGroup {
  readonly first: Zxid;
  readonly last: Zxid;
  /** Chain up to and including the last entry. */
  readonly chain: number;
  readonly entryCount: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A group as it was found, all checksums verified. */
export interface DecodedGroup {
  readonly previous: Zxid;
  readonly first: Zxid;
  readonly last: Zxid;
  readonly chainBefore: number;
  readonly chain: number;
  /** Bytes are views of the value. */
  readonly entries: readonly LogEntry[];
}

/** Splits entries into groups and copies their bytes. The entries follow `previous` and each other. */
export function encodeGroups(
  entries: readonly LogEntry[],
  previous: Zxid,
  chain: number,
): EncodedGroup[] {
  const groups: EncodedGroup[] = [];
  let start = 0;
  while (start < entries.length) {
    let bytes = HEADER_BYTES;
    let end = start;
    for (; end < entries.length; end++) {
      const more = ENTRY_HEADER_BYTES + (entries[end]?.bytes.length ?? 0);
      if (end > start && bytes + more > GROUP_BYTES_MAX) break;
      bytes += more;
    }
    const before = groups.at(-1);
    groups.push(
      encodeGroup(
        entries.slice(start, end),
        bytes,
        before?.last ?? previous,
        before?.chain ?? chain,
      ),
    );
    start = end;
  }
  return groups;
}

function encodeGroup(
  entries: readonly LogEntry[],
  bytes: number,
  previous: Zxid,
  chainBefore: number,
): EncodedGroup {
  const value = new Uint8Array(bytes);
  const view = viewOf(value);
  let position = HEADER_BYTES;
  let last = previous;
  for (const entry of entries) {
    invariant(follows(last, entry.zxid), 'append leaves a gap in the log');
    last = entry.zxid;
    putZxid(view, position, last);
    view.setUint32(position + 8, entry.bytes.length);
    value.set(entry.bytes, position + ENTRY_HEADER_BYTES);
    position += ENTRY_HEADER_BYTES + entry.bytes.length;
  }
  const first = entries[0]?.zxid;
  invariant(first !== undefined && position === bytes, 'group of another size than planned');
  const chain = crc32(value.subarray(HEADER_BYTES), chainBefore);
  view.setUint8(4, FORMAT);
  view.setUint32(5, entries.length);
  putZxid(view, 9, previous);
  putZxid(view, 17, last);
  view.setUint32(25, chainBefore);
  view.setUint32(29, chain);
  const key = groupKey(first);
  view.setUint32(0, headerCrc(key, value));
  return { first, last, chain, entryCount: entries.length, key, value };
}

/** The group, or what is wrong with it in words. */
export function decodeGroup(key: Uint8Array, value: Uint8Array): DecodedGroup | string {
  const first = parseGroupKey(key);
  if (first === undefined) return 'its key is not that of a group';
  if (value.length < HEADER_BYTES) return 'it is shorter than its header';
  const view = viewOf(value);
  if (view.getUint32(0) !== headerCrc(key, value)) return "its header's checksum does not match";
  if (view.getUint8(4) !== FORMAT) return 'it was written in a format this version does not know';
  const chainBefore = view.getUint32(25);
  const chain = view.getUint32(29);
  if (crc32(value.subarray(HEADER_BYTES), chainBefore) !== chain) {
    return "its entries' checksum does not match";
  }
  const previous = getZxid(view, 9);
  const last = getZxid(view, 17);
  const entries = decodeEntries(value, view, previous);
  if (entries.length !== view.getUint32(5)) return 'its entries are not as many as it says';
  if (entries[0]?.zxid !== first || entries.at(-1)?.zxid !== last) {
    return 'its entries are not those it says';
  }
  return { previous, first, last, chainBefore, chain, entries };
}

/** Entries up to the first that does not fit; the caller compares their number. */
function decodeEntries(value: Uint8Array, view: DataView, previous: Zxid): LogEntry[] {
  const entries: LogEntry[] = [];
  let position = HEADER_BYTES;
  let before = previous;
  while (value.length - position >= ENTRY_HEADER_BYTES) {
    const zxid = getZxid(view, position);
    const start = position + ENTRY_HEADER_BYTES;
    const end = start + view.getUint32(position + 8);
    if (end > value.length || !follows(before, zxid)) return [];
    entries.push({ zxid, bytes: value.subarray(start, end) });
    before = zxid;
    position = end;
  }
  return position === value.length ? entries : [];
}

function headerCrc(key: Uint8Array, value: Uint8Array): number {
  // The platform offers CRC-32 and not CRC-32C; either finds every burst up to 32 bits.
  return crc32(value.subarray(CRC_BYTES, HEADER_BYTES), crc32(key));
}

function putZxid(view: DataView, at: number, zxid: Zxid): void {
  view.setUint32(at, zxidEpoch(zxid));
  view.setUint32(at + 4, zxidCounter(zxid));
}

/** A zxid whose checksum was verified: one out of bounds is a bug of the writer. */
function getZxid(view: DataView, at: number): Zxid {
  const epoch = view.getUint32(at);
  invariant(epoch <= EPOCH_MAX, 'epoch on disk out of range');
  return makeZxid(makeEpoch(epoch), view.getUint32(at + 4));
}
