import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Histogram } from '../../../src/bench/histogram.ts';

describe('Histogram', () => {
  test('quantileUs() is exact below 256 µs', () => {
    const histogram = new Histogram();
    for (let us = 1; us <= 200; us++) histogram.record(us);
    assert.equal(histogram.quantileUs(0.5), 100);
    assert.equal(histogram.quantileUs(0.99), 198);
    assert.equal(histogram.quantileUs(1), 200);
  });

  test('quantileUs() is less than 1 % away from any value up to half an hour', () => {
    for (let us = 256; us < 0x7fff_ffff; us = Math.ceil(us * 1.0173)) {
      const histogram = new Histogram();
      histogram.record(us);
      // A greater one, so that the answer is the bucket's and not the known maximum.
      histogram.record(0x7fff_ffff);
      const error = Math.abs(histogram.quantileUs(0.5) - us) / us;
      assert.ok(error < 0.01, `${us} µs came back with an error of ${error}`);
    }
  });

  test('quantileUs() never exceeds the greatest value recorded', () => {
    const histogram = new Histogram();
    histogram.record(1000);
    assert.equal(histogram.quantileUs(0.99), 1000);
    assert.equal(histogram.maxUs, 1000);
  });

  test('quantileUs() of nothing is 0', () => {
    assert.equal(new Histogram().quantileUs(0.99), 0);
  });

  test('reset() forgets everything', () => {
    const histogram = new Histogram();
    histogram.record(70_000);
    histogram.reset();
    assert.equal(histogram.total, 0);
    assert.equal(histogram.maxUs, 0);
    assert.equal(histogram.quantileUs(1), 0);
  });
});
