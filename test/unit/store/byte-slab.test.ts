import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteSlab, NOWHERE } from '../../../src/store/byte-slab.ts';

const LARGE_BYTES = 100_000;

test('ByteSlab needs no room for no bytes', () => {
  const slab = new ByteSlab();
  assert.equal(slab.allocate(0), NOWHERE);
  slab.release(NOWHERE);
  assert.equal(slab.spanBytes, 0);
});

test('ByteSlab hands a block that was given back out again', () => {
  const slab = new ByteSlab();
  const first = slab.allocate(100);
  const second = slab.allocate(100);
  slab.release(first);
  assert.notEqual(slab.allocate(100), second);
  assert.equal(slab.allocate(16) === first, false);
});

test('ByteSlab gives up a block of its own with the block', () => {
  const slab = new ByteSlab();
  const address = slab.allocate(LARGE_BYTES);
  assert.equal(slab.spanBytes, LARGE_BYTES);
  slab.release(address);
  assert.equal(slab.spanBytes, 0);
});

test('ByteSlab gives up spans that are empty again, all but the one it takes blocks from', () => {
  const slab = new ByteSlab();
  const addresses = Array.from({ length: 5000 }, () => slab.allocate(64));
  const full = slab.spanBytes;
  for (const address of addresses) slab.release(address);
  assert.ok(slab.spanBytes < full / 2, `${slab.spanBytes} of ${full} bytes are kept`);
});

test('ByteSlab takes blocks from spans with room before it takes another span', () => {
  const slab = new ByteSlab();
  const addresses = Array.from({ length: 5000 }, () => slab.allocate(64));
  const full = slab.spanBytes;
  for (const [at, address] of addresses.entries()) if (at % 2 === 0) slab.release(address);
  for (let i = 0; i < 2500; i++) slab.allocate(64);
  assert.equal(slab.spanBytes, full);
});

test('ByteSlab wastes at most an eighth of a block of more than 256 bytes', () => {
  const slab = new ByteSlab();
  for (let bytes = 257; bytes <= 16 * 1024; bytes++) {
    assert.ok(slab.isSameRoom(bytes, bytes));
    assert.equal(slab.isSameRoom(bytes, Math.ceil(bytes * 1.13)), false);
  }
});

test('ByteSlab keeps the bytes of every block apart from the others', () => {
  const step = fc.record({ bytes: fc.nat(700), drop: fc.nat(9), isLarge: fc.nat(40) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const slab = new ByteSlab();
      const blocks: { address: number; bytes: number; mark: number }[] = [];
      for (const [at, { bytes: few, drop, isLarge }] of steps.entries()) {
        const bytes = isLarge === 0 ? few + 17_000 : few;
        const address = slab.allocate(bytes);
        const offset = slab.offset(address);
        slab.bytes(address).fill(at & 0xff, offset, offset + bytes);
        blocks.push({ address, bytes, mark: at & 0xff });
        if (drop < 4) {
          const [gone] = blocks.splice((drop * 7) % blocks.length, 1);
          if (gone !== undefined) slab.release(gone.address);
        }
      }
      for (const { address, bytes, mark } of blocks) {
        const offset = slab.offset(address);
        const block = slab.bytes(address).subarray(offset, offset + bytes);
        assert.ok(block.every((byte) => byte === mark));
      }
    }),
    { seed: 6, numRuns: 200 },
  );
});
