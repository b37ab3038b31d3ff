/** A lock and an election of Curator while servers are killed: never two holders, and soon one again. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LocalEnsemble } from '../../cluster/launch.ts';
import { compileJava, JAVA_SKIP, type JavaPrograms } from './java-program.ts';
import { LineProgram } from './line-program.ts';
import { leaderOf, waitUntil } from './processes.ts';

const SERVING_MS = 20_000;
const KILLS = 4;
/** The lock must have changed hands so often before it counts as in use again. */
const ROUNDS_BETWEEN = 20;

interface Report {
  readonly rounds: number;
  readonly violations: number;
  readonly lost: number;
  /** Of the server that the holder of the latch is connected to; 0 while it is connected to none, or there is no holder. */
  readonly ledFromPort: number;
  readonly elections: number;
  readonly longestPauseMs: number;
}

describe('InterProcessMutex and LeaderLatch', { skip: JAVA_SKIP }, () => {
  let directory: string;
  let ensemble: LocalEnsemble;
  let programs: JavaPrograms;
  let clients: LineProgram | undefined;

  before(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'vivarium-curator-'));
    programs = await compileJava();
    ensemble = await LocalEnsemble.prepare({ directory, clientPort: 'free' });
    await ensemble.start();
    await ensemble.waitUntilServing(SERVING_MS);
  });

  after(async () => {
    clients?.kill();
    await ensemble.stop();
    await programs.remove();
    await rm(directory, { recursive: true, force: true });
  });

  test('have one holder at a time, and recover, while servers are killed', async () => {
    const command = programs.command('CuratorFailover', [ensemble.connectString]);
    const running = await new LineProgram(command).ready();
    clients = running;
    const reports = (): Promise<Report> => running.ask('report');
    const inUse = async (since: number): Promise<void> => {
      await waitUntil(async () => {
        const { rounds, ledFromPort } = await reports();
        return ledFromPort !== 0 && rounds >= since + ROUNDS_BETWEEN;
      }, SERVING_MS);
    };
    await inUse(0);
    for (let kill = 0; kill < KILLS; kill++) {
      // The leader, and in turn the server whose end the holder of the latch notices.
      const { ledFromPort, rounds } = await reports();
      const servers = ensemble.layout.servers;
      const serving = servers.find(({ clientPort }) => clientPort === ledFromPort)?.id;
      const leader = await leaderOf(ensemble, SERVING_MS);
      const victim = kill % 2 === 0 ? leader : (serving ?? leader);
      await ensemble.kill(victim);
      await inUse(rounds);
      await ensemble.restart(victim);
      await ensemble.waitUntilServing(SERVING_MS);
    }
    const { violations, rounds, lost, elections, longestPauseMs } = await reports();
    process.stdout.write(
      `# servers killed ${KILLS} times: lock held ${rounds} times, ${lost} operations lost, ` +
        `${elections} elections of the latch; longest pause ${longestPauseMs} ms\n`,
    );
    assert.equal(violations, 0);
    assert.ok(elections > 1, 'the holder of the latch never lost its server');
    await running.close();
  });
});
