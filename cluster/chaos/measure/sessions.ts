/** Many sessions with a short timeout while leaders come and go: none may expire. */

import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../../../src/client/index.ts';
import { OURS } from '../chaos-servers.ts';
import { deploy, type LinkChoice } from '../deploy.ts';
import { print } from './summary.ts';

export interface SessionOptions {
  readonly sessions: number;
  readonly timeoutMs: number;
  readonly leaderChanges: number;
  readonly minutes: number;
  readonly links: LinkChoice;
}

const CONNECT_MS = 60_000;
/** Between a whole ensemble and the next change: clients find their new servers. */
const CALM_MS = 1000;

/** False: a session expired. */
export async function measureSessions(options: SessionOptions): Promise<boolean> {
  const { servers, close } = await deploy(OURS, 3, options.links);
  const clients: Client[] = [];
  const deadline = performance.now() + options.minutes * 60_000;
  let expired = 0;
  let changes = 0;
  let began = 0;
  try {
    for (let index = 0; index < options.sessions; index++) {
      const client = new Client({
        hosts: servers.connectString,
        sessionTimeoutMs: options.timeoutMs,
        connectTimeoutMs: CONNECT_MS,
      });
      client.on('expired', () => expired++);
      clients.push(client);
    }
    await Promise.all(clients.map((client) => client.connect()));
    for (const client of clients) if (client.sessionTimeoutMs === options.timeoutMs) began++;
    while (changes < options.leaderChanges && performance.now() < deadline) {
      const leader = await servers.untilLeader();
      await servers.kill(leader);
      await servers.untilLeader(leader);
      changes++;
      await servers.start(leader);
      await servers.untilWhole();
      await sleep(CALM_MS);
      if (changes % 10 === 0) print(`${changes} changes of leader, ${expired} sessions expired`);
    }
    // Whoever has expired and does not know it yet learns it now.
    await sleep(options.timeoutMs);
  } finally {
    const alive = clients.filter((client) => client.isConnected).length;
    print(
      `${began} sessions of ${options.timeoutMs} ms, ${changes} changes of leader: ${expired} expired, ${alive} connected at the end`,
    );
    await Promise.all(clients.map((client) => client.close()));
    await close();
  }
  return expired === 0;
}
