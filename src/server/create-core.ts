/** The consensus core and its view of the peers, out of configuration and what the disk holds. */

import { Prng } from '../base/prng.ts';
import { ZabNode } from '../consensus/zab-node.ts';
import { DEFAULT_TIMINGS } from '../consensus/zab-state.ts';
import type { PeerSettings } from '../peer/agreement.ts';
import { PeerNetwork } from '../peer/peer-network.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ServerConfig } from './config.ts';
import type { Log } from './logger.ts';
import { isAnyAddress } from './member-line.ts';
import type { OpenedStorage } from './open-storage.ts';

const CLUSTER_ID_BYTES = 16;
const SEED_BYTES = 4;

export function createCore(
  config: ServerConfig,
  runtime: Runtime,
  { log, state }: OpenedStorage,
): ZabNode {
  const { meta } = log;
  const random = Buffer.from(runtime.randomBytes(CLUSTER_ID_BYTES + SEED_BYTES));
  const { zxid: checkpointZxid } = state.checkpoint;
  const observers = config.members.filter((member) => member.role === 'observer');
  return new ZabNode(
    {
      sid: config.serverId,
      voters: config.voterIds,
      observers: observers.map((member) => member.id),
      timings: {
        ...DEFAULT_TIMINGS,
        heartbeatMs: config.peerHeartbeatMs,
        peerTimeoutMs: config.peerTimeoutMs,
        initTimeoutMs: config.initLimit * config.tickTimeMs,
        syncTimeoutMs: config.syncLimit * config.tickTimeMs,
      },
      freshClusterId: random.subarray(0, CLUSTER_ID_BYTES).toString('hex'),
      prng: new Prng(random.readUInt32BE(CLUSTER_ID_BYTES)),
    },
    {
      acceptedEpoch: meta.acceptedEpoch,
      currentEpoch: meta.currentEpoch,
      clusterId: meta.clusterId,
      standing: meta.standing,
      epochs: meta.epochs,
      retainedAfter: meta.baseZxid,
      committed: meta.commitHint > checkpointZxid ? meta.commitHint : checkpointZxid,
    },
  );
}

/** What every server should have as the others have it, under the names of the configuration. */
function settingsToCompare(config: ServerConfig): Omit<PeerSettings, 'wallMs'> {
  const limits = {
    tickTime: config.tickTimeMs,
    initLimit: config.initLimit,
    syncLimit: config.syncLimit,
    minSessionTimeout: config.minSessionTimeoutMs,
    maxSessionTimeout: config.maxSessionTimeoutMs,
    'jute.maxbuffer': config.juteMaxBuffer,
    enforceQuota: config.enforceQuota,
    localSessionsEnabled: config.localSessionsEnabled,
    skipACL: config.skipAcl,
  };
  const pairs = Object.entries(limits);
  return {
    rules: new Map([['extendedTypesEnabled', String(config.extendedTypesEnabled)]]),
    limits: new Map(pairs.map(([key, value]) => [key, String(value)])),
  };
}

export function createPeerNetwork(
  options: {
    readonly config: ServerConfig;
    readonly runtime: Runtime;
    readonly storage: OpenedStorage;
    readonly log: Log;
  },
  node: ZabNode,
): PeerNetwork {
  const { config, runtime, storage, log } = options;
  const members = config.members.map(({ id, host, quorumPort, electionPort }) => ({
    sid: id,
    quorum: { host, port: quorumPort },
    election: { host, port: electionPort },
  }));
  const { rules, limits } = settingsToCompare(config);
  const ownHost = config.members.find((member) => member.id === config.serverId)?.host;
  const isAny = config.quorumListenOnAllIps || ownHost === undefined || isAnyAddress(ownHost);
  return new PeerNetwork({
    runtime,
    sid: config.serverId,
    members,
    identity: () => ({
      sid: config.serverId,
      clusterId: node.clusterId,
      incarnation: storage.log.meta.incarnation,
      standing: node.standing,
      isEmpty: node.isEmpty,
      participants: config.voterIds,
      settings: { rules, limits, wallMs: runtime.clock.wallMs() },
    }),
    listenHost: isAny ? undefined : ownHost,
    onRefusal: (reason) => log.error('peerRefused', { reason }),
    onDifference: (reason) => log.warn('peerDiffers', { reason }),
  });
}
