import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { offAbort, onAbort } from '../../../src/client/abort-listeners.ts';

test('onAbort puts one listener on a signal, however many are told', () => {
  const controller = new AbortController();
  let toldCount = 0;
  for (let at = 0; at < 1000; at++) onAbort(controller.signal, () => toldCount++);
  assert.equal(getEventListeners(controller.signal, 'abort').length, 1);
  controller.abort();
  assert.equal(toldCount, 1000);
});

test('offAbort spares a listener what comes later, and no other', () => {
  const controller = new AbortController();
  const told: string[] = [];
  const first = (): void => void told.push('first');
  onAbort(controller.signal, first);
  onAbort(controller.signal, () => void told.push('second'));
  offAbort(controller.signal, first);
  controller.abort();
  assert.deepEqual(told, ['second']);
});
