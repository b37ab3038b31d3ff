import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsFromProperties } from '../../../src/cli/java-properties.ts';

test('settingsFromProperties takes keys with the prefix of the original, or as Java reads them', () => {
  const settings = settingsFromProperties(['zookeeper.maxCnxns=7', 'jute.maxbuffer=2000000']);
  assert.deepEqual(
    settings.map(({ key, value, where }) => [key, value, where]),
    [
      ['maxCnxns', '7', '-Dzookeeper.maxCnxns'],
      ['jute.maxbuffer', '2000000', '-Djute.maxbuffer'],
    ],
  );
});

test('settingsFromProperties leaves out what is meant for Java', () => {
  assert.deepEqual(settingsFromProperties(['java.net.preferIPv4Stack=true', 'log4j.x=y=z']), []);
});

test('settingsFromProperties keeps what may not be ignored', () => {
  const [setting] = settingsFromProperties(['zookeeper.authProvider.1=org.example.Auth']);
  assert.equal(setting?.key, 'authProvider.1');
});

test('settingsFromProperties refuses what is no definition', () => {
  assert.throws(() => settingsFromProperties(['maxCnxns']), { code: 'USAGE', exitCode: 2 });
});
