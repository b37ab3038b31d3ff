import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagName, settingsFromFlags } from '../../../src/cli/config-flags.ts';

const NAMES: readonly (readonly [key: string, flag: string])[] = [
  ['clientPort', 'client-port'],
  ['autopurge.purgeInterval', 'autopurge-purge-interval'],
  ['quorumListenOnAllIPs', 'quorum-listen-on-all-ips'],
  ['4lw.commands.whitelist', '4lw-commands-whitelist'],
  ['jute.maxbuffer', 'jute-maxbuffer'],
];

for (const [key, flag] of NAMES) {
  test(`flagName turns ${key} into ${flag}`, () => assert.equal(flagName(key), flag));
}

test('settingsFromFlags makes settings that say which flag they come from', () => {
  assert.deepEqual(settingsFromFlags({ 'client-port': '2182 ' }, ['2=b:1:2;2181']), [
    { key: 'clientPort', value: '2182', where: '--client-port', line: undefined },
    { key: 'server.2', value: 'b:1:2;2181', where: '--server', line: undefined },
  ]);
});

test('settingsFromFlags takes the last of a repeated flag', () => {
  const [setting] = settingsFromFlags({ 'tick-time': ['1', '2'] }, []);
  assert.equal(setting?.value, '2');
});

test('settingsFromFlags refuses a member without a number', () => {
  assert.throws(() => settingsFromFlags({}, ['b:1:2']), {
    code: 'USAGE',
    exitCode: 2,
    message: '--server b:1:2: expected N=host:quorumPort:electionPort',
  });
});
