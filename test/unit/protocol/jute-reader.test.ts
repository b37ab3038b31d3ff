import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JuteReader } from '../../../src/protocol/jute-reader.ts';
import { bool, buffer, fromHex, int, long, text, toHex, vector } from '../../support/hex.ts';

function readerOf(...parts: readonly string[]): JuteReader {
  const reader = new JuteReader();
  reader.aim(fromHex(parts.join('')));
  return reader;
}

test('readInt reads signed big-endian 32 bits', () => {
  const reader = readerOf(int(1), int(-1), int(0x7fffffff), int(-0x80000000));
  assert.deepEqual(
    [reader.readInt(), reader.readInt(), reader.readInt(), reader.readInt()],
    [1, -1, 0x7fffffff, -0x80000000],
  );
  assert.equal(reader.failed, false);
  assert.equal(reader.remaining, 0);
});

test('readBool takes everything but zero for true', () => {
  const reader = readerOf('00', '01', '02', 'ff');
  assert.deepEqual(
    [reader.readBool(), reader.readBool(), reader.readBool(), reader.readBool()],
    [false, true, true, true],
  );
});

test('readLong is exact within the safe integers', () => {
  for (const value of [0, 1, -1, 2 ** 32, 2 ** 53 - 1, -(2 ** 53 - 1), -(2 ** 32)]) {
    const reader = readerOf(long(value));
    assert.equal(reader.readLong(), value);
  }
});

test('readLong turns values beyond the safe integers into the last one on their side', () => {
  const large = [2n ** 53n, 2n ** 62n, 2n ** 63n - 1n];
  for (const value of large) {
    assert.equal(readerOf(long(value)).readLong(), Number.MAX_SAFE_INTEGER);
    assert.equal(readerOf(long(-value)).readLong(), Number.MIN_SAFE_INTEGER);
  }
  assert.equal(readerOf(long(-(2n ** 63n))).readLong(), Number.MIN_SAFE_INTEGER);
});

test('readZxid refuses what cannot be a zxid', () => {
  const last = readerOf(long(2n ** 53n - 1n));
  assert.equal(last.readZxid(), 2 ** 53 - 1);
  assert.equal(last.failed, false);
  for (const value of [-1n, 2n ** 53n, -(2n ** 63n)]) {
    const reader = readerOf(long(value));
    reader.readZxid();
    assert.equal(reader.failed, true, String(value));
  }
});

test('readSessionId keeps all 64 bits', () => {
  for (const value of [0n, 1n, -1n, 0x0100_0004_fa85_00ban, -(2n ** 63n), 2n ** 63n - 1n]) {
    assert.equal(readerOf(long(value)).readSessionId(), value);
  }
});

test('readBuffer tells null from empty and hands out a view', () => {
  const bytes = fromHex(buffer(null) + buffer('') + buffer('0102'));
  const reader = new JuteReader();
  reader.aim(bytes);
  assert.equal(reader.readBuffer(), null);
  assert.equal(reader.readBuffer()?.length, 0);
  const view = reader.readBuffer();
  assert.equal(reader.failed, false);
  bytes[bytes.length - 1] = 9;
  assert.equal(view === null ? '' : toHex(view), '0109');
});

test('readString reads UTF-8, and U+FFFD for what is none', () => {
  const reader = readerOf(text('/ä€😀'), text(''), text(null), buffer('2fff'));
  assert.equal(reader.readString(), '/ä€😀');
  assert.equal(reader.readString(), '');
  assert.equal(reader.readString(), null);
  assert.equal(reader.readString(), '/\ufffd');
  assert.equal(reader.failed, false);
});

test('readString keeps a byte order mark', () => {
  assert.equal(readerOf(text('\ufeffa')).readString(), '\ufeffa');
});

test('readStrings tells a null vector from an empty one', () => {
  const reader = readerOf(vector(null), vector([]), vector([text('a'), text('b')]));
  assert.equal(reader.readStrings(), null);
  assert.deepEqual(reader.readStrings(), []);
  assert.deepEqual(reader.readStrings(), ['a', 'b']);
  assert.equal(reader.failed, false);
});

test('readStrings fails on a null element', () => {
  const reader = readerOf(vector([text('a'), text(null)]));
  reader.readStrings();
  assert.equal(reader.failed, true);
});

test('length fields below -1 or past the end fail the record', () => {
  for (const length of [-2, -0x80000000, 3, 0x7fffffff]) {
    const asBuffer = readerOf(int(length), '0102');
    assert.equal(asBuffer.readBuffer(), null);
    assert.equal(asBuffer.failed, true, `buffer of ${length}`);
    const asString = readerOf(int(length), '0102');
    assert.equal(asString.readString(), null);
    assert.equal(asString.failed, true, `string of ${length}`);
  }
  for (const count of [-2, -0x80000000, 1, 0x7fffffff]) {
    const asVector = readerOf(int(count), '0102');
    asVector.readStrings();
    assert.equal(asVector.failed, true, `vector of ${count}`);
  }
});

test('a length that reaches exactly to the end is accepted', () => {
  const reader = readerOf(int(2), '0102');
  assert.equal(reader.readBuffer()?.length, 2);
  assert.equal(reader.failed, false);
});

test('a failed reader stays failed and yields neutral values until it is aimed again', () => {
  const reader = readerOf('0102');
  assert.equal(reader.readInt(), 0);
  assert.equal(reader.failed, true);
  assert.equal(reader.readBool(), false);
  assert.equal(reader.readLong(), 0);
  assert.equal(reader.readZxid(), 0);
  assert.equal(reader.readSessionId(), 0n);
  assert.equal(reader.readBuffer(), null);
  assert.equal(reader.readString(), null);
  assert.equal(reader.readStrings(), null);
  reader.aim(fromHex(int(5)));
  assert.equal(reader.failed, false);
  assert.equal(reader.readInt(), 5);
});

test('aim confines the reader to its range', () => {
  const reader = new JuteReader();
  const bytes = fromHex(int(1) + int(2) + int(3));
  reader.aim(bytes, 4, 8);
  assert.equal(reader.readInt(), 2);
  assert.equal(reader.remaining, 0);
  assert.equal(reader.readInt(), 0);
  assert.equal(reader.failed, true);
  reader.aim(bytes, 8, 12);
  assert.equal(reader.readInt(), 3);
  assert.equal(reader.position, 12);
});

test('aim works on bytes that begin inside a larger memory', () => {
  const memory = fromHex(bool(true) + int(7) + text('x'));
  const reader = new JuteReader();
  reader.aim(memory.subarray(1));
  assert.equal(reader.readInt(), 7);
  assert.equal(reader.readString(), 'x');
});

test('aim works on one record after the other, each in a view of its own of one memory', () => {
  const memory = fromHex(int(1) + text('x') + int(2) + buffer('0304'));
  const reader = new JuteReader();
  reader.aim(memory.subarray(0, 9));
  assert.equal(reader.readInt(), 1);
  assert.equal(reader.readString(), 'x');
  assert.equal(reader.remaining, 0);
  reader.aim(memory.subarray(9));
  assert.equal(reader.position, 0);
  assert.equal(reader.readInt(), 2);
  assert.equal(toHex(reader.readBuffer() ?? new Uint8Array(0)), '0304');
  assert.equal(reader.position, 10);
});

test('release leaves nothing to read', () => {
  const reader = readerOf(int(1));
  reader.release();
  assert.equal(reader.remaining, 0);
  assert.equal(reader.failed, false);
});

test('fail marks the record undecodable', () => {
  const reader = readerOf(int(1));
  reader.fail();
  assert.equal(reader.failed, true);
  assert.equal(reader.readInt(), 0);
});
