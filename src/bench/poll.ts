/** Waiting for what has no event of its own. */

import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 2;

/** Resolves to true once the condition holds, to false when it does not within `timeoutMs`. */
export async function poll(
  holds: () => boolean,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > deadlineMs) return false;
    await sleep(POLL_MS);
  }
  return true;
}
