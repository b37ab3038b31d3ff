/**
 * Which sessions exist, with their timeouts: replicated state, changed by transactions only. Who is
 * alive is another question, answered by the leader's session tracker.
 */

import { crc32 } from 'node:zlib';
import type { SessionId } from '../base/ids.ts';

const ENTRY_BYTES = 16;

export class SessionTable {
  readonly #timeouts = new Map<SessionId, number>();
  /** Sum of one CRC-32 per session, modulo 2^32. */
  #digest = 0;
  readonly #entryBytes = Buffer.alloc(ENTRY_BYTES);
  readonly #entry = new DataView(this.#entryBytes.buffer, this.#entryBytes.byteOffset, ENTRY_BYTES);

  get size(): number {
    return this.#timeouts.size;
  }

  has(sessionId: SessionId): boolean {
    return this.#timeouts.has(sessionId);
  }

  /** Negotiated timeout in ms; undefined for a session that does not exist. */
  timeoutMs(sessionId: SessionId): number | undefined {
    return this.#timeouts.get(sessionId);
  }

  /** `[session id, timeout in ms]` in order of creation. */
  entries(): IterableIterator<[SessionId, number]> {
    return this.#timeouts.entries();
  }

  /** Hex; equal where the same sessions exist with the same timeouts, in whatever order they began. */
  get digestHex(): string {
    return this.#digest.toString(16);
  }

  set(sessionId: SessionId, timeoutMs: number): void {
    const before = this.#timeouts.get(sessionId);
    if (before !== undefined) this.#digest -= this.#hash(sessionId, before);
    this.#timeouts.set(sessionId, timeoutMs);
    this.#digest = (this.#digest + this.#hash(sessionId, timeoutMs)) >>> 0;
  }

  delete(sessionId: SessionId): boolean {
    const timeoutMs = this.#timeouts.get(sessionId);
    if (timeoutMs === undefined) return false;
    this.#digest = (this.#digest - this.#hash(sessionId, timeoutMs)) >>> 0;
    return this.#timeouts.delete(sessionId);
  }

  #hash(sessionId: SessionId, timeoutMs: number): number {
    this.#entry.setBigInt64(0, sessionId);
    this.#entry.setFloat64(8, timeoutMs);
    return crc32(this.#entryBytes);
  }
}
