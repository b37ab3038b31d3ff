/**
 * What a server is told before it starts: one frozen record of typed values, made from a `zoo.cfg`,
 * from command line flags or from a program's options, by the same rules.
 */

import type { ClientLimits } from '../api/client-options.ts';
import type { ServerId } from '../base/ids.ts';
import type { Member, MemberRole } from './member-line.ts';

/** A key that was accepted and has no effect, with the reason. */
export interface IgnoredKey {
  readonly key: string;
  readonly value: string;
  readonly where: string;
  readonly reason: string;
}

/** Something a person should look at, though the server starts. */
export interface ConfigWarning {
  readonly where: string;
  readonly message: string;
  /** What would be better. */
  readonly remedy: string;
}

export interface ServerConfig {
  /** File the configuration came from, or `options`; for messages. */
  readonly source: string;
  /** `myid`; a standalone server without one is server 1. */
  readonly serverId: ServerId;
  /** One voter and `standaloneEnabled`: no peers, no election port. */
  readonly isStandalone: boolean;
  readonly role: MemberRole;
  /** By id. Empty when no `server.N` line was given, which only a standalone server may do. */
  readonly members: readonly Member[];
  /** Ids of the participants, ascending; never empty (a standalone server votes for itself). */
  readonly voterIds: readonly ServerId[];

  /** undefined: no listener for clients. 0 (options only): any free port. */
  readonly clientPort: number | undefined;
  /** undefined: all interfaces. */
  readonly clientHost: string | undefined;
  /** undefined: the platform's default. */
  readonly clientPortListenBacklog: number | undefined;
  /** Connections from one address; 0: no limit. */
  readonly maxClientCnxns: number;
  /** Connections in all; 0: no limit. */
  readonly maxCnxns: number;
  /** Largest frame from a client, in bytes. */
  readonly juteMaxBuffer: number;
  /** The lesser of the two keys that bound it. */
  readonly globalOutstandingLimit: number;
  /** A request that waits longer to be taken is refused; 0: never. */
  readonly throttledOpWaitMs: number;
  /** Longest reply, in bytes. */
  readonly maxReplyBytes: number;
  /** 0: no limit. */
  readonly maxWatches: number;
  /** 0: no limit. */
  readonly maxWatchesPerConnection: number;
  /** What keeps broken and hostile clients from harming the others. */
  readonly clientLimits: ClientLimits;
  /** The words that are answered; undefined when the configuration does not say; `*` for all. */
  readonly fourLetterWhitelist: readonly string[] | undefined;
  readonly leaderServes: boolean;
  /** Clients that agree to it may read from this server while it knows no quorum. */
  readonly readOnlyMode: boolean;
  /** For so long no quorum must have been known before. */
  readonly readOnlyGraceMs: number;
  /** A new session is this server's alone until it needs an ephemeral node. Not in a standalone server. */
  readonly localSessionsEnabled: boolean;
  /** Whether such a session becomes a replicated one then, or is refused the node. */
  readonly localSessionsUpgradingEnabled: boolean;

  /** As written: relative paths count from the working directory. */
  readonly dataDir: string;
  readonly dataLogDir: string;
  readonly snapCount: number;
  readonly checkpointIntervalTxns: number;
  readonly autopurgeRetainCount: number;
  /** 0: log and checkpoints are kept for ever. */
  readonly autopurgeIntervalMs: number;
  readonly logRetainTxns: number;
  readonly logRetainBytes: number;
  /** Writes are refused when a disk has less room than this; 0: never. */
  readonly diskReserveBytes: number;

  readonly tickTimeMs: number;
  /** Ticks. */
  readonly initLimit: number;
  /** Ticks. */
  readonly syncLimit: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;

  readonly peerHeartbeatMs: number;
  readonly peerTimeoutMs: number;
  readonly quorumListenOnAllIps: boolean;

  readonly extendedTypesEnabled: boolean;
  readonly enforceQuota: boolean;
  readonly skipAcl: boolean;
  /** Schemes of which a client must prove an identity before anything else; empty: none. */
  readonly enforcedAuthSchemes: readonly string[];
  /** `user:hash`; undefined: there is no super user. */
  readonly superDigest: string | undefined;
  /** How containers and nodes with a time to live are swept away. */
  readonly containerSweep: {
    readonly checkIntervalMs: number;
    readonly maxPerMinute: number;
    readonly maxNeverUsedIntervalMs: number;
  };

  readonly ignored: readonly IgnoredKey[];
  readonly warnings: readonly ConfigWarning[];
}
