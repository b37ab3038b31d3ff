/** No session expires while its client is heard of. */

import type { History, SessionRecord } from '../history.ts';

/** When each server's process was killed, by host. */
export type Crashes = ReadonlyMap<string, readonly number[]>;

/**
 * `blindMs`: how long a server may go on serving a client without the leader hearing of it, because
 * it has not yet noticed that it lost its leader.
 */
export function checkExpiry(
  history: History,
  blindMs: number,
  crashes: Crashes,
  violations: string[],
): void {
  for (const session of history.sessions) {
    const { client, state, timeoutMs, aliveMs, expiredMs } = session;
    if (state !== 'expired' || mayBeUnknown(session, crashes)) continue;
    const silentMs = expiredMs - aliveMs;
    if (silentMs >= timeoutMs - blindMs) continue;
    violations.push(
      `a session of client ${client} with a timeout of ${timeoutMs} ms expired ${Math.round(silentMs)} ms after it was heard of`,
    );
  }
}

/**
 * A session that only its server knows is unknown to every other, and to its own after a restart. One
 * that was about to become a replicated one when its server lost the leader may be known nowhere.
 */
function mayBeUnknown(session: SessionRecord, crashes: Crashes): boolean {
  const { kind, home, askedMs, expiredMs, expiredBy, askedEphemeral } = session;
  if (kind === 'replicated') return false;
  if (expiredBy !== home || (kind === 'local' && askedEphemeral)) return true;
  return (crashes.get(home) ?? []).some((ms) => ms >= askedMs && ms <= expiredMs);
}
