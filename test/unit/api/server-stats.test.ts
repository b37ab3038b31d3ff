import assert from 'node:assert/strict';
import { test } from 'node:test';
import { averageText } from '../../../src/api/four-letter-connections.ts';
import { ConnectionStats, LatencyStats, ServerStats } from '../../../src/api/server-stats.ts';
import { OpCode } from '../../../src/base/op-code.ts';

test('LatencyStats keeps minimum, average and maximum, all zero before the first', () => {
  const latency = new LatencyStats();
  assert.deepEqual([latency.minMs, latency.averageMs, latency.maxMs], [0, 0, 0]);
  for (const ms of [5, 2, 8]) latency.record(ms);
  assert.deepEqual([latency.minMs, latency.averageMs, latency.maxMs], [2, 5, 8]);
  latency.reset();
  assert.deepEqual([latency.minMs, latency.averageMs, latency.maxMs], [0, 0, 0]);
});

test('ServerStats knows the last, smallest and largest reply, -1 before the first', () => {
  const stats = new ServerStats();
  assert.equal(stats.minResponseBytes, -1);
  for (const bytes of [50, 16, 90, 20]) stats.recordResponse(bytes);
  const { lastResponseBytes, minResponseBytes, maxResponseBytes, packetsSent } = stats;
  assert.deepEqual(
    [lastResponseBytes, minResponseBytes, maxResponseBytes, packetsSent],
    [20, 16, 90, 4],
  );
});

test('ServerStats.reset() leaves the counters that monitors subtract', () => {
  const stats = new ServerStats();
  stats.recordResponse(50);
  stats.latency.record(3);
  stats.reset();
  assert.equal(stats.packetsSent, 0);
  assert.equal(stats.lastResponseBytes, -1);
  assert.equal(stats.counters.responseBytes, 50);
});

test('ConnectionStats names the last operation and ignores xids that are not requests', () => {
  const stats = new ConnectionStats(1000);
  assert.equal(stats.lastOperation, 'NA');
  stats.recordReply(OpCode.create2, 7, 12, 3, 500);
  stats.recordReply(OpCode.ping, -2, 13, 1, 600);
  assert.equal(stats.lastOperation, 'PING');
  assert.equal(stats.lastCxid, 7);
  assert.equal(stats.lastZxid, 13);
  assert.equal(stats.latency.maxMs, 3);
  stats.reset();
  assert.equal(stats.lastOperation, 'NA');
  assert.equal(stats.establishedMs, 1000);
});

test('averageText() always has a point and at most four decimals', () => {
  const texts = [0, 9.5, 31.0725, 1 / 3, 42, 0.00001].map(averageText);
  assert.deepEqual(texts, ['0.0', '9.5', '31.0725', '0.3333', '42.0', '0.0']);
});
