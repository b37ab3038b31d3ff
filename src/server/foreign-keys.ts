/**
 * Keys of the original that have no effect here. Most are accepted with a reason. Those that ask for
 * protection or for another way of counting votes stop the start: a server that ignored them would
 * look safe and not be.
 */

export type ForeignKey =
  | { readonly kind: 'ignored'; readonly reason: string }
  | { readonly kind: 'refused'; readonly problem: string; readonly expected: string };

interface IgnoredRule {
  /** Exact names; one that ends in `*` stands for all that begin so. */
  readonly keys: readonly string[];
  readonly reason: string;
}

interface RefusedRule {
  readonly keys: readonly string[];
  /** The value that asks for nothing, compared without case; undefined when every value asks. */
  readonly harmless?: string;
  readonly problem: string;
  readonly expected: string;
}

const NO_TLS = 'asks for TLS, which this server does not offer yet';
const NO_SASL = 'asks for SASL authentication, which this server does not offer yet';
const NO_AUTH = 'asks for an authentication rule that this server does not enforce yet';

const REFUSED: readonly RefusedRule[] = [
  {
    keys: ['secureClientPort', 'secureClientPortAddress'],
    problem: NO_TLS,
    expected: 'only clientPort',
  },
  {
    keys: ['sslQuorum', 'portUnification', 'client.portUnification'],
    harmless: 'false',
    problem: NO_TLS,
    expected: 'false, on a network that only the servers reach',
  },
  {
    keys: [
      'quorum.auth.enableSasl',
      'quorum.auth.serverRequireSasl',
      'quorum.auth.learnerRequireSasl',
      'sessionRequireClientSASLAuth',
    ],
    harmless: 'false',
    problem: NO_SASL,
    expected: 'false, or the line left out',
  },
  {
    keys: ['authProvider.*'],
    problem: 'names an authentication provider, which this server cannot load',
    expected: 'the line left out: world, digest and ip are built in',
  },
  { keys: ['ensembleAuthName'], problem: NO_AUTH, expected: 'the line left out' },
  {
    keys: ['DigestAuthenticationProvider.enabled'],
    harmless: 'true',
    problem: 'switches digest authentication off, which this server cannot do',
    expected: 'true, or the line left out',
  },
  {
    keys: ['DigestAuthenticationProvider.digestAlg'],
    harmless: 'sha1',
    problem: 'names a digest algorithm other than the one used here',
    expected: 'SHA1, or the line left out',
  },
  {
    keys: ['group.*', 'weight.*'],
    problem: 'asks for weighted votes, while every participant here has one vote',
    expected: 'the line left out',
  },
  {
    keys: ['oraclePath'],
    problem: 'asks for an oracle to decide without a majority, which this server does not have',
    expected: 'the line left out, and three participants',
  },
  {
    keys: ['dynamicConfigFile'],
    problem: 'names a dynamic configuration file, which this server does not read yet',
    expected: 'the server.N lines in this file',
  },
  {
    keys: ['reconfigEnabled'],
    harmless: 'false',
    problem: 'asks for dynamic reconfiguration, which this server does not offer yet',
    expected: 'false, or the line left out',
  },
  { keys: ['electionAlg'], harmless: '3', problem: 'names an unknown algorithm', expected: '3' },
];

const IGNORED: readonly IgnoredRule[] = [
  {
    keys: ['preAllocSize', 'snapSizeLimitInKb', 'txnLogSizeLimitInKb', 'snapshotSizeFactor'],
    reason: 'log and checkpoints are stores that grow in place, not files that roll',
  },
  {
    keys: ['commitLogCount', 'forceSnapshotSync', 'leader.maxConcurrent*'],
    reason: 'synchronisation reads the log itself; see logRetainTxns and logRetainBytes',
  },
  {
    keys: ['snapshot.*', 'serializeLastProcessedZxid.*', 'digest.enabled', 'closeSessionTxn.*'],
    reason: 'the storage format has no such choice',
  },
  { keys: ['forceSync'], reason: 'every write is synced before it is acknowledged' },
  { keys: ['emulate353TTLNodes'], reason: 'no data of 3.5.3 is read here' },
  {
    keys: ['watchManagerName', 'watcherClean*', 'maxInProcessingDeadWatchers', 'bitHashCacheSize'],
    reason: 'there is one watch manager, and it needs no tuning',
  },
  {
    keys: ['datadir.autocreate', 'db.autocreate'],
    reason: 'whether a new server may vote is decided by the ensemble, not by a key',
  },
  {
    keys: ['cnxTimeout', 'quorumCnxnTimeoutMs', 'connectToLearnerMasterLimit', 'fastleader.*'],
    reason: 'peerHeartbeatMs and peerTimeoutMs decide how fast a lost peer is noticed',
  },
  {
    keys: ['observer.*', 'leader.*', 'learner.*', 'follower.*', 'observerMaster*', 'syncEnabled'],
    reason: 'the peer protocol here has no such choice',
  },
  {
    keys: ['electionPort', 'quorum.cnxn.*', 'multiAddress.*', 'tcpKeepAlive', 'clientTcpKeepAlive'],
    reason: 'the peer and client connections here have no such choice',
  },
  {
    keys: [
      'forward_learner_requests_*',
      'commitProcessor.*',
      'nio.*',
      'netty.*',
      'serverCnxnFactory',
    ],
    reason: 'one event loop serves all connections, there are no threads to tune',
  },
  {
    keys: ['connection_throttle_*', 'request_throttle*', 'request_stale_*'],
    reason:
      'load is bounded by globalOutstandingLimit, request_throttle_max_requests, maxClientCnxns and maxCnxns',
  },
  {
    keys: ['flushDelay', 'maxWriteQueuePollTime', 'maxBatchSize', 'largeRequest*'],
    reason: 'requests are grouped by what arrives while a sync is under way',
  },
  {
    keys: ['maxResponseCacheSize', 'maxGetChildrenResponseCacheSize', 'intBufferStartingSizeBytes'],
    reason: 'replies are encoded straight from the tree and not cached',
  },
  {
    keys: ['jute.maxbuffer.extrasize'],
    reason: 'frames between servers have a bound of their own',
  },
  {
    keys: ['fsync.warningthresholdms', 'jvm.pause.*', 'pathStats.*', 'messageTracker.*', 'audit.*'],
    reason: 'this kind of observation is not offered yet',
  },
  { keys: ['admin.*', 'metricsProvider.*'], reason: 'there is no HTTP endpoint yet' },
  {
    keys: ['ssl.*', 'sslQuorumReloadCertFiles', 'client.certReload', 'fips-mode'],
    reason: 'no port speaks TLS yet',
  },
  {
    keys: [
      'quorum.auth.*',
      'kerberos.*',
      'security.auth_to_local',
      'SASLAuthenticationProvider.*',
      'server.realm',
      'sasl.*',
      'kinit',
      'requireKerberosConfig',
      'letAnySaslUserDo*',
      'allowSaslFailedClients',
      'jaasLoginRenew',
      'requireClientAuthScheme',
    ],
    reason: 'there is no SASL to configure',
  },
  {
    keys: [
      'DigestAuthenticationProvider.*',
      'X509AuthenticationProvider.*',
      'IPAuthenticationProvider.*',
      'superUser',
      'superUser.*',
      'enableEagerACLCheck',
    ],
    reason: 'the only super user is the one of DigestAuthenticationProvider.superDigest',
  },
  {
    keys: [
      'disableAutoWatchReset',
      'request.timeout',
      'clientCnxnSocket',
      'shuffleDnsResponse',
      'hostProvider.*',
      'jmx.*',
      'controllerPort',
      'leaderConnectDelayDuringRetryMs',
      'traceFile',
      'testingonly.*',
      'test.*',
    ],
    reason: 'it has no meaning for this server',
  },
];

/** What becomes of a key of the original that has no effect here; undefined when nobody knows the key. */
export function foreignKey(key: string, value: string): ForeignKey | undefined {
  for (const rule of REFUSED) {
    if (!rule.keys.some((name) => covers(name, key))) continue;
    if (rule.harmless === value.toLowerCase()) {
      return { kind: 'ignored', reason: 'it says what is the case anyway' };
    }
    return { kind: 'refused', problem: rule.problem, expected: rule.expected };
  }
  for (const rule of IGNORED) {
    if (rule.keys.some((name) => covers(name, key)))
      return { kind: 'ignored', reason: rule.reason };
  }
  return undefined;
}

/** Exact names of the original, for hints about misspelt keys. */
export function foreignKeyNames(): string[] {
  const names = [...REFUSED, ...IGNORED].flatMap((rule) => rule.keys);
  return names.filter((name) => !name.endsWith('*'));
}

function covers(name: string, key: string): boolean {
  return name.endsWith('*') ? key.startsWith(name.slice(0, -1)) : key === name;
}
