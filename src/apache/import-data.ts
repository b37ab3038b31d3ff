/**
 * Makes data directories of ours from one of the original's, which is only read. What is written has
 * no log but begins behind the last transaction imported: the tree is one checkpoint, and the next
 * transaction is the first of the log.
 */

import { invariant } from '../base/assert.ts';
import type { EpochEnd } from '../base/epoch-table.ts';
import {
  EPOCH_NONE,
  type Epoch,
  makeEpoch,
  makeServerId,
  type ServerId,
  type Zxid,
  zxidEpoch,
  zxidHex,
} from '../base/ids.ts';
import type { PlainFiles } from '../runtime/plain-files.ts';
import type { Runtime, Storage } from '../runtime/runtime.ts';
import type { DataTree } from '../store/data-tree.ts';
import { importMarker, logDirectory, stateDirectory } from '../store/directories.ts';
import { StateStore } from '../store/state-store.ts';
import { TxnLog } from '../store/txn-log.ts';
import { verifyWholeCheckpoint, writeWholeCheckpoint } from '../store/whole-checkpoint.ts';
import { ApacheDataError } from './apache-data-error.ts';
import { type ApacheDirectory, listDirectory } from './data-dir.ts';
import { type LoadedData, type LoadOptions, loadApacheData } from './load-data.ts';

export interface ImportOptions extends LoadOptions {
  /** Holds `version-2`. */
  readonly apacheDir: string;
  /** The original's `dataLogDir`, when it is another directory. */
  readonly apacheLogDir?: string | undefined;
  readonly dataDir: string;
  /** Default: `dataDir`. */
  readonly dataLogDir?: string | undefined;
  /** Default: what `myid` says in `dataDir`, else what it says in the original's, else 1. */
  readonly serverId?: number | undefined;
}

export interface ImportReport {
  readonly serverId: ServerId;
  readonly zxid: Zxid;
  readonly snapshot: string | undefined;
  readonly txnCount: number;
  readonly nodeCount: number;
  readonly sessionCount: number;
  readonly ephemeralCount: number;
  readonly orphanCount: number;
  /** Hex. */
  readonly digest: string;
  /** Digests in the original's files that agreed with the tree. */
  readonly digestCount: number;
  readonly acceptedEpoch: Epoch;
  readonly currentEpoch: Epoch;
  readonly warnings: readonly string[];
}

/** The log of a new store names generation 1, which stays empty: what is imported fills the next. */
const GENERATION = 2;
const INCARNATION_BYTES = 8;

type World = Pick<Runtime, 'storage' | 'randomBytes'>;

/**
 * Loads, writes, and reads back what was written. Rejects with an `ApacheDataError`, or with a
 * `RuntimeError` or `StoreError` when the disk refuses.
 */
export async function importApacheData(
  files: PlainFiles,
  world: World,
  options: ImportOptions,
): Promise<ImportReport> {
  const { storage } = world;
  const { dataDir, dataLogDir = dataDir } = options;
  await refuseUsed(storage, dataDir, dataLogDir);
  const directory = await listDirectory(files, options.apacheDir, options.apacheLogDir);
  const serverId = await chooseServerId(storage, options, directory);
  const loaded = await loadApacheData(files, directory, options);
  const { tree } = loaded;
  const epochs = chooseEpochs(directory, tree.lastZxid);
  await write(world, options, loaded, { serverId, ...epochs }, directory);
  await verify(storage, options, tree, serverId);
  return {
    serverId,
    ...epochs,
    zxid: tree.lastZxid,
    snapshot: loaded.snapshot?.name,
    txnCount: loaded.txnCount,
    nodeCount: tree.nodeCount,
    sessionCount: tree.sessionCount,
    ephemeralCount: tree.ephemeralCount,
    orphanCount: loaded.orphanCount,
    digest: tree.digestHex,
    digestCount: loaded.digestCount,
    warnings: loaded.warnings,
  };
}

/** Whether there is anything of the original's in the directories. */
export async function hasApacheData(
  storage: Storage,
  dataDir: string,
  dataLogDir: string,
): Promise<boolean> {
  for (const directory of new Set([dataDir, dataLogDir])) {
    if ((await storage.list(`${directory}/version-2`)).length > 0) return true;
  }
  return false;
}

/** Whether a server of ours, or a finished import, has left data in the directories. */
export async function hasOwnData(
  storage: Storage,
  dataDir: string,
  dataLogDir: string,
): Promise<boolean> {
  const hasLog = await storage.exists(logDirectory(dataLogDir));
  return hasLog && (await storage.exists(stateDirectory(dataDir)));
}

/** Whether an import into the directory was done, whatever has become of its data. */
export async function wasImported(storage: Storage, dataDir: string): Promise<boolean> {
  return (await storage.readText(importMarker(dataDir))) !== undefined;
}

/** Nothing is ever written over what a server may still need. */
async function refuseUsed(storage: Storage, dataDir: string, dataLogDir: string): Promise<void> {
  for (const directory of [stateDirectory(dataDir), logDirectory(dataLogDir)]) {
    if ((await storage.list(directory)).length === 0) continue;
    throw new ApacheDataError(
      'TARGET_IN_USE',
      directory,
      'it already holds data of Vivarium, or what an import that was interrupted has left',
      'name another directory, or move this one away if nothing in it is needed',
    );
  }
  const marker = importMarker(dataDir);
  if (!(await wasImported(storage, dataDir))) return;
  // What an ensemble has done since is not in the original's files: they must not come back unasked.
  throw new ApacheDataError(
    'TARGET_IN_USE',
    marker,
    'it says that data were imported into this directory before, and they are gone now',
    'to import once more and lose what was written since, remove it; a member of an ensemble whose ' +
      'others run needs no import: start it without, and it fetches all from them',
  );
}

async function chooseServerId(
  storage: Storage,
  options: ImportOptions,
  directory: ApacheDirectory,
): Promise<ServerId> {
  if (options.serverId !== undefined) return makeServerId(options.serverId);
  const text = (await storage.readText(`${options.dataDir}/myid`)) ?? directory.myId ?? '1';
  const line = (text.split('\n')[0] ?? '').trim();
  const id = /^\d{1,3}$/.test(line) ? Number(line) : 0;
  if (id >= 1 && id <= 255) return makeServerId(id);
  throw new ApacheDataError(
    'NOT_FOUND',
    'myid',
    `it says "${line}", which is no server number`,
    'write the number of this server into it, or name it with --my-id',
  );
}

/** A server that ran alone has no epoch files; one that died while it wrote them has an older one. */
function chooseEpochs(
  directory: ApacheDirectory,
  last: Zxid,
): { readonly acceptedEpoch: Epoch; readonly currentEpoch: Epoch } {
  const current = Math.max(directory.currentEpoch ?? EPOCH_NONE, zxidEpoch(last));
  const accepted = Math.max(directory.acceptedEpoch ?? EPOCH_NONE, current);
  return { acceptedEpoch: makeEpoch(accepted), currentEpoch: makeEpoch(current) };
}

/** The log comes last and in one batch: without it no server takes the rest for data. */
async function write(
  world: World,
  options: ImportOptions,
  loaded: LoadedData,
  identity: { serverId: ServerId; acceptedEpoch: Epoch; currentEpoch: Epoch },
  directory: ApacheDirectory,
): Promise<void> {
  const { storage } = world;
  const { dataDir, dataLogDir = dataDir, progress } = options;
  const { tree } = loaded;
  const { serverId, acceptedEpoch, currentEpoch } = identity;
  const total = tree.nodeCount + tree.sessionCount;
  let done = 0;
  const stateStore = await storage.open(stateDirectory(dataDir), { create: true });
  try {
    await writeWholeCheckpoint(stateStore, GENERATION, tree, (count) => {
      done += count;
      progress?.('write', done, total);
    });
  } finally {
    await stateStore.close();
  }
  const zxid = tree.lastZxid;
  await storage.writeText(importMarker(dataDir), `zxid=${zxidHex(zxid)}\nfrom=${directory.path}\n`);
  const hasMyId = (await storage.readText(`${dataDir}/myid`)) !== undefined;
  const isNamed = directory.myId !== undefined || options.serverId !== undefined;
  if (!hasMyId && isNamed) await storage.writeText(`${dataDir}/myid`, `${serverId}\n`);
  const incarnation = Buffer.from(world.randomBytes(INCARNATION_BYTES)).toString('hex');
  const epochs: readonly EpochEnd[] = loaded.epochs.ends;
  const logStore = await storage.open(logDirectory(dataLogDir), { create: true });
  const snapshot = { generation: GENERATION, zxid, epochs };
  const first = { snapshot, acceptedEpoch, currentEpoch };
  const log = await TxnLog.create(logStore, { serverId, incarnation }, first);
  await log.close();
}

/** Opens what was written as a server does at its start, and compares every record with the tree. */
async function verify(
  storage: Storage,
  options: ImportOptions,
  tree: DataTree,
  serverId: ServerId,
): Promise<void> {
  const { dataDir, dataLogDir = dataDir, progress } = options;
  const total = tree.nodeCount + tree.sessionCount;
  let done = 0;
  const logStore = await storage.open(logDirectory(dataLogDir), { create: false });
  const log = await TxnLog.open(logStore, { serverId });
  const stateStore = await storage.open(stateDirectory(dataDir), { create: false });
  const state = await StateStore.open(stateStore, log.meta.generation);
  await verifyWholeCheckpoint(state, tree, (count) => {
    done += count;
    progress?.('verify', done, total);
  });
  invariant(log.meta.lastZxid === tree.lastZxid, 'the log read back ends elsewhere');
  invariant(state.checkpoint.zxid === tree.lastZxid, 'the tree read back is of another moment');
  await log.close();
  await stateStore.close();
}
