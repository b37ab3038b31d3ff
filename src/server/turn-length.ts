/**
 * How often a server looks at its clock when all is quiet, and by when it ought to have: whoever counts
 * on the former, as the deadlines of sessions do, must know the latter.
 */

import { TURN_MAX_MS } from '../session/session-clock.ts';

/**
 * In quiet times, half a heartbeat within these, since waking up is most of what an idle server costs;
 * but never more than a whole one, for pings leave at a tick.
 */
const TICK_MIN_MS = 50;
const TICK_MAX_MS = 100;
/** Without peers nothing is in such a hurry: an eighth of `tickTime`, to which deadlines are rounded. */
const TICK_ALONE_MAX_MS = 250;
/** A tick that is later than that is no ordinary one. */
const LATE_MS = 100;

/** What the lengths depend on; milliseconds. */
export interface TurnTimings {
  readonly isStandalone: boolean;
  readonly tickTimeMs: number;
  readonly peerHeartbeatMs: number;
}

/** Between two looks at the clock while no election is on; milliseconds. */
export function quietTickMs({ isStandalone, tickTimeMs, peerHeartbeatMs }: TurnTimings): number {
  const fewestMs = Math.min(TICK_MIN_MS, peerHeartbeatMs);
  const tickMs = Math.min(TICK_MAX_MS, Math.max(fewestMs, Math.ceil(peerHeartbeatMs / 2)));
  if (!isStandalone) return tickMs;
  return Math.max(tickMs, Math.min(TICK_ALONE_MAX_MS, Math.ceil(tickTimeMs / 8)));
}

/** When so much time has passed since the last look, the process stood still; milliseconds. */
export function ordinaryTurnMs(timings: TurnTimings): number {
  return Math.max(TURN_MAX_MS, quietTickMs(timings) + LATE_MS);
}
