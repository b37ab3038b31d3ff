/** What the four-letter words tell about the replicated side of a server. */

import type { BackendStatus } from '../api/backend.ts';
import { ZXID_NONE } from '../base/ids.ts';
import type { ZabNode } from '../consensus/zab-node.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ServerConfig } from './config.ts';
import type { OpenedStorage } from './open-storage.ts';
import type { NodeFacts } from './replica.ts';

export async function nodeStatus(
  config: ServerConfig,
  runtime: Runtime,
  storage: OpenedStorage,
  node: ZabNode,
  more: Pick<BackendStatus, 'leaderUptimeMs' | 'metrics'>,
): Promise<NodeFacts> {
  const metrics = new Map(more.metrics);
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
    leaderUptimeMs: more.leaderUptimeMs,
    dataDirBytes: await runtime.storage.size(storage.stateDirectory),
    logDirBytes: await runtime.storage.size(storage.logDirectory),
    metrics,
  };
}

/** `role - phase`, as `zk_peer_state` prints it; `looking` alone during an election. */
function peerState(config: ServerConfig, node: ZabNode): string {
  if (node.leader !== undefined) return `leading - ${node.leader.phaseName}`;
  if (node.learner === undefined) return 'looking';
  const isVoter = config.voterIds.includes(config.serverId);
  return `${isVoter ? 'following' : 'observing'} - ${node.learner.phaseName}`;
}
