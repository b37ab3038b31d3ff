/** `packaging/`: the entry point of the container run without one, and what the examples promise. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePorts } from '../../cluster/free-ports.ts';
import { serverProgram } from '../../cluster/launch.ts';
import { startProcess, stopProcess } from '../../cluster/server-process.ts';
import { nodeTools } from '../../src/cli/commands/check.ts';
import { askStatus } from '../../src/cli/server-status.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { checkFiles } from '../../src/server/checks/check-files.ts';
import { parseMemberLine } from '../../src/server/member-line.ts';
import { runProgram } from '../interop/support.ts';
import { binDirectory } from '../support/zk-server.ts';

const packaging = path.join(binDirectory(), '..', 'packaging');
const entryPoint = path.join(packaging, 'docker', 'docker-entrypoint.sh');
const root = await mkdtemp(path.join(tmpdir(), 'vivarium-packaging-'));
after(() => rm(root, { recursive: true, force: true }));

interface Container {
  readonly config: string;
  readonly data: string;
  readonly environment: Readonly<Record<string, string>>;
}

async function container(name: string, variables: Record<string, string>): Promise<Container> {
  const at = (part: string) => path.join(root, name, part);
  for (const part of ['conf', 'data', 'datalog', 'logs'])
    await mkdir(at(part), { recursive: true });
  const environment = {
    ZOO_CONF_DIR: at('conf'),
    ZOO_DATA_DIR: at('data'),
    ZOO_DATA_LOG_DIR: at('datalog'),
    ZOO_LOG_DIR: at('logs'),
    ...variables,
  };
  return { config: path.join(at('conf'), 'zoo.cfg'), data: at('data'), environment };
}

async function enter({ environment }: Container): Promise<void> {
  const { exitCode, stdout } = await runProgram([entryPoint, 'echo', 'a b'], { environment });
  assert.equal(stdout, 'a b\n');
  assert.equal(exitCode, 0);
}

test('docker-entrypoint.sh writes what the official image writes without any variable', async () => {
  const one = await container('default', {});
  await enter(one);
  const text = await readFile(one.config, 'utf8');
  assert.deepEqual(text.trimEnd().split('\n'), [
    `dataDir=${one.data}`,
    `dataLogDir=${one.environment['ZOO_DATA_LOG_DIR']}`,
    'tickTime=2000',
    'initLimit=5',
    'syncLimit=2',
    'autopurge.snapRetainCount=3',
    'maxClientCnxns=60',
    'standaloneEnabled=true',
    'admin.enableServer=true',
    'server.1=localhost:2888:3888;2181',
  ]);
  assert.equal(await readFile(path.join(one.data, 'myid'), 'utf8'), '1\n');
});

test('docker-entrypoint.sh takes the variables of the official image', async () => {
  const one = await container('variables', {
    ZOO_MY_ID: '3',
    ZOO_SERVERS: 'server.1=a:2888:3888;2181 server.2=b:2888:3888;2181 server.3=c:2888:3888;2181',
    ZOO_TICK_TIME: '1500',
    ZOO_INIT_LIMIT: '8',
    ZOO_SYNC_LIMIT: '4',
    ZOO_MAX_CLIENT_CNXNS: '7',
    ZOO_STANDALONE_ENABLED: 'false',
    ZOO_AUTOPURGE_PURGEINTERVAL: '6',
    ZOO_AUTOPURGE_SNAPRETAINCOUNT: '5',
    ZOO_4LW_COMMANDS_WHITELIST: 'srvr,ruok',
    ZOO_CFG_EXTRA: 'maxCnxns=9 jute.maxbuffer=2000000',
  });
  await enter(one);
  const { stdout } = await runProgram([...vivarium(), 'check', '--json', one.config]);
  const findings: { severity: string; topic: string }[] = JSON.parse(stdout).findings;
  assert.deepEqual(
    findings.filter(({ severity, topic }) => severity === 'error' && topic !== 'ports'),
    [],
  );
  const text = await readFile(one.config, 'utf8');
  for (const line of ['tickTime=1500', 'initLimit=8', 'syncLimit=4', 'maxClientCnxns=7']) {
    assert.match(text, new RegExp(`^${line}$`, 'm'));
  }
  for (const line of ['autopurge.purgeInterval=6', 'maxCnxns=9', 'jute.maxbuffer=2000000']) {
    assert.match(text, new RegExp(`^${line}$`, 'm'));
  }
  assert.match(text, /^4lw\.commands\.whitelist=srvr,ruok$/m);
  assert.match(text, /^server\.3=c:2888:3888;2181$/m);
  assert.equal(await readFile(path.join(one.data, 'myid'), 'utf8'), '3\n');
});

test('docker-entrypoint.sh leaves a configuration and a myid that are there', async () => {
  const one = await container('mounted', { ZOO_MY_ID: '2', ZOO_TICK_TIME: '1' });
  await writeFile(one.config, '# mine\n');
  await writeFile(path.join(one.data, 'myid'), '9\n');
  await enter(one);
  assert.equal(await readFile(one.config, 'utf8'), '# mine\n');
  assert.equal(await readFile(path.join(one.data, 'myid'), 'utf8'), '9\n');
});

test('three entry points make an ensemble in which nothing is wrong, and which serves', async () => {
  const runtime = createNodeRuntime();
  const ports = await findFreePorts(runtime.network, 9);
  const servers = [0, 1, 2].map((i) => {
    const [quorum, election, client] = ports.slice(3 * i);
    return `server.${i + 1}=127.0.0.1:${quorum}:${election};127.0.0.1:${client}`;
  });
  const containers = await Promise.all(
    ['1', '2', '3'].map((id) =>
      container(`zoo${id}`, { ZOO_MY_ID: id, ZOO_SERVERS: servers.join(' ') }),
    ),
  );
  for (const one of containers) await enter(one);
  const findings = await checkFiles(
    containers.map(({ config }) => config),
    nodeTools(),
  );
  assert.deepEqual(
    findings.filter(({ severity }) => severity === 'error'),
    [],
  );
  const started = await Promise.all(
    containers.map(({ config, environment }) => {
      const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      const command = ['env', ...variables, entryPoint, ...vivarium(), 'server', config];
      return startProcess(command, `${config}.log`);
    }),
  );
  try {
    const addresses = [2, 5, 8].map((i) => ({ host: '127.0.0.1', port: ports[i] ?? 0 }));
    const deadline = performance.now() + 60_000;
    for (;;) {
      const statuses = await askStatus(runtime, addresses, 1000);
      const roles = statuses.map(({ role }) => role).sort();
      if (roles.join() === 'follower,follower,leader') break;
      assert.ok(performance.now() < deadline, `roles ${roles}`);
      await sleep(50);
    }
  } finally {
    await Promise.all(started.map((one) => stopProcess(one.process, 10_000)));
  }
});

function vivarium(): string[] {
  return serverProgram().slice(0, -1);
}

test('docker-compose.yml names three servers that are there', async () => {
  const text = await readFile(path.join(packaging, 'docker', 'docker-compose.yml'), 'utf8');
  const lines = [...text.matchAll(/^ {2}server\.(\d)=(\S+)$/gm)];
  assert.equal(lines.length, 3);
  for (const [where, id, value = ''] of lines) {
    const member = parseMemberLine({ key: `server.${id}`, value, where, line: undefined });
    assert.match(text, new RegExp(`^ {2}${member.host}:\\n(.*\\n)*? {4}.*ZOO_MY_ID: "${id}"`, 'm'));
  }
});

test('vivarium.service restarts what may pass, and not what a person must see', async () => {
  const text = await readFile(path.join(packaging, 'systemd', 'vivarium.service'), 'utf8');
  assert.match(text, /^RestartPreventExitStatus=2 3 4 5$/m);
  assert.match(text, /^LimitNOFILE=65536$/m);
  assert.match(text, /^ExecStart=\/usr\/bin\/env vivarium server \/etc\/vivarium\/zoo\.cfg$/m);
});
