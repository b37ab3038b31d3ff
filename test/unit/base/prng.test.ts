import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';

function numbers(seed: number, count: number): number[] {
  const prng = new Prng(seed);
  return Array.from({ length: count }, () => prng.uint32());
}

describe('Prng', () => {
  it('gives the same numbers for the same seed and others for another', () => {
    assert.deepEqual(numbers(1, 50), numbers(1, 50));
    assert.notDeepEqual(numbers(1, 50), numbers(2, 50));
  });

  it('draws from a range with both ends, each value about as often', () => {
    const prng = new Prng(3);
    const counts = new Map<number, number>();
    for (let i = 0; i < 6000; i++) {
      const drawn = prng.between(-2, 3);
      counts.set(drawn, (counts.get(drawn) ?? 0) + 1);
    }
    assert.deepEqual(
      [...counts.keys()].sort((a, b) => a - b),
      [-2, -1, 0, 1, 2, 3],
    );
    for (const count of counts.values()) assert(count > 850 && count < 1150);
  });

  it('says yes with the given probability', () => {
    const prng = new Prng(4);
    let yes = 0;
    for (let i = 0; i < 10_000; i++) if (prng.chance(0.3)) yes++;
    assert(yes > 2850 && yes < 3150);
    assert(!prng.chance(0) && prng.chance(1));
  });

  it('stays below 1', () => {
    const prng = new Prng(5);
    for (let i = 0; i < 1000; i++) {
      const drawn = prng.fraction();
      assert(drawn >= 0 && drawn < 1);
    }
  });
});
