import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { MsgpackWriter } from '../../../src/base/msgpack-writer.ts';

const SEED = 20_261_121;
const packr = new Packr({ useRecords: false });

type Value = number | bigint | string | null | Uint8Array | readonly Value[];

function write(writer: MsgpackWriter, value: Value): void {
  if (value === null) writer.nil();
  else if (typeof value === 'number') writer.number(value);
  else if (typeof value === 'bigint') writer.int64(value);
  else if (typeof value === 'string') writer.text(value);
  else if (value instanceof Uint8Array) writer.bytes(value);
  else {
    writer.array(value.length);
    for (const element of value) write(writer, element);
  }
}

function written(writer: MsgpackWriter, value: Value): Buffer {
  writer.begin(0);
  write(writer, value);
  return writer.end();
}

const BORDERS: readonly number[] = [0, 31, 32, 127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536];

test('MsgpackWriter writes numbers as msgpackr does, on both sides of every border', () => {
  const writer = new MsgpackWriter();
  const numbers = [0.5, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
  for (const border of [...BORDERS, ...numbers]) {
    for (const value of [border, -border, -border - 1]) {
      assert.deepEqual(written(writer, value), Buffer.from(packr.pack(value)), String(value));
    }
  }
});

test('MsgpackWriter writes texts, bytes and arrays of every length as msgpackr does', () => {
  const writer = new MsgpackWriter();
  for (const length of [...BORDERS, 47, 48, 49]) {
    const values: Value[] = [
      'a'.repeat(length),
      'é'.repeat(length),
      `${'a'.repeat(length)}日`,
      Buffer.alloc(length, 7),
      new Array<number>(length).fill(1),
    ];
    for (const value of values) {
      assert.ok(written(writer, value).equals(packr.pack(value)), `length ${length}`);
    }
  }
});

test('MsgpackWriter writes any value as msgpackr does', () => {
  const { value } = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.integer(),
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.string(),
      fc.constant(null),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.array(tie('value'), { maxLength: 20 }),
    ),
  }));
  const writer = new MsgpackWriter();
  fc.assert(
    fc.property(value, (given) => written(writer, given).equals(packr.pack(given))),
    { seed: SEED },
  );
});

test('MsgpackWriter leaves what it handed out as it is, also when a record outgrows its slab', () => {
  const writer = new MsgpackWriter();
  const records: (readonly [Buffer, Buffer])[] = [];
  for (let at = 0; at < 50; at++) {
    const value = [at, 'x'.repeat(at * 97), Buffer.alloc(at * 1001, at)];
    records.push([written(writer, value), Buffer.from(packr.pack(value))]);
  }
  for (const [bytes, expected] of records) assert.ok(bytes.equals(expected));
});

test('MsgpackWriter.bytes() says where in the record the bytes lie', () => {
  const writer = new MsgpackWriter();
  const data = Buffer.from('some data');
  writer.begin(5);
  writer.array(2);
  writer.text('/a');
  const offset = writer.bytes(data);
  const record = writer.end();
  assert.deepEqual(record.subarray(offset, offset + data.length), data);
  assert.equal(record.length, offset + data.length);
});
