import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeServerId, makeSessionId } from '../../../src/base/ids.ts';
import { SessionTracker } from '../../../src/session/session-tracker.ts';

const TICK_MS = 2000;
const A = makeSessionId(0x1_0000_0000_0001n);
const B = makeSessionId(0x2_0000_0000_0002n);
const ONE = makeServerId(1);
const TWO = makeServerId(2);

test('SessionTracker.expired() gives each silent session once', () => {
  const tracker = new SessionTracker(TICK_MS);
  tracker.add(A, 10_000, ONE, 0);
  tracker.add(B, 20_000, ONE, 0);
  assert.deepEqual(tracker.expired(11_999), []);
  assert.deepEqual(tracker.expired(12_000), [A]);
  assert.deepEqual(tracker.expired(12_001), []);
  assert.deepEqual(tracker.expired(22_000), [B]);
});

test('SessionTracker.touch() keeps a session alive for its timeout from then on', () => {
  const tracker = new SessionTracker(TICK_MS);
  tracker.add(A, 10_000, ONE, 0);
  assert.ok(tracker.touch(A, 9000));
  assert.deepEqual(tracker.expired(19_999), []);
  assert.deepEqual(tracker.expired(20_000), [A]);
});

test('SessionTracker refuses signs of life of sessions that are unknown, expired or being closed', () => {
  const tracker = new SessionTracker(TICK_MS);
  assert.ok(!tracker.touch(A, 0));
  tracker.add(A, 4000, ONE, 0);
  tracker.expired(50_000);
  assert.ok(!tracker.touch(A, 50_000));
  assert.ok(!tracker.renew(A, 4000, TWO, 50_000));
  tracker.add(B, 4000, ONE, 0);
  tracker.markClosing(B);
  assert.ok(!tracker.touch(B, 100));
  assert.ok(!tracker.isAlive(B));
  assert.deepEqual(tracker.expired(90_000), []);
});

test('SessionTracker knows a session until its closing was applied', () => {
  const tracker = new SessionTracker(TICK_MS);
  tracker.add(A, 4000, ONE, 0);
  tracker.expired(50_000);
  assert.equal(tracker.owner(A), ONE);
  assert.equal(tracker.count, 1);
  tracker.remove(A);
  assert.equal(tracker.owner(A), undefined);
  assert.equal(tracker.count, 0);
});

test('SessionTracker.renew() changes timeout and owner', () => {
  const tracker = new SessionTracker(TICK_MS);
  tracker.add(A, 40_000, ONE, 0);
  assert.ok(tracker.renew(A, 4000, TWO, 1000));
  assert.equal(tracker.owner(A), TWO);
  assert.equal(tracker.timeoutMs(A), 4000);
  assert.deepEqual(tracker.expired(6000), [A]);
});

test('SessionTracker.add() of a session it tracks renews it', () => {
  const tracker = new SessionTracker(TICK_MS);
  tracker.add(A, 4000, ONE, 0);
  tracker.add(A, 10_000, TWO, 0);
  assert.equal(tracker.count, 1);
  assert.equal(tracker.owner(A), TWO);
  assert.deepEqual(tracker.expired(12_000), [A]);
});

test('SessionTracker.deadlines() tells how long each living session has left', () => {
  const tracker = new SessionTracker(TICK_MS);
  tracker.add(A, 10_000, ONE, 0);
  tracker.add(B, 4000, ONE, 0);
  tracker.markClosing(B);
  assert.deepEqual(tracker.deadlines(2000), [[A, 10_000]]);
});

test('SessionTracker.clear() forgets everything', () => {
  const tracker = new SessionTracker(TICK_MS);
  tracker.add(A, 4000, ONE, 0);
  tracker.clear();
  assert.equal(tracker.count, 0);
  assert.deepEqual(tracker.expired(50_000), []);
});
