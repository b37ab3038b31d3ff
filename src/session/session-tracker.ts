/**
 * Which sessions are alive, as judged by the one server that may expire them (the leader, or the
 * standalone server). Which sessions exist is replicated state and kept in the store's session
 * table; a session leaves this tracker only when its closing has been applied.
 *
 * Nothing here reads a clock: `nowMs` is monotonic milliseconds.
 */

import type { ServerId, SessionId } from '../base/ids.ts';
import { type ExpiryEntry, ExpiryQueue } from './expiry-queue.ts';

/** What the tracker knows of one session. */
class TrackedSession {
  readonly sessionId: SessionId;
  timeoutMs: number;
  /** The server that holds the session's connection. */
  owner: ServerId;
  /** Its closing was asked for: it can no longer be kept alive. */
  isClosing = false;
  entry: ExpiryEntry<TrackedSession> | undefined = undefined;

  constructor(sessionId: SessionId, timeoutMs: number, owner: ServerId) {
    this.sessionId = sessionId;
    this.timeoutMs = timeoutMs;
    this.owner = owner;
  }
}

export class SessionTracker {
  readonly #sessions = new Map<SessionId, TrackedSession>();
  readonly #queue: ExpiryQueue<TrackedSession>;

  /** `tickMs`: deadlines are rounded up to multiples of it. */
  constructor(tickMs: number) {
    this.#queue = new ExpiryQueue(tickMs);
  }

  /** Sessions tracked, those being closed included. */
  get count(): number {
    return this.#sessions.size;
  }

  /** Starts to track a session; one that is tracked already gets the new timeout and owner. */
  add(sessionId: SessionId, timeoutMs: number, owner: ServerId, nowMs: number): void {
    if (this.#sessions.has(sessionId)) {
      this.renew(sessionId, timeoutMs, owner, nowMs);
      return;
    }
    const session = new TrackedSession(sessionId, timeoutMs, owner);
    session.entry = this.#queue.add(session, nowMs, timeoutMs);
    this.#sessions.set(sessionId, session);
  }

  /** A sign of life: O(1). False for a session that is unknown or being closed. */
  touch(sessionId: SessionId, nowMs: number): boolean {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || session.entry === undefined) return false;
    this.#queue.touch(session.entry, nowMs, session.timeoutMs);
    return true;
  }

  /**
   * A client resumed its session at a server: the timeout it negotiated now holds from here on.
   * False for a session that is unknown or being closed.
   */
  renew(sessionId: SessionId, timeoutMs: number, owner: ServerId, nowMs: number): boolean {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || session.entry === undefined) return false;
    session.timeoutMs = timeoutMs;
    session.owner = owner;
    this.#queue.touch(session.entry, nowMs, timeoutMs);
    return true;
  }

  /** The session's closing was proposed: it stays known but can no longer be touched or expire. */
  markClosing(sessionId: SessionId): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    session.isClosing = true;
    if (session.entry !== undefined) this.#queue.remove(session.entry);
    session.entry = undefined;
  }

  /** The session's closing was applied. */
  remove(sessionId: SessionId): void {
    this.markClosing(sessionId);
    this.#sessions.delete(sessionId);
  }

  /** Forgets everything: this server no longer decides about sessions. */
  clear(): void {
    for (const sessionId of [...this.#sessions.keys()]) this.remove(sessionId);
  }

  /** Sessions that ran out since the last call, each once; they count as closing from now on. */
  expired(nowMs: number): SessionId[] {
    const sessions = this.#queue.expired(nowMs);
    for (const session of sessions) {
      session.isClosing = true;
      session.entry = undefined;
    }
    return sessions.map((session) => session.sessionId);
  }

  /** True while the session is tracked and not being closed. */
  isAlive(sessionId: SessionId): boolean {
    return this.#sessions.get(sessionId)?.isClosing === false;
  }

  /** The server that holds the session's connection; undefined for an unknown session. */
  owner(sessionId: SessionId): ServerId | undefined {
    return this.#sessions.get(sessionId)?.owner;
  }

  /** Negotiated timeout in ms; undefined for an unknown session. */
  timeoutMs(sessionId: SessionId): number | undefined {
    return this.#sessions.get(sessionId)?.timeoutMs;
  }

  /** Living sessions with the milliseconds each has left, for the `dump` command. */
  deadlines(nowMs: number): (readonly [SessionId, number])[] {
    const deadlines: (readonly [SessionId, number])[] = [];
    for (const session of this.#sessions.values()) {
      if (session.entry === undefined) continue;
      deadlines.push([session.sessionId, Math.max(0, session.entry.deadlineMs - nowMs)]);
    }
    return deadlines;
  }
}
