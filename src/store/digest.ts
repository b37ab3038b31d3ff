/**
 * The digest of a tree: the sum modulo 2^64 of one CRC-32 per node (the original's AdHash, version
 * 2), so that a change costs one node and replicas can compare their trees by one number. Kept as
 * two 32-bit halves, because a bigint per change would cost more than the checksum.
 *
 * Not covered: ACL entries, sessions, and everything below `/zookeeper`.
 */

import { crc32 } from 'node:zlib';
import { crc32Of } from '../base/crc32.ts';
import type { Znode } from './znode.ts';

const TWO_POW_32 = 0x1_0000_0000;
const STAT_BYTES = 60;
/** What is longer the platform sums up in less time. */
const SHORT_PATH_MAX = 128;
const SHORT_DATA_MAX = 256;
const ASCII_MAX = 0x7f;
const NOT_SHORT = -1;

export class TreeDigest {
  #high = 0;
  #low = 0;
  readonly #stat = new DataView(new ArrayBuffer(STAT_BYTES));
  readonly #shortBytes = new Uint8Array(SHORT_PATH_MAX + SHORT_DATA_MAX);
  readonly #short = new DataView(this.#shortBytes.buffer);

  /** The sum, 0 to 2^64 - 1. */
  get value(): bigint {
    return (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }

  /** Lower-case hex digits without padding. */
  get hex(): string {
    if (this.#high === 0) return this.#low.toString(16);
    return this.#high.toString(16) + this.#low.toString(16).padStart(8, '0');
  }

  /** After a node was created or its data changed: path and data count anew. */
  contentChanged(node: Znode, path: string, data: Uint8Array | null): void {
    if (!node.isCounted) return;
    node.prefixCrc = this.#prefixCrc(path === '/' ? '' : path, data);
    this.statChanged(node);
  }

  /** After any of the node's numbers changed. */
  statChanged(node: Znode): void {
    if (!node.isCounted) return;
    const digest = this.#nodeDigest(node);
    this.#add(digest - node.digest);
    node.digest = digest;
  }

  /** A node came whose part was computed from what a checkpoint says of it. */
  restored(digest: number): void {
    this.#add(digest);
  }

  removed(node: Znode): void {
    this.#add(-node.digest);
  }

  #prefixCrc(path: string, data: Uint8Array | null): number {
    const pathLength = this.#putShort(path);
    const dataLength = data === null ? 0 : data.length;
    if (pathLength !== NOT_SHORT && dataLength <= SHORT_DATA_MAX) {
      if (data !== null) this.#shortBytes.set(data, pathLength);
      return crc32Of(this.#short, 0, pathLength + dataLength, 0);
    }
    const pathCrc = pathLength === NOT_SHORT ? crc32(path) : crc32Of(this.#short, 0, pathLength, 0);
    // Of no bytes at all zlib returns 0, not the value it was to continue from.
    return data === null || dataLength === 0 ? pathCrc : crc32(data, pathCrc);
  }

  /** Its length in bytes, which now lie in front; NOT_SHORT when it is long or more than ASCII. */
  #putShort(path: string): number {
    const { length } = path;
    if (length > SHORT_PATH_MAX) return NOT_SHORT;
    const bytes = this.#shortBytes;
    for (let at = 0; at < length; at++) {
      const code = path.charCodeAt(at);
      if (code > ASCII_MAX) return NOT_SHORT;
      bytes[at] = code;
    }
    return length;
  }

  #nodeDigest(node: Znode): number {
    const stat = this.#stat;
    setInt64(stat, 0, node.czxid);
    setInt64(stat, 8, node.mzxid);
    setInt64(stat, 16, node.pzxid);
    setInt64(stat, 24, node.ctimeMs);
    setInt64(stat, 32, node.mtimeMs);
    stat.setInt32(40, node.version);
    stat.setInt32(44, node.creates);
    stat.setInt32(48, node.aversion);
    stat.setBigInt64(52, node.storedOwner);
    return crc32Of(stat, 0, STAT_BYTES, node.prefixCrc);
  }

  /** Adds a difference of two 32-bit numbers. */
  #add(difference: number): void {
    let low = this.#low + difference;
    if (low >= TWO_POW_32) {
      low -= TWO_POW_32;
      this.#high = (this.#high + 1) >>> 0;
    } else if (low < 0) {
      low += TWO_POW_32;
      this.#high = (this.#high - 1) >>> 0;
    }
    this.#low = low;
  }
}

function setInt64(view: DataView, offset: number, value: number): void {
  view.setInt32(offset, Math.floor(value / TWO_POW_32));
  view.setUint32(offset + 4, value >>> 0);
}
