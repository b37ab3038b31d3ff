/** Plain files on a real machine. */

import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { PlainFiles } from '../plain-files.ts';
import { ioError, isMissing, syncDirectory } from './node-files.ts';

const CHUNK_BYTES = 1024 * 1024;

export class NodePlainFiles implements PlainFiles {
  async list(directory: string): Promise<string[]> {
    try {
      return await readdir(directory);
    } catch (error) {
      if (isMissing(error)) return [];
      throw ioError(`cannot list ${directory}`, error);
    }
  }

  async kind(path: string): Promise<'directory' | 'file' | 'missing'> {
    try {
      return (await stat(path)).isDirectory() ? 'directory' : 'file';
    } catch (error) {
      if (isMissing(error)) return 'missing';
      throw ioError(`cannot look at ${path}`, error);
    }
  }

  async size(file: string): Promise<number> {
    try {
      return (await stat(file)).size;
    } catch (error) {
      throw ioError(`cannot measure ${file}`, error);
    }
  }

  async *read(file: string): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
        yield chunk as Uint8Array;
      }
    } catch (error) {
      throw ioError(`cannot read ${file}`, error);
    }
  }

  async write(
    file: string,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const directory = dirname(file);
    const temporary = `${file}.tmp`;
    const handle = await openNew(directory, temporary);
    try {
      for await (const chunk of chunks) await writeAll(handle, chunk, temporary);
      await syncFile(handle, temporary);
    } finally {
      await handle.close();
    }
    try {
      await rename(temporary, file);
    } catch (error) {
      throw ioError(`cannot write ${file}`, error);
    }
    await syncDirectory(directory);
  }
}

async function openNew(directory: string, file: string): Promise<FileHandle> {
  try {
    await mkdir(directory, { recursive: true });
    return await open(file, 'w');
  } catch (error) {
    throw ioError(`cannot write ${file}`, error);
  }
}

/** A write may take a part only. */
async function writeAll(handle: FileHandle, chunk: Uint8Array, file: string): Promise<void> {
  try {
    for (let at = 0; at < chunk.length; ) {
      at += (await handle.write(chunk, at, chunk.length - at)).bytesWritten;
    }
  } catch (error) {
    throw ioError(`cannot write ${file}`, error);
  }
}

async function syncFile(handle: FileHandle, file: string): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    throw ioError(`cannot write ${file}`, error);
  }
}
