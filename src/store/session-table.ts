/**
 * Which sessions exist, with their timeouts: replicated state, changed by transactions only. Who is
 * alive is another question, answered by the leader's session tracker.
 */

import type { SessionId } from '../base/ids.ts';

export class SessionTable {
  readonly #timeouts = new Map<SessionId, number>();

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

  set(sessionId: SessionId, timeoutMs: number): void {
    this.#timeouts.set(sessionId, timeoutMs);
  }

  delete(sessionId: SessionId): boolean {
    return this.#timeouts.delete(sessionId);
  }
}
