/**
 * Opens what a server keeps on disk, or makes it for a server that never ran: the log in
 * `dataLogDir/log`, the state in `dataDir/state`. Both or neither must be there, and they must fit.
 */

import { zxidHex } from '../base/ids.ts';
import { type KeyValueStore, type Runtime, RuntimeError } from '../runtime/runtime.ts';
import { StateStore } from '../store/state-store.ts';
import { StoreError } from '../store/store-error.ts';
import { TxnLog } from '../store/txn-log.ts';
import type { ServerConfig } from './config.ts';
import { FatalError } from './fatal-error.ts';

export interface OpenedStorage {
  readonly log: TxnLog;
  readonly state: StateStore;
  /** The store that all generations of the state share. */
  readonly stateStore: KeyValueStore;
  readonly logDirectory: string;
  readonly stateDirectory: string;
  close(): Promise<void>;
}

const INCARNATION_BYTES = 8;

/** Rejects with a `FatalError` of code `DATA`. */
export async function openStorage(config: ServerConfig, runtime: Runtime): Promise<OpenedStorage> {
  try {
    return await open(config, runtime);
  } catch (error) {
    if (error instanceof StoreError || error instanceof RuntimeError) {
      throw new FatalError('DATA', describe(error, config), { cause: error });
    }
    throw error;
  }
}

function describe(error: StoreError | RuntimeError, config: ServerConfig): string {
  const where = `server ${config.serverId}, data in ${config.dataDir}, log in ${config.dataLogDir}`;
  if (error.code === 'STORE_LOCKED') {
    return `${where}: ${error.message}; another server is running on this directory, stop it first`;
  }
  return `${where}: ${error.message}`;
}

async function open(config: ServerConfig, runtime: Runtime): Promise<OpenedStorage> {
  const logDirectory = `${config.dataLogDir}/log`;
  const stateDirectory = `${config.dataDir}/state`;
  const { storage } = runtime;
  await refuseForeignData(config, runtime);
  const hasLog = await storage.exists(logDirectory);
  const hasState = await storage.exists(stateDirectory);
  if (hasLog !== hasState) {
    const [found, missing] = hasLog
      ? [logDirectory, stateDirectory]
      : [stateDirectory, logDirectory];
    throw new FatalError(
      'DATA',
      `server ${config.serverId}: ${found} is there but ${missing} is not; they belong together: ` +
        'put the missing directory back (is a disk not mounted?), or move both away and let the server join anew while the others run',
    );
  }
  const logStore = await storage.open(logDirectory, { create: !hasLog });
  const stateStore = await storage.open(stateDirectory, { create: !hasState });
  const isNew = !hasLog || (await isUnfinished(logStore, stateStore));
  if (isNew) {
    // The state first: a crash in between leaves no log, and the next start begins again here.
    if (!(await isCreated(stateStore))) await StateStore.create(stateStore);
    const incarnation = Buffer.from(runtime.randomBytes(INCARNATION_BYTES)).toString('hex');
    await TxnLog.create(logStore, {
      serverId: config.serverId,
      incarnation,
      standing: config.isStandalone ? 'whole' : 'new',
    });
  }
  const log = await TxnLog.open(logStore, { serverId: config.serverId });
  const state = await StateStore.open(stateStore, log.meta.generation);
  checkTheyFit(log, state, logDirectory, stateDirectory);
  await state.dropOtherGenerations();
  const close = async (): Promise<void> => {
    await log.close();
    await stateStore.close();
  };
  return { log, state, stateStore, logDirectory, stateDirectory, close };
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

async function isCreated(stateStore: KeyValueStore): Promise<boolean> {
  return !(await isEmpty(stateStore));
}

async function isEmpty(store: KeyValueStore): Promise<boolean> {
  const cursor = store.scan({});
  const found = await cursor.next(1);
  await cursor.close();
  return found.length === 0;
}

/** A directory of the original's holds `version-2`; starting empty beside it would hide its data. */
async function refuseForeignData(config: ServerConfig, runtime: Runtime): Promise<void> {
  for (const directory of new Set([config.dataDir, config.dataLogDir])) {
    const names = await runtime.storage.list(directory);
    if (!names.includes('version-2')) continue;
    throw new FatalError(
      'DATA',
      `server ${config.serverId}: ${directory}/version-2 holds data of Apache ZooKeeper; ` +
        'name another dataDir and dataLogDir in the configuration',
    );
  }
}

function checkTheyFit(log: TxnLog, state: StateStore, logDir: string, stateDir: string): void {
  const { zxid } = state.checkpoint;
  const { baseZxid, lastZxid } = log.meta;
  if (zxid >= baseZxid && zxid <= lastZxid) return;
  throw new FatalError(
    'DATA',
    `the state in ${stateDir} is of ${zxidHex(zxid)}, the log in ${logDir} reaches from ` +
      `${zxidHex(baseZxid)} to ${zxidHex(lastZxid)}: they do not belong together (was one restored ` +
      'from a backup?); put back the one that belongs to the other, or move both away and let the server join anew while the others run',
  );
}
