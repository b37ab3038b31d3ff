import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { authenticate } from '../../../../src/api/handlers/auth.ts';

function digestOf(auth: Uint8Array): string | undefined {
  return authenticate({ type: 0, scheme: 'digest', auth }, '10.0.0.1', undefined)[0]?.id;
}

function idOf(text: string, user: string): string {
  return `${user}:${createHash('sha1').update(text, 'utf8').digest('base64')}`;
}

test('authenticate() hashes credentials as text: bytes that are none in UTF-8 are U+FFFD', () => {
  const latin1 = Buffer.from('bob:pässword', 'latin1');
  assert.equal(digestOf(latin1), idOf('bob:p\ufffdssword', 'bob'));
  assert.equal(digestOf(Buffer.from([0xff])), idOf('\ufffd', '\ufffd'));
});

test('authenticate() takes the user as it is written, a byte order mark included', () => {
  assert.equal(digestOf(Buffer.from('\ufeffbob:pw')), idOf('\ufeffbob:pw', '\ufeffbob'));
});

test('authenticate() ends the user at the first colon, or takes all for it', () => {
  assert.equal(digestOf(Buffer.from('bob:a:b')), idOf('bob:a:b', 'bob'));
  assert.equal(digestOf(Buffer.from('bob')), idOf('bob', 'bob'));
  assert.equal(digestOf(new Uint8Array(0)), idOf('', ''));
});
