/**
 * Session ids and passwords, bit for bit as the original makes them, so that a session can move
 * between its servers and ours and so that tools read the same things from an id.
 *
 * An id is the server's number in the top byte, then 40 bits of milliseconds, then 16 bits from zero;
 * each further session of the server adds one, and a carry simply runs into the time. Only this file
 * calculates with ids: everywhere else they are opaque keys.
 */

import { invariant } from '../base/assert.ts';
import { makeSessionId, SESSION_NONE, type ServerId, type SessionId } from '../base/ids.ts';

/** Bytes of a session's password. */
const PASSWORD_BYTES = 16;

/** Stored as the owner of container nodes and therefore never given to a session. */
const CONTAINER_OWNER = BigInt.asIntN(64, 1n << 63n);

/** Mixed into the id before it seeds the password; a constant of the original's. */
const PASSWORD_SALT = 0xb3415c00n;
const LCG_MULTIPLIER = 0x5deece66dn;
const LCG_INCREMENT = 0xbn;
const LCG_BITS = 48;

/** Gives out the ids of the sessions that begin at one server. */
export class SessionIdGenerator {
  #next: bigint;

  /**
   * `startMs`: milliseconds of any clock that does not repeat itself when the process starts again;
   * 40 bits of it count. A clock that begins at zero with the process will not do: it would give
   * the ids of sessions that are still alive to new clients.
   */
  constructor(serverId: ServerId, startMs: number) {
    invariant(Number.isSafeInteger(Math.floor(startMs)) && startMs >= 0, 'start time out of range');
    const time = BigInt.asUintN(40, BigInt(Math.floor(startMs)));
    const first = BigInt.asIntN(64, (BigInt(serverId) << 56n) | (time << 16n));
    this.#next = first === CONTAINER_OWNER ? first + 1n : first;
  }

  next(): SessionId {
    const sessionId = makeSessionId(this.#next);
    this.#next = BigInt.asIntN(64, this.#next + 1n);
    invariant(sessionId !== SESSION_NONE, 'session ids exhausted');
    return sessionId;
  }

  /** What `next` will return. */
  get upcoming(): SessionId {
    return makeSessionId(this.#next);
  }

  /** Whether the id was given out when `upcoming` was `since`, or later. */
  gaveOut(since: SessionId, sessionId: SessionId): boolean {
    return sessionId >= since && sessionId < this.#next;
  }
}

/**
 * The password that goes with a session id: 16 bytes, owned by the caller. It follows from the id
 * alone and is no secret; it only tells a client that resumes its session from one that mistyped.
 */
export function sessionPassword(sessionId: SessionId): Uint8Array {
  const password = new Uint8Array(PASSWORD_BYTES);
  const view = new DataView(password.buffer);
  let seed = BigInt.asUintN(LCG_BITS, sessionId ^ PASSWORD_SALT ^ LCG_MULTIPLIER);
  for (let at = 0; at < PASSWORD_BYTES; at += 4) {
    seed = BigInt.asUintN(LCG_BITS, seed * LCG_MULTIPLIER + LCG_INCREMENT);
    view.setUint32(at, Number(seed >> 16n), true);
  }
  return password;
}

/** Whether these are the session's 16 bytes. No password fits "no session". */
export function isSessionPassword(sessionId: SessionId, password: Uint8Array | null): boolean {
  if (sessionId === SESSION_NONE) return false;
  if (password === null || password.length !== PASSWORD_BYTES) return false;
  const expected = sessionPassword(sessionId);
  for (let at = 0; at < PASSWORD_BYTES; at++) {
    if (password[at] !== expected[at]) return false;
  }
  return true;
}
