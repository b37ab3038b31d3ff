/** What the four-letter words tell about the replicated side of a server. */

import { ZXID_NONE } from '../base/ids.ts';
import type { ZabNode } from '../consensus/zab-node.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ServerConfig } from './config.ts';
import type { DiskWatch } from './disk-watch.ts';
import type { LogWriter } from './log-writer.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { OpenedStorage } from './open-storage.ts';
import type { QuotaWarnings } from './quota-warnings.ts';
import type { NodeFacts } from './replica-peers.ts';
import type { Scrubber } from './scrubber.ts';
import type { Serving } from './serving.ts';

/** The parts of a node that know something to tell. */
export interface StatusSources {
  readonly config: ServerConfig;
  readonly runtime: Runtime;
  readonly storage: OpenedStorage;
  readonly node: ZabNode;
  readonly metrics: NodeMetrics;
  readonly quotaWarnings: QuotaWarnings;
  readonly writer: LogWriter;
  readonly scrubber: Scrubber;
  readonly disk: DiskWatch;
  readonly serving: Serving;
}

export async function nodeStatus(sources: StatusSources): Promise<NodeFacts> {
  const { config, runtime, storage, node } = sources;
  const { leaderUptimeMs } = sources.serving;
  const metrics = metricsOf(sources);
  const files = await runtime.openFiles?.();
  if (files !== undefined) {
    metrics.set('open_file_descriptor_count', files.count);
    metrics.set('max_file_descriptor_count', Math.min(files.max, Number.MAX_SAFE_INTEGER));
  }
  const learners = [...(node.leader?.learners ?? [])];
  const synced = learners.filter((learner) => learner.hasAckedNewLeader);
  return {
    serverId: config.serverId,
    membership: config.isStandalone ? [] : config.members.map((member) => member.text),
    configVersion: ZXID_NONE,
    peerState: peerState(config, node),
    quorumSize: config.voterIds.length,
    learnerCount: learners.length,
    syncedFollowerCount: synced.filter((learner) => learner.isVoter).length,
    syncedObserverCount: synced.filter((learner) => !learner.isVoter).length,
    syncedNonVotingFollowerCount: 0,
    pendingSyncCount: learners.length - synced.length,
    leaderUptimeMs,
    dataDirBytes: await runtime.storage.size(storage.stateDirectory),
    logDirBytes: await runtime.storage.size(storage.logDirectory),
    metrics,
  };
}

function metricsOf(sources: StatusSources): Map<string, number> {
  const { node, quotaWarnings, writer, scrubber, disk } = sources;
  const metrics = sources.metrics.values();
  for (const [name, count] of quotaWarnings.refusals) {
    metrics.set(`${name}_quota_exceeded_error_per_namespace`, count);
  }
  metrics.set('log_groups', writer.groupCount);
  metrics.set('log_entries', writer.entryCount);
  metrics.set('scrub_passes', scrubber.passCount);
  metrics.set('scrub_bytes', scrubber.byteCount);
  metrics.set('scrub_damage_count', scrubber.damageCount);
  metrics.set('disk_free_bytes', disk.freeBytes);
  metrics.set('data_whole', node.standing === 'whole' ? 1 : 0);
  return metrics;
}

/** `role - phase`, as `zk_peer_state` prints it; `looking` alone during an election. */
function peerState(config: ServerConfig, node: ZabNode): string {
  if (node.leader !== undefined) return `leading - ${node.leader.phaseName}`;
  if (node.learner === undefined) return 'looking';
  const isVoter = config.voterIds.includes(config.serverId);
  return `${isVoter ? 'following' : 'observing'} - ${node.learner.phaseName}`;
}
