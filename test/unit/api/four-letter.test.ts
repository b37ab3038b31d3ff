import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ServingMode } from '../../../src/api/backend.ts';
import { ENVIRONMENT_KEYS } from '../../../src/api/four-letter-settings.ts';
import { makeEpoch, makeZxid } from '../../../src/base/ids.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import {
  ClientKit,
  connectFrame,
  connectReply,
  createFrame,
  headerFrame,
  REPORT,
  readFrame,
} from '../../support/client-kit.ts';
import { frame, int, text } from '../../support/hex.ts';

const GOLDEN = join('test', 'golden', '4lw');
const ROLES: readonly ServingMode[] = ['standalone', 'leader', 'follower', 'observer'];
const ENSEMBLE = {
  initLimit: 10,
  syncLimit: 5,
  electionPort: 3888,
  quorumPort: 2888,
  isObserver: false,
};
const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests\n';
const LATENCY_ORDER = ['min', 'avg', 'max'];

/** What Apache ZooKeeper answers in a role. */
function golden(role: ServingMode, word: string): string {
  return readFileSync(join(GOLDEN, `${role}.${word}`), 'utf8');
}

/** The layout of an answer: everything that differs from server to server replaced by its kind. */
function layout(text: string): string {
  return text
    .replace(
      /^(Zookeeper version: |zk_version\t)\d+\.\d+\.\d+-[^,\n]*, built on .*$/gm,
      '$1VERSION',
    )
    .replace(/[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d UTC \d{4}/g, 'DATE')
    .replace(/\/[\w.]+:\d+/g, 'ADDRESS')
    .replace(/^(dataDir|dataLogDir)=.*$/gm, '$1=PATH')
    .replace(/^server\.\d+=.*$/gm, 'server=MEMBER')
    .replace(/lop=[A-Z]+/g, 'lop=OP')
    .replace(/\t\/\S+/g, '\tPATH')
    .replace(/^version=[0-9a-f]+/gm, 'version=HEX')
    .replace(/0x[0-9a-f]+/g, 'HEX')
    .replace(/-?\d+\.\d+/g, 'DECIMAL')
    .replace(/-?\d+/g, 'N');
}

/** Each different line once, in order of first appearance: for lists whose length varies. */
function lineKinds(text: string): string[] {
  return [...new Set(layout(text).split('\n'))];
}

async function startAs(role: ServingMode): Promise<ClientKit> {
  const ensemble = role === 'standalone' ? undefined : ENSEMBLE;
  const kit = await ClientKit.start({ service: { report: { ...REPORT, ensemble } } });
  kit.backend.mode = role;
  return kit;
}

for (const role of ROLES) {
  test(`srvr and stat look as Apache's: ${role}`, async () => {
    const kit = await startAs(role);
    if (role !== 'standalone') await kit.session();
    assert.equal(layout(await kit.command('srvr')), layout(golden(role, 'srvr')));
    assert.equal(layout(await kit.command('stat')), layout(golden(role, 'stat')));
  });

  test(`cons looks as Apache's: ${role}`, async () => {
    const kit = await startAs(role);
    if (role !== 'standalone') {
      const client = await kit.session();
      await client.ask(createFrame(1, '/a'));
    }
    assert.deepEqual(
      lineKinds(await kit.command('cons')).sort(),
      lineKinds(golden(role, 'cons')).sort(),
    );
  });

  test(`dump looks as Apache's: ${role}`, async () => {
    const kit = await startAs(role);
    if (role !== 'standalone') {
      const client = kit.dial();
      const { sessionId } = connectReply(await client.ask(connectFrame()));
      await client.ask(createFrame(1, '/e', 1));
      kit.backend.statistics = { sessionDeadlines: [[sessionId, 10_000]] };
    }
    assert.deepEqual(lineKinds(await kit.command('dump')), lineKinds(golden(role, 'dump')));
  });

  test(`conf looks as Apache's: ${role}`, async () => {
    const kit = await startAs(role);
    assert.deepEqual(lineKinds(await kit.command('conf')), lineKinds(golden(role, 'conf')));
  });

  test(`the short answers are Apache's to the byte: ${role}`, async () => {
    const kit = await startAs(role);
    for (const word of ['ruok', 'isro', 'gtmk']) {
      assert.equal(await kit.command(word), golden(role, word));
    }
    assert.equal(layout(await kit.command('dirs')), layout(golden(role, 'dirs')));
  });

  test(`mntr has lines as Apache's, its first ones in order: ${role}`, async () => {
    const kit = await startAs(role);
    const lines = (await kit.command('mntr')).split('\n');
    assert.equal(lines.pop(), '');
    for (const line of lines) assert.match(line, /^zk_[a-z_0-9]+\t\S.*$/);
    const keys = lines.map((line) => line.split('\t')[0] ?? '');
    const original = golden(role, 'mntr')
      .split('\n')
      .map((line) => line.split('\t')[0] ?? '');
    const firstCount = role === 'standalone' ? 2 : 3;
    assert.deepEqual(keys.slice(0, firstCount), original.slice(0, firstCount));
    const added = keys.filter((key) => !original.includes(key));
    for (const key of added) assert.ok(ADDED_KEYS.includes(key), `${key} needs a reason`);
    for (const key of role === 'leader' ? [...CLASSIC_KEYS, ...LEADER_KEYS] : CLASSIC_KEYS) {
      assert.ok(keys.includes(key), `${key} is missing`);
    }
    assert.equal(new Set(keys).size, keys.length);
  });
}

/** Beyond Apache's: the old name of zk_learners, what tells whether replicas agree, limits of ours. */
const ADDED_KEYS = [
  'zk_followers',
  'zk_last_zxid',
  'zk_tree_digest',
  'zk_wall_time_ms',
  'zk_large_replies_rejected',
  'zk_watches_rejected',
  'zk_slow_clients_dropped',
  'zk_client_held_bytes',
  'zk_client_request_bytes',
  'zk_sessionless_connections_dropped',
  'zk_greedy_clients_dropped',
];
/** What exporters have read since 3.4; numbers of open files come from the backend's metrics. */
const CLASSIC_KEYS = [
  'zk_avg_latency',
  'zk_max_latency',
  'zk_min_latency',
  'zk_packets_received',
  'zk_packets_sent',
  'zk_num_alive_connections',
  'zk_outstanding_requests',
  'zk_znode_count',
  'zk_watch_count',
  'zk_ephemerals_count',
  'zk_approximate_data_size',
];
const LEADER_KEYS = [
  'zk_learners',
  'zk_synced_followers',
  'zk_pending_syncs',
  'zk_last_proposal_size',
  'zk_max_proposal_size',
  'zk_min_proposal_size',
];

test('mntr shows the metrics of the backend', async () => {
  const kit = await ClientKit.start();
  kit.backend.statistics = {
    metrics: new Map([
      ['open_file_descriptor_count', 54],
      ['avg_fsynctime', 6],
    ]),
  };
  const text = await kit.command('mntr');
  assert.match(text, /^zk_open_file_descriptor_count\t54$/m);
  assert.match(text, /^zk_avg_fsynctime\t6\.0$/m);
});

test('wchs, wchc and wchp show the watches on data, those on children left out', async () => {
  const kit = await ClientKit.start();
  assert.equal(await kit.command('wchs'), golden('standalone', 'wchs'));
  assert.equal(await kit.command('wchc'), golden('standalone', 'wchc'));
  assert.equal(await kit.command('wchp'), golden('standalone', 'wchp'));
  const client = kit.dial();
  const { sessionId } = connectReply(await client.ask(connectFrame()));
  await client.ask(readFrame(1, OpCode.exists, '/a', true));
  await client.ask(readFrame(2, OpCode.exists, '/b', true));
  await client.ask(readFrame(3, OpCode.getChildren, '/', true));
  const id = `0x${sessionId.toString(16)}`;
  assert.equal(await kit.command('wchs'), '1 connections watching 2 paths\nTotal watches:2\n');
  assert.equal(await kit.command('wchc'), `${id}\n\t/a\n\t/b\n\n`);
  assert.equal(await kit.command('wchp'), `/a\n\t${id}\n/b\n\t${id}\n\n`);
});

test('crst and srst reset what stat and cons show', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  await client.ask(createFrame(1, '/a'));
  assert.equal(await kit.command('crst'), golden('standalone', 'crst'));
  assert.match(await kit.command('cons'), /recved=0,sent=0,sid=0x\w+,lop=NA/);
  assert.equal(await kit.command('srst'), golden('standalone', 'srst'));
  assert.match(await kit.command('srvr'), /^Received: 1\nSent: 1$/m);
  assert.equal(kit.backend.resetCount, 1);
});

test('srvr counts packets and latencies', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  kit.backend.holds = true;
  client.send(createFrame(1, '/a'));
  await kit.world.runFor(250);
  kit.backend.applyAll();
  await client.receive(1);
  const text = await kit.command('srvr');
  const latency = /^Latency min\/avg\/max: (.*)$/m.exec(text)?.[1]?.split('/') ?? [];
  assert.equal(latency.length, LATENCY_ORDER.length);
  assert.equal(latency[0], '0');
  assert.ok(Number(latency[2]) >= 249 && Number(latency[2]) <= 250);
  assert.match(text, /^Received: 3\nSent: 2\nConnections: 2\nOutstanding: 0\nZxid: 0x2$/m);
});

test('envi prints every key, and what is unknown as Java does', async () => {
  const kit = await ClientKit.start();
  const [title, ...lines] = (await kit.command('envi')).split('\n');
  assert.equal(title, 'Environment:');
  assert.equal(lines.pop(), '');
  assert.deepEqual(
    lines.map((line) => line.slice(0, line.indexOf('='))),
    [...ENVIRONMENT_KEYS],
  );
  assert.equal(lines[0], `zookeeper.version=${REPORT.version}`);
  assert.equal(lines[1], 'host.name=zk1');
  assert.equal(lines[8], 'java.compiler=<NA>');
});

test('while nobody is served the words say so, each in its own way', async () => {
  const kit = await ClientKit.start({ isServing: false });
  assert.equal(await kit.command('ruok'), 'imok');
  assert.equal(await kit.command('isro'), 'null');
  assert.equal(await kit.command('gtmk'), '306');
  assert.match(await kit.command('envi'), /^Environment:\n/);
  assert.equal(await kit.command('hash'), NOT_SERVING.trimEnd());
  const others = ['conf', 'cons', 'crst', 'dirs', 'dump', 'mntr', 'srst', 'srvr', 'stat', 'wchs'];
  for (const word of others) assert.equal(await kit.command(word), NOT_SERVING);
});

test('a server that stops serving while it gathers its status says so', async () => {
  const kit = await ClientKit.start();
  let openGate = (): void => undefined;
  kit.backend.statusGate = new Promise((resolve) => {
    openGate = resolve;
  });
  const client = kit.dial();
  client.sendBytes(new TextEncoder().encode('srvr'));
  await kit.until(() => [...kit.service.connections()].some((c) => c.isCommand), 'the command');
  kit.service.stopServing();
  openGate();
  await client.closedByServer();
  assert.equal(new TextDecoder().decode(client.bytes), NOT_SERVING);
});

test('a word may come in pieces and with more behind it', async () => {
  const kit = await ClientKit.start();
  const client = kit.dial();
  for (const byte of new TextEncoder().encode('ruok')) {
    client.sendBytes(Uint8Array.of(byte));
    await kit.settle();
  }
  await client.closedByServer();
  assert.equal(new TextDecoder().decode(client.bytes), 'imok');
  assert.equal(await kit.command('ruok\n'), 'imok');
});

test('a client that closes its sending side behind the word gets the whole answer', async () => {
  const kit = await ClientKit.start();
  const client = kit.dial();
  client.sendBytes(new TextEncoder().encode('mntr\n'));
  client.stream.end();
  await client.closedByServer();
  assert.match(new TextDecoder().decode(client.bytes), /^zk_version\t(.*\n)+$/);
  await kit.until(() => kit.service.connectionCount === 0, 'the end of the connection');
});

test('words that are none, and words in capitals, are lengths out of range', async () => {
  const kit = await ClientKit.start();
  for (const word of ['abcd', 'STAT', 'GET ']) assert.equal(await kit.command(word), '');
});

test('hash lists the digests the server keeps, in decimal as a signed long', async () => {
  const kit = await ClientKit.start();
  kit.backend.digests.set(makeZxid(makeEpoch(1), 0x80), 'ff');
  kit.backend.digests.set(makeZxid(makeEpoch(1), 0x100), 'fffffffffffffffe');
  assert.equal(await kit.command('hash'), '100000080: 255\n100000100: -2\n');
});

test('stmk sets the mask that gtmk shows, however its bytes come', async () => {
  const kit = await ClientKit.start();
  const client = kit.dial();
  client.sendBytes(new TextEncoder().encode('stmk'));
  await kit.settle();
  client.sendBytes(Uint8Array.of(255, 255, 255));
  await kit.settle();
  assert.equal(client.bytes.length, 0);
  client.sendBytes(Uint8Array.of(255, 255, 255, 255, 251, 9, 9));
  await client.closedByServer();
  assert.equal(new TextDecoder().decode(client.bytes), '-5');
  assert.equal(await kit.command('gtmk'), '-5');
  assert.equal(await kit.command('stmk\0\0\0\0\0\0\0\x07'), '7');
});

test('stmk without a whole mask ends without an answer', async () => {
  const kit = await ClientKit.start();
  const client = kit.dial();
  client.sendBytes(new TextEncoder().encode('stmk1234'));
  client.stream.end();
  await client.closedByServer();
  assert.equal(client.bytes.length, 0);
  assert.equal(await kit.command('gtmk'), '306');
});

test('a word that is not in the whitelist is refused by name, whether or not anybody is served', async () => {
  const fourLetterWords = new Set(['srvr', 'ruok']);
  for (const isServing of [true, false]) {
    const kit = await ClientKit.start({ isServing, service: { fourLetterWords } });
    for (const word of ['stat', 'isro', 'gtmk', 'stmk', 'mntr']) {
      assert.equal(
        await kit.command(word),
        `${word} is not executed because it is not in the whitelist.\n`,
      );
    }
    assert.equal(await kit.command('ruok'), 'imok');
  }
});

test('cons shows the last operation by the name the original has for it', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  const last = async (): Promise<string | undefined> =>
    /lop=(\w+)/.exec(await kit.command('cons'))?.[1];
  assert.equal(await last(), 'SESS');
  await client.ask(createFrame(1, '/a'));
  assert.equal(await last(), 'CREA');
  await client.ask(createFrame(2, '/a'));
  assert.equal(await last(), 'NA');
  await client.ask(readFrame(3, OpCode.exists, '/none'));
  assert.equal(await last(), 'EXIS');
  await client.ask(headerFrame(4, OpCode.whoAmI));
  assert.equal(await last(), 'HOMI');
  const before = await kit.command('cons');
  await client.ask(frame(int(-4), int(OpCode.auth), int(0), text('digest'), text('bob:pw')));
  assert.equal(await last(), 'HOMI');
  assert.equal(/lzxid=\w+/.exec(before)?.[0], /lzxid=\w+/.exec(await kit.command('cons'))?.[0]);
});
