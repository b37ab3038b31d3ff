import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientOptions, settingsOf } from '../../../src/client/client-options.ts';
import { isKeeperError } from '../../../src/client/keeper-error.ts';

test('settingsOf fills in what was left out', () => {
  const settings = settingsOf({ hosts: ['a:1', 'b'] });
  assert.deepEqual(settings.addresses, [
    { host: 'a', port: 1 },
    { host: 'b', port: 2181 },
  ]);
  assert.equal(settings.sessionTimeoutMs, 30_000);
  assert.equal(settings.connectTimeoutMs, 30_000);
  assert.equal(settings.chroot.path, '/');
  assert.equal(settings.repeatReads, true);
  assert.equal(settings.waitsWhileDisconnected, true);
});

test('settingsOf takes a chroot from the hosts or from its option', () => {
  assert.equal(settingsOf({ hosts: 'a/app' }).chroot.path, '/app');
  assert.equal(settingsOf({ hosts: 'a', chroot: '/app' }).chroot.path, '/app');
  assert.equal(settingsOf({ hosts: 'a/app', chroot: '/app' }).chroot.path, '/app');
});

test('settingsOf keeps pauses far below a short session', () => {
  assert.equal(settingsOf({ hosts: 'a', sessionTimeoutMs: 6000 }).reconnectMaxMs, 1000);
  assert.equal(settingsOf({ hosts: 'a' }).reconnectMaxMs, 5000);
});

const BAD: readonly (readonly [string, Partial<ClientOptions>])[] = [
  ['sessionTimeoutMs', { sessionTimeoutMs: 0 }],
  ['sessionTimeoutMs', { sessionTimeoutMs: 1.5 }],
  ['connectTimeoutMs', { connectTimeoutMs: 2 ** 31 }],
  ['chroot', { chroot: 'app' }],
  ['chroot', { hosts: 'a/app', chroot: '/other' }],
  ['session', { session: { id: 0n, password: new Uint8Array(16) } }],
  ['session', { session: { id: 1n, password: new Uint8Array(15) } }],
  ['reconnectDelay.minMs', { reconnectDelay: { minMs: -1, maxMs: 5 } }],
];

for (const [name, options] of BAD) {
  const text = JSON.stringify(options, (_, value) =>
    typeof value === 'bigint' ? `${value}n` : value,
  );
  test(`settingsOf refuses ${text} and names the option`, () => {
    assert.throws(
      () => settingsOf({ hosts: 'a', ...options }),
      (error) => isKeeperError(error, 'BAD_ARGUMENTS') && error.message.includes(name),
    );
  });
}
