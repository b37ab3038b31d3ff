import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { MsgpackReader } from '../../../src/base/msgpack-reader.ts';

const SEED = 20261121;
const packr = new Packr({ useRecords: false });

/** A reader behind the head of the array of the values. */
function readerOf(...values: readonly unknown[]): MsgpackReader {
  return readerOfBytes(packr.pack(values));
}

function readerOfBytes(bytes: Uint8Array): MsgpackReader {
  const reader = new MsgpackReader();
  reader.aim(bytes);
  reader.array();
  return reader;
}

describe('MsgpackReader', () => {
  it('reads every number that msgpackr writes', () => {
    const numbers = fc.oneof(
      fc.maxSafeInteger(),
      fc.integer(),
      fc.integer({ min: -300, max: 300 }),
      fc.double({ noNaN: true }),
    );
    fc.assert(
      fc.property(numbers, (value) => {
        const reader = readerOf(value);
        assert.equal(reader.number(), value);
        assert(reader.isDone);
      }),
      { seed: SEED },
    );
  });

  it('reads every text, byte string and array length that msgpackr writes', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 400, size: 'max' });
    const bytes = fc.uint8Array({ maxLength: 400, size: 'max' });
    fc.assert(
      fc.property(texts, bytes, fc.nat(300), (text, data, length) => {
        const reader = readerOf(text, Buffer.from(data), new Array(length).fill(null));
        assert.equal(reader.text(), text);
        assert.deepEqual(new Uint8Array(reader.bytes()), data);
        assert(reader.isArrayNext);
        assert.equal(reader.array(), length);
      }),
      { seed: SEED },
    );
  });

  it('reads session ids, booleans and nulls', () => {
    const reader = readerOf(-1n, 0x7fff_ffff_ffff_ffffn, true, false, null);
    assert.equal(reader.int64(), -1n);
    assert.equal(reader.int64(), 0x7fff_ffff_ffff_ffffn);
    assert.equal(reader.bool(), true);
    assert.equal(reader.bool(), false);
    assert.equal(reader.bytesOrNull(), null);
    assert(reader.isDone);
  });

  it('hands out byte strings as views', () => {
    const packed = packr.pack([Buffer.from('data')]);
    const data = readerOfBytes(packed).bytes();
    packed.fill(0);
    assert.deepEqual(new Uint8Array(data), new Uint8Array(4));
  });

  it('fails at a field of another kind, and yields neutral values from then on', () => {
    const reader = readerOf('text', 7);
    assert.equal(reader.number(), 0);
    assert(reader.failed);
    assert.equal(reader.text(), '');
    assert.equal(reader.int64(), 0n);
    assert.equal(reader.bytes().length, 0);
    assert(!reader.isDone);
  });

  it('fails at numbers out of range', () => {
    const fails = (read: (reader: MsgpackReader) => unknown, value: unknown): boolean => {
      const reader = readerOf(value);
      read(reader);
      return reader.failed;
    };
    for (const value of [2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN, 1n]) {
      assert(
        fails((reader) => reader.int32(), value),
        String(value),
      );
    }
    for (const value of [-1, 0.5, 2 ** 53, Number.POSITIVE_INFINITY]) {
      assert(
        fails((reader) => reader.count(), value),
        String(value),
      );
    }
    assert(fails((reader) => reader.int64(), 1));
  });

  it('fails at every cut of a record', () => {
    const packed = packr.pack([300, 70_000, -5, 'text', Buffer.alloc(3), 1n, true, 2 ** 40]);
    for (let length = 0; length < packed.length; length++) {
      const reader = readerOfBytes(packed.subarray(0, length));
      reader.number();
      reader.number();
      reader.int32();
      reader.text();
      reader.bytes();
      reader.int64();
      reader.bool();
      reader.count();
      assert(reader.failed, `cut at ${length}`);
    }
  });

  it('makes no room for more fields than there are bytes', () => {
    const reader = new MsgpackReader();
    reader.aim(Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff));
    assert.equal(reader.array(), 0);
    assert(reader.failed);
  });

  it('starts where it is told to, in memory that holds other things too', () => {
    const packed = packr.pack([1, 'two']);
    const memory = new Uint8Array(packed.length + 7);
    memory.set(packed, 7);
    const reader = new MsgpackReader();
    reader.aim(memory.subarray(2), 5);
    assert.equal(reader.array(), 2);
    assert.equal(reader.number(), 1);
    assert.equal(reader.text(), 'two');
    assert(reader.isDone);
    reader.release();
    assert(!reader.isArrayNext);
  });
});
