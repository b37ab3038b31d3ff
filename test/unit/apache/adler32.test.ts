import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { Adler32, adler32 } from '../../../src/apache/adler32.ts';

/** zlib's own stands at the end of what it compresses. */
function reference(bytes: Uint8Array): number {
  return deflateSync(bytes).readUInt32BE(deflateSync(bytes).length - 4);
}

test('adler32() of nothing is 1', () => {
  assert.equal(adler32(new Uint8Array(0)), 1);
});

test('adler32() agrees with zlib where sums are largest', () => {
  for (const length of [1, 3799, 3800, 3801, 100_000]) {
    const bytes = new Uint8Array(length).fill(0xff);
    assert.equal(adler32(bytes), reference(bytes), `${length} bytes`);
  }
});

test('Adler32.update() sums pieces as it sums the whole', () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, at) => (at * 31) & 0xff);
  const sum = new Adler32().update(bytes, 0, 4711).update(bytes, 4711).value;
  assert.equal(sum, reference(bytes));
});
