/**
 * Removes directories that count for nothing any more. Where a file system is mounted with `discard`,
 * as in many clouds, it tells the disk of all that was freed within its next commit, and every
 * `fdatasync` waits for that: for 60 to 90 ms where 64 MiB go at once, for 4 where one of these pieces does.
 */

import { constants } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ioError } from './node-files.ts';

const PIECE_BYTES = 2 * 1024 * 1024;
/** 50 MB a second. */
const PAUSE_MS = 40;

export async function removeDirectory(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true });
  } catch (error) {
    throw ioError(`cannot remove ${directory}`, error);
  }
}

/** What is left goes at once from the moment in which the signal is aborted. */
export async function removeInPieces(directory: string, hurry: AbortSignal): Promise<void> {
  try {
    for (const name of await readdir(directory)) await shrink(join(directory, name), hurry);
  } catch {
    // What cannot be shortened goes at once.
  }
  await removeDirectory(directory);
}

async function shrink(path: string, hurry: AbortSignal): Promise<void> {
  const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    let { size, nlink } = await file.stat();
    // With a second name it belongs to somebody else too: a copy made of links.
    while (nlink === 1 && size > PIECE_BYTES && !hurry.aborted) {
      size -= PIECE_BYTES;
      await file.truncate(size);
      await setTimeout(PAUSE_MS, undefined, { signal: hurry }).catch(() => undefined);
      ({ nlink } = await file.stat());
    }
  } finally {
    await file.close();
  }
}
