/**
 * Every key of a configuration that has an effect here, with its type, bounds and default. The
 * command line makes one flag of each, and messages quote the descriptions.
 */

interface KeyCommon {
  /** One line for `--help`. */
  readonly about: string;
}

export interface IntegerKey extends KeyCommon {
  readonly kind: 'integer';
  readonly min: number;
  readonly max: number;
  /** Continues "a whole number": the unit, and what special values mean. */
  readonly unit: string;
  /** undefined: the default depends on other keys, or there is none. */
  readonly fallback?: number;
}

export interface BooleanKey extends KeyCommon {
  readonly kind: 'boolean';
  /** The two words, the one for true first. */
  readonly words: readonly [string, string];
  readonly fallback: boolean;
}

export interface TextKey extends KeyCommon {
  readonly kind: 'text';
  readonly expected: string;
}

export type KeySpec = IntegerKey | BooleanKey | TextKey;

const INT_MAX = 0x7fff_ffff;
const TRUE_FALSE = ['true', 'false'] as const;
const YES_NO = ['yes', 'no'] as const;

function integer(about: string, unit: string, bounds: [number, number], fallback?: number) {
  const [min, max] = bounds;
  const spec = { kind: 'integer', about, unit, min, max } as const;
  return fallback === undefined ? spec : { ...spec, fallback };
}

function boolean(about: string, words: readonly [string, string], fallback: boolean) {
  return { kind: 'boolean', about, words, fallback } as const;
}

function text(about: string, expected: string) {
  return { kind: 'text', about, expected } as const;
}

export const CONFIG_KEYS = {
  dataDir: text('directory of the state and of myid', 'the path of a directory'),
  dataLogDir: text(
    'directory of the transaction log (default: dataDir)',
    'the path of a directory',
  ),
  clientPort: integer('where clients connect', '(a port)', [0, 65535]),
  clientPortAddress: text('address clients connect to (default: all)', 'a host name or an address'),
  tickTime: integer('unit of the other times', 'of milliseconds', [1, INT_MAX], 3000),
  initLimit: integer('time to connect and synchronise', 'of ticks', [1, INT_MAX]),
  syncLimit: integer('time a learner may lag', 'of ticks', [1, INT_MAX]),
  minSessionTimeout: integer(
    'shortest session timeout (default: 2 ticks)',
    'of milliseconds, -1 for the default',
    [-1, INT_MAX],
  ),
  maxSessionTimeout: integer(
    'longest session timeout (default: 20 ticks)',
    'of milliseconds, -1 for the default',
    [-1, INT_MAX],
  ),
  maxClientCnxns: integer('connections from one address', '(0: no limit)', [-1, INT_MAX], 60),
  maxCnxns: integer('connections in all', '(0: no limit)', [-1, INT_MAX], 0),
  clientPortListenBacklog: integer('accept backlog', '(-1: default)', [-1, INT_MAX], -1),
  'autopurge.snapRetainCount': integer(
    'checkpoints whose log is kept',
    '(at least 3)',
    [-INT_MAX, INT_MAX],
    3,
  ),
  'autopurge.purgeInterval': text(
    'time between purges',
    'hours, or a number with ms, s, m, h or d',
  ),
  snapCount: integer(
    'transactions between four checkpoints',
    'of transactions',
    [0, INT_MAX],
    100_000,
  ),
  peerType: text('role of this server', 'participant or observer'),
  standaloneEnabled: boolean('a single server runs alone', TRUE_FALSE, true),
  leaderServes: boolean('the leader accepts clients', YES_NO, true),
  readOnlyGraceMs: integer(
    'time without a quorum before clients may read (default: 2 s, or a tick if that is longer)',
    'of milliseconds',
    [0, INT_MAX],
  ),
  'readonlymode.enabled': boolean('let clients read while no quorum is known', TRUE_FALSE, false),
  localSessionsEnabled: boolean('new sessions are known to their server only', TRUE_FALSE, false),
  localSessionsUpgradingEnabled: boolean(
    'a local session that creates an ephemeral node becomes a replicated one',
    TRUE_FALSE,
    false,
  ),
  quorumListenOnAllIPs: boolean('listen for peers on all interfaces', TRUE_FALSE, false),
  'jute.maxbuffer': integer('largest request', 'of bytes', [1024, INT_MAX], 0xfffff),
  handshakeTimeoutMs: integer(
    'time a new connection has to ask for a session',
    'of milliseconds',
    [100, 600_000],
    10_000,
  ),
  maxSessionlessCnxns: integer(
    'connections without a session; the oldest make room for new ones',
    'of connections',
    [1, INT_MAX],
    1000,
  ),
  maxClientBacklogBytes: integer(
    'unsent bytes at which a client that does not read is dropped',
    'of bytes',
    [64 * 1024, Number.MAX_SAFE_INTEGER],
    64 * 1024 * 1024,
  ),
  maxClientBufferBytes: integer(
    'memory for frames in part and replies not read, all clients together',
    'of bytes',
    [1024 * 1024, Number.MAX_SAFE_INTEGER],
    256 * 1024 * 1024,
  ),
  globalOutstandingLimit: integer('requests in work', 'of requests', [1, INT_MAX], 1000),
  request_throttle_max_requests: integer(
    'requests in work, if less than globalOutstandingLimit',
    'of requests (0: globalOutstandingLimit alone counts)',
    [0, INT_MAX],
    0,
  ),
  throttled_op_wait_time: integer(
    'time after which a request that waits to be taken is refused',
    'of milliseconds (0: never)',
    [0, INT_MAX],
    0,
  ),
  maxReplyBytes: integer('longest reply', 'of bytes', [0x10_0000, 0x4000_0000], 32 * 1024 * 1024),
  maxWatches: integer('watches of all clients', '(0: no limit)', [0, INT_MAX], 5_000_000),
  maxWatchesPerConnection: integer(
    'watches of one connection',
    '(0: no limit)',
    [0, INT_MAX],
    500_000,
  ),
  extendedTypesEnabled: boolean(
    'nodes with a time to live (the same on every server)',
    TRUE_FALSE,
    true,
  ),
  enforceQuota: boolean('refuse what goes beyond a hard quota', TRUE_FALSE, false),
  skipACL: boolean('let everybody do everything', YES_NO, false),
  'enforce.auth.enabled': boolean('clients must authenticate', TRUE_FALSE, false),
  'enforce.auth.schemes': text(
    'schemes of which a client must prove an identity',
    'a comma list of digest and ip',
  ),
  'DigestAuthenticationProvider.superDigest': text(
    'digest of the super user',
    'super:<base64 of the SHA-1 of super:password>',
  ),
  'znode.container.checkIntervalMs': integer(
    'time between sweeps of containers and expired nodes',
    'of milliseconds',
    [1, INT_MAX],
    60_000,
  ),
  'znode.container.maxPerMinute': integer(
    'containers and expired nodes deleted',
    'a minute',
    [1, 60_000],
    10_000,
  ),
  'znode.container.maxNeverUsedIntervalMs': integer(
    'age at which a container without any child ever goes',
    'of milliseconds (0: never)',
    [0, INT_MAX],
    0,
  ),
  '4lw.commands.whitelist': text('four letter words answered', 'a comma list of words, or *'),
  peerHeartbeatMs: integer(
    'time between heartbeats of peers',
    'of milliseconds',
    [10, 60_000],
    200,
  ),
  peerTimeoutMs: integer(
    'silence after which a peer is lost',
    'of milliseconds',
    [50, 600_000],
    1000,
  ),
  logRetainTxns: integer(
    'transactions kept for lagging peers',
    'of transactions',
    [0, INT_MAX],
    50_000,
  ),
  logRetainBytes: integer(
    'bytes of log kept for lagging peers',
    'of bytes',
    [0, Number.MAX_SAFE_INTEGER],
    64 * 1024 * 1024,
  ),
  diskReserveBytes: integer(
    'free disk space below which writes are refused',
    'of bytes, 0 for never',
    [0, Number.MAX_SAFE_INTEGER],
    256 * 1024 * 1024,
  ),
  checkpointIntervalTxns: integer(
    'transactions between checkpoints (default: a quarter of snapCount)',
    'of transactions',
    [2, INT_MAX],
  ),
} satisfies Readonly<Record<string, KeySpec>>;

/** A key that has an effect here, other than `server.N`. */
export type ConfigKey = keyof typeof CONFIG_KEYS;

export type IntegerConfigKey = {
  [K in ConfigKey]: (typeof CONFIG_KEYS)[K] extends IntegerKey ? K : never;
}[ConfigKey];
export type BooleanConfigKey = {
  [K in ConfigKey]: (typeof CONFIG_KEYS)[K] extends BooleanKey ? K : never;
}[ConfigKey];
export type TextConfigKey = {
  [K in ConfigKey]: (typeof CONFIG_KEYS)[K] extends TextKey ? K : never;
}[ConfigKey];

export function isConfigKey(key: string): key is ConfigKey {
  return Object.hasOwn(CONFIG_KEYS, key);
}
