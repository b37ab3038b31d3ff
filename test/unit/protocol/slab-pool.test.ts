import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlabPool } from '../../../src/protocol/slab-pool.ts';

test('take hands out what was given while it is long enough, and not much too long', () => {
  const pool = new SlabPool();
  const slab = Buffer.alloc(1000);
  pool.give(slab);
  assert.equal(pool.take(200).length, 200);
  assert.equal(pool.take(600), slab);
  assert.notEqual(pool.take(600), slab);
});

test('take lets go of what is too short', () => {
  const pool = new SlabPool();
  const slab = Buffer.alloc(1000);
  pool.give(slab);
  assert.equal(pool.take(1001).length, 1001);
  assert.notEqual(pool.take(900), slab);
});

test('give keeps a bounded number', () => {
  const pool = new SlabPool();
  const given: Buffer[] = Array.from({ length: 100 }, () => Buffer.alloc(10));
  for (const slab of given) pool.give(slab);
  const kept = given.map(() => pool.take(10)).filter((slab) => given.includes(slab));
  assert.equal(kept.length, 64);
});
