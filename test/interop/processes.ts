/** Helpers for tests against real processes: conditions to wait for, and the simplest client there is. */

import { strict as assert } from 'node:assert';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalEnsemble } from '../../cluster/launch.ts';

const POLL_MS = 20;
const ANSWER_MS = 5000;

/** Polls until the condition holds; fails when it does not within the time. */
export async function waitUntil(
  condition: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    assert(performance.now() < deadline, `condition did not hold within ${timeoutMs} ms`);
    await sleep(POLL_MS);
  }
}

/** What a server on this machine answers to a four-letter word; empty when it cannot be reached. */
export async function fourLetterWord(port: number, word: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  // A server that changes its role may reset the connection; close follows every error.
  socket.on('error', () => socket.destroy());
  // A starting server of the original may take a connection and never answer on it.
  socket.setTimeout(ANSWER_MS, () => socket.destroy());
  socket.end(word);
  await closed;
  return text;
}

/** The id of the server that leads, as soon as one does. */
export async function leaderOf(ensemble: LocalEnsemble, timeoutMs: number): Promise<number> {
  let leader: number | undefined;
  await waitUntil(async () => {
    leader = (await ensemble.status()).find(({ role }) => role === 'leader')?.id;
    return leader !== undefined;
  }, timeoutMs);
  return leader ?? 0;
}
