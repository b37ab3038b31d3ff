/** A client that is not ours, real processes, kill -9: nothing acknowledged may be missing afterwards. */

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LocalEnsemble } from '../../cluster/launch.ts';
import { logFile } from '../../cluster/layout.ts';
import { LineProgram } from './line-program.ts';
import { fourLetterWord, leaderOf, waitUntil } from './processes.ts';
import { PATIENT } from './support.ts';

const SERVING_MS = 20_000;
const SCRIPT = path.resolve('test/interop/failover_client.py');

interface WriterReport {
  readonly acked: number;
  readonly max_pause_ms: number;
  readonly same_session: boolean;
  readonly ephemeral: boolean;
}

const writers: LineProgram[] = [];

async function writerFor(connectString: string, parent: string): Promise<LineProgram> {
  const writer = new LineProgram(['/usr/bin/python3', SCRIPT, connectString, parent]);
  writers.push(writer);
  return await writer.ready();
}

/** Waits until all servers have applied the same transactions, then wants their digests equal. */
async function assertEqualTrees(ensemble: LocalEnsemble): Promise<void> {
  const { servers } = ensemble.layout;
  let answers: string[] = [];
  await waitUntil(async () => {
    const asked = servers.map(({ clientPort }) => fourLetterWord(clientPort, 'mntr'));
    answers = (await Promise.all(asked)).map(
      (text) => `${/zk_last_zxid\t.*/.exec(text)?.[0]} ${/zk_tree_digest\t.*/.exec(text)?.[0]}`,
    );
    return new Set(answers).size === 1;
  }, SERVING_MS);
  assert.match(answers[0] ?? '', /zk_last_zxid\t0x[0-9a-f]+ zk_tree_digest\t[0-9a-f]+/);
}

/** Every server must have every acknowledged znode. */
async function assertNothingLost(ensemble: LocalEnsemble, writer: LineProgram): Promise<void> {
  for (const { clientPort } of ensemble.layout.servers) {
    const command = `check 127.0.0.1:${clientPort}`;
    const { missing } = await writer.ask<{ missing: number }>(command);
    assert.equal(missing, 0, `server on port ${clientPort} lacks acknowledged znodes`);
  }
}

/** What the leaders' logs say of how a server was brought up to date, oldest first. */
function syncModes(ensemble: LocalEnsemble, sid: number): string[] {
  const lines = ensemble.layout.servers.flatMap(({ id }) =>
    readFileSync(logFile(ensemble.layout, id), 'utf8').split('\n'),
  );
  const synced = lines.filter(
    (line) => line.includes('learnerSynced') && line.includes(`sid=${sid} `),
  );
  return synced.sort().map((line) => /mode=(\w+)/.exec(line)?.[1] ?? '');
}

async function prepare(directory: string): Promise<LocalEnsemble> {
  const options = { directory, clientPort: 'free' as const, settings: PATIENT };
  const ensemble = await LocalEnsemble.prepare(options);
  await ensemble.start();
  await ensemble.waitUntilServing(SERVING_MS);
  return ensemble;
}

describe('three servers under a client that writes without pause', () => {
  let directory: string;
  let ensemble: LocalEnsemble;

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'vivarium-failover-'));
    ensemble = await prepare(path.join(directory, 'ensemble'));
  });

  after(async () => {
    for (const writer of writers) writer.kill();
    await ensemble.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('lose nothing acknowledged while the leader is killed ten times in turn', async () => {
    const writer = await writerFor(ensemble.connectString, '/failover');
    await writer.ask('start');
    for (let round = 0; round < 10; round++) {
      const leader = await leaderOf(ensemble, SERVING_MS);
      await ensemble.kill(leader);
      await leaderOf(ensemble, SERVING_MS);
      await ensemble.restart(leader);
      await ensemble.waitUntilServing(SERVING_MS);
    }
    const report = await writer.ask<WriterReport>('stop');
    await assertNothingLost(ensemble, writer);
    await assertEqualTrees(ensemble);
    await writer.close();
    const { acked, max_pause_ms: pauseMs } = report;
    process.stdout.write(
      `# leader killed 10 times: ${acked} writes acknowledged, none missing; longest pause ${pauseMs} ms\n`,
    );
    assert(acked > 100, `only ${acked} writes were acknowledged`);
    assert(report.same_session, 'the client lost its session');
    assert(report.ephemeral, 'the client lost its ephemeral znode');
  });

  it('have everything acknowledged after all were killed at once', async () => {
    const writer = await writerFor(ensemble.connectString, '/blackout');
    await writer.ask('start');
    await Promise.all([1, 2, 3].map((id) => ensemble.kill(id)));
    await ensemble.start();
    await ensemble.waitUntilServing(SERVING_MS);
    const { acked, same_session: isSameSession } = await writer.ask<WriterReport>('stop');
    await assertNothingLost(ensemble, writer);
    await assertEqualTrees(ensemble);
    await writer.close();
    assert(acked > 0);
    assert(isSameSession, 'the client lost its session');
  });

  it('bring a server that missed 10 writes back by DIFF', async () => {
    const writer = await writerFor(ensemble.connectString, '/few');
    const syncs = syncModes(ensemble, 1).length;
    await ensemble.kill(1);
    await writer.ask('burst 10');
    await ensemble.restart(1);
    await ensemble.waitUntilServing(SERVING_MS);
    assert.equal(syncModes(ensemble, 1)[syncs], 'DIFF');
    await assertNothingLost(ensemble, writer);
    await writer.close();
  });

  it('take the uncommitted tail of a former leader away by TRUNC', async () => {
    const writer = await writerFor(ensemble.connectString, '/tail');
    const leader = await leaderOf(ensemble, SERVING_MS);
    const statuses = await ensemble.status();
    const others = statuses.filter(({ id }) => id !== leader);
    const leaderPort = statuses.find(({ id }) => id === leader)?.port ?? 0;
    const alone = await writerFor(`127.0.0.1:${leaderPort}`, '/alone');
    for (const { pid } of others) process.kill(pid ?? 0, 'SIGSTOP');
    try {
      await alone.ask('hang');
      // The leader has the write on its own disk when it steps down for lack of followers.
      await waitUntil(
        async () => /not currently serving/.test(await fourLetterWord(leaderPort, 'srvr')),
        SERVING_MS,
      );
    } finally {
      // The others end with the write unread in their sockets: woken up, they could still accept it.
      await Promise.all(ensemble.running.map((id) => ensemble.kill(id)));
    }
    for (const { id } of others) await ensemble.restart(id);
    await leaderOf(ensemble, SERVING_MS);
    await writer.ask('burst 10');
    const syncs = syncModes(ensemble, leader).length;
    await ensemble.restart(leader);
    await ensemble.waitUntilServing(SERVING_MS);
    assert.equal(syncModes(ensemble, leader)[syncs], 'TRUNC');
    await assertNothingLost(ensemble, writer);
    await assertEqualTrees(ensemble);
    await Promise.all([writer.close(), alone.close()]);
  });

  it('bring a server that missed 100,000 writes back by SNAP', async () => {
    const writer = await writerFor(ensemble.connectString, '/many');
    const syncs = syncModes(ensemble, 2).length;
    await ensemble.kill(2);
    await writer.ask('burst 100000');
    await ensemble.restart(2);
    await ensemble.waitUntilServing(60_000);
    assert.equal(syncModes(ensemble, 2)[syncs], 'SNAP');
    await assertNothingLost(ensemble, writer);
    await assertEqualTrees(ensemble);
    await writer.close();
  });
});
