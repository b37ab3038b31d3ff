/** What the side that serves clients must be told; every value has been validated by the caller. */

import type { ListenOptions } from '../runtime/runtime.ts';
import type { WatchLimits } from '../session/watch-manager.ts';

export interface ClientServiceOptions {
  /** Where clients connect; the first is the one that `conf` prints. */
  readonly listen: readonly ListenOptions[];
  readonly tickTimeMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  /** Connections per remote address; 0 for no limit. */
  readonly maxClientCnxns: number;
  /** Connections in all; 0 for no limit. */
  readonly maxCnxns: number;
  /** Longest frame accepted from a client (`jute.maxbuffer`), without its length field. */
  readonly juteMaxBufferBytes: number;
  /** While so many requests of all clients are unsettled, clients with one of them are not read. */
  readonly globalOutstandingLimit: number;
  /** Longest reply, without its length field; what would be longer is refused. */
  readonly replyBytesMax: number;
  readonly watchLimits: WatchLimits;
  /** A request that waited longer to be taken is refused instead of carried out, ms; 0: never. */
  readonly throttledOpWaitMs: number;
  /** The four-letter words that are answered; undefined: all. */
  readonly fourLetterWords: ReadonlySet<string> | undefined;
  readonly limits: ClientLimits;
  readonly access: AccessOptions;
  readonly report: ReportOptions;
}

/** What keeps clients that are broken or hostile from harming the others. */
export interface ClientLimits {
  /** A connection that has not asked for a session by then is cut off. */
  readonly handshakeTimeoutMs: number;
  /** Connections without a session; when there is one more, the oldest of them goes. */
  readonly sessionlessMax: number;
  /** Unsent bytes at which a client is taken for one that will never read them. */
  readonly backlogBytesMax: number;
  /** Bytes that all clients together may leave in memory: frames in part, replies not read. */
  readonly bufferBytesMax: number;
}

/** Who may do what, beyond what the nodes' ACLs say. */
export interface AccessOptions {
  /** Nobody is refused anything for lack of a permission. */
  readonly skipAcl: boolean;
  /** `user:hash` of the super user's digest; undefined when there is none. */
  readonly superDigest: string | undefined;
  /** A client must prove an identity of one of these schemes before anything else; empty: it need not. */
  readonly enforcedSchemes: readonly string[];
}

/** What the four-letter words print besides measurements. */
export interface ReportOptions {
  /** `3.9.3-vivarium-0.1.0, built on 2026-11-21 04:00 UTC`: tools cut at `-` and `,`. */
  readonly version: string;
  readonly dataDir: string;
  readonly dataLogDir: string;
  /** -1 for the platform's own. */
  readonly listenBacklog: number;
  /** 0 when standalone. */
  readonly serverId: number;
  /** Undefined when standalone. */
  readonly ensemble: EnsembleReport | undefined;
  /** Values by the keys of `ENVIRONMENT_KEYS`; a missing one prints as the original's `<NA>`. */
  readonly environment: ReadonlyMap<string, string>;
}

export interface EnsembleReport {
  readonly initLimit: number;
  readonly syncLimit: number;
  readonly electionPort: number;
  readonly quorumPort: number;
  readonly isObserver: boolean;
}
