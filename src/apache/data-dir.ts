/**
 * What lies in a data directory of the original's: `version-2` with snapshots and logs, whose names
 * carry zxids, and the epoch files; `myid` beside it.
 */

import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { EPOCH_MAX, type Epoch, makeEpoch, parseZxid, type Zxid } from '../base/ids.ts';
import type { PlainFiles } from '../runtime/plain-files.ts';
import { ApacheDataError } from './apache-data-error.ts';
import { ByteSource } from './byte-source.ts';
import { unsnappy } from './snappy.ts';

export type Compression = 'none' | 'gzip' | 'snappy';

export interface ApacheFile {
  readonly path: string;
  readonly name: string;
  /** Of a log its first transaction, of a snapshot the last one before it was begun. */
  readonly zxid: Zxid;
  readonly compression: Compression;
  /** As it is on the disk. */
  readonly bytes: number;
}

export interface ApacheDirectory {
  /** Where the snapshots are. */
  readonly path: string;
  /** Ascending. */
  readonly snapshots: readonly ApacheFile[];
  /** Ascending. */
  readonly logs: readonly ApacheFile[];
  /** undefined: there is no such file, as for a server that always ran alone. */
  readonly acceptedEpoch: Epoch | undefined;
  readonly currentEpoch: Epoch | undefined;
  /** As the file says; undefined when there is none. */
  readonly myId: string | undefined;
}

const VERSION_DIRECTORY = 'version-2';
const FILE_NAME = /^(log|snapshot)\.([0-9a-f]{1,16})(?:\.(gz|snappy))?$/;
const COMPRESSIONS: Readonly<Record<string, Compression>> = { gz: 'gzip', snappy: 'snappy' };

/** Zxid, kind and compression in a file's name; undefined for a name that is no snapshot's or log's. */
export function parseFileName(
  name: string,
):
  | { readonly kind: 'log' | 'snapshot'; readonly zxid: Zxid; readonly compression: Compression }
  | undefined {
  const [, kind, hex = '', suffix] = FILE_NAME.exec(name) ?? [];
  const zxid = parseZxid(Number.parseInt(hex, 16));
  if ((kind !== 'log' && kind !== 'snapshot') || zxid === undefined) return undefined;
  if (kind === 'log' && suffix !== undefined) return undefined;
  return { kind, zxid, compression: COMPRESSIONS[suffix ?? ''] ?? 'none' };
}

/**
 * Lists a data directory. `directory` holds `version-2` or is it; `logDirectory` likewise, where
 * `dataLogDir` was set. Rejects with an `ApacheDataError` of code `NOT_FOUND`.
 */
export async function listDirectory(
  files: PlainFiles,
  directory: string,
  logDirectory: string = directory,
): Promise<ApacheDirectory> {
  const path = await versionDirectory(files, directory);
  const logPath = await versionDirectory(files, logDirectory);
  const snapshots = await listFiles(files, path, 'snapshot');
  const logs = await listFiles(files, logPath, 'log');
  return {
    path,
    snapshots,
    logs,
    acceptedEpoch: await readEpoch(files, `${path}/acceptedEpoch`),
    currentEpoch: await readEpoch(files, `${path}/currentEpoch`),
    myId: await readFirstLine(files, `${parentOf(path)}/myid`),
  };
}

/** Opens a snapshot or a log: its plain bytes, whatever compression its name speaks of. */
export function openFile(
  files: PlainFiles,
  file: Pick<ApacheFile, 'path' | 'compression'>,
  onRead: (bytes: number) => void = () => undefined,
): ByteSource {
  const { path, compression } = file;
  const raw = counted(files.read(path), onRead);
  if (compression === 'gzip') return new ByteSource(path, gunzip(path, raw));
  if (compression === 'snappy') return new ByteSource(path, unsnappy(new ByteSource(path, raw)));
  return new ByteSource(path, raw);
}

/** Where the files are: the directory's `version-2`, or itself. Rejects with `NOT_FOUND`. */
export async function versionDirectory(files: PlainFiles, directory: string): Promise<string> {
  const trimmed = directory.replace(/(?<=.)\/+$/, '');
  const below = `${trimmed}/${VERSION_DIRECTORY}`;
  if ((await files.kind(below)) === 'directory') return below;
  const isItself = trimmed.split('/').at(-1) === VERSION_DIRECTORY;
  const names = await files.list(trimmed);
  if (isItself || names.some((name) => parseFileName(name) !== undefined)) return trimmed;
  throw new ApacheDataError(
    'NOT_FOUND',
    directory,
    (await files.kind(trimmed)) === 'missing'
      ? 'there is no such directory'
      : 'it is no data directory of Apache ZooKeeper: it holds no version-2',
    'name what dataDir (or dataLogDir) says in its zoo.cfg',
  );
}

async function listFiles(
  files: PlainFiles,
  directory: string,
  kind: 'log' | 'snapshot',
): Promise<ApacheFile[]> {
  const found: ApacheFile[] = [];
  for (const name of await files.list(directory)) {
    const parsed = parseFileName(name);
    if (parsed === undefined || parsed.kind !== kind) continue;
    const path = `${directory}/${name}`;
    const { zxid, compression } = parsed;
    found.push({ path, name, zxid, compression, bytes: await files.size(path) });
  }
  return found.sort((a, b) => a.zxid - b.zxid || (a.name < b.name ? -1 : 1));
}

/** The first line as a decimal number, as the original reads it. */
async function readEpoch(files: PlainFiles, path: string): Promise<Epoch | undefined> {
  const line = await readFirstLine(files, path);
  if (line === undefined) return undefined;
  const value = /^\d{1,10}$/.test(line) ? Number(line) : Number.NaN;
  if (value <= EPOCH_MAX) return makeEpoch(value);
  throw new ApacheDataError(
    'DAMAGED',
    path,
    `it holds "${line}", which is no epoch from 0 to ${EPOCH_MAX}`,
    'write the epoch of the last transaction into it (the digits of its zxid before the last eight, in decimal)',
  );
}

async function readFirstLine(files: PlainFiles, path: string): Promise<string | undefined> {
  if ((await files.kind(path)) !== 'file') return undefined;
  const parts: Uint8Array[] = [];
  for await (const chunk of files.read(path)) parts.push(chunk);
  return (Buffer.concat(parts).toString('utf8').split('\n')[0] ?? '').trim();
}

function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut === -1 ? '.' : path.slice(0, cut);
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  onRead: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    onRead(chunk.length);
    yield chunk;
  }
}

async function* gunzip(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const input = Readable.from(chunks);
  const plain = createGunzip({ chunkSize: 256 * 1024 });
  input.on('error', (error) => plain.destroy(error));
  try {
    for await (const chunk of input.pipe(plain)) yield chunk as Uint8Array;
  } catch (error) {
    if (!isZlibError(error)) throw error;
    const remedy = 'use an older snapshot (move this one away), or a copy of it';
    throw new ApacheDataError('DAMAGED', path, `it is not whole gzip (${error.message})`, remedy);
  } finally {
    input.destroy();
  }
}

function isZlibError(error: unknown): error is Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('Z_');
}
