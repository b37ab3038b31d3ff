import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '../../../src/base/assert.ts';
import { makeSessionId } from '../../../src/base/ids.ts';
import { JuteWriter } from '../../../src/protocol/jute-writer.ts';
import { SLAB_BYTES, SlabPool } from '../../../src/protocol/slab-pool.ts';
import { bool, buffer, frame, fromHex, int, long, text, toHex, vector } from '../../support/hex.ts';

function written(write: (writer: JuteWriter) => void): string {
  const writer = new JuteWriter();
  write(writer);
  return toHex(writer.take());
}

test('writeInt and writeBool write big-endian', () => {
  const hex = written((writer) => {
    writer.writeInt(1);
    writer.writeInt(-101);
    writer.writeBool(true);
    writer.writeBool(false);
  });
  assert.equal(hex, int(1) + int(-101) + bool(true) + bool(false));
});

test('writeLong writes every safe integer, -1 included', () => {
  for (const value of [0, 1, -1, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), 2 ** 53 - 1, -(2 ** 53 - 1)]) {
    assert.equal(
      written((writer) => writer.writeLong(value)),
      long(value),
    );
  }
});

test('writeLong refuses what a number cannot hold', () => {
  const writer = new JuteWriter();
  assert.throws(() => writer.writeLong(2 ** 53), InvariantError);
  assert.throws(() => writer.writeLong(0.5), InvariantError);
  assert.throws(() => writer.writeLong(Number.NaN), InvariantError);
});

test('writeSessionId writes all 64 bits', () => {
  for (const value of [0n, -1n, -(2n ** 63n), 0x0100_0004_fa85_00ban]) {
    assert.equal(
      written((writer) => writer.writeSessionId(makeSessionId(value))),
      long(value),
    );
  }
});

test('writeBuffer and writeString tell null from empty', () => {
  const hex = written((writer) => {
    writer.writeBuffer(null);
    writer.writeBuffer(new Uint8Array(0));
    writer.writeBuffer(fromHex('00ff'));
    writer.writeString(null);
    writer.writeString('');
    writer.writeString('/ä€😀');
  });
  const expected = buffer(null) + buffer('') + buffer('00ff') + text(null) + text('');
  assert.equal(hex, expected + text('/ä€😀'));
});

test('writeBinaryString writes one byte a character', () => {
  const hex = written((writer) => {
    writer.writeBinaryString('\x00\x7f\x80\xff');
    writer.writeBinaryString('');
    writer.writeBinaryString(null);
  });
  assert.equal(hex, buffer('007f80ff') + buffer('') + buffer(null));
});

test('writeStrings takes any iterable and patches the count', () => {
  const names = new Map([
    ['a', 1],
    ['b', 2],
  ]);
  const hex = written((writer) => {
    writer.writeStrings(names.keys());
    writer.writeStrings([]);
    writer.writeStrings(null);
  });
  assert.equal(hex, vector([text('a'), text('b')]) + vector([]) + vector(null));
});

test('frames get their lengths, one behind the other and across slabs', () => {
  const writer = new JuteWriter(128);
  for (const length of [0, 60, 200, 5000]) {
    const mark = writer.beginFrame();
    writer.writeBuffer(new Uint8Array(length).fill(7));
    writer.endFrame(mark);
  }
  const expected = [0, 60, 200, 5000].map((length) => frame(buffer('07'.repeat(length))));
  assert.equal(toHex(writer.take()), expected.join(''));
});

test('take hands out bytes that later writes leave alone', () => {
  const writer = new JuteWriter(128);
  const taken: Uint8Array[] = [];
  for (let i = 0; i < 200; i++) {
    writer.writeInt(i);
    taken.push(writer.take());
  }
  for (const [i, bytes] of taken.entries()) assert.equal(toHex(bytes), int(i));
});

test('take without writes is empty', () => {
  const writer = new JuteWriter();
  assert.equal(writer.take().length, 0);
  writer.writeInt(1);
  writer.take();
  assert.equal(writer.take().length, 0);
  assert.equal(writer.length, 0);
});

test('reset forgets what was not taken', () => {
  const writer = new JuteWriter();
  writer.writeInt(1);
  const first = writer.take();
  writer.writeInt(2);
  writer.reset();
  assert.equal(writer.length, 0);
  writer.writeInt(3);
  assert.equal(toHex(first), int(1));
  assert.equal(toHex(writer.take()), int(3));
});

test('a write after a take that outgrows the slab keeps only what was not taken', () => {
  const writer = new JuteWriter(128);
  writer.writeInt(1);
  writer.take();
  writer.writeInt(2);
  writer.writeBuffer(new Uint8Array(1000));
  assert.equal(toHex(writer.take()), int(2) + buffer('00'.repeat(1000)));
});

test('the memory after a take has room for as much again, within bounds', () => {
  const writer = new JuteWriter(128);
  const memoryOf = (length: number): number => {
    writer.writeBuffer(new Uint8Array(length - 4));
    return writer.take().buffer.byteLength;
  };
  assert.equal(memoryOf(1000), 1000);
  assert.equal(memoryOf(100), 1250);
  assert.equal(memoryOf(10), 128);
  assert.equal(memoryOf(1_000_000), 1_000_000);
  assert.equal(memoryOf(10), 80 * 1024);
});

test('patchInt refuses places that were not written or are gone', () => {
  const writer = new JuteWriter();
  writer.writeInt(1);
  assert.throws(() => writer.patchInt(1, 0), InvariantError);
  assert.throws(() => writer.patchInt(-1, 0), InvariantError);
  writer.take();
  assert.throws(() => writer.patchInt(0, 0), InvariantError);
});

test('memory that comes back is written again by the next of the pool that wants as much', () => {
  const pool = new SlabPool();
  const writers = [new JuteWriter(undefined, pool), new JuteWriter(undefined, pool)] as const;
  for (const length of [4, 10_000]) {
    writers[0].writeBuffer(new Uint8Array(length).fill(1));
    const first = writers[0].take();
    writers[0].reuse(first);
    writers[1].writeBuffer(new Uint8Array(length).fill(2));
    const second = writers[1].take();
    writers[1].reuse(second);
    assert.equal(first.buffer, second.buffer);
    assert.equal(toHex(first), buffer('02'.repeat(length)));
  }
});

test('a writer whose memory came back has none', () => {
  const pool = new SlabPool();
  const writer = new JuteWriter(undefined, pool);
  writer.writeInt(1);
  const bytes = writer.take();
  writer.reuse(bytes);
  const other = pool.take(SLAB_BYTES);
  assert.equal(other.bytes.buffer, bytes.buffer);
  writer.writeInt(2);
  assert.notEqual(writer.take().buffer, other.bytes.buffer);
});

test('memory does not come back once something new is written', () => {
  const writer = new JuteWriter();
  writer.writeInt(1);
  const bytes = writer.take();
  writer.writeInt(2);
  assert.throws(() => writer.reuse(bytes), InvariantError);
});
