/**
 * What `vivarium dump` reads, whoever wrote it: transactions and nodes, from a file or a data
 * directory of the original's or from a data directory of ours.
 */

import type { Acl } from '../base/acl.ts';
import type { SessionId, Zxid } from '../base/ids.ts';
import type { PlainFiles } from '../runtime/plain-files.ts';
import type { Storage } from '../runtime/runtime.ts';
import type { DataTree } from '../store/data-tree.ts';
import type { Txn } from '../store/txn.ts';
import type { NodeFields } from '../store/znode.ts';
import { ApacheDataError } from './apache-data-error.ts';
import { type ApacheFile, listDirectory, openFile, parseFileName } from './data-dir.ts';
import { loadApacheData } from './load-data.ts';
import { LogReader } from './log-reader.ts';
import { isOwnDirectory, OwnData } from './own-data.ts';
import { readSnapshot } from './snapshot-reader.ts';

export interface DumpedTxn {
  readonly zxid: Zxid;
  readonly txn: Txn;
  /** Of the tree after it; undefined when none is written there. */
  readonly digest: bigint | undefined;
  /** Where it stands; undefined in a store of ours. */
  readonly file: string | undefined;
  readonly offset: number | undefined;
}

export interface DumpedNode {
  readonly path: string;
  readonly acl: readonly Acl[];
  readonly fields: NodeFields;
  /** undefined where children are not known, as in a snapshot, which is of no single moment. */
  readonly numChildren: number | undefined;
}

export type DumpedItem =
  | { readonly kind: 'session'; readonly sessionId: SessionId; readonly timeoutMs: number }
  | ({ readonly kind: 'node' } & DumpedNode);

export interface DumpVisitor {
  item(item: DumpedItem): void;
  /** Awaited every now and then. */
  turn(): Promise<void>;
}

export interface DumpPlace {
  /** A file or a data directory. */
  readonly path: string;
  /** Where the logs are, if in another directory. */
  readonly logDir?: string | undefined;
}

const NODES_PER_TURN = 1024;

/** All transactions in order. Throws an `ApacheDataError` where the log cannot be read further. */
export async function* dumpLog(
  files: PlainFiles,
  storage: Storage,
  place: DumpPlace,
): AsyncGenerator<DumpedTxn> {
  if (await isOwnDirectory(files, place.path)) {
    yield* dumpOwnLog(storage, place);
    return;
  }
  for (const file of await filesOf(files, place, 'log')) {
    const reader = new LogReader(openFile(files, file));
    try {
      for (let found = await reader.next(); found !== undefined; found = await reader.next()) {
        for (const record of found) yield { ...record, file: file.path };
      }
    } finally {
      await reader.close();
    }
  }
}

async function* dumpOwnLog(storage: Storage, place: DumpPlace): AsyncGenerator<DumpedTxn> {
  const data = await OwnData.open(storage, place.path, place.logDir);
  try {
    const begin = data.log.meta.baseZxid;
    for await (const { zxid, txn } of data.txnsAfter(begin)) {
      yield { zxid, txn, digest: undefined, file: undefined, offset: undefined };
    }
  } finally {
    await data.close();
  }
}

/**
 * Sessions and nodes of one snapshot as it stands there (of a directory the newest), or of the last
 * checkpoint of ours.
 */
export async function dumpSnapshot(
  files: PlainFiles,
  storage: Storage,
  place: DumpPlace,
  visitor: DumpVisitor,
): Promise<void> {
  if (await isOwnDirectory(files, place.path)) {
    const data = await OwnData.open(storage, place.path, place.logDir);
    try {
      await visitTree(await data.loadTree(), visitor);
    } finally {
      await data.close();
    }
    return;
  }
  const file = (await filesOf(files, place, 'snapshot')).at(-1);
  if (file === undefined) throw nothingThere(place.path, 'snapshot');
  const source = openFile(files, file);
  try {
    await readSnapshot(source, {
      turn: () => visitor.turn(),
      session: (sessionId, timeoutMs) => visitor.item({ kind: 'session', sessionId, timeoutMs }),
      node: (path, fields) => {
        visitor.item({ kind: 'node', path, acl: fields.acl, fields, numChildren: undefined });
        return undefined;
      },
    });
  } finally {
    await source.close();
  }
}

/** Sessions and nodes as a server would have them after its start on the directory. */
export async function dumpTree(
  files: PlainFiles,
  storage: Storage,
  place: DumpPlace,
  visitor: DumpVisitor,
): Promise<void> {
  if (!(await isOwnDirectory(files, place.path))) {
    const directory = await listDirectory(files, place.path, place.logDir);
    const options = { ignoreDigests: true, snapshotOnly: directory.logs.length === 0 };
    await visitTree((await loadApacheData(files, directory, options)).tree, visitor);
    return;
  }
  const data = await OwnData.open(storage, place.path, place.logDir);
  try {
    const tree = await data.loadTree();
    for await (const { zxid, txn } of data.txnsAfter(tree.lastZxid)) tree.apply(zxid, txn, false);
    await visitTree(tree, visitor);
  } finally {
    await data.close();
  }
}

async function visitTree(tree: DataTree, visitor: DumpVisitor): Promise<void> {
  for (const [sessionId, timeoutMs] of tree.sessions.entries()) {
    visitor.item({ kind: 'session', sessionId, timeoutMs });
  }
  let count = 0;
  for (const [path, node] of tree.walk()) {
    const { data, acl, czxid, mzxid, pzxid, ctimeMs, mtimeMs, version, creates, aversion } = node;
    const { storedOwner, numChildren } = node;
    const numbers = { czxid, mzxid, pzxid, ctimeMs, mtimeMs, version, creates, aversion };
    const fields = { data, acl, ...numbers, storedOwner };
    visitor.item({ kind: 'node', path, acl, fields, numChildren });
    count += 1;
    if (count % NODES_PER_TURN === 0) await visitor.turn();
  }
}

/** The file named, or those of a directory, ascending. */
async function filesOf(
  files: PlainFiles,
  place: DumpPlace,
  kind: 'log' | 'snapshot',
): Promise<readonly Pick<ApacheFile, 'path' | 'compression'>[]> {
  const { path } = place;
  if ((await files.kind(path)) === 'file') {
    const parsed = parseFileName(path.slice(path.lastIndexOf('/') + 1));
    return [{ path, compression: parsed?.compression ?? 'none' }];
  }
  const directory = await listDirectory(files, path, place.logDir);
  const found = kind === 'log' ? directory.logs : directory.snapshots;
  if (found.length === 0) throw nothingThere(directory.path, kind);
  return found;
}

function nothingThere(path: string, kind: string): ApacheDataError {
  const remedy = `name a ${kind} file, a directory that holds some, or a dataDir`;
  return new ApacheDataError('NOT_FOUND', path, `there is no ${kind}`, remedy);
}
