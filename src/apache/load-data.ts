/**
 * Loads a data directory of the original's into a tree of ours: the newest snapshot that is whole,
 * then every transaction logged behind it, as the original does at its start. Unlike the original it
 * stops where transactions are missing in between, and where the tree is not the one that the digests
 * in the files speak of.
 */

import { EpochTable } from '../base/epoch-table.ts';
import { follows, ZXID_NONE, type Zxid, zxidEpoch, zxidHex } from '../base/ids.ts';
import type { PlainFiles } from '../runtime/plain-files.ts';
import { DataTree } from '../store/data-tree.ts';
import { ApacheDataError, gapInLogs } from './apache-data-error.ts';
import { type ApacheDirectory, type ApacheFile, openFile } from './data-dir.ts';
import { type LogEnd, LogReader, type LogRecord } from './log-reader.ts';
import { isMissingAcl, readSnapshot, type SnapshotSummary } from './snapshot-reader.ts';

export type LoadPhase = 'snapshot' | 'log' | 'write' | 'verify';
/** Told now and then how far a phase is: bytes of files, or nodes and sessions. */
export type Progress = (phase: LoadPhase, done: number, total: number) => void;

export interface LoadOptions {
  /** Go on although the tree is not the one the digests speak of. */
  readonly ignoreDigests?: boolean;
  /** There are no logs, and the snapshot is all there is. */
  readonly snapshotOnly?: boolean;
  readonly progress?: Progress;
}

export interface LoadedData {
  /** Complete; its `lastZxid` is where the history ends. */
  readonly tree: DataTree;
  readonly epochs: EpochTable;
  /** undefined: the logs begin with the first transaction of all. */
  readonly snapshot: ApacheFile | undefined;
  /** Transactions applied on top of the snapshot. */
  readonly txnCount: number;
  /** Digests in the files that were compared with the tree and agreed. */
  readonly digestCount: number;
  /** Ephemeral nodes dropped because their session was no more. */
  readonly orphanCount: number;
  /** Sentences for a person to look at. */
  readonly warnings: readonly string[];
}

/** Zxids that the very first transaction may have: of a server that ran alone, or of an ensemble. */
const FIRST_ZXIDS: readonly number[] = [1, 0x1_0000_0001];

/** Rejects with an `ApacheDataError`. */
export async function loadApacheData(
  files: PlainFiles,
  directory: ApacheDirectory,
  options: LoadOptions = {},
): Promise<LoadedData> {
  const { snapshots, logs, path } = directory;
  if (snapshots.length === 0 && logs.length === 0) {
    const remedy = 'there is nothing to import: start the server with an empty dataDir';
    throw new ApacheDataError('NOT_FOUND', path, 'it holds neither snapshots nor logs', remedy);
  }
  if (logs.length === 0 && options.snapshotOnly !== true) refuseWithoutLogs(directory);
  const warnings: string[] = [];
  const start = await loadSnapshot(files, directory, warnings, options.progress);
  const replay = new Replay(start, options);
  if (options.snapshotOnly !== true) await replay.run(files, logs, warnings);
  const { tree } = start;
  replay.finish(warnings);
  requireAcls(tree, start);
  const orphanCount = tree.removeOrphans();
  // Each server of the original counts for itself, outside the log.
  tree.quotas.measureAnew();
  const { epochs, txnCount, digestCount } = replay;
  const { snapshot } = start;
  return { tree, epochs, snapshot, txnCount, digestCount, orphanCount, warnings };
}

function refuseWithoutLogs({ path, snapshots }: ApacheDirectory): void {
  if (snapshots.length === 1 && snapshots[0]?.zxid === ZXID_NONE) return;
  throw new ApacheDataError(
    'NOT_FOUND',
    path,
    'it holds snapshots and no log.* files, and whatever came after the last snapshot is only in those',
    'name the directory of the logs (dataLogDir in its zoo.cfg) with --log-dir, or say --snapshot-only ' +
      'if the snapshot is all there is',
  );
}

// Snapshot --------------------------------------------------------------------------------------

interface Start {
  readonly tree: DataTree;
  readonly snapshot: ApacheFile | undefined;
  readonly summary: SnapshotSummary | undefined;
}

/** The newest that is whole, or an empty tree when the logs begin at the beginning. */
async function loadSnapshot(
  files: PlainFiles,
  directory: ApacheDirectory,
  warnings: string[],
  progress: Progress | undefined,
): Promise<Start> {
  for (const snapshot of directory.snapshots.toReversed()) {
    const tree = new DataTree({ extendedTypes: true });
    try {
      const summary = await readInto(tree, files, snapshot, progress);
      return { tree, snapshot, summary };
    } catch (error) {
      if (!(error instanceof ApacheDataError)) throw error;
      warnings.push(`${error.message.split(';')[0]}: an older snapshot was taken instead`);
    }
  }
  const first = directory.logs[0];
  if (first !== undefined && FIRST_ZXIDS.includes(first.zxid)) {
    return { tree: new DataTree({ extendedTypes: true }), snapshot: undefined, summary: undefined };
  }
  const problem =
    directory.snapshots.length === 0
      ? 'it holds logs and no snapshot, and the logs do not begin at the first transaction'
      : `none of its snapshots is whole (${warnings.join('; ')})`;
  throw gapInLogs(directory.path, problem);
}

async function readInto(
  tree: DataTree,
  files: PlainFiles,
  snapshot: ApacheFile,
  progress: Progress | undefined,
): Promise<SnapshotSummary> {
  let done = 0;
  const source = openFile(files, snapshot, (bytes) => {
    done += bytes;
    progress?.('snapshot', done, snapshot.bytes);
  });
  try {
    const summary = await readSnapshot(source, {
      session: (sessionId, timeoutMs) => tree.restoreSession(sessionId, timeoutMs),
      node: (path, fields) =>
        tree.restoreNode(path, fields) ? undefined : 'its parent is missing or it has no name',
    });
    tree.restoreZxid(snapshot.zxid);
    return summary;
  } finally {
    await source.close();
  }
}

/** Nodes whose ACL the snapshot did not hold got it from the log, or they never had one. */
function requireAcls(tree: DataTree, { summary, snapshot }: Start): void {
  if (summary === undefined || summary.missingAclCount === 0) return;
  for (const [path, node] of tree.walk()) {
    if (!isMissingAcl(node.acl)) continue;
    const place = `${snapshot?.path}, node ${path}`;
    throw gapInLogs(place, 'neither the snapshot nor the log says what its ACL is');
  }
}

// Log -------------------------------------------------------------------------------------------

class Replay {
  readonly epochs: EpochTable;
  readonly #tree: DataTree;
  readonly #options: LoadOptions;
  readonly #snapshot: ApacheFile | undefined;
  /** From here on the tree must be the one that digests speak of; undefined: that is not known. */
  readonly #exactFrom: Zxid | undefined;
  readonly #snapshotDigest: SnapshotSummary['digest'];
  #txnCount = 0;
  #digestCount = 0;
  /** Where the tree differed last, while it may have been ahead of the log. */
  #differedAt: string | undefined;
  #mismatchCount = 0;

  constructor({ tree, snapshot, summary }: Start, options: LoadOptions) {
    this.#tree = tree;
    this.#options = options;
    this.#snapshot = snapshot;
    const digest = summary?.digest;
    const isExact = snapshot === undefined || digest?.zxid === tree.lastZxid;
    const isLater = digest !== undefined && digest.zxid > tree.lastZxid;
    this.#exactFrom = isExact ? tree.lastZxid : isLater ? digest.zxid : undefined;
    this.#snapshotDigest = isExact || isLater ? digest : undefined;
    const last = tree.lastZxid;
    this.epochs = new EpochTable(last === ZXID_NONE ? [] : [{ epoch: zxidEpoch(last), last }]);
    if (isExact && digest !== undefined) this.#compare(digest.value, snapshot?.path ?? '');
  }

  get txnCount(): number {
    return this.#txnCount;
  }

  get digestCount(): number {
    return this.#digestCount;
  }

  /** Applies what the logs hold behind the snapshot. */
  async run(files: PlainFiles, logs: readonly ApacheFile[], warnings: string[]): Promise<void> {
    const next = this.#tree.lastZxid + 1;
    // The last log that begins at or before the next transaction may hold it; earlier ones do not.
    const from = Math.max(
      0,
      logs.findLastIndex((log) => log.zxid <= next),
    );
    const wanted = logs.slice(from);
    const total = wanted.reduce((sum, log) => sum + log.bytes, 0);
    let done = 0;
    for (const log of wanted) {
      const reader = new LogReader(
        openFile(files, log, (bytes) => {
          done += bytes;
          this.#options.progress?.('log', done, total);
        }),
      );
      try {
        for (let found = await reader.next(); found !== undefined; found = await reader.next()) {
          for (const record of found) this.#apply(record, log);
        }
      } finally {
        await reader.close();
      }
      const warning = reader.end === undefined ? undefined : endWarning(log, reader.end);
      if (warning !== undefined) warnings.push(warning);
    }
  }

  /** What can only be judged at the end. */
  finish(warnings: string[]): void {
    const last = this.#tree.lastZxid;
    if (this.#differedAt !== undefined) this.#differ(this.#differedAt);
    if (this.#snapshotDigest !== undefined && this.#snapshotDigest.zxid > last) {
      warnings.push(
        `${this.#snapshot?.path} was written while changes up to ` +
          `${zxidHex(this.#snapshotDigest.zxid)} were made, and the log ends at ${zxidHex(last)}: ` +
          'some of those changes may be in the tree and others not',
      );
    }
    if (this.#mismatchCount > 0) {
      warnings.push(`${this.#mismatchCount} digests in the files do not agree with the tree`);
    }
  }

  #apply(record: LogRecord, log: ApacheFile): void {
    const tree = this.#tree;
    const { zxid, txn, digest, offset } = record;
    const previous = tree.lastZxid;
    if (zxid <= previous && this.#txnCount === 0) return;
    if (!follows(previous, zxid)) {
      const what = zxid <= previous ? 'comes again or out of order' : 'follows';
      const problem = `transaction ${zxidHex(zxid)} ${what} after ${zxidHex(previous)}`;
      throw gapInLogs(`${log.path} at byte ${offset}`, `${problem}: what belongs there is missing`);
    }
    tree.apply(zxid, txn, false);
    this.epochs.append(zxid);
    this.#txnCount += 1;
    const expected = this.#snapshotDigest;
    if (expected?.zxid === zxid) this.#compare(expected.value, this.#snapshot?.path ?? '');
    if (digest !== undefined) this.#compare(digest, `${log.path} at byte ${offset}`);
  }

  #compare(digest: bigint, place: string): void {
    const tree = this.#tree;
    if (tree.digest === digest) {
      this.#digestCount += 1;
      this.#differedAt = undefined;
      return;
    }
    const sentence =
      `${place}: after transaction ${zxidHex(tree.lastZxid)} the tree has the digest ` +
      `${tree.digestHex}, and ${digest.toString(16)} is written there`;
    // A snapshot that says nothing of its exactness may be ahead of the log for a while.
    if (this.#exactFrom === undefined) this.#differedAt = sentence;
    else if (tree.lastZxid >= this.#exactFrom) this.#differ(sentence);
  }

  #differ(sentence: string): void {
    this.#mismatchCount += 1;
    if (this.#options.ignoreDigests === true) return;
    const [place = '', problem = ''] = sentence.split(/: (.*)/s);
    throw new ApacheDataError(
      'DIGEST',
      place,
      problem,
      'Apache ZooKeeper would only log that: compare with another server of the ensemble, or say ' +
        '--ignore-digests to import it as it is',
    );
  }
}

function endWarning(log: ApacheFile, end: LogEnd): string | undefined {
  if (end.kind === 'empty') return `${log.path} is empty: a server died before it wrote to it`;
  if (end.kind === 'torn') {
    return (
      `${log.path}: the record at byte ${end.offset} was never completed and is left out ` +
      '(a server died while it wrote it; nobody was told that it is there)'
    );
  }
  if (end.restAt === undefined) return undefined;
  return (
    `${log.path}: the log ends at byte ${end.offset}, and something follows at byte ${end.restAt}; ` +
    'Apache ZooKeeper would not read it either, but if this server did not crash, compare with another one'
  );
}
