import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogFields } from '../../../src/api/client-log.ts';
import { FloodLog } from '../../../src/api/flood-log.ts';

function recorder() {
  const lines: { event: string; fields: LogFields }[] = [];
  const note = (event: string, fields: LogFields): void => void lines.push({ event, fields });
  const time = { nowMs: 0 };
  const log = new FloodLog({ debug: note, info: note, warn: note, error: note }, () => time.nowMs);
  return { lines, time, log };
}

test('FloodLog writes twenty lines of an event in ten seconds, and then how many it left out', () => {
  const { lines, time, log } = recorder();
  for (let i = 0; i < 5000; i++) log.warn('connection rejected', { i });
  log.info('serving clients', {});
  assert.equal(lines.length, 21);
  time.nowMs = 9999;
  log.sweep();
  assert.equal(lines.length, 21);
  time.nowMs = 10_000;
  log.sweep();
  assert.deepEqual(lines.at(-1), {
    event: 'log lines left out',
    fields: { about: 'connection rejected', count: 4980 },
  });
  log.warn('connection rejected', {});
  assert.equal(lines.length, 23);
});

test('FloodLog says nothing of events that were few', () => {
  const { lines, time, log } = recorder();
  log.warn('session refused', {});
  time.nowMs = 20_000;
  log.sweep();
  log.sweep();
  assert.equal(lines.length, 1);
});

test('FloodLog leaves out no line for those who debug', () => {
  const { lines, log } = recorder();
  for (let i = 0; i < 100; i++) log.debug('connection dropped', { i });
  assert.equal(lines.length, 100);
});
