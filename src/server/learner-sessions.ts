/**
 * The sessions of a learner's clients, as far as they are its leader's business: which gave a sign of
 * life, and which a client wants to resume.
 */

import type { SessionId } from '../base/ids.ts';
import { type ClientMessage, ClientMessageType } from '../peer/peer-message.ts';

/** undefined: nobody can say. */
export type RevalidationAnswer = (isValid: boolean | undefined) => void;

export class LearnerSessions {
  readonly #sendToLeader: (message: ClientMessage) => void;
  readonly #touched = new Set<SessionId>();
  readonly #asked = new Map<number, RevalidationAnswer>();
  #nextToken = 1;

  constructor(sendToLeader: (message: ClientMessage) => void) {
    this.#sendToLeader = sendToLeader;
  }

  /** The leader hears of it at the next `tick`. */
  touch(sessionId: SessionId): void {
    this.#touched.add(sessionId);
  }

  closed(sessionId: SessionId): void {
    this.#touched.delete(sessionId);
  }

  tick(): void {
    if (this.#touched.size === 0) return;
    this.#sendToLeader({ type: ClientMessageType.touched, sessionIds: [...this.#touched] });
    this.#touched.clear();
  }

  revalidate(sessionId: SessionId, timeoutMs: number, answer: RevalidationAnswer): void {
    const token = this.#nextToken++;
    this.#asked.set(token, answer);
    this.#sendToLeader({ type: ClientMessageType.revalidate, token, sessionId, timeoutMs });
  }

  /** The leader's answer, or one to a question of an earlier role. */
  revalidated(token: number, isValid: boolean): void {
    const answer = this.#asked.get(token);
    this.#asked.delete(token);
    answer?.(isValid);
  }

  /** Forgets everything; returns who still waits for an answer. */
  takeAll(): readonly RevalidationAnswer[] {
    const answers = [...this.#asked.values()];
    this.#asked.clear();
    this.#touched.clear();
    return answers;
  }
}
