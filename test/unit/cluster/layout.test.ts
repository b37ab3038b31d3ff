import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  configText,
  connectString,
  deriveServers,
  type EnsembleLayout,
  withObserver,
} from '../../../cluster/layout.ts';
import { loadConfig } from '../../../src/server/load-config.ts';

function layoutOf(servers: number, observers: number, clientPort = 2181): EnsembleLayout {
  const derived = deriveServers({ servers, observers }, clientPort);
  assert.ok(!('problem' in derived));
  return { directory: '/e', servers: derived, settings: {} };
}

function load(layout: EnsembleLayout, index: number) {
  const server = layout.servers[index];
  assert.ok(server !== undefined);
  const text = configText(layout, server);
  const readText = (file: string) =>
    Promise.resolve(file === `/e/server.${server.id}/data/myid` ? `${server.id}\n` : text);
  return loadConfig({ readText }, 'zoo.cfg');
}

test('deriveServers counts ports up from the client port and keeps their usual distances', () => {
  assert.deepEqual(layoutOf(2, 1, 22181).servers, [
    { id: 1, role: 'participant', clientPort: 22181, quorumPort: 22888, electionPort: 23888 },
    { id: 2, role: 'participant', clientPort: 22182, quorumPort: 22889, electionPort: 23889 },
    { id: 3, role: 'observer', clientPort: 22183, quorumPort: 22890, electionPort: 23890 },
  ]);
});

const IMPOSSIBLE: readonly (readonly [servers: number, observers: number, port: number])[] = [
  [0, 1, 2181],
  [3, -1, 2181],
  [1.5, 0, 2181],
  [300, 0, 2181],
  [3, 0, 0],
  [3, 0, 63827],
  [3, 0, Number.NaN],
];

for (const [servers, observers, port] of IMPOSSIBLE) {
  test(`deriveServers refuses ${servers} servers, ${observers} observers from port ${port}`, () => {
    assert.ok('problem' in deriveServers({ servers, observers }, port));
  });
}

test('deriveServers uses ports up to the last one', () => {
  assert.equal(layoutOf(3, 0, 63826).servers[2]?.electionPort, 65535);
});

test('configText: every generated configuration is one that a server accepts without a warning', async () => {
  const layout = layoutOf(3, 1);
  for (let index = 0; index < 4; index++) {
    const config = await load(layout, index);
    assert.equal(config.serverId, index + 1);
    assert.equal(config.role, index < 3 ? 'participant' : 'observer');
    assert.equal(config.isStandalone, false);
    assert.deepEqual(config.voterIds, [1, 2, 3]);
    assert.equal(config.clientPort, 2181 + index);
    assert.equal(config.clientHost, '127.0.0.1');
    assert.equal(config.dataDir, `/e/server.${index + 1}/data`);
    assert.deepEqual(config.warnings, []);
  }
});

test('configText: an ensemble of one is an ensemble all the same', async () => {
  assert.equal((await load(layoutOf(1, 0), 0)).isStandalone, false);
});

test('configText: further settings reach every server and win', async () => {
  const layout = { ...layoutOf(3, 0), settings: { tickTime: '500' } };
  assert.equal((await load(layout, 2)).tickTimeMs, 500);
});

test('connectString names all servers', () => {
  assert.equal(connectString(layoutOf(2, 0)), '127.0.0.1:2181,127.0.0.1:2182');
});

test('withObserver adds an observer on the ports that follow', () => {
  const layout = withObserver(layoutOf(3, 1), [1, 2, 3]);
  assert.ok(!('problem' in layout));
  assert.deepEqual(layout.servers, layoutOf(3, 2).servers);
});

test('withObserver adds an observer on the ports given, where the others were not derived', () => {
  const servers = layoutOf(3, 0).servers.map((server) => ({ ...server, quorumPort: 9 }));
  const layout = withObserver({ ...layoutOf(3, 0), servers }, [1, 2, 3]);
  assert.ok(!('problem' in layout));
  const added = { id: 4, role: 'observer', clientPort: 1, quorumPort: 2, electionPort: 3 };
  assert.deepEqual(layout.servers, [...servers, added]);
});
