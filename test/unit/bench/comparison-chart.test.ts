import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { comparisonChart } from '../../../src/bench/comparison-chart.ts';
import { loadRun } from './load-run.ts';

/** What stands behind the bars. */
function values(svg: string): string[] {
  return [...svg.matchAll(/font-size="9">([^<]+)</g)].map(([, text]) => text ?? '');
}

describe('comparisonChart()', () => {
  test('of a pair: throughput, CPU and p99 as ratios, with the aims when the second is Apache', () => {
    const runs = [loadRun('vivarium', 1000), loadRun('apache', 500)];
    const svg = comparisonChart(runs, ['vivarium', 'apache'], 'Standalone');
    assert.deepEqual(values(svg), ['2x', '2x', '1x']);
    assert.equal(svg.match(/stroke-width="2"/g)?.length, 3);
  });

  test('has no aims between others', () => {
    const svg = comparisonChart([loadRun('new', 9), loadRun('old', 3)], ['new', 'old'], 'Both');
    assert.deepEqual(values(svg), ['3x', '3x', '1x']);
    assert.equal(svg.match(/stroke-width="2"/g), null);
  });

  test('of one target: operations in a second', () => {
    const svg = comparisonChart([loadRun('ours', 1234)], ['ours'], 'Standalone');
    assert.deepEqual(values(svg), ['1234']);
  });
});
