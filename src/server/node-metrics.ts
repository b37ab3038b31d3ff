/**
 * What the replicated side counts and measures for `mntr`, under the names that dashboards and
 * alerts of the original use. Times are whole milliseconds.
 */

import { SERVER_NONE } from '../base/ids.ts';
import { PercentileSummary, Summary } from '../base/summary.ts';
import { type Txn, TxnType } from '../store/txn.ts';

/** What a node is about to be, or is. */
export type MetricRole = 'leading' | 'following' | 'observing';

/**
 * Watched by alerts, and 0 for as long as this server answers: each of these ends it, or does not
 * exist here.
 */
const NEVER = [
  'snapshot_error_count',
  'unrecoverable_error_count',
  'digest_mismatches_count',
  'stale_requests',
] as const;

/** The original's threshold for a sync that is worth a warning. */
const SLOW_SYNC_MS = 1000;

export class NodeMetrics {
  readonly #counters = new Map<string, number>([
    ['looking_count', 0],
    ['diff_count', 0],
    ['snap_count', 0],
    ['checkpoint_count', 0],
    ['commit_count', 0],
    ['proposal_count', 0],
    ['stale_sessions_expired', 0],
    ['fsync_threshold_exceed_count', 0],
  ]);
  readonly #fsyncTime = new Summary();
  readonly #snapshotTime = new Summary();
  readonly #electionTime = new Summary();
  readonly #unavailableTime = new Summary();
  readonly #leaderUnavailableTime = new Summary();
  readonly #followerSyncTime = new Summary();
  readonly #observerSyncTime = new Summary();
  readonly #propagationLatency = new PercentileSummary();
  readonly #quorumAckLatency = new PercentileSummary();
  readonly #proposalLatency = new PercentileSummary();
  readonly #pauseTime = new PercentileSummary();
  #lookingSinceMs: number | undefined;
  #roleSinceMs = 0;
  #writeBeganMs = 0;
  #checkpointBeganMs = 0;

  count(name: string): void {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + 1);
  }

  writeBegan(nowMs: number): void {
    this.#writeBeganMs = nowMs;
  }

  /** What was written since is durable. */
  writeEnded(nowMs: number): void {
    const durationMs = nowMs - this.#writeBeganMs;
    this.#fsyncTime.record(durationMs);
    if (durationMs > SLOW_SYNC_MS) this.count('fsync_threshold_exceed_count');
  }

  checkpointBegan(nowMs: number): void {
    this.#checkpointBeganMs = nowMs;
  }

  checkpointEnded(nowMs: number): void {
    this.count('checkpoint_count');
    this.#snapshotTime.record(nowMs - this.#checkpointBeganMs);
  }

  /** The whole process stood still, and looked at its clock so long ago. */
  paused(durationMs: number): void {
    this.#pauseTime.record(durationMs);
  }

  looking(nowMs: number): void {
    this.count('looking_count');
    this.#lookingSinceMs ??= nowMs;
  }

  /** The election is over. */
  elected(nowMs: number): void {
    if (this.#lookingSinceMs !== undefined) this.#electionTime.record(nowMs - this.#lookingSinceMs);
    this.#roleSinceMs = nowMs;
  }

  /** Clients are served from now on. */
  serving(role: MetricRole, nowMs: number): void {
    if (role === 'following') this.#followerSyncTime.record(nowMs - this.#roleSinceMs);
    if (role === 'observing') this.#observerSyncTime.record(nowMs - this.#roleSinceMs);
    if (this.#lookingSinceMs === undefined) return;
    const unavailableMs = nowMs - this.#lookingSinceMs;
    this.#lookingSinceMs = undefined;
    this.#unavailableTime.record(unavailableMs);
    if (role === 'leading') this.#leaderUnavailableTime.record(unavailableMs);
  }

  /** The tree has applied a transaction; `wallMs` is this server's clock, its time the leader's. */
  applied(txn: Txn, wallMs: number, isLeading: boolean): void {
    const ageMs = wallMs - txn.timeMs;
    this.#propagationLatency.record(ageMs);
    if (!isLeading) return;
    // Here making, acknowledgement by a quorum and application follow each other on one clock. What
    // a lost leadership left behind is counted by nobody.
    this.#quorumAckLatency.record(ageMs);
    this.#proposalLatency.record(ageMs);
    this.count('proposal_count');
    this.count('commit_count');
    if (txn.body.type === TxnType.closeSession && txn.origin === SERVER_NONE) {
      this.count('stale_sessions_expired');
    }
  }

  /** Values by their `zk_` name without the prefix; the map belongs to the caller. */
  values(): Map<string, number> {
    const values = new Map(this.#counters);
    const sink = (name: string, value: number): void => {
      values.set(name, value);
    };
    for (const name of NEVER) sink(name, 0);
    this.#fsyncTime.report('fsynctime', sink);
    this.#snapshotTime.report('snapshottime', sink);
    this.#electionTime.report('election_time', sink);
    this.#unavailableTime.report('unavailable_time', sink);
    this.#leaderUnavailableTime.report('leader_unavailable_time', sink);
    this.#followerSyncTime.report('follower_sync_time', sink);
    this.#observerSyncTime.report('observer_sync_time', sink);
    this.#propagationLatency.report('propagation_latency', sink);
    this.#quorumAckLatency.report('quorum_ack_latency', sink);
    this.#proposalLatency.report('proposal_latency', sink);
    this.#pauseTime.report('jvm_pause_time_ms', sink);
    return values;
  }
}
