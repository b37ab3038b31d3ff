/**
 * Data of a real Apache ZooKeeper in our server, and back: the trees that a client reads must be the
 * same in every field, sessions must live on, and either side must go on writing where the other ended.
 */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePorts } from '../../cluster/free-ports.ts';
import { serverProgram } from '../../cluster/launch.ts';
import {
  isAlive,
  type ServerProcess,
  signalProcess,
  startProcess,
  stopProcess,
  waitForEnd,
} from '../../cluster/server-process.ts';
import { type Acl, OPEN_ACL, Perm } from '../../src/base/acl.ts';
import type { SessionId } from '../../src/base/ids.ts';
import { OpCode } from '../../src/base/op-code.ts';
import type { WriteRequest } from '../../src/base/write-request.ts';
import { askStatus, hasQuorum } from '../../src/cli/server-status.ts';
import { decodeGetAclReply } from '../../src/protocol/records/acl.ts';
import { encodeAuthPacket } from '../../src/protocol/records/auth.ts';
import {
  decodeGetChildrenReply,
  decodeGetDataReply,
} from '../../src/protocol/records/read-reply.ts';
import { encodePathRequest, encodeWatchedRead } from '../../src/protocol/records/read-request.ts';
import { encodeWriteRequest } from '../../src/protocol/records/write-request.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import type { Address } from '../../src/runtime/runtime.ts';
import { sessionPassword } from '../../src/session/session-id.ts';
import { goldenPath } from '../support/expected-tree.ts';
import { create, multi, remove, request, setAcl, setData } from '../support/store-kit.ts';
import { WireClient } from '../support/wire-client.ts';
import { APACHE, runProgram } from './support.ts';

const runtime = createNodeRuntime();
const SUPER_DIGEST = 'super:c9T5yFYCHEoR/xZ3KuYTF5tNWis=';
const SUPER_LOGIN = 'super:golden';
const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 10_000;
const POLL_MS = 50;
const SESSION_TIMEOUT_MS = 30_000;
const EPHEMERAL = 1;
const SEQUENTIAL = 2;
const CONTAINER = 4;
const TTL = 5;
const DIGEST_ACL: readonly Acl[] = [
  { perms: Perm.all, scheme: 'digest', id: 'bob:fyVmFCwVbTJYrznoSu1koqYEYF0=' },
  { perms: Perm.read, scheme: 'world', id: 'anyone' },
];

interface RunningServer {
  readonly address: Address;
  /** File with what it says. */
  readonly output: string;
  readonly process: ServerProcess;
}

/** As a client sees a node. */
type Tree = ReadonlyMap<string, unknown>;

async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'vivarium-apache-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function startServer(
  t: TestContext,
  directory: string,
  command: (port: number) => Promise<readonly string[]>,
): Promise<RunningServer> {
  const [port = 0] = await findFreePorts(runtime.network, 1);
  const output = path.join(directory, `output-${port}.log`);
  const { process } = await startProcess(await command(port), output);
  t.after(() => stopProcess(process, STOP_GRACE_MS));
  const address = { host: '127.0.0.1', port };
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!hasQuorum(await askStatus(runtime, [address], 1000))) {
    if (!isAlive(process) || performance.now() > deadline) {
      throw new Error(`the server did not start: ${await readFile(output, 'utf8')}`);
    }
    await sleep(POLL_MS);
  }
  return { address, process, output };
}

function startApache(t: TestContext, directory: string, dataDir: string): Promise<RunningServer> {
  return startServer(t, directory, async (port) => {
    const config = path.join(directory, `zoo-${port}.cfg`);
    const lines = [
      'tickTime=2000',
      `dataDir=${dataDir}`,
      `clientPort=${port}`,
      'clientPortAddress=127.0.0.1',
      'admin.enableServer=false',
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    return [
      '/usr/bin/java',
      '-Xmx256m',
      '-Dzookeeper.extendedTypesEnabled=true',
      '-Dzookeeper.preAllocSize=64',
      `-Dzookeeper.DigestAuthenticationProvider.superDigest=${SUPER_DIGEST}`,
      '-Dzookeeper.root.logger=WARN,CONSOLE',
      '-cp',
      '/etc/zookeeper/conf:/usr/share/java/zookeeper.jar',
      'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      config,
    ];
  });
}

function startOurs(
  t: TestContext,
  directory: string,
  dataDir: string,
  ...flags: readonly string[]
): Promise<RunningServer> {
  return startServer(t, directory, (port) =>
    Promise.resolve([
      ...serverProgram(),
      `--data-dir=${dataDir}`,
      `--client-port=${port}`,
      '--client-port-address=127.0.0.1',
      `--digest-authentication-provider-super-digest=${SUPER_DIGEST}`,
      ...flags,
    ]),
  );
}

/** The command line without `server`. */
function vivarium(...args: readonly string[]) {
  const program = serverProgram();
  return runProgram([...program.slice(0, program.indexOf('server')), ...args]);
}

async function write(client: WireClient, wanted: WriteRequest): Promise<void> {
  const reply = await client.call(wanted.op, (writer) => encodeWriteRequest(writer, wanted));
  assert.equal(reply.error, 0, `op ${wanted.op} ${wanted.path}`);
}

function flagged(target: string, flags: number): WriteRequest {
  return create(target, { flags, data: new TextEncoder().encode(target) });
}

/** Everything that nodes, sessions and logs can hold. Returns the session that stays open. */
async function fill(address: Address): Promise<WireClient> {
  const client = await WireClient.greet(runtime, address, { timeoutMs: SESSION_TIMEOUT_MS });
  for (const name of ['/app', '/app/deep', '/app/deep/er', '/ünï', '/queue', '/gone', '/acl']) {
    await write(client, create(name, { data: new TextEncoder().encode(name) }));
  }
  await write(client, create('/null'));
  for (let i = 0; i < 20; i++) await write(client, flagged('/queue/item-', SEQUENTIAL));
  for (let i = 0; i < 5; i++) await write(client, remove(`/queue/item-000000000${i}`));
  await write(client, create('/acl/bob', { acl: DIGEST_ACL, data: Uint8Array.of(0, 255) }));
  await write(client, setAcl('/app/deep', [{ perms: 3, scheme: 'ip', id: '127.0.0.1' }]));
  await write(client, setData('/app', 'changed'));
  await write(client, remove('/gone'));
  await write(client, flagged('/app/live', EPHEMERAL));
  await write(client, flagged('/app/seq-', EPHEMERAL | SEQUENTIAL));
  await write(client, request(OpCode.createContainer, { ...flagged('/box', CONTAINER), op: 19 }));
  const lasting = { ...flagged('/lasting', TTL), op: OpCode.createTtl, durationMs: 86_400_000 };
  await write(client, request(OpCode.createTtl, lasting));
  await write(client, multi(create('/m'), setData('/app/deep/er', 'in a multi'), remove('/null')));
  const failing = multi(create('/never'), remove('/nowhere'));
  const reply = await client.call(failing.op, (writer) => encodeWriteRequest(writer, failing));
  assert.ok(reply.error <= 0);
  const other = await WireClient.connect(runtime, address);
  await write(other, flagged('/short-lived', EPHEMERAL));
  await other.call(OpCode.closeSession);
  other.close();
  return client;
}

/** The whole tree as the super user reads it; `/zookeeper/config` is each server's own. */
async function readTree(address: Address): Promise<Tree> {
  const client = await WireClient.connect(runtime, address);
  await client.call(OpCode.auth, (writer) =>
    encodeAuthPacket(writer, { type: 0, scheme: 'digest', auth: Buffer.from(SUPER_LOGIN) }),
  );
  const tree = new Map<string, unknown>();
  const pending = ['/'];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const target = at;
    const children = await client.call(OpCode.getChildren, (writer) =>
      encodeWatchedRead(writer, target, false),
    );
    const names = decodeGetChildrenReply(children.body)?.names ?? [];
    for (const name of names) pending.push(at === '/' ? `/${name}` : `${at}/${name}`);
    if (at === '/zookeeper/config') continue;
    const data = await client.call(OpCode.getData, (writer) =>
      encodeWatchedRead(writer, target, false),
    );
    const acl = await client.call(OpCode.getAcl, (writer) => encodePathRequest(writer, target));
    const content = decodeGetDataReply(data.body);
    tree.set(at, {
      data: content?.data && Buffer.from(content.data).toString('hex'),
      stat: content?.stat,
      acl: decodeGetAclReply(acl.body)?.acl,
    });
  }
  await client.call(OpCode.closeSession);
  client.close();
  return tree;
}

/** Apache goes on when a tree is not the one that a digest speaks of, and only says so. */
async function assertDigestsAgree(apache: RunningServer): Promise<void> {
  assert.doesNotMatch(await readFile(apache.output, 'utf8'), /digests? .*not match/i);
}

async function resume(address: Address, sessionId: SessionId): Promise<WireClient> {
  const password = sessionPassword(sessionId);
  const client = await WireClient.greet(runtime, address, {
    sessionId,
    password,
    timeoutMs: SESSION_TIMEOUT_MS,
  });
  assert.equal(client.greeting?.sessionId, sessionId, 'the session was not resumed');
  return client;
}

test('a killed Apache server, ours on its data, and Apache again on ours', {
  skip: APACHE.skip,
  timeout: 240_000,
}, async (t) => {
  const directory = await temporaryDirectory(t);
  const apacheDir = path.join(directory, 'apache');
  await mkdir(apacheDir);
  const first = await startApache(t, directory, apacheDir);
  const client = await fill(first.address);
  const { sessionId } = client;
  const written = await readTree(first.address);
  assert.ok(written.size > 25);
  const dataDir = path.join(directory, 'ours');
  const early = await vivarium('import', apacheDir, '--data-dir', dataDir);
  assert.equal(early.exitCode, 3);
  assert.match(
    early.stderr,
    /version-2: process \d+ has a file there open.*; stop Apache ZooKeeper/,
  );
  signalProcess(first.process, 'SIGKILL');
  await waitForEnd(first.process, STOP_GRACE_MS);
  client.close();

  const imported = await vivarium('import', apacheDir, '--data-dir', dataDir);
  assert.equal(imported.exitCode, 0, imported.stderr);
  assert.match(imported.stdout, /agrees with the \d+ digests in the files/);
  const ours = await startOurs(t, directory, dataDir);
  assert.deepEqual(await readTree(ours.address), written);
  const resumed = await resume(ours.address, sessionId);
  await write(resumed, flagged('/queue/item-', SEQUENTIAL));
  await write(resumed, setData('/app/live', 'still mine'));
  await write(resumed, create('/from-vivarium', { acl: DIGEST_ACL }));
  const continued = await readTree(ours.address);
  assert.ok(continued.has('/queue/item-0000000020'), 'the sequence did not go on');
  await stopProcess(ours.process, STOP_GRACE_MS);
  resumed.close();

  const backDir = path.join(directory, 'back');
  const exported = await vivarium('export', '--data-dir', dataDir, '--to', backDir);
  assert.equal(exported.exitCode, 0, exported.stderr);
  const second = await startApache(t, directory, backDir);
  assert.deepEqual(await readTree(second.address), continued);
  await assertDigestsAgree(second);
  const again = await resume(second.address, sessionId);
  await write(again, flagged('/queue/item-', SEQUENTIAL));
  again.close();
  const last = await readTree(second.address);
  assert.ok(last.has('/queue/item-0000000021'), 'the sequence did not go on');
  await stopProcess(second.process, STOP_GRACE_MS);

  const finalDir = path.join(directory, 'final');
  const roundTrip = await vivarium('import', backDir, '--data-dir', finalDir);
  assert.equal(roundTrip.exitCode, 0, roundTrip.stderr);
  const finals = await startOurs(t, directory, finalDir);
  assert.deepEqual(await readTree(finals.address), last);
});

test('Apache starts on what a killed server of ours had in its log', {
  skip: APACHE.skip,
  timeout: 120_000,
}, async (t) => {
  const directory = await temporaryDirectory(t);
  const dataDir = path.join(directory, 'ours');
  const ours = await startOurs(t, directory, dataDir);
  const client = await fill(ours.address);
  const written = await readTree(ours.address);
  signalProcess(ours.process, 'SIGKILL');
  client.close();
  while (isAlive(ours.process)) await sleep(POLL_MS);
  const backDir = path.join(directory, 'back');
  const exported = await vivarium('export', '--data-dir', dataDir, '--to', backDir, '--json');
  assert.equal(exported.exitCode, 0, exported.stderr);
  assert.ok(JSON.parse(exported.stdout).txnCount > 40);
  const apache = await startApache(t, directory, backDir);
  assert.deepEqual(await readTree(apache.address), written);
  await assertDigestsAgree(apache);
});

test('server --import takes over the data in its own directory, once', {
  timeout: 120_000,
}, async (t) => {
  const directory = await temporaryDirectory(t);
  const dataDir = path.join(directory, 'data');
  await mkdir(path.join(dataDir, 'version-2'), { recursive: true });
  for (const name of ['snapshot.18c', 'log.16e', 'log.18d']) {
    const bytes = await readFile(path.join(goldenPath('apache-datadir/version-2'), name));
    await writeFile(path.join(dataDir, 'version-2', name), bytes);
  }
  const refused = await vivarium('server', '--data-dir', dataDir, '--client-port', '0');
  assert.equal(refused.exitCode, 3);
  assert.match(refused.stderr, /holds data of Apache ZooKeeper; start with --import/);
  const first = await startOurs(t, directory, dataDir, '--import');
  const client = await WireClient.connect(runtime, first.address);
  await write(client, create('/after-the-import', { acl: OPEN_ACL }));
  client.close();
  const tree = await readTree(first.address);
  assert.ok(tree.size > 100);
  await stopProcess(first.process, STOP_GRACE_MS);
  const second = await startOurs(t, directory, dataDir, '--import');
  assert.ok((await readTree(second.address)).has('/after-the-import'));
});
