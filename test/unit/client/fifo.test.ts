import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';
import { Fifo } from '../../../src/client/fifo.ts';

test('Fifo gives back what was put in, in order, as an array would', () => {
  const prng = new Prng(1);
  const fifo = new Fifo<number>();
  const model: number[] = [];
  for (let step = 0; step < 20_000; step++) {
    // Longer and longer, then shorter, so that spent slots are given back in both ways.
    if (prng.chance(step % 4000 < 2000 ? 0.7 : 0.3)) {
      fifo.push(step);
      model.push(step);
    } else assert.equal(fifo.shift(), model.shift());
    assert.equal(fifo.length, model.length);
    assert.equal(fifo.first(), model[0]);
  }
  assert.deepEqual(fifo.takeAll(), model);
  assert.equal(fifo.length, 0);
  assert.equal(fifo.shift(), undefined);
});
