/** No session expires while its client is heard of. */

import type { History } from '../history.ts';

/**
 * `blindMs`: how long a server may go on serving a client without the leader hearing of it, because
 * it has not yet noticed that it lost its leader.
 */
export function checkExpiry(history: History, blindMs: number, violations: string[]): void {
  for (const { client, state, timeoutMs, aliveMs, expiredMs } of history.sessions) {
    if (state !== 'expired') continue;
    const silentMs = expiredMs - aliveMs;
    if (silentMs >= timeoutMs - blindMs) continue;
    violations.push(
      `a session of client ${client} with a timeout of ${timeoutMs} ms expired ${Math.round(silentMs)} ms after it was heard of`,
    );
  }
}
