/** Every finding of the doctor: a setup that has it, and the remedy, which takes it away. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findFreePorts } from '../../../../cluster/free-ports.ts';
import { nodeMachine } from '../../../../src/runtime/node/node-machine.ts';
import { createNodeRuntime } from '../../../../src/runtime/node/node-runtime.ts';
import type { Runtime } from '../../../../src/runtime/runtime.ts';
import { checkFiles } from '../../../../src/server/checks/check-files.ts';
import type { CheckTools } from '../../../../src/server/checks/check-tools.ts';
import type { Finding, Severity, Topic } from '../../../../src/server/checks/finding.ts';
import { loadConfig } from '../../../../src/server/load-config.ts';
import { SILENT_LOGGER } from '../../../../src/server/logger.ts';
import { openStorage } from '../../../../src/server/open-storage.ts';
import { createServer } from '../../../../src/server/server.ts';

const runtime = createNodeRuntime();
const root = await mkdtemp(join(tmpdir(), 'vivarium-check-'));
after(() => rm(root, { recursive: true, force: true }));

const PLENTY = { count: 20, max: 65_536 };
const ROOMY = { freeBytes: 2 ** 36, totalBytes: 2 ** 37 };

/** Tools of a machine on which nothing is wrong, whatever this one is like. */
function tools(changes: Partial<Runtime> = {}, ask: CheckTools['ask'] = silence): CheckTools {
  const storage = changes.storage ?? withSpace(ROOMY);
  return {
    runtime: { ...runtime, openFiles: async () => PLENTY, ...changes, storage },
    machine: nodeMachine,
    ask,
  };
}

async function silence(): Promise<undefined> {}

function withSpace(space: { freeBytes: number; totalBytes: number }): Runtime['storage'] {
  return new Proxy(runtime.storage, {
    get: (target, key) => {
      if (key === 'space') return async () => space;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

let setupCount = 0;

/** An ensemble of three on this machine, or files of three machines. */
class Setup {
  readonly directory: string;
  readonly files: readonly string[];
  readonly ports: readonly number[];

  private constructor(directory: string, ports: readonly number[]) {
    this.directory = directory;
    this.ports = ports;
    this.files = [1, 2, 3].map((id) => join(directory, `zk${id}.cfg`));
  }

  static async local(hosts = ['127.0.0.1', '127.0.0.1', '127.0.0.1']): Promise<Setup> {
    const directory = join(root, `setup-${++setupCount}`);
    const setup = new Setup(directory, await findFreePorts(runtime.network, 9));
    const { ports } = setup;
    const members = hosts.map(
      (host, i) => `server.${i + 1}=${host}:${ports[3 * i]}:${ports[3 * i + 1]}`,
    );
    for (let i = 0; i < 3; i++) {
      await mkdir(setup.data(i + 1), { recursive: true });
      await writeFile(setup.myId(i + 1), `${i + 1}\n`);
      const lines = [
        'tickTime=2000',
        'initLimit=10',
        'syncLimit=5',
        `dataDir=${setup.data(i + 1)}`,
      ];
      lines.push(`clientPort=${ports[3 * i + 2]}`, 'clientPortAddress=127.0.0.1', ...members);
      await writeFile(setup.file(i + 1), `${lines.join('\n')}\n`);
    }
    return setup;
  }

  file(id: number): string {
    return this.files[id - 1] ?? '';
  }

  data(id: number): string {
    return join(this.directory, `data${id}`);
  }

  myId(id: number): string {
    return join(this.data(id), 'myid');
  }

  port(id: number, which: 'quorum' | 'election' | 'client'): number {
    return this.ports[3 * (id - 1) + ['quorum', 'election', 'client'].indexOf(which)] ?? 0;
  }

  async edit(id: number, pattern: string | RegExp, replacement: string): Promise<void> {
    const text = await readFile(this.file(id), 'utf8');
    assert.notEqual(text.replace(pattern, replacement), text, 'an edit that changes nothing');
    await writeFile(this.file(id), text.replace(pattern, replacement));
  }

  async editAll(pattern: string | RegExp, replacement: string): Promise<void> {
    for (const id of [1, 2, 3]) await this.edit(id, pattern, replacement);
  }
}

interface Expected {
  readonly severity: Severity;
  readonly topic: Topic;
  readonly where: string;
  readonly what: RegExp;
  readonly remedy?: RegExp;
}

function matching(findings: readonly Finding[], expected: Expected): Finding[] {
  return findings.filter(
    ({ severity, topic, where, what, remedy = '' }) =>
      severity === expected.severity &&
      topic === expected.topic &&
      where === expected.where &&
      expected.what.test(what) &&
      (expected.remedy ?? /./).test(remedy),
  );
}

/** Finds what is expected, once; follows the remedy; finds nothing any more that is worse than a note. */
async function curing(
  files: readonly string[],
  expected: Expected,
  cure: () => Promise<CheckTools | undefined>,
  ill: CheckTools = tools(),
): Promise<void> {
  const found = await checkFiles(files, ill);
  assert.equal(matching(found, expected).length, 1, JSON.stringify(found, null, 2));
  const cured = await checkFiles(files, (await cure()) ?? tools());
  assert.deepEqual(
    cured.filter(({ severity }) => severity !== 'note'),
    [],
  );
}

test('checkFiles finds nothing wrong with a sound ensemble', async () => {
  const setup = await Setup.local();
  assert.deepEqual(await checkFiles(setup.files, tools()), []);
});

test('checkFiles: a wrong value, with its line and what was expected', async () => {
  const setup = await Setup.local();
  await setup.edit(2, 'tickTime=2000', 'tickTime=abc');
  const where = `${setup.file(2)}:1`;
  const remedy = /^expected a whole number of milliseconds/;
  await curing(
    setup.files,
    { severity: 'error', topic: 'configuration', where, what: /^tickTime=abc$/, remedy },
    async () => void (await setup.edit(2, 'abc', '2000')),
  );
});

test('checkFiles goes on after the first wrong value of a file', async () => {
  const setup = await Setup.local();
  await setup.edit(1, 'tickTime=2000', 'tickTime=abc\nmaxClientCnxns=many');
  const found = await checkFiles(setup.files, tools());
  const errors = found.filter(({ severity }) => severity === 'error').map(({ where }) => where);
  assert.deepEqual(errors, [`${setup.file(1)}:1`, `${setup.file(1)}:2`]);
});

test('checkFiles: a file that is not there', async () => {
  const setup = await Setup.local();
  const missing = join(setup.directory, 'none.cfg');
  await setup.edit(1, /server\..*\n?/g, '');
  await curing(
    [missing],
    { severity: 'error', topic: 'configuration', where: missing, what: /no such file/ },
    async () => void (await writeFile(missing, await readFile(setup.file(1), 'utf8'))),
  );
});

test('checkFiles: a file that cannot be read', async () => {
  const setup = await Setup.local();
  const text = await readFile(setup.file(1), 'utf8');
  await rm(setup.file(1));
  await mkdir(setup.file(1));
  await curing(
    setup.files,
    { severity: 'error', topic: 'configuration', where: setup.file(1), what: /^cannot read / },
    async () => {
      await rmdir(setup.file(1));
      await writeFile(setup.file(1), text);
    },
  );
});

test('checkFiles: an unknown key, with the one that was probably meant', async () => {
  const setup = await Setup.local();
  await setup.edit(1, 'initLimit=10', 'initLimit=10\nmaxClientCnxn=9');
  const where = `${setup.file(1)}:3`;
  await curing(
    setup.files,
    { severity: 'risk', topic: 'configuration', where, what: /did you mean maxClientCnxns/ },
    async () => void (await setup.edit(1, 'maxClientCnxn=', 'maxClientCnxns=')),
  );
});

test('checkFiles: a key that is set twice', async () => {
  const setup = await Setup.local();
  await setup.edit(1, 'initLimit=10', 'initLimit=10\ninitLimit=20');
  const where = `${setup.file(1)}:3`;
  await curing(
    [setup.file(1), setup.file(2), setup.file(3)],
    { severity: 'risk', topic: 'configuration', where, what: /already set in line 2/ },
    async () => void (await setup.edit(1, '\ninitLimit=20', '')),
  );
});

test('checkFiles: lists that differ in a port, with both lines', async () => {
  const setup = await Setup.local();
  const port = setup.port(2, 'election');
  await setup.edit(3, new RegExp(`(server\\.2=.*):${port}`), '$1:31999');
  const where = `${setup.file(3)}:8`;
  const what = new RegExp(`:31999:participant differs from .*:${port}:participant in .*zk1.cfg:8$`);
  await curing(
    setup.files,
    { severity: 'error', topic: 'members', where, what, remedy: /equal on all servers/ },
    async () => void (await setup.edit(3, '31999', String(port))),
  );
});

test('checkFiles: a server that one list lacks', async () => {
  const setup = await Setup.local();
  const line = (await readFile(setup.file(2), 'utf8')).match(/server\.3=.*\n/)?.[0] ?? '';
  await setup.edit(2, line, '');
  const what = /has no line server\.3, while .*zk1\.cfg:9 has server\.3=/;
  await curing(
    setup.files,
    { severity: 'error', topic: 'members', where: setup.file(2), what },
    async () => void (await setup.edit(2, 'tickTime', `${line}tickTime`)),
  );
});

test('checkFiles reports a malformed line once, and not as missing', async () => {
  const setup = await Setup.local();
  await setup.edit(2, 'server.3=127.0.0.1:', 'server.3=127.0.0.1:9');
  const found = await checkFiles(setup.files, tools());
  assert.deepEqual(
    found.filter(({ topic }) => topic === 'members').map(({ where }) => where),
    [`${setup.file(2)}:9`],
  );
});

test('checkFiles: a server that only one list has', async () => {
  const setup = await Setup.local();
  await setup.edit(2, 'tickTime', 'server.9=127.0.0.1:31001:31002:observer\ntickTime');
  const where = `${setup.file(2)}:1`;
  await curing(
    setup.files,
    { severity: 'error', topic: 'members', where, what: /lists server\.9=.*which .* do not/ },
    async () => void (await setup.edit(2, /server\.9=.*\n/, '')),
  );
});

test('checkFiles: lists that name one host differently are a risk', async () => {
  const hosts = ['zk1.invalid', 'zk2.invalid', 'zk3.invalid'];
  const setup = await Setup.local(hosts);
  await setup.edit(2, 'zk1.invalid', 'zk1.example.invalid');
  const where = `${setup.file(2)}:7`;
  await curing(
    setup.files,
    { severity: 'risk', topic: 'members', where, what: /differs from/, remedy: /same machine/ },
    async () => void (await setup.edit(2, 'zk1.example.invalid', 'zk1.invalid')),
  );
});

test('checkFiles: times that differ between servers', async () => {
  const setup = await Setup.local();
  await setup.edit(2, 'tickTime=2000', 'tickTime=3000');
  const where = `${setup.file(2)}:1`;
  await curing(
    setup.files,
    { severity: 'risk', topic: 'configuration', where, what: /tickTime is 3000, in .* it is 2000/ },
    async () => void (await setup.edit(2, '3000', '2000')),
  );
});

test('checkFiles: extendedTypesEnabled that differs is an error', async () => {
  const setup = await Setup.local();
  await setup.edit(3, 'tickTime', 'extendedTypesEnabled=false\ntickTime');
  const where = `${setup.file(3)}:1`;
  await curing(
    setup.files,
    { severity: 'error', topic: 'configuration', where, what: /extendedTypesEnabled is false/ },
    async () => void (await setup.edit(3, '=false', '=true')),
  );
});

test('checkFiles never shows the digest of the super user', async () => {
  const setup = await Setup.local();
  const key = 'DigestAuthenticationProvider.superDigest';
  await setup.edit(3, 'tickTime', `${key}=super:c2VjcmV0\ntickTime`);
  const found = await checkFiles(setup.files, tools());
  assert.equal(found.length, 1);
  assert.doesNotMatch(JSON.stringify(found), /c2VjcmV0/);
});

test('checkFiles: an even number of participants', async () => {
  const setup = await Setup.local();
  await setup.editAll('tickTime', 'server.4=127.0.0.1:31003:31004\ntickTime');
  const found = await checkFiles(setup.files, tools());
  const what = /4 participants survive no more failures than 3/;
  assert.equal(found.filter((finding) => what.test(finding.what)).length, 3);
  await setup.editAll(/server\.4=.*\n/, '');
  assert.deepEqual(await checkFiles(setup.files, tools()), []);
});

test('checkFiles: myid is missing', async () => {
  const setup = await Setup.local();
  await rm(setup.myId(2));
  await curing(
    setup.files,
    {
      severity: 'error',
      topic: 'myid',
      where: setup.myId(2),
      what: /is missing/,
      remedy: /one of 1, 2, 3/,
    },
    async () => void (await writeFile(setup.myId(2), '2\n')),
  );
});

for (const [name, text] of [
  ['has a comment', '2 # the second'],
  ['is beyond 255', '256'],
  ['is no number', 'two'],
] as const) {
  test(`checkFiles: myid ${name}`, async () => {
    const setup = await Setup.local();
    await writeFile(setup.myId(2), `${text}\n`);
    const what = new RegExp(`holds "${text}", which is no server number`);
    await curing(
      setup.files,
      { severity: 'error', topic: 'myid', where: setup.myId(2), what },
      async () => void (await writeFile(setup.myId(2), '2\n')),
    );
  });
}

test('checkFiles: a myid that cannot be read', async () => {
  const setup = await Setup.local();
  const where = setup.myId(2);
  await rm(where);
  await mkdir(where);
  await curing(
    setup.files,
    {
      severity: 'error',
      topic: 'myid',
      where,
      what: /^cannot read /,
      remedy: /this user may read/,
    },
    async () => {
      await rmdir(where);
      await writeFile(where, '2\n');
    },
  );
});

test('checkFiles: two servers with one myid', async () => {
  const setup = await Setup.local();
  await writeFile(setup.myId(2), '1\n');
  const what = new RegExp(`holds 1, as ${setup.myId(1)} does`);
  await curing(
    setup.files,
    { severity: 'error', topic: 'myid', where: setup.myId(2), what, remedy: /its own line/ },
    async () => void (await writeFile(setup.myId(2), '2\n')),
  );
});

test('checkFiles: two servers with one data directory', async () => {
  const setup = await Setup.local();
  await setup.edit(2, setup.data(2), `${setup.data(1)}/../data1`);
  await curing(
    setup.files,
    { severity: 'error', topic: 'disk', where: setup.file(2), what: /uses the directory/ },
    async () => void (await setup.edit(2, `${setup.data(1)}/../data1`, setup.data(2))),
  );
});

test('checkFiles: two servers of one machine with one client port', async () => {
  const setup = await Setup.local();
  const [one, two] = [setup.port(1, 'client'), setup.port(2, 'client')];
  await setup.edit(2, `clientPort=${two}`, `clientPort=${one}`);
  const what = new RegExp(`uses client port ${one}, as `);
  await curing(
    setup.files,
    { severity: 'error', topic: 'ports', where: setup.file(2), what },
    async () => void (await setup.edit(2, `clientPort=${one}`, `clientPort=${two}`)),
  );
});

test('checkFiles: a client port that the own line uses for peers', async () => {
  const setup = await Setup.local();
  const [quorum, client] = [setup.port(1, 'quorum'), setup.port(1, 'client')];
  await setup.edit(1, `clientPort=${client}`, `clientPort=${quorum}`);
  const where = `${setup.file(1)}:5`;
  await curing(
    setup.files,
    { severity: 'error', topic: 'configuration', where, what: /uses for peers/ },
    async () => void (await setup.edit(1, `clientPort=${quorum}`, `clientPort=${client}`)),
  );
});

test('checkFiles: a port in use', async () => {
  const setup = await Setup.local();
  const address = { host: '127.0.0.1', port: setup.port(3, 'election') };
  const squatter = await runtime.network.listen(address, (stream) => stream.destroy());
  await curing(
    setup.files,
    {
      severity: 'error',
      topic: 'ports',
      where: `${setup.file(3)}:9`,
      what: /the election port \d+ is in use/,
      remedy: /ss -tlnp/,
    },
    async () => void (await squatter.close()),
  );
});

test('checkFiles: the own line names another machine', async () => {
  const setup = await Setup.local();
  await setup.editAll(/server\.2=127\.0\.0\.1/, 'server.2=192.0.2.7');
  const found = await checkFiles([setup.file(2)], tools());
  const expected = {
    severity: 'error',
    topic: 'ports',
    where: `${setup.file(2)}:8`,
    what: /the quorum port \d+ cannot be opened: 192\.0\.2\.7 is none of this machine's/,
    remedy: /myid/,
  } as const;
  assert.equal(matching(found, expected).length, 1, JSON.stringify(found));
  await setup.editAll('192.0.2.7', '127.0.0.1');
  const cured = await checkFiles([setup.file(2)], tools());
  assert.equal(cured.filter(({ topic }) => topic === 'ports').length, 0);
});

test('checkFiles: a peer at which nothing listens', async () => {
  const setup = await Setup.local();
  const listeners = await listenAsPeers(setup, [1]);
  await curing(
    [setup.file(2)],
    {
      severity: 'risk',
      topic: 'peers',
      where: `${setup.file(2)}:9`,
      what: /nothing listens at 127\.0\.0\.1:\d+, the election port of server\.3/,
      remedy: /start server 3/,
    },
    async () => void listeners.push(...(await listenAsPeers(setup, [3]))),
  );
  await Promise.all(listeners.map((listener) => listener.close()));
});

test('checkFiles: a name that does not resolve', async () => {
  const setup = await Setup.local();
  const listeners = await listenAsPeers(setup, [1, 3]);
  await setup.edit(2, 'server.3=127.0.0.1', 'server.3=zk3.invalid');
  await curing(
    [setup.file(2)],
    {
      severity: 'risk',
      topic: 'names',
      where: `${setup.file(2)}:9`,
      what: /nobody here knows an address for zk3\.invalid/,
      remedy: /DNS or in \/etc\/hosts/,
    },
    async () => void (await setup.edit(2, 'zk3.invalid', '127.0.0.1')),
  );
  await Promise.all(listeners.map((listener) => listener.close()));
});

test('checkFiles: a clock that differs', async () => {
  const setup = await Setup.local();
  const listeners = await listenAsPeers(setup, [1, 3]);
  let aheadMs = 60_000;
  const ask: CheckTools['ask'] = async ({ port }) =>
    `zk_wall_time_ms\t${Date.now() + (port === setup.port(2, 'client') ? aheadMs : 0)}\n`;
  await curing(
    [setup.file(2)],
    {
      severity: 'risk',
      topic: 'clock',
      where: `${setup.file(2)}:7`,
      what: /the clock of server\.1 is 60 s ahead of the one here/,
      remedy: /time servers/,
    },
    async () => {
      aheadMs = 0;
      return tools({}, ask);
    },
    tools({}, ask),
  ).finally(() => Promise.all(listeners.map((listener) => listener.close())));
});

async function listenAsPeers(setup: Setup, ids: readonly number[]) {
  const ports = ids.map((id) => setup.port(id, 'election'));
  return await Promise.all(
    ports.map((port) =>
      runtime.network.listen({ host: '127.0.0.1', port }, (stream) => {
        stream.attach({
          onData: () => undefined,
          onEnd: () => stream.end(),
          onClose: () => undefined,
        });
      }),
    ),
  );
}

test('checkFiles: a data directory that cannot be made', async () => {
  const setup = await Setup.local();
  await setup.edit(1, setup.data(1), '/proc/vivarium');
  await setup.editAll(/server\..*\n/g, '');
  await curing(
    [setup.file(1)],
    {
      severity: 'error',
      topic: 'disk',
      where: '/proc/vivarium',
      what: /cannot make this directory/,
      remedy: /mkdir -p/,
    },
    async () => void (await setup.edit(1, '/proc/vivarium', setup.data(1))),
  );
});

test('checkFiles: a disk that is nearly full', async () => {
  const setup = await Setup.local();
  await setup.editAll(/server\..*\n/g, '');
  const ill = tools({ storage: withSpace({ freeBytes: 2 ** 27, totalBytes: 2 ** 37 }) });
  await curing(
    [setup.file(1)],
    {
      severity: 'risk',
      topic: 'disk',
      where: setup.data(1),
      what: /^128 MiB are free: writes are refused/,
      remedy: /make room/,
    },
    async () => undefined,
    ill,
  );
});

test('checkFiles: a low limit of open files', async () => {
  const setup = await Setup.local();
  await setup.editAll(/server\..*\n/g, '');
  await curing(
    [setup.file(1)],
    {
      severity: 'risk',
      topic: 'limits',
      where: setup.file(1),
      what: /may open 1024 files/,
      remedy: /LimitNOFILE=65536/,
    },
    async () => undefined,
    tools({ openFiles: async () => ({ count: 20, max: 1024 }) }),
  );
});

test("checkFiles: Apache's data, with the command that imports them", async () => {
  const setup = await Setup.local();
  const apache = join(setup.data(2), 'version-2');
  await mkdir(apache);
  await writeFile(join(apache, 'snapshot.0'), '');
  await curing(
    setup.files,
    {
      severity: 'error',
      topic: 'data',
      where: setup.data(2),
      what: /version-2 holds data of Apache ZooKeeper/,
      remedy: /--import.*vivarium import .*data2 --data-dir DIR/,
    },
    async () => void (await rm(apache, { recursive: true })),
  );
});

test("checkFiles: another server's data", async () => {
  const setup = await Setup.local();
  await makeData(setup.file(2));
  await writeFile(setup.myId(2), '3\n');
  const what = /it belongs to server 2, this is server 3; correct myid/;
  const found = await checkFiles([setup.file(2)], tools());
  const expected = { severity: 'error', topic: 'data', where: setup.data(2), what } as const;
  assert.equal(matching(found, { ...expected, remedy: /^/ }).length, 1, JSON.stringify(found));
  await writeFile(setup.myId(2), '2\n');
  assert.deepEqual(await checkFiles(setup.files, tools()), []);
});

test('checkFiles: data of another cluster', async () => {
  const setup = await Setup.local();
  await makeData(setup.file(1), 'aaaaaaaaaaaa');
  await makeData(setup.file(2), 'bbbbbbbbbbbb');
  await curing(
    setup.files,
    {
      severity: 'error',
      topic: 'data',
      where: setup.data(2),
      what: /holds data of cluster bbbbbbbb, .*data1 of cluster aaaaaaaa/,
      remedy: /move this one away/,
    },
    async () => {
      await rm(join(setup.data(2), 'log'), { recursive: true });
      await rm(join(setup.data(2), 'state'), { recursive: true });
      return undefined;
    },
  );
});

test('checkFiles: half of the data is missing', async () => {
  const setup = await Setup.local();
  await makeData(setup.file(1));
  await runtime.storage.move(join(setup.data(1), 'state'), join(setup.directory, 'state'));
  await curing(
    setup.files,
    {
      severity: 'error',
      topic: 'data',
      where: setup.data(1),
      what: /log is there but .*state is not/,
      remedy: /put the missing directory back/,
    },
    async () =>
      void (await runtime.storage.move(
        join(setup.directory, 'state'),
        join(setup.data(1), 'state'),
      )),
  );
});

/** What a first start makes. */
async function makeData(file: string, clusterId?: string): Promise<void> {
  const config = await loadConfig(runtime.storage, file);
  const storage = await openStorage(config, runtime);
  if (clusterId !== undefined) await storage.log.write({ clusterId });
  await storage.close();
}

test('checkFiles says of a running server only that it runs', async () => {
  const setup = await Setup.local();
  await setup.editAll(/server\..*\n/g, '');
  const config = await loadConfig(runtime.storage, setup.file(1));
  const server = createServer(config, runtime, { log: SILENT_LOGGER });
  await server.start();
  const found = await checkFiles([setup.file(1)], tools());
  await server.stop();
  assert.deepEqual(
    found.map(({ severity, what }) => `${severity}: ${what}`),
    ['note: server 1 is running on these data'],
  );
});

test('checkFiles leaves the data of a stopped server as they are', async () => {
  const setup = await Setup.local();
  await makeData(setup.file(1));
  const config = await loadConfig(runtime.storage, setup.file(1));
  await checkFiles(setup.files, tools());
  const storage = await openStorage(config, runtime);
  assert.equal(storage.log.meta.serverId, 1);
  assert.equal(storage.log.meta.standing, 'new');
  await storage.close();
});

test('checkFiles only compares the files of several machines', async () => {
  const setup = await Setup.local(['zk1.invalid', 'zk2.invalid', 'zk3.invalid']);
  await setup.edit(2, setup.data(2), '/nowhere/at/all');
  const found = await checkFiles(setup.files, tools());
  assert.deepEqual(
    found.map(({ severity }) => severity),
    ['note'],
  );
  assert.match(found[0]?.what ?? '', /run vivarium check with its one file on each machine/);
});

test('checkFiles notes keys that have no effect', async () => {
  const setup = await Setup.local();
  await setup.edit(1, 'tickTime', 'preAllocSize=100\ntickTime');
  const found = await checkFiles(setup.files, tools());
  assert.deepEqual(
    found.map(({ severity, where }) => `${severity} ${where}`),
    [`note ${setup.file(1)}:1`],
  );
});
