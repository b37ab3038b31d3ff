import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SLAB_BYTES, type Slab, SlabPool, slabOf } from '../../../src/protocol/slab-pool.ts';

function newSlab(length: number): Slab {
  return slabOf(Buffer.alloc(length));
}

test('take hands out what was given while it is long enough, and not much too long', () => {
  const pool = new SlabPool();
  const slab = newSlab(1000);
  pool.give(slab);
  assert.equal(pool.take(200).bytes.length, 200);
  assert.equal(pool.take(600), slab);
  assert.notEqual(pool.take(600), slab);
});

test('take lets go of what is too short', () => {
  const pool = new SlabPool();
  const slab = newSlab(1000);
  pool.give(slab);
  assert.equal(pool.take(1001).bytes.length, 1001);
  assert.notEqual(pool.take(900), slab);
});

test('slabs of the common length are not in the way of long ones', () => {
  const pool = new SlabPool();
  const long = newSlab(20_000);
  const common = newSlab(SLAB_BYTES);
  pool.give(long);
  pool.give(common);
  assert.equal(pool.take(20_000), long);
  assert.equal(pool.take(SLAB_BYTES), common);
});

for (const [length, most] of [
  [20_000, 64],
  [SLAB_BYTES, 4096],
] as const) {
  test(`give keeps ${most} slabs of ${length} bytes`, () => {
    const pool = new SlabPool();
    const given: Slab[] = Array.from({ length: 5000 }, () => newSlab(length));
    for (const slab of given) pool.give(slab);
    const all = new Set(given);
    const kept = given.map(() => pool.take(length)).filter((slab) => all.has(slab));
    assert.equal(kept.length, most);
  });
}
