/** `vivarium ensemble` and `vivarium status`, as an operator calls them. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { LocalEnsemble, serverProgram } from '../../cluster/launch.ts';
import { nodeTools } from '../../src/cli/commands/check.ts';
import { checkFiles } from '../../src/server/checks/check-files.ts';
import { type ProgramResult, runProgram } from '../interop/support.ts';

let directory: string;
let ensemble: LocalEnsemble;

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vivarium-ensemble-'));
  ensemble = await LocalEnsemble.prepare({ directory, servers: 3, clientPort: 'free' });
});
after(async () => {
  await ensemble.stop();
  await rm(directory, { recursive: true, force: true });
});

function vivarium(...args: string[]): Promise<ProgramResult> {
  return runProgram([...serverProgram().slice(0, -1), ...args]);
}

interface ServerLine {
  readonly id: number;
  readonly role: string;
  readonly zxid: string;
  readonly connections: number;
  readonly pid?: number;
}

async function statuses(): Promise<ServerLine[]> {
  return JSON.parse((await vivarium('ensemble', 'status', '--dir', directory, '--json')).stdout);
}

test('ensemble start --detach, kill, restart, add-observer, stop', async () => {
  const started = await vivarium('ensemble', 'start', '--dir', directory, '--detach');
  assert.equal(started.exitCode, 0, started.stderr);
  assert.match(
    started.stdout,
    /^server [123] leads\n\nid {2}role +port +zxid +lag +connections +pid$/m,
  );
  const first = await statuses();
  assert.deepEqual(first.map(({ role }) => role).sort(), ['follower', 'follower', 'leader']);
  for (const { zxid, connections } of first) {
    assert.match(zxid, /^0x[0-9a-f]+$/);
    assert.equal(typeof connections, 'number');
  }
  const follower = String(first.find(({ role }) => role === 'follower')?.id);
  const killed = await vivarium('ensemble', 'kill', follower, '--dir', directory);
  assert.match(killed.stdout, new RegExp(`^killed server ${follower} \\(pid \\d+\\)\\n$`));
  const down = (await statuses()).find(({ role }) => role === 'down');
  assert.equal(String(down?.id), follower);
  assert.equal(down?.pid, undefined);
  const restarted = await vivarium('ensemble', 'restart', follower, '--dir', directory);
  assert.equal(restarted.stdout, `started server ${follower}\n`);
  // It is back when the command says so.
  const back = (await statuses()).find(({ id }) => String(id) === follower);
  assert.equal(back?.role, 'follower');

  const added = await vivarium('ensemble', 'add-observer', '--dir', directory);
  assert.equal(added.exitCode, 0, added.stderr);
  assert.match(added.stdout, /^server 4 is an observer; clients reach all servers at 127/m);
  const four = await statuses();
  assert.deepEqual(four.map(({ role }) => role).sort(), [
    'follower',
    'follower',
    'leader',
    'observer',
  ]);
  const log = await readFile(path.join(directory, 'server.4', 'server.log'), 'utf8');
  assert.match(log, /serving/);
});

test('vivarium check finds nothing wrong with a running ensemble', async () => {
  const files = ensemble.layout.servers.map(({ id }) => `${directory}/server.${id}/zoo.cfg`);
  assert.equal(files.length, 4);
  const found = (await checkFiles(files, nodeTools())).filter(
    ({ topic }) => topic !== 'disk' && topic !== 'limits',
  );
  assert.deepEqual(new Set(found.map(({ severity }) => severity)), new Set(['note']));
  assert.match(found[0]?.what ?? '', /server 1 is running/);
});

test('vivarium check reaches the others of a running ensemble, and their clocks', async () => {
  const tools = nodeTools();
  const answers: string[] = [];
  const ask: typeof tools.ask = async (...question) => {
    const answer = await tools.ask(...question);
    answers.push(answer ?? 'none');
    return answer;
  };
  const found = await checkFiles([`${directory}/server.1/zoo.cfg`], { ...tools, ask });
  const topics = found
    .map(({ topic }) => topic)
    .filter((topic) => topic === 'peers' || topic === 'clock');
  assert.deepEqual(topics, []);
  assert.equal(answers.length, 3);
  for (const answer of answers) assert.match(answer, /^zk_wall_time_ms\t\d{13}$/m);
});

test('vivarium status names each server, and fails without a quorum', async () => {
  const { connectString } = ensemble;
  const up = await vivarium('status', connectString);
  assert.equal(up.exitCode, 0);
  assert.match(up.stdout, /^server +role +zxid +epoch +connections +lag$/m);
  assert.match(up.stdout, /^127\.0\.0\.1:\d+ +leader +0x[0-9a-f]+ +\d+ +\d+ +0$/m);
  await vivarium('ensemble', 'stop', '--dir', directory);
  const down = await vivarium('status', connectString, '--json');
  assert.equal(down.exitCode, 1);
  const { quorum, servers } = JSON.parse(down.stdout);
  assert.equal(quorum, false);
  assert.deepEqual(
    servers.map(({ role }: { role: string }) => role),
    ['down', 'down', 'down', 'down'],
  );
});

test('ensemble restart says of one server that it waits, and of one that cannot start why', async () => {
  const alone = await vivarium('ensemble', 'restart', '1', '--dir', directory);
  assert.equal(alone.stdout, 'started server 1, which waits for a majority\n');
  await vivarium('ensemble', 'stop', '1', '--dir', directory);
  const file = path.join(directory, 'server.1', 'zoo.cfg');
  const config = await readFile(file, 'utf8');
  await writeFile(file, `${config}tickTime=never\n`);
  const failed = await vivarium('ensemble', 'restart', '1', '--dir', directory);
  await writeFile(file, config);
  assert.equal(failed.exitCode, 1);
  assert.match(failed.stderr, /^vivarium: server 1 ended during the start;/);
  assert.match(failed.stderr, /tickTime=never; expected a whole number/);
});

test('ensemble start --observers adds observers to an ensemble at rest', async () => {
  const { stdout } = await vivarium('ensemble', 'stop', '--dir', directory);
  assert.equal(stdout, 'no server runs\n');
  await LocalEnsemble.prepare({ directory, observers: 2 });
  assert.equal(ensemble.layout.servers.length, 5);
  await assert.rejects(LocalEnsemble.prepare({ directory, observers: 1 }), { code: 'LAYOUT' });
});

test('ensemble configure writes what each of several machines needs', async () => {
  const target = path.join(directory, 'machines');
  const args = ['--hosts', 'zk1,zk2,zk3', '--dir', target];
  const { exitCode, stdout } = await vivarium('ensemble', 'configure', ...args);
  assert.equal(exitCode, 0);
  assert.match(
    stdout,
    /zk2: copy zoo\.cfg to \/etc\/vivarium and myid to \/var\/lib\/vivarium on zk2/,
  );
  assert.equal(await readFile(path.join(target, 'zk2', 'myid'), 'utf8'), '2\n');
  const files = ['zk1', 'zk2', 'zk3'].map((host) => path.join(target, host, 'zoo.cfg'));
  const checked = await vivarium('check', ...files);
  assert.equal(checked.exitCode, 0, checked.stdout);
});

test('ensemble start says that it cannot use a directory', async () => {
  const { exitCode, stderr } = await vivarium('ensemble', 'start', '--dir', '/dev/null/x');
  assert.equal(exitCode, 1);
  assert.match(stderr, /^vivarium: ENOTDIR: .*: give a --dir in which this user may write\n$/);
});

for (const args of [['kill'], ['configure'], ['configure', '--hosts', 'a,a'], ['begin']]) {
  test(`ensemble ${args.join(' ')} is refused as wrong use`, async () => {
    const { exitCode, stderr } = await vivarium('ensemble', ...args, '--dir', directory);
    assert.equal(exitCode, 2);
    assert.match(stderr, /^vivarium: /);
  });
}
