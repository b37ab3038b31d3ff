import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PercentileSummary, Summary } from '../../../src/base/summary.ts';

const SEED = 11;

function report(summary: Summary | PercentileSummary): Record<string, number> {
  const values: Record<string, number> = {};
  summary.report('x', (name, value) => {
    values[name] = value;
  });
  return values;
}

test('Summary reports nothing but zeros before the first value', () => {
  assert.deepEqual(report(new Summary()), { avg_x: 0, min_x: 0, max_x: 0, cnt_x: 0, sum_x: 0 });
});

test('Summary reports average, least, greatest, count and sum of whole numbers', () => {
  const summary = new Summary();
  for (const value of [3.4, 8, -1]) summary.record(value);
  assert.deepEqual(report(summary), {
    avg_x: 11 / 3,
    min_x: 0,
    max_x: 8,
    cnt_x: 3,
    sum_x: 11,
  });
});

test('PercentileSummary is exact for small values', () => {
  const summary = new PercentileSummary();
  for (let value = 1; value <= 50; value++) summary.record(value);
  const { p50_x, p95_x, p99_x, p999_x } = report(summary);
  assert.deepEqual([p50_x, p95_x, p99_x, p999_x], [25, 48, 50, 50]);
});

test('PercentileSummary is never below the true percentile, and at most a 32nd above', () => {
  const values = fc.array(fc.integer({ min: 0, max: 0x7fff_ffff }), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.constantFrom(0.5, 0.95, 0.99, 0.999), (list, share) => {
      const summary = new PercentileSummary();
      for (const value of list) summary.record(value);
      const sorted = [...list].sort((a, b) => a - b);
      const exact = sorted[Math.ceil(share * list.length) - 1] ?? 0;
      const found = summary.percentile(share);
      assert.ok(found >= exact && found <= exact + exact / 32, `${found} for ${exact}`);
    }),
    { seed: SEED },
  );
});
