/** `mntr`: one `zk_<name><tab><value>` a line, the format that every monitoring agent reads. */

import { zxidHex } from '../base/ids.ts';
import type { BackendStatus, ServingMode } from './backend.ts';
import type { CommandSource } from './four-letter.ts';
import { averageText, shownNodeCount } from './four-letter-connections.ts';

/**
 * Version, state and, in an ensemble, the peer's state come first; the rest is in no order that
 * matters. A metric of the backend's own takes the place of one of the same name.
 */
export function mntrText(source: CommandSource, mode: ServingMode, status: BackendStatus): string {
  const values = new Map<string, string>();
  values.set('version', source.options.report.version);
  values.set('server_state', mode);
  const isMember = mode !== 'standalone' && mode !== 'read-only';
  if (isMember) values.set('peer_state', status.peerState);
  addServerGauges(values, source);
  addCounters(values, source);
  addLatencies(values, source);
  addQuotas(values, source);
  if (isMember) values.set('quorum_size', String(status.quorumSize));
  if (mode === 'leader') addLeaderGauges(values, status);
  for (const [name, value] of status.metrics) values.set(name, metricText(name, value));
  let text = '';
  for (const [name, value] of values) text += `zk_${name}\t${value}\n`;
  return text;
}

function addServerGauges(values: Map<string, string>, source: CommandSource): void {
  const { stats, backend } = source;
  const { tree } = backend;
  values.set('avg_latency', averageText(stats.latency.averageMs));
  values.set('connection_drop_probability', averageText(0));
  const gauges: readonly (readonly [string, number])[] = [
    ['min_latency', stats.latency.minMs],
    ['max_latency', stats.latency.maxMs],
    ['packets_received', stats.packetsReceived],
    ['packets_sent', stats.packetsSent],
    ['num_alive_connections', source.connectionCount],
    ['outstanding_requests', backend.outstandingCount],
    ['uptime', Math.floor(source.uptimeMs)],
    ['znode_count', shownNodeCount(tree)],
    ['watch_count', source.watches.count],
    ['ephemerals_count', tree.ephemeralCount],
    ['approximate_data_size', tree.approximateDataSize],
    ['global_sessions', tree.sessionCount],
    ['local_sessions', backend.localSessionCount],
    ['auth_failed_count', stats.counters.authFailures],
    // There is neither a throttle of connections nor TLS, so these never differ.
    ['outstanding_tls_handshake', 0],
    ['non_mtls_remote_conn_count', 0],
    ['non_mtls_local_conn_count', 0],
    ['last_client_response_size', stats.lastResponseBytes],
    ['min_client_response_size', stats.minResponseBytes],
    ['max_client_response_size', stats.maxResponseBytes],
  ];
  for (const [name, value] of gauges) values.set(name, String(value));
  // Ours: memory held for clients, and servers that show the same zxid must show the same digest.
  values.set('client_held_bytes', String(source.buffers.heldBytes));
  values.set('client_request_bytes', String(source.buffers.requestBytes));
  values.set('last_zxid', zxidHex(tree.lastZxid));
  values.set('tree_digest', tree.digestHex);
  // So that clocks of servers can be compared.
  values.set('wall_time_ms', String(source.wallMs()));
}

function addCounters(values: Map<string, string>, source: CommandSource): void {
  const { counters } = source.stats;
  const named: readonly (readonly [string, number])[] = [
    ['connection_request_count', counters.connectionRequests],
    ['connection_rejected', counters.connectionsRejected],
    ['connection_drop_count', counters.connectionsDropped],
    ['sessionless_connections_expired', counters.sessionlessExpired],
    ['cnxn_closed_without_zk_server_running', counters.closedWhileNotServing],
    ['large_requests_rejected', counters.requestsTooLong],
    ['large_replies_rejected', counters.repliesTooLong],
    ['watches_rejected', counters.watchesRefused],
    ['slow_clients_dropped', counters.slowClientsDropped],
    ['request_throttle_wait_count', counters.throttleWaits],
    ['throttled_ops', counters.throttledOps],
    ['sessionless_connections_dropped', counters.sessionlessDropped],
    ['greedy_clients_dropped', counters.greedyDropped],
    ['bytes_received_count', counters.bytesReceived],
    ['response_bytes', counters.responseBytes],
    ['watch_bytes', counters.watchBytes],
  ];
  for (const [name, value] of named) values.set(name, String(value));
}

function addLatencies(values: Map<string, string>, source: CommandSource): void {
  const { readLatency, updateLatency } = source.stats;
  const sink = (name: string, value: number): void => {
    values.set(name, metricText(name, value));
  };
  readLatency.report('readlatency', sink);
  updateLatency.report('updatelatency', sink);
}

/** Sums over the quotas below each node of the top level. */
function addQuotas(values: Map<string, string>, source: CommandSource): void {
  for (const [name, usage] of source.backend.tree.quotas.namespaces()) {
    values.set(`${name}_quota_count_limit_per_namespace`, String(usage.countLimit));
    values.set(`${name}_quota_bytes_limit_per_namespace`, String(usage.bytesLimit));
    values.set(`${name}_quota_count_usage_per_namespace`, String(usage.count));
    values.set(`${name}_quota_bytes_usage_per_namespace`, String(usage.bytes));
  }
}

function addLeaderGauges(values: Map<string, string>, status: BackendStatus): void {
  const gauges: readonly (readonly [string, number])[] = [
    // The name before 3.6, which older checks still ask for.
    ['followers', status.learnerCount],
    ['learners', status.learnerCount],
    ['synced_followers', status.syncedFollowerCount],
    ['synced_non_voting_followers', status.syncedNonVotingFollowerCount],
    ['synced_observers', status.syncedObserverCount],
    ['pending_syncs', status.pendingSyncCount],
    ['leader_uptime', Math.floor(status.leaderUptimeMs)],
    ['last_proposal_size', status.proposalSizes.last],
    ['min_proposal_size', status.proposalSizes.min],
    ['max_proposal_size', status.proposalSizes.max],
  ];
  for (const [name, value] of gauges) values.set(name, String(value));
}

/** Averages always show a point, everything else is an integer wherever it is one. */
function metricText(name: string, value: number): string {
  if (name.startsWith('avg_')) return averageText(value);
  return Number.isInteger(value) ? String(value) : averageText(value);
}
