import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ExpiryEntry, ExpiryQueue } from '../../../src/session/expiry-queue.ts';

test('ExpiryQueue.expired() gives a thing at the end of the tick in which its time runs out', () => {
  const queue = new ExpiryQueue<string>(1000);
  queue.add('a', 500, 3000);
  assert.deepEqual(queue.expired(3999), []);
  assert.deepEqual(queue.expired(4000), ['a']);
  assert.deepEqual(queue.expired(9000), []);
  assert.equal(queue.count, 0);
});

test('ExpiryQueue adds a whole tick when the time runs out at the end of one', () => {
  const queue = new ExpiryQueue<string>(1000);
  queue.add('a', 0, 3000);
  assert.deepEqual(queue.expired(3000), []);
  assert.deepEqual(queue.expired(4000), ['a']);
});

test('ExpiryQueue.touch() puts the end off, also when the first bucket falls due meanwhile', () => {
  const queue = new ExpiryQueue<string>(1000);
  const entry = queue.add('a', 0, 3000);
  queue.touch(entry, 3500, 3000);
  assert.deepEqual(queue.expired(4000), []);
  assert.deepEqual(queue.expired(6999), []);
  assert.deepEqual(queue.expired(7000), ['a']);
});

test('ExpiryQueue.touch() with a shorter timeout brings the end nearer', () => {
  const queue = new ExpiryQueue<string>(1000);
  const entry = queue.add('a', 0, 30_000);
  queue.touch(entry, 100, 3000);
  assert.deepEqual(queue.expired(4000), ['a']);
});

test('ExpiryQueue.expired() gives the earliest first, whatever buckets things lie in', () => {
  const queue = new ExpiryQueue<string>(1000);
  const late = queue.add('late', 0, 1000);
  queue.add('early', 0, 2000);
  queue.touch(late, 0, 5000);
  assert.deepEqual(queue.expired(50_000), ['early', 'late']);
});

test('ExpiryQueue.remove() takes a thing out, and out again without harm', () => {
  const queue = new ExpiryQueue<string>(1000);
  const entry = queue.add('a', 0, 1000);
  queue.remove(entry);
  queue.remove(entry);
  assert.equal(queue.count, 0);
  assert.deepEqual(queue.expired(9000), []);
  assert.throws(() => queue.touch(entry, 0, 1000), /left the queue/);
});

test('ExpiryQueue agrees with a plain list under random touches', () => {
  const step = fc.record({
    action: fc.constantFrom('add', 'touch', 'remove', 'expire'),
    advanceMs: fc.nat(700),
    timeoutMs: fc.nat(5000),
    pick: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const tickMs = 300;
      const queue = new ExpiryQueue<number>(tickMs);
      const alive: { entry: ExpiryEntry<number>; dueMs: number }[] = [];
      let nowMs = 0;
      for (const [id, { action, advanceMs, timeoutMs, pick }] of steps.entries()) {
        nowMs += advanceMs;
        const dueMs = (Math.floor((nowMs + timeoutMs) / tickMs) + 1) * tickMs;
        const chosen = alive[pick % Math.max(1, alive.length)];
        if (action === 'add') alive.push({ entry: queue.add(id, nowMs, timeoutMs), dueMs });
        else if (action === 'touch' && chosen !== undefined) {
          queue.touch(chosen.entry, nowMs, timeoutMs);
          chosen.dueMs = dueMs;
        } else if (action === 'remove' && chosen !== undefined) {
          queue.remove(chosen.entry);
          alive.splice(alive.indexOf(chosen), 1);
        } else if (action === 'expire') {
          const due = alive.filter((item) => item.dueMs <= nowMs);
          const gone = queue.expired(nowMs);
          assert.deepEqual(
            gone.toSorted((a, b) => a - b),
            due.map((item) => item.entry.value).sort((a, b) => a - b),
          );
          for (const item of due) alive.splice(alive.indexOf(item), 1);
        }
        assert.equal(queue.count, alive.length);
        const listed = [...queue.entries()].map((entry) => entry.value);
        assert.deepEqual(new Set(listed), new Set(alive.map((item) => item.entry.value)));
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});
