/** `bin/zkServer.sh`: the words and exit codes around which scripts are written. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { askFourLetter } from '../../src/cli/four-letter-client.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { runProgram } from '../interop/support.ts';
import { binDirectory, ownScript, ZkServerKit } from '../support/zk-server.ts';

let kit: ZkServerKit;

before(async () => {
  kit = await ZkServerKit.create(ownScript);
});
after(() => kit.end());

const FOUND = 'Client port found: PORT. Client address: 127.0.0.1. Client SSL: false.\n';

test('zkServer.sh starts, tells the mode, and stops, in the words of the original', async () => {
  const down = `${FOUND}Error contacting service. It is probably not running.\nexit 1`;
  assert.equal(await kit.words(['status']), down);
  assert.equal(await kit.words(['start']), 'Starting zookeeper ... STARTED\nexit 0');
  const again = 'Starting zookeeper ... already running as process PID.\nexit 1';
  assert.equal(await kit.words(['start']), again);
  assert.match(await readFile(kit.pidFile, 'utf8'), /^\d+$/);
  await kit.serving();
  assert.equal(await kit.words(['status']), `${FOUND}Mode: standalone\nexit 0`);
  assert.equal(await kit.words(['stop']), 'Stopping zookeeper ... STOPPED\nexit 0');
  assert.equal(
    await kit.words(['stop']),
    'Stopping zookeeper ... no zookeeper to stop (could not find file DIR/data/zookeeper_server.pid)\nexit 0',
  );
});

test('zkServer.sh restart stops the old process before it starts a new one', async () => {
  await kit.run(['start']);
  const before = await readFile(kit.pidFile, 'utf8');
  assert.equal(
    await kit.words(['restart']),
    'Stopping zookeeper ... STOPPED\nStarting zookeeper ... STARTED\nexit 0',
  );
  assert.notEqual(await readFile(kit.pidFile, 'utf8'), before);
  await kit.run(['stop']);
});

test('zkServer.sh start tells of a server that ends at once, and says why', async () => {
  await kit.configure([`clientPort=${kit.port}`, 'tickTime=abc']);
  const { exitCode, stdout, stderr } = await kit.run(['start']);
  await kit.configure([`clientPort=${kit.port}`]);
  assert.equal(stdout, 'Starting zookeeper ... FAILED TO START\n');
  assert.equal(exitCode, 1);
  assert.match(stderr, /zoo\.cfg:4: tickTime=abc; expected a whole number/);
});

test('zkServer.sh start says when it may not write the log, and starts nothing', async () => {
  await kit.configure([`clientPort=${kit.port}`]);
  const { stdout, stderr, exitCode } = await kit.run(['start'], { ZOO_LOG_DIR: '/proc/logs' });
  assert.equal(stdout, 'Starting zookeeper ... FAILED TO START\n');
  assert.match(stderr, /^\/proc\/logs\/\S+ cannot be written: let ZOO_LOG_DIR name/m);
  assert.equal(exitCode, 1);
  assert.equal(existsSync(kit.pidFile), false);
});

test('zkServer.sh takes no stranger for the server of an old pid file', async () => {
  await mkdir(path.dirname(kit.pidFile), { recursive: true });
  const stranger = spawn('sleep', ['60']);
  await once(stranger, 'spawn');
  await writeFile(kit.pidFile, String(stranger.pid));
  assert.equal(await kit.words(['stop']), 'Stopping zookeeper ... STOPPED\nexit 0');
  assert.equal(stranger.exitCode ?? stranger.signalCode, null);
  stranger.kill();
});

test('zkServer.sh takes keys from the flags of a Java machine, and zoo.cfg wins', async () => {
  const flags = '-Xmx1g -Dzookeeper.maxCnxns=7 -Djute.maxbuffer=2000000 -Dzookeeper.tickTime=9';
  await kit.run(['start'], { SERVER_JVMFLAGS: flags });
  await kit.serving();
  const address = { host: '127.0.0.1', port: kit.port };
  const conf = await askFourLetter(createNodeRuntime(), address, 'conf', 5000);
  await kit.run(['stop']);
  assert.match(conf, /^tickTime=2000$/m);
  const { stdout } = await kit.run(['print-cmd'], { SERVER_JVMFLAGS: flags });
  assert.match(stdout, /"--define" "zookeeper\.maxCnxns=7" "--define" "jute\.maxbuffer=2000000"/);
  assert.doesNotMatch(stdout, /Xmx/);
});

test('zkServer.sh finds the client port in the own line', async () => {
  const data = path.join(kit.directory, 'data');
  await mkdir(data, { recursive: true });
  await writeFile(path.join(data, 'myid'), '2\n');
  const lines = [`server.1=a:1:2;1`, `server.2=b:1:2:participant;[::1]:${kit.port}`];
  const config = `dataDir=${data}\n${lines.join('\n')}\n`;
  await writeFile(kit.config, config);
  assert.match(await kit.words(['status']), /^Client port found: PORT\. Client address: ::1\./);
  await writeFile(kit.config, `dataDir=${data}\n`);
  assert.equal(
    await kit.words(['status']),
    'Unable to find either secure or unsecure client port in any configs. Terminating.\nexit 1',
  );
  await rm(path.join(data, 'myid'));
  await kit.configure([`clientPort=${kit.port}`]);
});

test('zkServer.sh refuses to make data directories when it is told so', async () => {
  const environment = { ZOO_DATADIR_AUTOCREATE_DISABLE: '1', ZOOCFG: kit.config };
  await kit.configure([`clientPort=${kit.port}`, 'dataLogDir=/nowhere']);
  const { exitCode, stdout } = await kit.run(['start'], environment);
  await kit.configure([`clientPort=${kit.port}`]);
  assert.equal(exitCode, 1);
  assert.match(stdout, /directory is missing at .* fix the path or run initialize/);
});

test('zkServer.sh version and usage', async () => {
  assert.match(
    (await kit.run(['version'])).stdout,
    /^Apache ZooKeeper, version \d+\.\d+\.\d+-vivarium-\d+\.\d+\.\d+ \d{4}-\d\d-\d\d \d\d:\d\d UTC\n$/,
  );
  const { exitCode, stderr } = await kit.run(['begin']);
  assert.equal(exitCode, 0);
  assert.match(stderr, /\{start\|start-foreground\|stop\|version\|restart\|status\|print-cmd\}/);
});

test('zkServer.sh works through a link, with --config, and with ZOOPIDFILE', async () => {
  const link = path.join(kit.directory, 'zk');
  await symlink(path.join(binDirectory(), 'zkServer.sh'), link);
  const pidFile = path.join(kit.directory, 'run', 'zk.pid');
  const environment = { ZOOPIDFILE: pidFile, ZOO_LOG_DIR: path.join(kit.directory, 'logs') };
  const command = [link, '--config', path.join(kit.directory, 'conf')];
  const started = await runProgram([...command, 'start'], { environment });
  assert.equal(started.stdout, 'Starting zookeeper ... STARTED\n');
  assert.match(started.stderr, new RegExp(`^Using config: ${kit.config}$`, 'm'));
  assert.match(await readFile(pidFile, 'utf8'), /^\d+$/);
  const stopped = await runProgram([...command, 'stop', 'zoo.cfg'], { environment });
  assert.equal(stopped.stdout, 'Stopping zookeeper ... STOPPED\n');
});

test('zkCli.sh hands its arguments over to vivarium cli', async () => {
  const node = path.join(kit.directory, 'node');
  await writeFile(node, '#!/bin/sh\nprintf "%s|" "$@"\nexit 7\n');
  await chmod(node, 0o755);
  const command = [path.join(binDirectory(), 'zkCli.sh'), '-server', 'a:1,b:2/x', 'get', '/a b'];
  const { exitCode, stdout } = await runProgram(command, { environment: { NODE: node } });
  assert.equal(exitCode, 7);
  assert.match(stdout, /\/bin\/vivarium\.js\|cli\|-server\|a:1,b:2\/x\|get\|\/a b\|$/);
});
