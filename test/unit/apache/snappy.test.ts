import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApacheDataError } from '../../../src/apache/apache-data-error.ts';
import { ByteSource } from '../../../src/apache/byte-source.ts';
import { decompressBlock, unsnappy } from '../../../src/apache/snappy.ts';
import { inPieces, joined } from '../../support/apache-files.ts';

const HEADER = Buffer.from('82534e4150505900' + '00000001' + '00000001', 'hex');

function block(hex: string): Uint8Array {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

function plainText(hex: string): string | undefined {
  const plain = decompressBlock(block(hex));
  return plain && Buffer.from(plain).toString('latin1');
}

function stream(...blocks: Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [HEADER];
  for (const bytes of blocks) {
    const length = Buffer.alloc(4);
    length.writeInt32BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

// By hand from the format's description: a varint of the length, then elements.

test('decompressBlock() copies a literal', () => {
  assert.equal(plainText('05 10 68656c6c6f'), 'hello');
});

test('decompressBlock() reads the length of a long literal from one to four bytes', () => {
  const text = 'x'.repeat(61);
  const hex = Buffer.from(text).toString('hex');
  assert.equal(plainText(`3d f0 3c ${hex}`), text);
  assert.equal(plainText(`3d f4 3c00 ${hex}`), text);
  assert.equal(plainText(`3d f8 3c0000 ${hex}`), text);
  assert.equal(plainText(`3d fc 3c000000 ${hex}`), text);
});

test('decompressBlock() copies with offsets of one, two and four bytes', () => {
  // "abcd", then four bytes from four back.
  assert.equal(plainText('08 0c 61626364 01 04'), 'abcdabcd');
  assert.equal(plainText('08 0c 61626364 0e 0400'), 'abcdabcd');
  assert.equal(plainText('08 0c 61626364 0f 04000000'), 'abcdabcd');
});

test('decompressBlock() repeats a pattern when a copy reaches into itself', () => {
  assert.equal(plainText('09 04 6162 1a 0200'), 'abababab'.concat('a').slice(0, 9));
});

test('decompressBlock() refuses damage', () => {
  const damaged = {
    'no length': '',
    'endless length': 'ffffffffffff',
    'literal beyond the block': '05 10 6865',
    'literal beyond the length': '02 10 68656c6c6f',
    'copy from before the beginning': '08 0c 61626364 01 05',
    'copy from nowhere': '08 0c 61626364 01 00',
    'copy beyond the length': '06 0c 61626364 01 04',
    'offset cut off': '08 0c 61626364 0e 04',
    'less than promised': '09 10 68656c6c6f',
  };
  for (const [name, hex] of Object.entries(damaged)) {
    assert.equal(decompressBlock(block(hex)), undefined, name);
  }
});

test('unsnappy() yields the blocks of a stream, however it arrives', async () => {
  const bytes = stream(block('05 10 68656c6c6f'), block('01 00 21'));
  for (let size = 1; size <= bytes.length; size++) {
    const source = new ByteSource('file', inPieces(bytes, size));
    assert.equal(Buffer.from(await joined(unsnappy(source))).toString(), 'hello!');
  }
});

test('unsnappy() says where a stream is damaged', async () => {
  const good = stream(block('05 10 68656c6c6f'));
  const damaged: readonly (readonly [Uint8Array, RegExp])[] = [
    [good.slice(0, 10), /byte 0: it ends within its header/],
    [Buffer.concat([Buffer.from([1]), good.slice(1)]), /byte 0: it is not a Snappy stream/],
    [good.slice(0, 18), /byte 16: it ends within a block/],
    [good.slice(0, -1), /byte 20: it ends within a block/],
    [stream(block('05 10 6865')), /byte 20: the block cannot be decompressed/],
    [Buffer.concat([HEADER, Buffer.from('80000000', 'hex')]), /not the length of a block/],
  ];
  for (const [bytes, words] of damaged) {
    const source = new ByteSource('file', inPieces(bytes, 7));
    await assert.rejects(joined(unsnappy(source)), (error) => {
      assert.ok(error instanceof ApacheDataError);
      assert.match(error.message, words);
      return true;
    });
  }
});
