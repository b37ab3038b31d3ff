/** Turns settings into the configuration: types, bounds, defaults, and the rules between keys. */

import type { ServerId } from '../base/ids.ts';
import type { ConfigWarning, IgnoredKey, ServerConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { CONFIG_KEYS, isConfigKey } from './config-keys.ts';
import { foreignKey, foreignKeyNames } from './foreign-keys.ts';
import { isMemberKey } from './member-line.ts';
import { type MyId, resolveClientAddress, resolveMembership } from './membership.ts';
import { nearest } from './nearest.ts';
import type { Settings } from './settings.ts';

const HOUR_MS = 3_600_000;
const RETAIN_MIN = 3;
const SNAP_COUNT_MIN = 2;
/** An incremental checkpoint costs less than a snapshot of the original, so there may be more of them. */
const CHECKPOINTS_PER_SNAP_COUNT = 4;
/** Two missed heartbeats may be chance, fewer must never cost a server its leader. */
const HEARTBEATS_PER_TIMEOUT_MIN = 3;
/** The top byte 0xff of a stored owner marks a node with a time to live, so no session may have it. */
const EXTENDED_SERVER_ID_MAX = 254;
/** An election takes less, so nobody is sent away for a mere change of leader. */
const READ_ONLY_GRACE_MS = 2000;
const PROVABLE_SCHEMES: readonly string[] = ['digest', 'ip'];

/** Throws `ConfigError` for the first mistake found. */
export function buildConfig(settings: Settings, myId: MyId): ServerConfig {
  const warnings = doubledKeys(settings);
  const ignored = sortOutUnusedKeys(settings, warnings);
  const storage = readStorage(settings, warnings);
  const times = readTimes(settings);
  const membership = resolveMembership(settings, myId, warnings);
  const client = resolveClientAddress(settings, membership.own);
  if (client.port === undefined && membership.isStandalone) {
    warnings.push({
      where: settings.source,
      message: 'clientPort is not set: no client can connect',
      remedy: 'add a line such as clientPort=2181',
    });
  }
  return Object.freeze({
    source: settings.source,
    serverId: membership.serverId,
    isStandalone: membership.isStandalone,
    role: membership.own?.role ?? 'participant',
    members: Object.freeze(membership.members),
    voterIds: Object.freeze(membership.voterIds),
    clientPort: client.port,
    clientHost: client.host,
    ...readLimits(settings),
    ...storage,
    ...times,
    ...readEnsembleTicks(settings, membership.isStandalone),
    ...readNodeRules(settings, membership.serverId),
    ...readAccess(settings, warnings),
    quorumListenOnAllIps: settings.boolean('quorumListenOnAllIPs'),
    leaderServes: settings.boolean('leaderServes'),
    ...readSessionRules(settings, membership.isStandalone, warnings),
    ignored: Object.freeze(ignored),
    warnings: Object.freeze(warnings),
  });
}

/** Lines that say something else than lines above them: whoever wrote both believes in one of them. */
export function doubledKeys({ doubled }: Settings): ConfigWarning[] {
  return doubled.map(({ setting, earlierLine }) => ({
    where: setting.where,
    message: `${setting.key} is already set in line ${earlierLine}; this line counts`,
    remedy: 'remove one of the two lines',
  }));
}

/** The path of `myid`, which stands in the data directory. */
export function myIdPath(settings: Settings): string {
  return `${requiredDataDir(settings).replace(/\/+$/, '')}/myid`;
}

function requiredDataDir(settings: Settings): string {
  const dataDir = settings.text('dataDir');
  if (dataDir !== undefined) return dataDir;
  throw settings.mistake('dataDir', 'is not set', CONFIG_KEYS.dataDir.expected);
}

function sortOutUnusedKeys(settings: Settings, warnings: ConfigWarning[]): IgnoredKey[] {
  const ignored: IgnoredKey[] = [];
  for (const setting of settings.all()) {
    const { key, value, where } = setting;
    if (isConfigKey(key) || isMemberKey(key)) continue;
    const foreign = foreignKey(key, value);
    if (foreign === undefined) {
      const remedy = 'correct the key, or remove the line';
      warnings.push({ where, message: unknownKeyMessage(key), remedy });
    } else if (foreign.kind === 'ignored')
      ignored.push({ key, value, where, reason: foreign.reason });
    else
      throw new ConfigError({ ...setting, problem: foreign.problem, expected: foreign.expected });
  }
  return ignored;
}

function unknownKeyMessage(key: string): string {
  const known = [...Object.keys(CONFIG_KEYS), ...foreignKeyNames()];
  const bare = key.replace(/^zookeeper\./, '');
  const hint = nearest(bare, known);
  const question = hint === undefined ? '' : `; did you mean ${hint}?`;
  return `the key ${key} is unknown and has no effect${question}`;
}

function readNodeRules(settings: Settings, serverId: ServerId) {
  const extendedTypesEnabled = settings.boolean('extendedTypesEnabled');
  if (extendedTypesEnabled && serverId > EXTENDED_SERVER_ID_MAX) {
    const problem = `cannot be on for server ${serverId}: its sessions would look like nodes with a time to live`;
    const expected = `a server number up to ${EXTENDED_SERVER_ID_MAX}, or false on every server`;
    throw settings.mistake('extendedTypesEnabled', problem, expected);
  }
  return {
    extendedTypesEnabled,
    enforceQuota: settings.boolean('enforceQuota'),
    containerSweep: Object.freeze({
      checkIntervalMs: settings.integer('znode.container.checkIntervalMs'),
      maxPerMinute: settings.integer('znode.container.maxPerMinute'),
      maxNeverUsedIntervalMs: settings.integer('znode.container.maxNeverUsedIntervalMs'),
    }),
  };
}

function readSessionRules(settings: Settings, isStandalone: boolean, warnings: ConfigWarning[]) {
  const localSessionsEnabled = settings.boolean('localSessionsEnabled');
  if (localSessionsEnabled && isStandalone) {
    const where = settings.find('localSessionsEnabled')?.where ?? settings.source;
    const message = 'localSessionsEnabled=true has no effect on a server that runs standalone';
    warnings.push({ where, message, remedy: 'remove the line' });
  }
  return {
    readOnlyMode: settings.boolean('readonlymode.enabled'),
    readOnlyGraceMs:
      settings.writtenInteger('readOnlyGraceMs') ??
      Math.max(READ_ONLY_GRACE_MS, settings.integer('tickTime')),
    localSessionsEnabled,
    localSessionsUpgradingEnabled: settings.boolean('localSessionsUpgradingEnabled'),
  };
}

function readAccess(settings: Settings, warnings: ConfigWarning[]) {
  const skipAcl = settings.boolean('skipACL');
  if (skipAcl) {
    const where = settings.find('skipACL')?.where ?? settings.source;
    const remedy = 'remove the line, once no client depends on it';
    warnings.push({ where, message: 'skipACL=yes: every client may do everything', remedy });
  }
  const superDigest = settings.text('DigestAuthenticationProvider.superDigest');
  return { skipAcl, superDigest, enforcedAuthSchemes: Object.freeze(readSchemes(settings)) };
}

function readSchemes(settings: Settings): string[] {
  const schemes = settings.text('enforce.auth.schemes') ?? '';
  if (!settings.boolean('enforce.auth.enabled')) return [];
  const names = schemes.split(',').map((name) => name.trim());
  if (names.every((name) => PROVABLE_SCHEMES.includes(name))) return names;
  const problem = schemes === '' ? 'is not set' : 'names a scheme that no client can prove here';
  const { expected } = CONFIG_KEYS['enforce.auth.schemes'];
  throw settings.mistake('enforce.auth.schemes', problem, expected);
}

function readLimits(settings: Settings) {
  const backlog = settings.integer('clientPortListenBacklog');
  const whitelist = settings.find('4lw.commands.whitelist')?.value;
  const words = whitelist?.split(',').map((word) => word.trim());
  return {
    clientPortListenBacklog: backlog <= 0 ? undefined : backlog,
    maxClientCnxns: Math.max(0, settings.integer('maxClientCnxns')),
    maxCnxns: Math.max(0, settings.integer('maxCnxns')),
    juteMaxBuffer: settings.integer('jute.maxbuffer'),
    globalOutstandingLimit: Math.min(
      settings.integer('globalOutstandingLimit'),
      settings.integer('request_throttle_max_requests') || Infinity,
    ),
    throttledOpWaitMs: settings.integer('throttled_op_wait_time'),
    maxReplyBytes: settings.integer('maxReplyBytes'),
    maxWatches: settings.integer('maxWatches'),
    maxWatchesPerConnection: settings.integer('maxWatchesPerConnection'),
    clientLimits: Object.freeze({
      handshakeTimeoutMs: settings.integer('handshakeTimeoutMs'),
      sessionlessMax: settings.integer('maxSessionlessCnxns'),
      backlogBytesMax: settings.integer('maxClientBacklogBytes'),
      bufferBytesMax: settings.integer('maxClientBufferBytes'),
    }),
    fourLetterWhitelist: words && Object.freeze(words.filter((word) => word !== '')),
  };
}

function readStorage(settings: Settings, warnings: ConfigWarning[]) {
  const dataDir = requiredDataDir(settings);
  const dataLogDir = settings.text('dataLogDir') ?? dataDir;
  for (const key of ['dataDir', 'dataLogDir'] as const) {
    const setting = settings.find(key);
    if (setting === undefined || /^\.{0,2}\//.test(setting.value)) continue;
    const message = `${key}=${setting.value} counts from the working directory; write ./ before it if that is meant`;
    const remedy = `write the path from the root, as in ${key}=/var/lib/vivarium`;
    warnings.push({ where: setting.where, message, remedy });
  }
  const snapCount = Math.max(SNAP_COUNT_MIN, settings.integer('snapCount'));
  return {
    dataDir,
    dataLogDir,
    snapCount,
    checkpointIntervalTxns:
      settings.writtenInteger('checkpointIntervalTxns') ??
      Math.max(SNAP_COUNT_MIN, Math.floor(snapCount / CHECKPOINTS_PER_SNAP_COUNT)),
    autopurgeRetainCount: readRetainCount(settings, warnings),
    autopurgeIntervalMs: readPurgeInterval(settings),
    logRetainTxns: settings.integer('logRetainTxns'),
    logRetainBytes: settings.integer('logRetainBytes'),
    diskReserveBytes: settings.integer('diskReserveBytes'),
  };
}

function readRetainCount(settings: Settings, warnings: ConfigWarning[]): number {
  const key = 'autopurge.snapRetainCount';
  const count = settings.integer(key);
  if (count >= RETAIN_MIN) return count;
  const where = settings.find(key)?.where ?? settings.source;
  warnings.push({
    where,
    message: `${key}=${count} is less than ${RETAIN_MIN}: ${RETAIN_MIN} are kept`,
    remedy: `write ${RETAIN_MIN} or more`,
  });
  return RETAIN_MIN;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: HOUR_MS,
  d: 24 * HOUR_MS,
};

/** Without a unit the number counts hours. Unlike the original this is on unless it is set to 0. */
function readPurgeInterval(settings: Settings): number {
  const key = 'autopurge.purgeInterval';
  const text = settings.text(key);
  if (text === undefined) return HOUR_MS;
  const [, digits, unit = 'h'] = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  if (digits !== undefined && unitMs !== undefined) return Number(digits) * unitMs;
  throw settings.mistake(key, 'is no length of time', CONFIG_KEYS[key].expected);
}

function readTimes(settings: Settings) {
  const tickTimeMs = settings.integer('tickTime');
  const minSessionTimeoutMs = orDefault(settings, 'minSessionTimeout', 2 * tickTimeMs);
  const maxSessionTimeoutMs = orDefault(settings, 'maxSessionTimeout', 20 * tickTimeMs);
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    const key =
      settings.find('minSessionTimeout') === undefined ? 'maxSessionTimeout' : 'minSessionTimeout';
    const problem = `makes the shortest session timeout ${minSessionTimeoutMs} ms longer than the longest, ${maxSessionTimeoutMs} ms`;
    throw settings.mistake(key, problem, 'minSessionTimeout not above maxSessionTimeout');
  }
  const peerHeartbeatMs = settings.integer('peerHeartbeatMs');
  const peerTimeoutMs = settings.integer('peerTimeoutMs');
  if (peerTimeoutMs < HEARTBEATS_PER_TIMEOUT_MIN * peerHeartbeatMs) {
    const key = settings.find('peerTimeoutMs') === undefined ? 'peerHeartbeatMs' : 'peerTimeoutMs';
    const problem = `leaves less than ${HEARTBEATS_PER_TIMEOUT_MIN} heartbeats (${peerHeartbeatMs} ms) in one timeout (${peerTimeoutMs} ms)`;
    throw settings.mistake(key, problem, `peerTimeoutMs of at least three times peerHeartbeatMs`);
  }
  return { tickTimeMs, minSessionTimeoutMs, maxSessionTimeoutMs, peerHeartbeatMs, peerTimeoutMs };
}

/** The original spells "the default" as -1. */
function orDefault(
  settings: Settings,
  key: 'minSessionTimeout' | 'maxSessionTimeout',
  fallback: number,
): number {
  const value = settings.writtenInteger(key) ?? -1;
  return value === -1 ? fallback : value;
}

/** Only a server with peers must say them; one that runs alone never uses them. */
function readEnsembleTicks(settings: Settings, isStandalone: boolean) {
  const initLimit = settings.writtenInteger('initLimit') ?? (isStandalone ? 10 : undefined);
  const syncLimit = settings.writtenInteger('syncLimit') ?? (isStandalone ? 5 : undefined);
  const expected = 'a number of ticks, since there is more than one server';
  if (initLimit === undefined)
    throw settings.mistake('initLimit', 'is not set', `${expected}, for example 10`);
  if (syncLimit === undefined)
    throw settings.mistake('syncLimit', 'is not set', `${expected}, for example 5`);
  return { initLimit, syncLimit };
}
