import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { javaDate } from '../../../src/api/java-date.ts';

test('javaDate() prints the moment that Apache ZooKeeper printed so', () => {
  assert.equal(javaDate(Date.UTC(2026, 10, 21, 1, 36, 9)), 'Sat Nov 21 01:36:09 UTC 2026');
  assert.equal(javaDate(0), 'Thu Jan 01 00:00:00 UTC 1970');
  assert.equal(javaDate(Date.UTC(2000, 1, 29, 23, 59, 59, 999)), 'Tue Feb 29 23:59:59 UTC 2000');
});

test("javaDate() agrees with the platform's calendar", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(2400, 0, 1) }), (timeMs) => {
      const [weekday = '', day = '', month = '', year = '', clock = ''] = new Date(timeMs)
        .toUTCString()
        .replace(',', '')
        .split(' ');
      assert.equal(javaDate(timeMs), `${weekday} ${month} ${day} ${clock} UTC ${year}`);
    }),
    { seed: 3, numRuns: 2000 },
  );
});
