import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULTS_MIN, runSeed } from './run-seed.ts';
import { replayCommand, runSeeds, totalsLine } from './seed-pool.ts';

const SEED_COUNT = 2000;

test('simulated ensembles keep their promises under the faults of 2,000 seeds', async (t) => {
  const totals = await runSeeds({ from: 1, count: SEED_COUNT });
  t.diagnostic(totalsLine(totals));
  const failures = totals.failed.map(
    ({ seed, violations }) => `${replayCommand(seed)}\n  ${violations.join('\n  ')}`,
  );
  assert.equal(failures.join('\n'), '');
  assert.equal(totals.seeds, SEED_COUNT);
  assert(totals.fewestFaults >= FAULTS_MIN, 'a seed had fewer faults than it should');
});

test('a seed run twice does the same, event by event', async () => {
  const first = await runSeed(42);
  const second = await runSeed(42);
  assert.deepEqual(second, first);
  const other = await runSeed(43);
  assert.notEqual(other.traceHash, first.traceHash);
});
