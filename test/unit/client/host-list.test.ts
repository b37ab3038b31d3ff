import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';
import { addressText, HostList, parseConnectString } from '../../../src/client/host-list.ts';
import { isKeeperError } from '../../../src/client/keeper-error.ts';

test('parseConnectString reads hosts, ports and a chroot', () => {
  assert.deepEqual(parseConnectString('a:1,b , [::1]:3,[fe80::1]/app/x'), {
    addresses: [
      { host: 'a', port: 1 },
      { host: 'b', port: 2181 },
      { host: '::1', port: 3 },
      { host: 'fe80::1', port: 2181 },
    ],
    chroot: '/app/x',
  });
  assert.equal(parseConnectString('a/').chroot, '');
});

for (const bad of ['', ',', 'a:', 'a:0', 'a:65536', 'a:b', '::1', '[::1', 'a b', '/app']) {
  test(`parseConnectString refuses "${bad}"`, () => {
    assert.throws(
      () => parseConnectString(bad),
      (error) => isKeeperError(error, 'BAD_ARGUMENTS'),
    );
  });
}

test('addressText writes what parseConnectString reads', () => {
  for (const text of ['a:1', '[::1]:2181']) {
    const [address] = parseConnectString(text).addresses;
    assert.equal(address && addressText(address), text);
  }
});

const ADDRESSES = Array.from({ length: 5 }, (_, i) => ({ host: `zk${i}`, port: 2181 }));

test('HostList gives every server once a round, in an order of its own', () => {
  const orders = new Set<string>();
  for (let seed = 1; seed <= 50; seed++) {
    const hosts = new HostList(ADDRESSES, new Prng(seed));
    const round = ADDRESSES.map(() => hosts.next().host);
    assert.deepEqual(
      [...round].sort(),
      ADDRESSES.map(({ host }) => host),
    );
    assert.deepEqual(
      ADDRESSES.map(() => hosts.next().host),
      round,
    );
    orders.add(round[0] ?? '');
  }
  assert.equal(orders.size, ADDRESSES.length, 'each server is the first of some client');
});

test('HostList.prefer makes a server the next', () => {
  const hosts = new HostList(ADDRESSES, new Prng(1));
  for (const address of ADDRESSES) {
    hosts.prefer(address);
    assert.equal(hosts.next(), address);
  }
});
