import assert from 'node:assert/strict';
import { test } from 'node:test';
import { javaAddress, plainHost } from '../../../src/api/remote-address.ts';

test('plainHost() shows an IPv4 client of an IPv6 socket as what it is', () => {
  assert.equal(plainHost('::ffff:127.0.0.1'), '127.0.0.1');
  assert.equal(plainHost('::FFFF:10.0.0.1'), '10.0.0.1');
  assert.equal(plainHost('127.0.0.1'), '127.0.0.1');
  assert.equal(plainHost('::1'), '::1');
});

test('javaAddress() writes addresses as Java does', () => {
  assert.equal(javaAddress({ host: '127.0.0.1', port: 46504 }), '/127.0.0.1:46504');
  assert.equal(javaAddress({ host: '::ffff:127.0.0.1', port: 1 }), '/127.0.0.1:1');
  assert.equal(javaAddress({ host: '::1', port: 46504 }), '/[0:0:0:0:0:0:0:1]:46504');
  assert.equal(javaAddress({ host: 'fe80::1:2', port: 2 }), '/[fe80:0:0:0:0:0:1:2]:2');
  assert.equal(javaAddress({ host: '::', port: 2 }), '/[0:0:0:0:0:0:0:0]:2');
  assert.equal(javaAddress({ host: '1:2:3:4:5:6:7:8', port: 2 }), '/[1:2:3:4:5:6:7:8]:2');
});
