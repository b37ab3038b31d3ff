/**
 * Whether a session exists as of the transactions already made but not yet applied: opened ones
 * may write at once, closing ones no more.
 */

import { SESSION_NONE, type SessionId, type Zxid } from '../base/ids.ts';
import type { SessionTable } from './session-table.ts';

interface PendingSession {
  readonly sessionId: SessionId;
  readonly zxid: Zxid;
  readonly isOpen: boolean;
}

export class PendingSessions {
  readonly #applied: SessionTable;
  readonly #pending = new Map<SessionId, PendingSession>();

  constructor(applied: SessionTable) {
    this.#applied = applied;
  }

  /** Session 0 is the leader itself and always open. */
  isOpen(sessionId: SessionId): boolean {
    if (sessionId === SESSION_NONE) return true;
    if (this.#pending.size > 0) {
      const pending = this.#pending.get(sessionId);
      if (pending !== undefined) return pending.isOpen;
    }
    return this.#applied.has(sessionId);
  }

  created(sessionId: SessionId, zxid: Zxid): void {
    this.#note({ sessionId, zxid, isOpen: true });
  }

  closing(sessionId: SessionId, zxid: Zxid): void {
    this.#note({ sessionId, zxid, isOpen: false });
  }

  applied(zxid: Zxid): void {
    if (this.#pending.size === 0) return;
    for (const pending of this.#pending.values()) {
      if (pending.zxid > zxid) return;
      this.#pending.delete(pending.sessionId);
    }
  }

  clear(): void {
    this.#pending.clear();
  }

  /** Moves the session to the end of the map, which is thereby ordered by zxid. */
  #note(pending: PendingSession): void {
    this.#pending.delete(pending.sessionId);
    this.#pending.set(pending.sessionId, pending);
  }
}
