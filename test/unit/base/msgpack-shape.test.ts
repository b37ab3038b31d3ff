import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { isPlainMsgpack } from '../../../src/base/msgpack-shape.ts';

const packr = new Packr({ useRecords: false, int64AsType: 'bigint' });

const scalar = fc.oneof(
  fc.constantFrom(null, true, false, 0, -1, 2 ** 31, 2 ** 40, 1.5),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.string({ maxLength: 70_000, size: 'small' }),
  fc.uint8Array({ maxLength: 300 }),
);
const nested = fc.array(fc.oneof(scalar, fc.array(fc.oneof(scalar, fc.array(scalar)))), {
  maxLength: 40,
});

function bytesOf(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

describe('isPlainMsgpack', () => {
  it('accepts whatever the packer makes of plain nested arrays', () => {
    const property = fc.property(nested, (value) => {
      assert.equal(isPlainMsgpack(packr.pack(value), 0, 3), true);
    });
    fc.assert(property, { seed: 7, numRuns: 500 });
  });

  it('refuses such bytes when one is missing or one too many', () => {
    const property = fc.property(nested, fc.nat(), (value, cut) => {
      const bytes = packr.pack(value);
      assert.equal(isPlainMsgpack(bytes.subarray(0, cut % bytes.length), 0, 3), false);
      assert.equal(isPlainMsgpack(Buffer.concat([bytes, Buffer.of(0)]), 0, 3), false);
    });
    fc.assert(property, { seed: 7, numRuns: 500 });
  });

  it('begins at the offset it is given', () => {
    const bytes = Buffer.concat([Buffer.of(9, 9, 9), packr.pack([1, 'a'])]);
    assert.equal(isPlainMsgpack(bytes, 3, 1), true);
    assert.equal(isPlainMsgpack(bytes, 2, 1), false);
  });

  it('accepts arrays up to the depth and refuses deeper ones', () => {
    assert.equal(isPlainMsgpack(packr.pack([[[]]]), 0, 3), true);
    assert.equal(isPlainMsgpack(packr.pack([[[]]]), 0, 2), false);
    assert.equal(isPlainMsgpack(new Uint8Array(1_000_000).fill(0x91), 0, 8), false);
  });

  it('refuses a value that is no array, also at the top', () => {
    for (const value of [1, 'a', null, true]) {
      assert.equal(isPlainMsgpack(packr.pack(value), 0, 3), false);
    }
    assert.equal(isPlainMsgpack(bytesOf(), 0, 3), false);
  });

  it('refuses counts and lengths beyond what follows', () => {
    assert.equal(isPlainMsgpack(bytesOf(0xdd, 0xff, 0xff, 0xff, 0xff, 1), 0, 3), false);
    assert.equal(isPlainMsgpack(bytesOf(0xdc, 0xff), 0, 3), false);
    assert.equal(isPlainMsgpack(bytesOf(0x91, 0xdb, 0xff, 0xff, 0xff, 0xff), 0, 3), false);
    assert.equal(isPlainMsgpack(bytesOf(0x91, 0xc6, 0xff), 0, 3), false);
  });

  it('refuses maps, extensions and everything else an unpacker makes objects of', () => {
    const values = [{ a: 1 }, new Date(0), /x/, new Set([1]), new Map([[1, 2]]), new Error('x')];
    const rich = new Packr({ useRecords: false, moreTypes: true });
    for (const value of values) assert.equal(isPlainMsgpack(rich.pack([value]), 0, 3), false);
    assert.equal(isPlainMsgpack(new Packr().pack([{ a: 1 }]), 0, 3), false);
    assert.equal(isPlainMsgpack(bytesOf(0x91, 0xc1), 0, 3), false);
  });
});
