import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeServerId, makeSessionId, SERVER_NONE } from '../../../src/base/ids.ts';
import { NodeMetrics } from '../../../src/server/node-metrics.ts';
import { type Txn, TxnType } from '../../../src/store/txn.ts';

const CLOSED: Txn = {
  sessionId: makeSessionId(5n),
  cxid: 0,
  timeMs: 1000,
  origin: SERVER_NONE,
  requestId: 0,
  body: { type: TxnType.closeSession, paths: [] },
};

/** What alerts look at. */
const STARRED = [
  'avg_fsynctime',
  'cnt_election_time',
  'sum_leader_unavailable_time',
  'cnt_follower_sync_time',
  'max_snapshottime',
  'p99_propagation_latency',
  'p999_quorum_ack_latency',
  'p95_proposal_latency',
  'sum_jvm_pause_time_ms',
  'snapshot_error_count',
  'unrecoverable_error_count',
  'digest_mismatches_count',
  'stale_requests',
  'stale_sessions_expired',
  'looking_count',
  'snap_count',
  'commit_count',
  'proposal_count',
  'fsync_threshold_exceed_count',
];

test('NodeMetrics has every metric from the start, all 0', () => {
  const values = new NodeMetrics().values();
  for (const name of STARRED) assert.equal(values.get(name), 0, name);
});

test('NodeMetrics measures an election and the time nobody was served', () => {
  const metrics = new NodeMetrics();
  metrics.looking(100);
  metrics.looking(150);
  metrics.elected(300);
  metrics.serving('leading', 350);
  const values = metrics.values();
  assert.equal(values.get('looking_count'), 2);
  assert.equal(values.get('sum_election_time'), 200);
  assert.equal(values.get('sum_unavailable_time'), 250);
  assert.equal(values.get('sum_leader_unavailable_time'), 250);
  assert.equal(values.get('cnt_follower_sync_time'), 0);
});

test('NodeMetrics measures how long a learner took to catch up', () => {
  const metrics = new NodeMetrics();
  metrics.looking(0);
  metrics.elected(10);
  metrics.serving('following', 40);
  metrics.elected(100);
  metrics.serving('observing', 101);
  const values = metrics.values();
  assert.equal(values.get('sum_follower_sync_time'), 30);
  assert.equal(values.get('sum_observer_sync_time'), 1);
  assert.equal(values.get('cnt_unavailable_time'), 1);
});

test('NodeMetrics counts expired sessions on the leader only, closed ones nowhere', () => {
  const metrics = new NodeMetrics();
  metrics.applied(CLOSED, 1004, true);
  metrics.applied(CLOSED, 900, false);
  metrics.applied({ ...CLOSED, origin: makeServerId(1) }, 1000, true);
  const values = metrics.values();
  assert.equal(values.get('stale_sessions_expired'), 1);
  assert.equal(values.get('commit_count'), 2);
  assert.equal(values.get('cnt_propagation_latency'), 3);
  assert.equal(values.get('max_propagation_latency'), 4);
});

test('NodeMetrics measures writes and counts the slow ones', () => {
  const metrics = new NodeMetrics();
  metrics.writeBegan(10);
  metrics.writeEnded(15);
  metrics.writeBegan(20);
  metrics.writeEnded(1021);
  const values = metrics.values();
  assert.equal(values.get('avg_fsynctime'), 503);
  assert.equal(values.get('fsync_threshold_exceed_count'), 1);
});
