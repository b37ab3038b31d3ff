import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deploymentFiles, parseHosts } from '../../../cluster/deployment.ts';
import { loadConfig } from '../../../src/server/load-config.ts';

test('parseHosts reads names, addresses and roles', () => {
  assert.deepEqual(parseHosts('zk1, 10.0.0.2,[fd00::3]:observer'), [
    { host: 'zk1', role: 'participant' },
    { host: '10.0.0.2', role: 'participant' },
    { host: 'fd00::3', role: 'observer' },
  ]);
});

for (const [text, problem] of [
  ['', /no host/],
  ['zk1:2888', /no host/],
  ['zk1,zk1', /zk1 is named twice/],
  ['zk1:observer', /all hosts are observers/],
] as const) {
  test(`parseHosts refuses "${text}"`, () => {
    const parsed = parseHosts(text);
    assert.ok(typeof parsed === 'string');
    assert.match(parsed, problem);
  });
}

test('deploymentFiles are configurations that each server accepts without a warning', async () => {
  const hosts = parseHosts('zk1,zk2,zk3,zk4:observer');
  assert.ok(typeof hosts !== 'string');
  const files = deploymentFiles({ hosts, dataDir: '/d', clientPort: 2181 });
  for (const [index, { host, role }] of hosts.entries()) {
    const textOf = (name: string) => files.find(({ file }) => file === `${host}/${name}`)?.text;
    const readText = async (file: string) => textOf(file === '/d/myid' ? 'myid' : 'zoo.cfg');
    const config = await loadConfig({ readText }, 'zoo.cfg');
    assert.equal(config.serverId, index + 1);
    assert.equal(config.role, role);
    assert.equal(config.clientPort, 2181);
    assert.deepEqual(config.voterIds, [1, 2, 3]);
    assert.deepEqual(config.warnings, []);
  }
});

test('deploymentFiles: zoo.cfg is the same on every server', () => {
  const hosts = parseHosts('zk1,zk2,zk3');
  assert.ok(typeof hosts !== 'string');
  const texts = deploymentFiles({ hosts, dataDir: '/d', clientPort: 2181 })
    .filter(({ file }) => file.endsWith('zoo.cfg'))
    .map(({ text }) => text);
  assert.equal(new Set(texts).size, 1);
});
