import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameDecoder, FrameEvent } from '../../../src/protocol/frame-decoder.ts';
import { frame, fromHex, int, toHex } from '../../support/hex.ts';

const MAX = 16;

/** Frames of the chunks, in hex; chunks are wiped after their turn, as a stream may do. */
function decode(chunks: readonly Uint8Array[], max = MAX): string[] {
  const decoder = new FrameDecoder(max, false);
  const frames: string[] = [];
  for (const chunk of chunks) {
    const borrowed = chunk.slice();
    decoder.push(borrowed);
    for (let event = decoder.next(); event !== FrameEvent.more; event = decoder.next()) {
      assert.equal(event, FrameEvent.frame);
      frames.push(toHex(decoder.frame()));
    }
    borrowed.fill(0xee);
  }
  return frames;
}

test('FrameDecoder hands out a frame inside one chunk in place', () => {
  const decoder = new FrameDecoder(MAX, false);
  const chunk = fromHex(frame('0102') + frame('03'));
  decoder.push(chunk);
  assert.equal(decoder.next(), FrameEvent.frame);
  assert.equal(decoder.bytes, chunk);
  assert.deepEqual([decoder.start, decoder.end], [4, 6]);
  assert.equal(decoder.next(), FrameEvent.frame);
  assert.deepEqual([decoder.start, decoder.end], [10, 11]);
  assert.equal(decoder.next(), FrameEvent.more);
  assert.equal(decoder.keptBytes, 0);
});

test('FrameDecoder yields the same frames wherever the stream is cut', () => {
  const stream = fromHex(frame('') + frame('01') + frame('02'.repeat(MAX)) + frame('0304'));
  const expected = ['', '01', '02'.repeat(MAX), '0304'];
  for (let first = 0; first <= stream.length; first++) {
    for (let second = first; second <= stream.length; second++) {
      const chunks = [
        stream.subarray(0, first),
        stream.subarray(first, second),
        stream.subarray(second),
      ];
      assert.deepEqual(decode(chunks), expected, `cut at ${first} and ${second}`);
    }
  }
});

test('FrameDecoder accepts single bytes', () => {
  const stream = fromHex(frame('010203') + frame('') + frame('04'));
  const chunks = Array.from(stream, (byte) => Uint8Array.of(byte));
  assert.deepEqual(decode(chunks), ['010203', '', '04']);
});

test('FrameDecoder gathers a frame of many chunks', () => {
  const body = new Uint8Array(300_000).map((_, i) => i % 251);
  const stream = fromHex(int(body.length) + toHex(body) + frame('01'));
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += 7001) chunks.push(stream.subarray(at, at + 7001));
  assert.deepEqual(decode(chunks, body.length), [toHex(body), '01']);
});

test('FrameDecoder judges a length by its four bytes alone', () => {
  const cases: readonly (readonly [number, boolean])[] = [
    [-1, false],
    [-0x80000000, false],
    [0, true],
    [MAX, true],
    [MAX + 1, false],
    [0x7fffffff, false],
  ];
  for (const [length, isGood] of cases) {
    const decoder = new FrameDecoder(MAX, false);
    decoder.push(fromHex(int(length)));
    const event = decoder.next();
    const good = length === 0 ? FrameEvent.frame : FrameEvent.more;
    assert.equal(event, isGood ? good : FrameEvent.badLength, String(length));
    if (!isGood) assert.equal(decoder.word, length);
  }
});

test('FrameDecoder stays broken after a bad length', () => {
  const decoder = new FrameDecoder(MAX, false);
  decoder.push(fromHex(int(-1) + frame('01')));
  assert.equal(decoder.next(), FrameEvent.badLength);
  decoder.push(fromHex(frame('02')));
  assert.equal(decoder.next(), FrameEvent.badLength);
});

test('FrameDecoder makes no room for a length that is only announced', () => {
  const decoder = new FrameDecoder(0x7fffffff, false);
  decoder.push(fromHex(int(0x7fffffff)));
  assert.equal(decoder.next(), FrameEvent.more);
  assert.equal(decoder.keptBytes, 0);
  decoder.push(Uint8Array.of(1));
  assert.equal(decoder.next(), FrameEvent.more);
  assert.ok(decoder.keptBytes <= 4096);
});

test('FrameDecoder shows the first word once, even in pieces, then takes it for a length', () => {
  const decoder = new FrameDecoder(MAX, true);
  const stream = fromHex(frame('0102') + frame('03'));
  decoder.push(stream.slice(0, 3));
  assert.equal(decoder.next(), FrameEvent.more);
  decoder.push(stream.slice(3));
  assert.equal(decoder.next(), FrameEvent.firstWord);
  assert.equal(decoder.word, 2);
  assert.equal(decoder.next(), FrameEvent.frame);
  assert.equal(toHex(decoder.frame()), '0102');
  assert.equal(decoder.next(), FrameEvent.frame);
  assert.equal(toHex(decoder.frame()), '03');
  assert.equal(decoder.next(), FrameEvent.more);
});

test('FrameDecoder shows a command word before it judges it, with what follows', () => {
  const decoder = new FrameDecoder(MAX, true);
  decoder.push(new TextEncoder().encode('ruok\n'));
  assert.equal(decoder.next(), FrameEvent.firstWord);
  assert.equal(decoder.word, 0x72756f6b);
  assert.equal(toHex(decoder.rest()), '0a');
  assert.equal(decoder.next(), FrameEvent.badLength);
});

test('FrameDecoder can be left in the middle and goes on with the rest', () => {
  const stream = fromHex(frame('01') + frame('02') + frame('0304'));
  for (let cut = 5; cut <= stream.length; cut++) {
    const decoder = new FrameDecoder(MAX, false);
    // A Buffer, because its `slice` does not copy.
    const chunk = Buffer.from(stream.subarray(0, cut));
    decoder.push(chunk);
    assert.equal(decoder.next(), FrameEvent.frame);
    assert.equal(toHex(decoder.frame()), '01');
    decoder.keep();
    chunk.fill(0xee);
    assert.equal(decoder.keptBytes, cut - 5);
    // More may arrive while the caller does not ask for frames.
    const late = Buffer.from(stream.subarray(cut));
    decoder.push(late);
    decoder.keep();
    late.fill(0xee);
    const frames: string[] = [];
    while (decoder.next() === FrameEvent.frame) frames.push(toHex(decoder.frame()));
    assert.deepEqual(frames, ['02', '0304'], `cut at ${cut}`);
    assert.equal(decoder.keptBytes, 0);
  }
});

test('FrameDecoder.discard() lets go of a frame in part, and reads no more', () => {
  const decoder = new FrameDecoder(MAX, false);
  decoder.push(Uint8Array.from([0, 0, 0, MAX, 1, 2]));
  assert.equal(decoder.next(), FrameEvent.more);
  assert.ok(decoder.keptBytes > 0);
  decoder.discard();
  assert.equal(decoder.keptBytes, 0);
  decoder.push(Uint8Array.from([0, 0, 0, 1, 1]));
  assert.equal(decoder.next(), FrameEvent.badLength);
});
