import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEpoch, makeZxid } from '../../../src/base/ids.ts';
import { ByteReader, ByteWriter } from '../../../src/store/byte-cursor.ts';

const ZXID = makeZxid(makeEpoch(0x1f_ffff), 0xffff_ffff);

function writeAll(writer: ByteWriter): void {
  writer.u8(255);
  writer.u32(0xffff_fffe);
  writer.i32(-7);
  writer.f64(2 ** 53 - 1);
  writer.i64(-(2n ** 63n));
  writer.zxid(ZXID);
  writer.text('grün');
  writer.block(Uint8Array.of(1, 2, 3));
  writer.raw(Uint8Array.of(4));
  writer.latin1('ÿ');
}

test('ByteReader reads what ByteWriter wrote, however often the writer had to grow', () => {
  for (const capacity of [0, 1, 7, 30, 1000]) {
    const writer = new ByteWriter(capacity);
    writeAll(writer);
    const reader = new ByteReader(writer.written());
    assert.equal(reader.u8(), 255);
    assert.equal(reader.u32(), 0xffff_fffe);
    assert.equal(reader.i32(), -7);
    assert.equal(reader.f64(), 2 ** 53 - 1);
    assert.equal(reader.i64(), -(2n ** 63n));
    assert.equal(reader.zxid(), ZXID);
    assert.equal(reader.text(), 'grün');
    assert.deepEqual(reader.block(), Uint8Array.of(1, 2, 3));
    assert.deepEqual(reader.raw(2), Uint8Array.of(4, 255));
    assert.equal(reader.remaining, 0);
    assert.ok(reader.isIntact);
  }
});

test('ByteReader says when bytes end early, at every length', () => {
  const writer = new ByteWriter(8);
  writeAll(writer);
  for (let length = 0; length < writer.length; length++) {
    const reader = new ByteReader(writer.written().subarray(0, length));
    reader.u8();
    reader.u32();
    reader.i32();
    reader.f64();
    reader.i64();
    reader.zxid();
    reader.text();
    reader.block();
    reader.raw(2);
    assert.equal(reader.isIntact, false);
  }
});

test('ByteReader.zxid() refuses an epoch that no zxid has', () => {
  const reader = new ByteReader(Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 1));
  reader.zxid();
  assert.equal(reader.isIntact, false);
});

test('ByteWriter leaves views alone when it grows', () => {
  const writer = new ByteWriter(4);
  writer.u32(0x01020304);
  const view = writer.written();
  writer.u32(0x05060708);
  assert.deepEqual(view, Uint8Array.of(1, 2, 3, 4));
});
