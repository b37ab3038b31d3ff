import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { crc32Of } from '../../../src/base/crc32.ts';
import { Prng } from '../../../src/base/prng.ts';

const SEED = 20_261_121;

function randomBytes(count: number): Uint8Array {
  const prng = new Prng(SEED);
  return Uint8Array.from({ length: count }, () => prng.between(0, 255));
}

test('crc32Of() is what zlib computes, wherever the bytes begin and end', () => {
  const bytes = randomBytes(64);
  const view = new DataView(bytes.buffer);
  for (let start = 0; start < 20; start++) {
    for (let end = start + 1; end <= bytes.length; end++) {
      const expected = crc32(bytes.subarray(start, end), 0xdead_beef);
      assert.equal(crc32Of(view, start, end, 0xdead_beef), expected, `${start} to ${end}`);
    }
  }
});

test('crc32Of() continues the sum over what came before', () => {
  const bytes = randomBytes(1000);
  const view = new DataView(bytes.buffer);
  for (const cut of [1, 7, 8, 9, 500, 999]) {
    const before = crc32Of(view, 0, cut, 0);
    assert.equal(crc32Of(view, cut, bytes.length, before), crc32(bytes));
  }
});

test('crc32Of() of no bytes is the sum that it was to continue', () => {
  assert.equal(crc32Of(new DataView(new ArrayBuffer(4)), 2, 2, 0x8000_0001), 0x8000_0001);
});
