import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuotaWarnings } from '../../../src/server/quota-warnings.ts';
import type { QuotaExcess } from '../../../src/store/quota.ts';

const SOFT: QuotaExcess = { path: '/q', what: 'count', isHard: false, usage: 11, limit: 10 };
const HARD: QuotaExcess = { path: '/q/r', what: 'bytes', isHard: true, usage: 17, limit: 10 };

function warnings(isEnforced: boolean): { quotas: QuotaWarnings; lines: string[] } {
  const lines: string[] = [];
  const quotas = new QuotaWarnings({ warn: (event) => lines.push(event) }, isEnforced);
  return { quotas, lines };
}

test("QuotaWarnings speaks in the original's words", () => {
  const { quotas, lines } = warnings(true);
  quotas.exceeded(SOFT, 0);
  quotas.exceeded({ ...SOFT, what: 'bytes' }, 0);
  quotas.exceeded(HARD, 0);
  quotas.exceeded({ ...HARD, what: 'count' }, 0);
  assert.deepEqual(lines, [
    'Quota exceeded: /q [current count=11, softCountLimit=10]',
    'Quota exceeded: /q [current bytes=11, softByteLimit=10]',
    'Quota exceeded: /q/r [current bytes=17, hardByteLimit=10]',
    'Quota exceeded: /q/r [current count=17, hardCountLimit=10]',
  ]);
});

test('QuotaWarnings tells of one limit once a minute, with how often it was passed over', () => {
  const { quotas, lines } = warnings(false);
  for (let at = 0; at < 60_000; at += 100) quotas.exceeded({ ...SOFT, usage: 11 + at }, at);
  assert.equal(lines.length, 1);
  quotas.exceeded({ ...SOFT, usage: 12 }, 60_000);
  quotas.exceeded({ ...SOFT, usage: 13 }, 120_000);
  assert.deepEqual(lines.slice(1), [
    '[600 times] Quota exceeded: /q [current count=12, softCountLimit=10]',
    'Quota exceeded: /q [current count=13, softCountLimit=10]',
  ]);
});

test('QuotaWarnings counts by namespace what was refused, not what passed', () => {
  const { quotas } = warnings(true);
  quotas.exceeded(SOFT, 0);
  quotas.exceeded(HARD, 0);
  quotas.exceeded(HARD, 1);
  assert.deepEqual([...quotas.refusals], [['q', 2]]);
  const lenient = warnings(false).quotas;
  lenient.exceeded(HARD, 0);
  assert.equal(lenient.refusals.size, 0);
});

test('QuotaWarnings remembers a bounded number of limits', () => {
  const { quotas, lines } = warnings(false);
  for (let i = 0; i <= 1000; i++) quotas.exceeded({ ...SOFT, path: `/q${i}` }, 0);
  quotas.exceeded({ ...SOFT, path: '/q1000' }, 1);
  assert.equal(lines.length, 1001);
  quotas.exceeded({ ...SOFT, path: '/q0' }, 1);
  assert.equal(lines.length, 1002);
});
