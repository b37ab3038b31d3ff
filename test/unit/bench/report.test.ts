import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { comparisonTable, failoverTable, median } from '../../../src/bench/report.ts';
import { loadRun } from './load-run.ts';

function cells(table: string, line: number): string[] {
  const text = table.split('\n')[line] ?? '';
  return text.split('|').map((cell) => cell.trim());
}

describe('median()', () => {
  test('is the middle value of an odd number, the mean of the middle two of an even one', () => {
    assert.equal(median([30, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 2]), 2.5);
  });
});

describe('comparisonTable()', () => {
  test('gives medians, spreads, and how many times better the first target is', () => {
    const runs = [
      ...[900, 1000, 1100].map((ops, at) => loadRun('ours', ops, at + 1)),
      ...[400, 500, 2000].map((ops, at) => loadRun('theirs', ops, at + 1)),
    ];
    const table = comparisonTable(runs, ['ours', 'theirs']);
    assert.deepEqual(cells(table, 2).slice(1, 8), [
      'get 1024 B d=1',
      '1000 ±10%',
      '500 ±160%',
      '**2.00**',
      '500.0 ±10%',
      '1000.0 ±50%',
      '**2.00**',
    ]);
    assert.equal(cells(table, 2).at(-2), '0.10');
  });

  test('shows the aim beside a ratio to Apache, and none beside others', () => {
    const runs = [loadRun('vivarium', 1000), loadRun('apache', 500)];
    assert.equal(cells(comparisonTable(runs, ['vivarium', 'apache']), 2)[4], '**2.00** (1.3)');
    const others = [loadRun('new', 1000), loadRun('old', 500)];
    assert.equal(cells(comparisonTable(others, ['new', 'old']), 2)[4], '**2.00**');
  });

  test('has a dash where the processes of the servers are not known', () => {
    const remote = {
      ...loadRun('servers', 1000),
      serverCpuSeconds: undefined,
      otherCpuSeconds: undefined,
      residentBytes: undefined,
      cpuSecondsPerKop: undefined,
    };
    const table = comparisonTable([remote], ['servers']);
    assert.deepEqual(cells(table, 2).slice(1, -1), [
      'get 1024 B d=1',
      '1000',
      '-',
      '2.00',
      '-',
      '-',
    ]);
  });

  test('leaves the ratio out when there is one target', () => {
    const table = comparisonTable([loadRun('ours', 1000)], ['ours']);
    assert.deepEqual(cells(table, 2).slice(1, 4), ['get 1024 B d=1', '1000', '500.0']);
  });

  test('marks a load of which a run failed', () => {
    const failed = { ...loadRun('ours', 1000), failures: ['1 write lost'] };
    assert.equal(cells(comparisonTable([failed], ['ours']), 2)[1], 'get 1024 B d=1 FAILED');
  });
});

describe('failoverTable()', () => {
  test('gives the median pause with its extremes, and counts failed trials', () => {
    const trial = {
      target: 'ours',
      acknowledged: 10,
      pauseBeforeMs: 5,
      killToWriteMs: 90,
      sessionsLost: 0,
    };
    const table = failoverTable([
      { ...trial, trial: 1, longestPauseMs: 100, failures: [] },
      { ...trial, trial: 2, longestPauseMs: 300, failures: ['lost'] },
      { ...trial, trial: 3, longestPauseMs: 200, failures: [] },
    ]);
    assert.deepEqual(cells(table, 2).slice(1, -1), [
      'ours',
      '3',
      '**200** (100, 300)',
      '5',
      '90',
      '30',
      '1',
    ]);
  });
});
