import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RuntimeError } from '../../../src/runtime/runtime.ts';
import type { ServerConfig } from '../../../src/server/config.ts';
import { ConfigError } from '../../../src/server/config-error.ts';
import { configFromFlags, configFromOptions, loadConfig } from '../../../src/server/load-config.ts';

const THREE = 'server.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888\n';
const LIMITS = 'initLimit=10\nsyncLimit=5\n';
const ALONE = 'dataDir=/d\nclientPort=2181\n';
const ENSEMBLE = `${ALONE}${LIMITS}${THREE}`;

/** A machine with one zoo.cfg and perhaps a myid in /d. */
function load(text: string, myId?: string): Promise<ServerConfig> {
  const files = new Map([['zoo.cfg', text]]);
  if (myId !== undefined) files.set('/d/myid', myId);
  return loadConfig({ readText: (file) => Promise.resolve(files.get(file)) }, 'zoo.cfg');
}

async function messageOf(config: Promise<ServerConfig>): Promise<string> {
  const error = await config.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ConfigError, `expected a ConfigError, got ${String(error)}`);
  assert.equal(error.exitCode, 2);
  return error.message;
}

async function warningsOf(config: Promise<ServerConfig>): Promise<string[]> {
  return (await config).warnings.map(({ where, message }) => `${where}: ${message}`);
}

test('loadConfig: a minimal file makes a standalone server with the defaults of the original', async () => {
  const config = await load(ALONE);
  assert.equal(config.isStandalone, true);
  assert.equal(config.serverId, 1);
  assert.deepEqual(config.voterIds, [1]);
  assert.deepEqual(config.members, []);
  assert.equal(config.clientPort, 2181);
  assert.equal(config.clientHost, undefined);
  assert.equal(config.dataLogDir, '/d');
  assert.equal(config.tickTimeMs, 3000);
  assert.equal(config.minSessionTimeoutMs, 6000);
  assert.equal(config.maxSessionTimeoutMs, 60_000);
  assert.equal(config.maxClientCnxns, 60);
  assert.equal(config.maxCnxns, 0);
  assert.equal(config.clientPortListenBacklog, undefined);
  assert.equal(config.juteMaxBuffer, 1048575);
  assert.equal(config.globalOutstandingLimit, 1000);
  assert.deepEqual(config.clientLimits, {
    handshakeTimeoutMs: 10_000,
    sessionlessMax: 1000,
    backlogBytesMax: 64 * 1024 * 1024,
    bufferBytesMax: 256 * 1024 * 1024,
  });
  assert.equal(config.fourLetterWhitelist, undefined);
  assert.equal(config.leaderServes, true);
  assert.equal(config.snapCount, 100_000);
  assert.equal(config.checkpointIntervalTxns, 25_000);
  assert.equal(config.peerHeartbeatMs, 200);
  assert.equal(config.peerTimeoutMs, 1000);
  assert.equal(config.logRetainTxns, 50_000);
  assert.equal(config.logRetainBytes, 67_108_864);
  assert.equal(config.diskReserveBytes, 268_435_456);
  assert.deepEqual(config.warnings, []);
  assert.deepEqual(config.ignored, []);
  assert.ok(Object.isFrozen(config));
});

test('loadConfig: three lines and a myid make a member of an ensemble', async () => {
  const config = await load(ENSEMBLE, '2\n');
  assert.equal(config.isStandalone, false);
  assert.equal(config.serverId, 2);
  assert.deepEqual(config.voterIds, [1, 2, 3]);
  assert.equal(config.members[2]?.host, 'c');
  assert.equal(config.members[2]?.line, 7);
  assert.equal(config.role, 'participant');
});

test('loadConfig: observers are members without a vote', async () => {
  const config = await load(`${ENSEMBLE}server.4=d:2888:3888:observer\n`, '4');
  assert.equal(config.role, 'observer');
  assert.deepEqual(config.voterIds, [1, 2, 3]);
});

test('loadConfig: the last of several equal keys counts', async () => {
  assert.equal((await load(`${ALONE}tickTime=1\ntickTime=500\n`)).tickTimeMs, 500);
});

test('loadConfig: settings given beside the file win over it', async () => {
  const overrides = [{ key: 'clientPort', value: '9', where: '--client-port', line: undefined }];
  const reader = { readText: (file: string) => Promise.resolve(file === 'z' ? ALONE : undefined) };
  assert.equal((await loadConfig(reader, 'z', { overrides })).clientPort, 9);
});

const VALUES: readonly (readonly [string, (config: ServerConfig) => unknown, unknown])[] = [
  ['minSessionTimeout=-1', (c) => c.minSessionTimeoutMs, 6000],
  ['minSessionTimeout=10\nmaxSessionTimeout=10', (c) => c.maxSessionTimeoutMs, 10],
  ['maxClientCnxns=-1', (c) => c.maxClientCnxns, 0],
  ['clientPortListenBacklog=20', (c) => c.clientPortListenBacklog, 20],
  ['clientPortAddress=127.0.0.1', (c) => c.clientHost, '127.0.0.1'],
  ['clientPortAddress=0.0.0.0', (c) => c.clientHost, undefined],
  ['clientPort=0', (c) => c.clientPort, 2181],
  ['jute.maxbuffer=0x200000', (c) => c.juteMaxBuffer, 2_097_152],
  ['4lw.commands.whitelist=stat, ruok ,*', (c) => c.fourLetterWhitelist, ['stat', 'ruok', '*']],
  ['leaderServes=no', (c) => c.leaderServes, false],
  ['leaderServes=YES', (c) => c.leaderServes, true],
  ['snapCount=1', (c) => c.snapCount, 2],
  ['snapCount=50', (c) => c.checkpointIntervalTxns, 12],
  ['snapCount=50\ncheckpointIntervalTxns=70', (c) => c.checkpointIntervalTxns, 70],
  ['autopurge.purgeInterval=2', (c) => c.autopurgeIntervalMs, 7_200_000],
  ['autopurge.purgeInterval=10m', (c) => c.autopurgeIntervalMs, 600_000],
  ['autopurge.purgeInterval=0', (c) => c.autopurgeIntervalMs, 0],
  ['autopurge.snapRetainCount=1', (c) => c.autopurgeRetainCount, 3],
  ['dataLogDir=/log', (c) => c.dataLogDir, '/log'],
  ['quorumListenOnAllIPs=true', (c) => c.quorumListenOnAllIps, true],
  ['tickTime=20', (c) => c.extendedTypesEnabled, true],
  ['extendedTypesEnabled=false', (c) => c.extendedTypesEnabled, false],
  ['enforceQuota=true', (c) => c.enforceQuota, true],
  ['maxCnxns=7', (c) => c.maxCnxns, 7],
  ['readonlymode.enabled=true', (c) => c.readOnlyMode, true],
  ['tickTime=500', (c) => c.readOnlyGraceMs, 2000],
  ['tickTime=5000', (c) => c.readOnlyGraceMs, 5000],
  ['readOnlyGraceMs=100', (c) => c.readOnlyGraceMs, 100],
  ['localSessionsEnabled=true', (c) => c.localSessionsEnabled, true],
  ['localSessionsUpgradingEnabled=true', (c) => c.localSessionsUpgradingEnabled, true],
  ['skipACL=yes', (c) => c.skipAcl, true],
  ['enforce.auth.enabled=false\nenforce.auth.schemes=sasl', (c) => c.enforcedAuthSchemes, []],
  [
    'enforce.auth.enabled=true\nenforce.auth.schemes=ip, digest',
    (c) => c.enforcedAuthSchemes,
    ['ip', 'digest'],
  ],
  ['DigestAuthenticationProvider.superDigest=super:x', (c) => c.superDigest, 'super:x'],
  [
    'znode.container.checkIntervalMs=5\nznode.container.maxPerMinute=7',
    (c) => c.containerSweep,
    { checkIntervalMs: 5, maxPerMinute: 7, maxNeverUsedIntervalMs: 0 },
  ],
  ['tickTime=+20', (c) => c.tickTimeMs, 20],
];

for (const [line, pick, expected] of VALUES) {
  test(`loadConfig reads ${line.replace('\n', ' with ')}`, async () => {
    assert.deepEqual(pick(await load(`${ALONE}${line}\n`)), expected);
  });
}

/** Lines behind the two of ALONE, so the first of them is line 3. */
const MISTAKES: readonly (readonly [lines: string, message: string | RegExp])[] = [
  ['enforce.auth.enabled=true', /^zoo\.cfg: enforce\.auth\.schemes is not set; expected a comma/],
  [
    'enforce.auth.enabled=true\nenforce.auth.schemes=digest,sasl',
    /^zoo\.cfg:4: enforce\.auth\.schemes=digest,sasl names a scheme that no client can prove here;/,
  ],
  ['clientPort=abc', 'zoo.cfg:3: clientPort=abc; expected a whole number (a port) from 0 to 65535'],
  [
    'clientPort=99999',
    'zoo.cfg:3: clientPort=99999; expected a whole number (a port) from 0 to 65535',
  ],
  [
    'tickTime=0',
    'zoo.cfg:3: tickTime=0; expected a whole number of milliseconds from 1 to 2147483647',
  ],
  ['tickTime=2s', /^zoo\.cfg:3: tickTime=2s; expected a whole number of milliseconds/],
  ['tickTime=', /^zoo\.cfg:3: tickTime=; expected a whole number of milliseconds/],
  [
    'minSessionTimeout=9\nmaxSessionTimeout=8',
    'zoo.cfg:3: minSessionTimeout=9 makes the shortest session timeout 9 ms longer than the longest, 8 ms; expected minSessionTimeout not above maxSessionTimeout',
  ],
  [
    'maxSessionTimeout=8',
    /^zoo\.cfg:3: maxSessionTimeout=8 makes the shortest session timeout 6000 ms/,
  ],
  ['standaloneEnabled=maybe', 'zoo.cfg:3: standaloneEnabled=maybe; expected true or false'],
  ['leaderServes=true', 'zoo.cfg:3: leaderServes=true; expected yes or no'],
  ['dataLogDir=', 'zoo.cfg:3: dataLogDir= is empty; expected the path of a directory'],
  ['peerType=voter', 'zoo.cfg:3: peerType=voter; expected participant or observer'],
  [
    'jute.maxbuffer=4',
    /^zoo\.cfg:3: jute\.maxbuffer=4; expected a whole number of bytes from 1024/,
  ],
  [
    'autopurge.purgeInterval=1w',
    /^zoo\.cfg:3: autopurge\.purgeInterval=1w is no length of time; expected hours/,
  ],
  [
    'peerTimeoutMs=400',
    /^zoo\.cfg:3: peerTimeoutMs=400 leaves less than 3 heartbeats \(200 ms\) in one/,
  ],
  ['x=\\u00', /^zoo\.cfg:3: x=\\u00; expected four hexadecimal digits after \\u/],
  [
    'server.300=a:1:2',
    /^zoo\.cfg:3: server\.300=a:1:2 names no valid server; expected server\.N with N/,
  ],
  [
    'standaloneEnabled=false',
    /^zoo\.cfg:3: standaloneEnabled=false leaves no server to vote; expected/,
  ],
  [
    'server.1=a:1:2:observer',
    /^zoo\.cfg: all members are observers; expected at least one participant/,
  ],
  [
    'server.1=a:1:2\nserver.2=b:1:2:observer',
    /^zoo\.cfg: there are observers and only one participant/,
  ],
  [
    'server.1=a:1:2\nserver.2=A:3:2',
    /^zoo\.cfg:4: server\.2=A:3:2 uses a:2, as server\.1 does; expected/,
  ],
  ['server.1=a:1:2\nserver.01=b:1:2', /^zoo\.cfg:[34]: .* names the same server as another line/],
  [
    'server.1=a:1:2;2182',
    /^zoo\.cfg:3: server\.1=a:1:2;2182 contradicts the client address 2181 of client/,
  ],
  [
    'server.1=a:1:2;;2281',
    /^zoo\.cfg:3: server\.1=a:1:2;;2281 asks for TLS, which this server does not/,
  ],
  [
    'clientPortAddress=h\nserver.1=a:1:2;2181',
    /^zoo\.cfg:4: .* contradicts the client address h:2181/,
  ],
  [
    THREE,
    'zoo.cfg: initLimit is not set; expected a number of ticks, since there is more than one server, for example 10',
  ],
  [`initLimit=10\n${THREE}`, /^zoo\.cfg: syncLimit is not set; expected a number of ticks/],
];

for (const [lines, message] of MISTAKES) {
  test(`loadConfig refuses ${lines.trimEnd().replaceAll('\n', ' with ')}`, async () => {
    const found = await messageOf(load(`${ALONE}${lines}\n`, '1'));
    if (typeof message === 'string') assert.equal(found, message);
    else assert.match(found, message);
  });
}

test('loadConfig refuses a missing file, a missing dataDir, an address without a port', async () => {
  const reader = { readText: () => Promise.resolve(undefined) };
  assert.equal(
    await messageOf(loadConfig(reader, '/x/none.cfg')),
    '/x/none.cfg: there is no such file; expected the path of a configuration file',
  );
  assert.equal(
    await messageOf(load('clientPort=2181\n')),
    'zoo.cfg: dataDir is not set; expected the path of a directory',
  );
  assert.equal(
    await messageOf(load('dataDir=/d\nclientPortAddress=h\n')),
    'zoo.cfg:2: clientPortAddress=h is set but clientPort is not; expected both or neither',
  );
});

test('loadConfig refuses a client port that two lines of one host name', async () => {
  const lines = 'server.1=a:1:2;2181\nserver.2=a:3:4;2181\nserver.3=b:1:2;2181\n';
  assert.equal(
    await messageOf(load(`dataDir=/d\n${LIMITS}${lines}`, '3')),
    'zoo.cfg:5: server.2=a:3:4;2181 uses a:2181, as server.1 does; expected an address of its own',
  );
});

test('loadConfig lets every machine have clients at an interface of the same name', async () => {
  const lines = [1, 2, 3].map((id) => `server.${id}=h${id}:1:2;127.0.0.1:2181\n`).join('');
  assert.equal((await load(`dataDir=/d\n${LIMITS}${lines}`, '2')).clientHost, '127.0.0.1');
});

test('loadConfig refuses a client port that the own line uses for peers', async () => {
  assert.equal(
    await messageOf(load(`dataDir=/d\nclientPort=2888\n${LIMITS}${THREE}`, '1')),
    'zoo.cfg:2: clientPort=2888 is a port that line server.1 uses for peers; expected a port of its own',
  );
  const own = THREE.replace('a:2888:3888', 'a:2888:3888;3888');
  assert.match(
    await messageOf(load(`dataDir=/d\n${LIMITS}${own}`, '1')),
    /server\.1=a:2888:3888;3888 uses a:3888 twice/,
  );
});

const MY_IDS: readonly (readonly [what: string, myId: string | undefined, message: string])[] = [
  [
    'is missing',
    undefined,
    '/d/myid: is missing; expected one line with the number of this server (one of 1, 2, 3)',
  ],
  [
    'holds a word',
    'abc\n',
    '/d/myid: holds "abc", which is no server number; expected one line with the number of this server (one of 1, 2, 3)',
  ],
  [
    'is empty',
    '',
    '/d/myid: holds "", which is no server number; expected one line with the number of this server (one of 1, 2, 3)',
  ],
  [
    'is not in the list',
    '9',
    '/d/myid: says 9, and zoo.cfg has no server.9 (it has server.1=a:2888:3888:participant, server.2=b:2888:3888:participant, server.3=c:2888:3888:participant); expected one line with the number of this server (one of 1, 2, 3)',
  ],
];

for (const [what, myId, message] of MY_IDS) {
  test(`loadConfig: a myid that ${what} stops a member of an ensemble`, async () => {
    assert.equal(await messageOf(load(ENSEMBLE, myId)), message);
  });
}

test('loadConfig: settings from a Java machine give way to the file, flags win over it', async () => {
  const reader = { readText: async (file: string) => (file === 'z' ? ALONE : undefined) };
  const setting = (key: string, value: string) => ({ key, value, where: key, line: undefined });
  const defaults = [setting('clientPort', '1'), setting('maxCnxns', '7'), setting('tickTime', '5')];
  const overrides = [setting('tickTime', '9')];
  const config = await loadConfig(reader, 'z', { defaults, overrides });
  assert.deepEqual([config.clientPort, config.maxCnxns, config.tickTimeMs], [2181, 7, 9]);
  assert.deepEqual(config.warnings, []);
});

test('loadConfig: a standalone server keeps the number of its line or of its myid', async () => {
  assert.equal((await load(ALONE, '7')).serverId, 7);
  assert.equal((await load(ALONE, 'abc')).serverId, 1);
  const listed = load(`${ALONE}server.5=a:1:2\n`, '7');
  assert.equal((await listed).serverId, 5);
  assert.deepEqual(await warningsOf(listed), [
    'zoo.cfg: only one server.N line: the server runs standalone',
    '/d/myid: holds "7" and the only line is server.5',
  ]);
});

test('loadConfig: one server may insist on being an ensemble', async () => {
  const config = await load(`${ALONE}${LIMITS}standaloneEnabled=false\nserver.1=a:1:2\n`, '1');
  assert.equal(config.isStandalone, false);
});

test('loadConfig warns of numbers of participants that gain nothing', async () => {
  const two = `${ALONE}${LIMITS}server.1=a:1:2\nserver.2=b:1:2\n`;
  assert.match((await warningsOf(load(two, '1')))[0] ?? '', /two participants survive no failure/);
  const four = load(`${ENSEMBLE}server.4=d:1:2\n`, '1');
  assert.match((await warningsOf(four))[0] ?? '', /4 participants survive no more failures than 3/);
});

test('loadConfig: the client part of the own line wins, and the port may be only there', async () => {
  const text = `dataDir=/d\n${LIMITS}server.1=a:1:2;10.0.0.1:2181\nserver.2=b:1:2\n`;
  const config = await load(text, '1');
  assert.equal(config.clientHost, '10.0.0.1');
  assert.equal(config.clientPort, 2181);
  assert.equal((await load(text, '2')).clientPort, undefined);
  assert.equal((await load(`clientPort=2181\n${text}`, '1')).clientHost, '10.0.0.1');
});

test('loadConfig: the role in the list wins over peerType', async () => {
  const config = load(`${ENSEMBLE}peerType=observer\n`, '1');
  assert.equal((await config).role, 'participant');
  assert.match((await warningsOf(config))[0] ?? '', /^zoo\.cfg:8: peerType=observer has no effect/);
});

test('loadConfig: server 255 and nodes with a time to live do not go together', async () => {
  assert.match(
    await messageOf(load(ALONE, '255')),
    /extendedTypesEnabled cannot be on for server 255: .*; expected a server number up to 254/,
  );
  assert.equal((await load(`${ALONE}extendedTypesEnabled=false\n`, '255')).serverId, 255);
  assert.equal((await load(ALONE, '254')).extendedTypesEnabled, true);
});

test('loadConfig warns of skipACL', async () => {
  const warnings = await warningsOf(load(`${ALONE}skipACL=yes\n`));
  assert.match(warnings.join('\n'), /zoo\.cfg:3: skipACL=yes: every client may do everything/);
});

const REFUSED = [
  'secureClientPort=2281',
  'sslQuorum=true',
  'portUnification=true',
  'quorum.auth.enableSasl=true',
  'sessionRequireClientSASLAuth=true',
  'authProvider.1=org.example.Provider',
  'DigestAuthenticationProvider.enabled=false',
  'DigestAuthenticationProvider.digestAlg=SHA-256',
  'group.1=1:2:3',
  'weight.1=2',
  'oraclePath=/o',
  'dynamicConfigFile=/d.dynamic',
  'reconfigEnabled=true',
  'electionAlg=1',
];

for (const line of REFUSED) {
  test(`loadConfig does not start with ${line} as if it were not there`, async () => {
    const message = await messageOf(load(`${ALONE}${line}\n`));
    assert.ok(message.startsWith(`zoo.cfg:3: ${line} `), message);
    assert.match(message, /; expected \w/);
  });
}

const IGNORED = [
  'sslQuorum=false',
  'electionAlg=3',
  'reconfigEnabled=False',
  'preAllocSize=1024',
  'ssl.quorum.keyStore.location=/k',
  'admin.enableServer=false',
  'metricsProvider.className=x',
  'commitProcessor.numWorkerThreads=4',
  'request_throttle_stall_time=5',
  'jaasLoginRenew=3600000',
  'forceSync=no',
  'server.realm=X',
];

for (const line of IGNORED) {
  test(`loadConfig accepts ${line} and says why it has no effect`, async () => {
    const config = await load(`${ALONE}${line}\n`);
    const [first] = config.ignored;
    assert.equal(`${first?.key}=${first?.value}`, line);
    assert.equal(first?.where, 'zoo.cfg:3');
    assert.ok((first?.reason.length ?? 0) > 10);
    assert.deepEqual(config.warnings, []);
  });
}

const UNKNOWN: readonly (readonly [line: string, message: string])[] = [
  ['tickTme=2', 'the key tickTme is unknown and has no effect; did you mean tickTime?'],
  ['clientport=1', 'the key clientport is unknown and has no effect; did you mean clientPort?'],
  [
    'zookeeper.tickTime=1',
    'the key zookeeper.tickTime is unknown and has no effect; did you mean tickTime?',
  ],
  ['sslquorum=true', 'the key sslquorum is unknown and has no effect; did you mean sslQuorum?'],
  ['flavour=sweet', 'the key flavour is unknown and has no effect'],
];

for (const [line, message] of UNKNOWN) {
  test(`loadConfig reports the unknown key of ${line}`, async () => {
    assert.deepEqual(await warningsOf(load(`${ALONE}${line}\n`)), [`zoo.cfg:3: ${message}`]);
  });
}

test('loadConfig says what it cannot read, be it the file or myid', async () => {
  for (const wrong of ['zoo.cfg', '/d/myid']) {
    const readText = (file: string): Promise<string> =>
      file === wrong
        ? Promise.reject(new RuntimeError('ACCESS_DENIED', `cannot read ${file}`))
        : Promise.resolve(ENSEMBLE);
    const message = await messageOf(loadConfig({ readText }, 'zoo.cfg'));
    assert.equal(
      message,
      `${wrong}: cannot read ${wrong}; expected a file that this user may read`,
    );
  }
});

test('loadConfig warns of a line that says something else than one above it', async () => {
  assert.deepEqual(await warningsOf(load(`${ALONE}tickTime=2000\ntickTime=2000\n`)), []);
  const config = load(`${ALONE}tickTime=2000\ntickTime=2500\n`);
  const message = 'tickTime is already set in line 3; this line counts';
  assert.deepEqual(await warningsOf(config), [`zoo.cfg:4: ${message}`]);
  assert.equal((await config).tickTimeMs, 2500);
});

test('loadConfig warns of a directory that counts from wherever the server was started', async () => {
  const [warning] = await warningsOf(load('dataDir=data\nclientPort=1\n'));
  assert.match(warning ?? '', /^zoo\.cfg:1: dataDir=data counts from the working directory/);
  assert.deepEqual(await warningsOf(load('dataDir=./data\nclientPort=1\n')), []);
});

test('loadConfig warns of a standalone server that no client can reach', async () => {
  const [warning] = await warningsOf(load('dataDir=/d\n'));
  assert.match(warning ?? '', /clientPort is not set: no client can connect/);
});

test('configFromOptions: without options a standalone server on 2181 with ./data', () => {
  const config = configFromOptions();
  assert.equal(config.isStandalone, true);
  assert.equal(config.clientPort, 2181);
  assert.equal(config.dataDir, './data');
  assert.equal(config.tickTimeMs, 2000);
});

test('configFromOptions takes typed values and members', () => {
  const config = configFromOptions({
    clientPort: 0,
    leaderServes: false,
    serverId: 2,
    servers: { 1: 'a:1:2', 2: 'b:1:2', 3: 'c:1:2' },
  });
  assert.equal(config.clientPort, 0);
  assert.equal(config.leaderServes, false);
  assert.equal(config.serverId, 2);
  assert.equal(config.members.length, 3);
});

test('configFromOptions names the option that is wrong', () => {
  assert.throws(() => configFromOptions({ tickTime: 1.5 }), {
    code: 'CONFIG',
    message:
      'options.tickTime: tickTime=1.5; expected a whole number of milliseconds from 1 to 2147483647',
  });
});

test('configFromFlags names the flag that is wrong', async () => {
  const flag = { key: 'clientPort', value: 'x', where: '--client-port', line: undefined };
  const reader = { readText: () => Promise.resolve(undefined) };
  const message = await messageOf(configFromFlags(reader, [flag]));
  assert.match(message, /^--client-port: clientPort=x; expected a whole number/);
});

test('zoo.cfg.example: the example of this repository is a configuration without a warning', async () => {
  const text = readFileSync('zoo.cfg.example', 'utf8');
  const reader = {
    readText: (file: string) => Promise.resolve(file.endsWith('myid') ? '1\n' : text),
  };
  const config = await loadConfig(reader, 'zoo.cfg.example');
  assert.deepEqual(config.warnings, []);
  assert.deepEqual(config.voterIds, [1, 2, 3]);
});
