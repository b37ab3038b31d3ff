import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keyBytes, keyText } from '../../../src/base/key-text.ts';

const KEY = fc.uint8Array({ maxLength: 80 });

describe('keyText()', () => {
  it('orders texts as the bytes are ordered', () => {
    fc.assert(
      fc.property(KEY, KEY, (one, other) => {
        const [first, second] = [keyText(one), keyText(other)];
        const order = first < second ? -1 : first > second ? 1 : 0;
        assert.equal(order, Buffer.compare(one, other));
      }),
      { seed: 1 },
    );
  });

  it('reads only the bytes of a view', () => {
    const view = Uint8Array.of(1, 0x41, 0xff, 2).subarray(1, 3);
    assert.equal(keyText(view), 'A\xff');
  });
});

describe('keyBytes()', () => {
  it('gives back the bytes that a text was made of', () => {
    fc.assert(
      fc.property(KEY, (key) => {
        assert.deepEqual(keyBytes(keyText(key)), key);
      }),
      { seed: 1 },
    );
  });
});
