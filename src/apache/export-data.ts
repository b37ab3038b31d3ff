/**
 * Writes the data of a server of ours, which does not run, as a data directory of the original's: a
 * snapshot of the last checkpoint, and a log with all that came after. What may not be committed yet
 * stays in the log, where the original can take it back.
 */

import { invariant } from '../base/assert.ts';
import { type ServerId, ZXID_NONE, type Zxid } from '../base/ids.ts';
import type { PlainFiles } from '../runtime/plain-files.ts';
import type { Storage } from '../runtime/runtime.ts';
import type { DataTree } from '../store/data-tree.ts';
import { NodeKind } from '../store/owner.ts';
import { ApacheDataError } from './apache-data-error.ts';
import { parseFileName } from './data-dir.ts';
import type { Progress } from './load-data.ts';
import { writeLog } from './log-writer.ts';
import { OwnData } from './own-data.ts';
import { writeSnapshot } from './snapshot-writer.ts';
import type { TxnRecord } from './txn-record.ts';

export interface ExportOptions {
  readonly dataDir: string;
  /** Default: `dataDir`. */
  readonly dataLogDir?: string | undefined;
  /** Becomes the original's `dataDir`. */
  readonly to: string;
  /** Default: the export directory itself. */
  readonly toLogDir?: string | undefined;
  /** Told now and then how many nodes are written. */
  readonly progress?: Progress | undefined;
}

export interface ExportReport {
  readonly serverId: ServerId;
  readonly zxid: Zxid;
  readonly snapshot: string;
  /** undefined: nothing was ever written. */
  readonly log: string | undefined;
  readonly txnCount: number;
  readonly nodeCount: number;
  readonly sessionCount: number;
  /** Nodes with a time to live, which the original deletes at its start unless told of them. */
  readonly ttlNodeCount: number;
  /** Hex, of the tree at the end. */
  readonly digest: string;
}

const NODES_PER_REPORT = 16384;

/** Rejects with an `ApacheDataError`, `StoreError` or `RuntimeError`; what was written then has no snapshot. */
export async function exportApacheData(
  files: PlainFiles,
  storage: Storage,
  options: ExportOptions,
): Promise<ExportReport> {
  const { to, toLogDir = to } = options;
  for (const directory of new Set([to, toLogDir])) await refuseUsed(files, directory);
  const data = await OwnData.open(storage, options.dataDir, options.dataLogDir);
  try {
    const { meta } = data.log;
    await storage.writeText(`${to}/myid`, `${meta.serverId}\n`);
    await storage.writeText(`${to}/version-2/acceptedEpoch`, String(meta.acceptedEpoch));
    await storage.writeText(`${to}/version-2/currentEpoch`, String(meta.currentEpoch));
    // The snapshot comes last: without one nothing starts on what an interrupted export has left.
    // So its tree is loaded anew when writing the log has carried the first one further.
    const hasTail = meta.lastZxid > data.state.checkpoint.zxid;
    const logDirectory = `${toLogDir}/version-2`;
    const tail = hasTail ? await exportLog(files, data, logDirectory) : undefined;
    const log = tail?.log ?? (await writeEmptyLog(files, logDirectory, meta.lastZxid));
    const base = await exportSnapshot(files, data, `${to}/version-2`, options);
    const { snapshot, ...facts } = base;
    return {
      serverId: meta.serverId,
      zxid: meta.lastZxid,
      snapshot,
      txnCount: 0,
      ...facts,
      ...tail,
      log,
    };
  } finally {
    await data.close();
  }
}

/** What is said of the tree at the end. */
type TreeFacts = Pick<ExportReport, 'nodeCount' | 'sessionCount' | 'ttlNodeCount' | 'digest'>;

function factsOf(tree: DataTree): TreeFacts {
  const { nodeCount, sessionCount, digestHex: digest } = tree;
  let ttlNodeCount = 0;
  for (const node of tree.sweepable()) if (node.kind === NodeKind.ttl) ttlNodeCount += 1;
  return { nodeCount, sessionCount, ttlNodeCount, digest };
}

async function exportSnapshot(
  files: PlainFiles,
  data: OwnData,
  directory: string,
  options: ExportOptions,
): Promise<TreeFacts & Pick<ExportReport, 'snapshot'>> {
  const tree = await data.loadTree();
  const name = `snapshot.${tree.lastZxid.toString(16)}`;
  const total = tree.nodeCount;
  let done = 0;
  const chunks = writeSnapshot(tree, () => {
    done += 1;
    if (done % NODES_PER_REPORT === 0) options.progress?.('write', done, total);
  });
  await files.write(`${directory}/${name}`, chunks);
  options.progress?.('write', total, total);
  return { snapshot: name, ...factsOf(tree) };
}

/**
 * A log without transactions says that none is missing: importers, ours too, refuse a snapshot that
 * comes without any. Its name carries the last zxid, which the original takes for the last one logged.
 */
async function writeEmptyLog(
  files: PlainFiles,
  directory: string,
  last: Zxid,
): Promise<string | undefined> {
  if (last === ZXID_NONE) return undefined;
  const name = `log.${last.toString(16)}`;
  await files.write(`${directory}/${name}`, writeLog([]));
  return name;
}

/** The transactions behind the checkpoint, each with the digest of the tree after it. */
async function exportLog(
  files: PlainFiles,
  data: OwnData,
  directory: string,
): Promise<TreeFacts & Pick<ExportReport, 'log' | 'txnCount'>> {
  const tree = await data.loadTree();
  const first = (await data.log.read(tree.lastZxid, 1))[0];
  invariant(first !== undefined, 'a log that ends behind the checkpoint and holds nothing there');
  const name = `log.${first.zxid.toString(16)}`;
  let txnCount = 0;
  async function* records(): AsyncGenerator<TxnRecord> {
    for await (const { zxid, txn } of data.txnsAfter(tree.lastZxid)) {
      tree.apply(zxid, txn, false);
      txnCount += 1;
      yield { zxid, txn, digest: tree.digest };
    }
  }
  await files.write(`${directory}/${name}`, writeLog(records()));
  return { log: name, txnCount, ...factsOf(tree) };
}

async function refuseUsed(files: PlainFiles, directory: string): Promise<void> {
  const path = `${directory}/version-2`;
  const names = await files.list(path);
  const inUse = names.find((name) => parseFileName(name) !== undefined);
  if (inUse === undefined) return;
  const remedy = 'name an empty directory';
  throw new ApacheDataError('TARGET_IN_USE', path, `it already holds ${inUse}`, remedy);
}
