/**
 * Opens what a server keeps on disk, or makes it for a server that never ran: the log in
 * `dataLogDir/log`, the state in `dataDir/state`. Both or neither must be there, and they must fit.
 */

import { type Zxid, zxidHex } from '../base/ids.ts';
import type { Standing } from '../base/standing.ts';
import {
  type KeyValueStore,
  type Runtime,
  RuntimeError,
  type Storage,
} from '../runtime/runtime.ts';
import { importMarker, logDirectory, stateDirectory } from '../store/directories.ts';
import { bindToLog, boundLog } from '../store/state-binding.ts';
import { StateStore } from '../store/state-store.ts';
import { StoreError } from '../store/store-error.ts';
import { TxnLog } from '../store/txn-log.ts';
import type { ServerConfig } from './config.ts';
import { FatalError, isDamage } from './fatal-error.ts';
import { misplacedStore } from './misplaced.ts';
import { canHeal, isHalfSetAside, isInitialized, standingOfNew } from './set-aside.ts';
import { forgetEarlier, missingFrom, onceHeld, witnessFile } from './witness.ts';

export interface OpenedStorage {
  readonly log: TxnLog;
  readonly state: StateStore;
  /** The store that all generations of the state share. */
  readonly stateStore: KeyValueStore;
  /** What the log once held and has lost: this server has to fetch it from the others. */
  readonly missing: string | undefined;
  readonly logDirectory: string;
  readonly stateDirectory: string;
  close(): Promise<void>;
}

const INCARNATION_BYTES = 8;

const MIXED_REMEDY =
  'put back the one that belongs to the other, or move both away and let the server join anew while the others run';

/** Rejects with a `FatalError` of code `DATA`, `DISK`, or `DAMAGE` when others may have what is damaged. */
export async function openStorage(config: ServerConfig, runtime: Runtime): Promise<OpenedStorage> {
  return await orFatal(config, () => open(config, runtime));
}

/** What a server's stores say of themselves. */
export interface StoredFacts {
  /** Hex; empty until the server has joined a cluster. */
  readonly clusterId: string;
  readonly standing: Standing;
  readonly lastZxid: Zxid;
}

/**
 * Checks as at a start what is there, and leaves it as it is. Resolves to undefined when there is
 * nothing yet; rejects as `openStorage` does.
 */
export async function examineStorage(
  config: ServerConfig,
  runtime: Runtime,
): Promise<StoredFacts | undefined> {
  return await orFatal(config, () => examine(config, runtime));
}

async function orFatal<T>(config: ServerConfig, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreError || error instanceof RuntimeError) {
      const other = error.code === 'IO' ? 'DISK' : 'DATA';
      const code = isDamage(error) ? 'DAMAGE' : other;
      const remedy =
        error.code === 'STORE_LOCKED'
          ? 'another server is running on this directory, stop it first'
          : undefined;
      throw new FatalError(code, describe(error, config), { cause: error, remedy });
    }
    throw error;
  }
}

function describe(error: StoreError | RuntimeError, config: ServerConfig): string {
  const where = `server ${config.serverId}, data in ${config.dataDir}, log in ${config.dataLogDir}`;
  return `${where}: ${error.message}`;
}

interface Found {
  readonly hasLog: boolean;
  readonly hasState: boolean;
}

/** Rejects with a `FatalError` unless both stores may be opened, or made. */
async function findStores(config: ServerConfig, runtime: Runtime): Promise<Found> {
  const logPath = logDirectory(config.dataLogDir);
  const statePath = stateDirectory(config.dataDir);
  const { storage } = runtime;
  const hasLog = await storage.exists(logPath);
  const hasState = await storage.exists(statePath);
  await refuseForeignData(config, runtime);
  const misplaced = await misplacedStore(config, storage);
  if (misplaced !== undefined) {
    const { problem, remedy } = misplaced;
    throw new FatalError('DATA', `server ${config.serverId}: ${problem}; ${remedy}`);
  }
  if (hasLog !== hasState && !(await isEmptyStore(hasLog ? logPath : statePath, storage))) {
    const [found, missing] = hasLog ? [logPath, statePath] : [statePath, logPath];
    if (await isHalfSetAside(config, runtime)) {
      throw new FatalError('DAMAGE', `${missing} was set aside and ${found} was about to be`);
    }
    throw new FatalError(
      'DATA',
      `server ${config.serverId}: ${found} is there but ${missing} is not; they belong together`,
      {
        remedy:
          'put the missing directory back (is a disk not mounted?), or move both away and let the ' +
          'server join anew while the others run',
      },
    );
  }
  return { hasLog, hasState };
}

async function examine(config: ServerConfig, runtime: Runtime): Promise<StoredFacts | undefined> {
  const { hasLog, hasState } = await findStores(config, runtime);
  if (!hasLog || !hasState) return undefined;
  const { storage } = runtime;
  const logStore = await storage.open(logDirectory(config.dataLogDir), { create: false });
  let stateStore: KeyValueStore | undefined;
  try {
    stateStore = await storage.open(stateDirectory(config.dataDir), { create: false });
    if (await isUnfinished(logStore, stateStore)) {
      await refuseEmptied(config, storage);
      return undefined;
    }
    const { log } = await openWritten(config, logStore, stateStore);
    const { clusterId, standing, lastZxid } = log.meta;
    return { clusterId, standing, lastZxid };
  } finally {
    await stateStore?.close();
    await logStore.close();
  }
}

async function open(config: ServerConfig, runtime: Runtime): Promise<OpenedStorage> {
  const logPath = logDirectory(config.dataLogDir);
  const statePath = stateDirectory(config.dataDir);
  const { storage } = runtime;
  const { hasLog, hasState } = await findStores(config, runtime);
  // Both at once: what is new waits for the disk a dozen times, and what is large is read for long.
  const [logStore, stateStore] = await allOpened([
    storage.open(logPath, { create: !hasLog, isQueue: true }),
    storage.open(statePath, { create: !hasState }),
  ]);
  try {
    const { log, state, missing } = await openBoth(config, runtime, {
      logStore,
      stateStore,
      isFirst: !hasLog && !hasState,
      isNew: !hasLog || !hasState,
    });
    const close = async (): Promise<void> => {
      await log.close();
      await stateStore.close();
    };
    return {
      log,
      state,
      stateStore,
      missing,
      logDirectory: logPath,
      stateDirectory: statePath,
      close,
    };
  } catch (error) {
    await stateStore.close();
    await logStore.close();
    throw error;
  }
}

/** All of them, or none: the first that fails says why. */
async function allOpened<const Openings extends readonly Promise<KeyValueStore>[]>(
  openings: Openings,
): Promise<{ [At in keyof Openings]: KeyValueStore }> {
  try {
    return await Promise.all(openings);
  } catch (error) {
    for (const opening of await Promise.allSettled(openings)) {
      if (opening.status === 'fulfilled') await opening.value.close();
    }
    throw error;
  }
}

interface Stores {
  readonly logStore: KeyValueStore;
  readonly stateStore: KeyValueStore;
  /** Both were made just now. */
  readonly isFirst: boolean;
  /** One of them at least was made just now. */
  readonly isNew: boolean;
}

async function openBoth(
  config: ServerConfig,
  runtime: Runtime,
  { logStore, stateStore, isFirst, isNew: isMade }: Stores,
): Promise<Pick<OpenedStorage, 'log' | 'state' | 'missing'>> {
  const isNew = isMade || (await isUnfinished(logStore, stateStore));
  if (isNew) {
    if (isFirst) await forgetEarlier(runtime.storage, config);
    else await refuseEmptied(config, runtime.storage);
    // The state first: a crash in between leaves no log, and the next start begins again here.
    if (!(await isCreated(stateStore))) await StateStore.create(stateStore);
    runtime.reached?.('stateMade');
    const incarnation = Buffer.from(runtime.randomBytes(INCARNATION_BYTES)).toString('hex');
    const standing = await standingOfNew(config, runtime);
    await bindToLog(stateStore, incarnation);
    await TxnLog.create(logStore, { serverId: config.serverId, incarnation, standing });
  }
  const { log, state } = await openWritten(config, logStore, stateStore);
  if ((await boundLog(stateStore)) === undefined) {
    await bindToLog(stateStore, log.meta.incarnation);
  }
  await state.dropOtherGenerations();
  const missing = await missingFrom(runtime.storage, config, log.meta);
  if (missing !== undefined) await doubt(config, log, missing);
  if (log.meta.standing !== 'whole' && (await isInitialized(config, runtime))) {
    await log.write({ standing: 'whole' });
  }
  return { log, state, missing };
}

/** Others have what this server lacks; a server without others must not go on as if nothing were. */
async function doubt(config: ServerConfig, log: TxnLog, missing: string): Promise<void> {
  if (!canHeal(config)) {
    throw new FatalError(
      'DATA',
      `server ${config.serverId}: ${missing}: acknowledged writes were lost, or the data was restored from a backup`,
      {
        remedy: `restore both data directories from one backup, or delete ${witnessFile(config)} to go on with what is there`,
      },
    );
  }
  if (log.meta.standing === 'whole') await log.write({ standing: 'lost' });
}

async function openWritten(
  config: ServerConfig,
  logStore: KeyValueStore,
  stateStore: KeyValueStore,
): Promise<{ readonly log: TxnLog; readonly state: StateStore }> {
  const log = await TxnLog.open(logStore, { serverId: config.serverId });
  const bound = await boundLog(stateStore);
  if (bound !== undefined && bound !== log.meta.incarnation) {
    const [logDir, stateDir] = [logDirectory(config.dataLogDir), stateDirectory(config.dataDir)];
    throw new FatalError(
      'DATA',
      `server ${config.serverId}: the state in ${stateDir} and the log in ${logDir} were never one ` +
        "server's: one of them is of another server, another cluster or an earlier life",
      { remedy: MIXED_REMEDY },
    );
  }
  const state = await StateStore.open(stateStore, log.meta.generation);
  checkTheyFit(log, state, config);
  return { log, state };
}

/** A store that opens without what was in it looks like one of a first start that was interrupted. */
async function refuseEmptied(config: ServerConfig, storage: Storage): Promise<void> {
  const held = await onceHeld(storage, config);
  if (held === undefined) return;
  throw new FatalError('DAMAGE', `server ${config.serverId}: ${held}`, {
    remedy: `restore both data directories from one backup, or delete ${witnessFile(config)} to begin with nothing`,
  });
}

/** A first start that was interrupted: nothing was promised to anybody yet. */
async function isUnfinished(logStore: KeyValueStore, stateStore: KeyValueStore): Promise<boolean> {
  if (!(await isEmpty(logStore))) return false;
  try {
    const state = await StateStore.open(stateStore, 1);
    return state.checkpoint.sequence === 0;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STATE_MISSING') return isEmpty(stateStore);
    throw error;
  }
}

/** What a start leaves that was cut short between making the one store and the other. */
async function isEmptyStore(path: string, storage: Storage): Promise<boolean> {
  const store = await storage.open(path, { create: false });
  return await isEmpty(store).finally(() => store.close());
}

async function isCreated(stateStore: KeyValueStore): Promise<boolean> {
  return !(await isEmpty(stateStore));
}

async function isEmpty(store: KeyValueStore): Promise<boolean> {
  const cursor = store.scan({});
  const found = await cursor.next(1);
  await cursor.close();
  return found.length === 0;
}

/**
 * A directory of the original's holds `version-2`; starting empty beside it would hide its data. Data
 * that were imported from there may lie beside it, as long as it has not gone on since.
 */
async function refuseForeignData(config: ServerConfig, runtime: Runtime): Promise<void> {
  const { dataDir, dataLogDir, serverId } = config;
  const marker = await runtime.storage.readText(importMarker(dataDir));
  // Others of an ensemble may have what was imported; a server alone would go on with nothing.
  const hasLost = config.isStandalone && !(await runtime.storage.exists(logDirectory(dataLogDir)));
  const imported = marker === undefined ? undefined : Number(/^zxid=(\S+)/.exec(marker)?.[1]);
  for (const directory of new Set([dataDir, dataLogDir])) {
    const path = `${directory}/version-2`;
    const names = await runtime.storage.list(path);
    if (names.length === 0) continue;
    if (imported === undefined || hasLost) throw foreignData(config, path);
    const newer = names.find((name) => fileZxid(name) > imported);
    if (newer === undefined) continue;
    throw new FatalError(
      'DATA',
      `server ${serverId}: ${path}/${newer} was written after this server's data were imported from ` +
        'there: Apache ZooKeeper has run on it since',
      {
        remedy:
          `to go on from what it wrote, move away ${logDirectory(dataLogDir)}, ${stateDirectory(dataDir)} and ` +
          `${importMarker(dataDir)} and start with --import; to go on without it, move ${path} away`,
      },
    );
  }
}

function foreignData({ dataDir, dataLogDir, serverId }: ServerConfig, path: string): FatalError {
  const logs = dataLogDir === dataDir ? '' : ` --log-dir ${dataLogDir}`;
  return new FatalError('DATA', `server ${serverId}: ${path} holds data of Apache ZooKeeper`, {
    remedy:
      'start with --import to take it over (what is there stays as it is), or run ' +
      `"vivarium import ${dataDir}${logs} --data-dir DIR" and name DIR as dataDir in the configuration`,
  });
}

/** The zxid in the name of a snapshot or a log of the original's; -1 for other names. */
function fileZxid(name: string): number {
  const hex = /^(?:log|snapshot)\.([0-9a-f]{1,16})\b/.exec(name)?.[1];
  return hex === undefined ? -1 : Number.parseInt(hex, 16);
}

function checkTheyFit(log: TxnLog, state: StateStore, config: ServerConfig): void {
  const logDir = logDirectory(config.dataLogDir);
  const stateDir = stateDirectory(config.dataDir);
  const { zxid } = state.checkpoint;
  const { baseZxid, lastZxid } = log.meta;
  if (zxid >= baseZxid && zxid <= lastZxid) return;
  throw new FatalError(
    'DATA',
    `the state in ${stateDir} is of ${zxidHex(zxid)}, the log in ${logDir} reaches from ` +
      `${zxidHex(baseZxid)} to ${zxidHex(lastZxid)}: they do not belong together (was one restored from a backup?)`,
    { remedy: MIXED_REMEDY },
  );
}
