/**
 * Files and LevelDB stores. LevelDB syncs the contents of its files but not always their names, so
 * a store here also syncs its directory whenever that has changed, before a write counts as durable.
 */

import type { Dirent } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import {
  type DiskSpace,
  type KeyValueStore,
  type OpenOptions,
  RuntimeError,
  type Storage,
} from '../runtime.ts';
import { openLevelStore } from './level-store.ts';
import { ioError, isMissing, syncDirectory } from './node-files.ts';
import { hasSegments } from './segment.ts';
import { openSegmentedStore } from './segmented-store.ts';

export class NodeStorage implements Storage {
  /** Text files are written one after the other, so that two writes of one file cannot mix. */
  #textWritten: Promise<unknown> = Promise.resolve();

  async open(directory: string, { create, isQueue }: OpenOptions): Promise<KeyValueStore> {
    const path = resolve(directory);
    if (create) await makeDirectory(path);
    else if (!(await this.exists(path))) {
      // Asked here, because LevelDB leaves files behind even where it refuses to create.
      throw new RuntimeError('STORE_MISSING', `no store in ${path}`);
    }
    const isSegmented = isQueue === true || (await hasSegments(path));
    if (isSegmented) return await openSegmentedStore(path, { create });
    return await openLevelStore(path, create);
  }

  async exists(directory: string): Promise<boolean> {
    // The file that every LevelDB has from its first moment, and that names all the others.
    const marker = join(directory, 'CURRENT');
    try {
      return (await stat(marker)).isFile();
    } catch (error) {
      // A store that has lost it is a damaged one, as long as its segments show that it was there.
      if (isMissing(error)) return await hasSegments(directory);
      throw ioError(`cannot look for ${marker}`, error);
    }
  }

  async readText(file: string): Promise<string | undefined> {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw ioError(`cannot read ${file}`, error);
    }
  }

  /** Makes the directories above the file where they are missing. */
  async writeText(file: string, text: string): Promise<void> {
    const path = resolve(file);
    const written = this.#textWritten.then(() => replaceFile(path, text));
    this.#textWritten = written.catch(() => undefined);
    await written;
  }

  async move(from: string, to: string): Promise<void> {
    try {
      await rename(from, to);
    } catch (error) {
      throw ioError(`cannot move ${from} to ${to}`, error);
    }
    await syncDirectory(dirname(resolve(to)));
  }

  async list(directory: string): Promise<string[]> {
    try {
      return await readdir(directory);
    } catch (error) {
      if (isMissing(error)) return [];
      throw ioError(`cannot list ${directory}`, error);
    }
  }

  async space(directory: string): Promise<DiskSpace | undefined> {
    try {
      const { bavail, blocks, bsize } = await statfs(directory);
      return blocks === 0 ? undefined : { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    } catch {
      return undefined;
    }
  }

  async size(directory: string): Promise<number> {
    let entries: Dirent[];
    try {
      entries = await readdir(directory, { recursive: true, withFileTypes: true });
    } catch (error) {
      if (isMissing(error)) return 0;
      throw ioError(`cannot measure ${directory}`, error);
    }
    let bytes = 0;
    for (const entry of entries) {
      if (entry.isFile()) bytes += await fileSize(join(entry.parentPath, entry.name));
    }
    return bytes;
  }
}

async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    // LevelDB removes files while one looks.
    if (isMissing(error)) return 0;
    throw ioError(`cannot measure ${path}`, error);
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const directory = dirname(path);
  const temporary = `${path}.tmp`;
  await makeDirectory(directory);
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    throw ioError(`cannot write ${path}`, error);
  }
  await syncDirectory(directory);
}

/** Makes a directory and those above it, durably: a new directory's name is an entry in the one above. */
async function makeDirectory(directory: string): Promise<void> {
  let firstMade: string | undefined;
  try {
    firstMade = await mkdir(directory, { recursive: true });
  } catch (error) {
    throw ioError(`cannot make the directory ${directory}`, error);
  }
  if (firstMade === undefined) return;
  const highest = dirname(firstMade);
  for (let path = directory; path !== highest; path = dirname(path)) {
    await syncDirectory(dirname(path));
  }
}
