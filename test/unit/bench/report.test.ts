import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { comparisonTable, failoverTable, type LoadRun, median } from '../../../src/bench/report.ts';

function runOf(target: string, round: number, opsPerSecond: number): LoadRun {
  return {
    target,
    servers: 1,
    round,
    workload: 'get 1024 B d=1',
    seconds: 2,
    operations: opsPerSecond * 2,
    opsPerSecond,
    serverCpuSeconds: 1,
    clientCpuSeconds: 1,
    otherCpuSeconds: 0.2,
    residentBytes: 100e6,
    cpuSecondsPerKop: 500 / opsPerSecond,
    p50Us: 1000,
    p90Us: 1500,
    p99Us: 2000,
    p999Us: 2500,
    p9999Us: 2900,
    maxUs: 3000,
    failures: [],
  };
}

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
      ...[900, 1000, 1100].map((ops, at) => runOf('ours', at + 1, ops)),
      ...[400, 500, 2000].map((ops, at) => runOf('theirs', at + 1, ops)),
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
    const runs = [runOf('vivarium', 1, 1000), runOf('apache', 1, 500)];
    assert.equal(cells(comparisonTable(runs, ['vivarium', 'apache']), 2)[4], '**2.00** (1.3)');
    const others = [runOf('new', 1, 1000), runOf('old', 1, 500)];
    assert.equal(cells(comparisonTable(others, ['new', 'old']), 2)[4], '**2.00**');
  });

  test('has a dash where the processes of the servers are not known', () => {
    const remote = {
      ...runOf('servers', 1, 1000),
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
    const table = comparisonTable([runOf('ours', 1, 1000)], ['ours']);
    assert.deepEqual(cells(table, 2).slice(1, 4), ['get 1024 B d=1', '1000', '500.0']);
  });

  test('marks a load of which a run failed', () => {
    const failed = { ...runOf('ours', 1, 1000), failures: ['1 write lost'] };
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
