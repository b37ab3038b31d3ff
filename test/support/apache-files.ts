/** Files in memory, and pieces of the original's files put together by hand. */

import type { PlainFiles } from '../../src/runtime/plain-files.ts';
import { RuntimeError } from '../../src/runtime/runtime.ts';

export class MemoryFiles implements PlainFiles {
  readonly contents = new Map<string, Uint8Array>();
  readonly #chunkBytes: number;

  /** `chunkBytes`: pieces in which files are read. */
  constructor(chunkBytes = 64 * 1024) {
    this.#chunkBytes = chunkBytes;
  }

  list(directory: string): Promise<string[]> {
    const names = new Set<string>();
    for (const path of this.contents.keys()) {
      if (!path.startsWith(`${directory}/`)) continue;
      names.add(path.slice(directory.length + 1).split('/')[0] ?? '');
    }
    return Promise.resolve([...names]);
  }

  async kind(path: string): Promise<'directory' | 'file' | 'missing'> {
    if (this.contents.has(path)) return 'file';
    return (await this.list(path)).length > 0 ? 'directory' : 'missing';
  }

  size(file: string): Promise<number> {
    return Promise.resolve(this.bytes(file).length);
  }

  async *read(file: string): AsyncGenerator<Uint8Array> {
    const bytes = this.bytes(file);
    for (let at = 0; at < bytes.length; at += this.#chunkBytes) {
      yield bytes.slice(at, at + this.#chunkBytes);
    }
  }

  async write(
    file: string,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    this.contents.set(file, await joined(chunks));
  }

  bytes(file: string): Uint8Array {
    const bytes = this.contents.get(file);
    if (bytes === undefined) throw new RuntimeError('IO', `no file ${file}`);
    return bytes;
  }
}

export async function joined(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return new Uint8Array(Buffer.concat(parts));
}

/** One piece after the other. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}
