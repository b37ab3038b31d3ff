import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type StoreStormOutcome, storeStorm } from '../support/store-storm/store-storm.ts';

const SCHEDULES = 1000;

test('storms: through leaders, groups, checkpoints and crashes the store holds what a plain list and a plain tree hold', async () => {
  const total = { transactions: 0, truncations: 0, crashes: 0 };
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const outcome = await storeStorm(seed);
    total.transactions += outcome.transactions;
    total.truncations += outcome.truncations;
    total.crashes += outcome.crashes;
  }
  assert(total.transactions > 40 * SCHEDULES, `${total.transactions} transactions`);
  assert(total.truncations > SCHEDULES / 2, `${total.truncations} truncations`);
  assert(total.crashes > SCHEDULES, `${total.crashes} crashes`);
});

test('storms: a seed decides everything', async () => {
  const runs: StoreStormOutcome[] = [await storeStorm(7), await storeStorm(7)];
  assert.deepEqual(runs[0], runs[1]);
});
