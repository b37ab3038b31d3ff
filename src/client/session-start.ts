/** Waiting for a session's first connection. */

import type { Timers } from '../runtime/runtime.ts';
import { KeeperError } from './keeper-error.ts';
import type { Session } from './session.ts';
import { closeCall } from './write-calls.ts';

/**
 * Starts the session and resolves when it is connected. Rejects with a `KeeperError`, and ends the
 * session, when it is not within `timeoutMs` milliseconds or never will be.
 */
export function startSession(session: Session, timers: Timers, timeoutMs: number): Promise<void> {
  session.start();
  if (session.isConnected) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      timers.clear(timer);
      session.events.remove('state', onState);
      if (session.isConnected) resolve();
      else reject(startError(session, timeoutMs));
    };
    const onState = (): void => {
      if (session.isConnected || session.isOver) settle();
    };
    const timer = timers.set(timeoutMs, () => {
      settle();
      session.close(closeCall(), false);
    });
    session.events.add('state', onState);
    if (session.isOver) settle();
  });
}

function startError({ state, lastError }: Session, timeoutMs: number): KeeperError {
  if (state === 'expired') return new KeeperError('SESSION_EXPIRED', 'connect');
  if (state === 'authFailed') return new KeeperError('AUTH_FAILED', 'connect');
  if (state === 'closed') return new KeeperError('CLOSING', 'connect');
  const last = lastError === undefined ? 'no server answered' : lastError.message;
  const reason = `no session within ${timeoutMs} ms: ${last}`;
  return new KeeperError('CONNECTION_LOSS', 'connect', { reason, cause: lastError });
}
