/** Removes directories that count for nothing any more. */

import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from './node-files.ts';
import { shrinkInPieces } from './pieces.ts';

export async function removeDirectory(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true });
  } catch (error) {
    throw ioError(`cannot remove ${directory}`, error);
  }
}

/** A directory of files. What is left goes at once from the moment in which the signal is aborted. */
export async function removeInPieces(directory: string, hurry: AbortSignal): Promise<void> {
  try {
    for (const name of await readdir(directory)) await shrink(join(directory, name), hurry);
  } catch (error) {
    throw ioError(`cannot remove ${directory}`, error);
  }
  await removeDirectory(directory);
}

async function shrink(path: string, hurry: AbortSignal): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await shrinkInPieces(file, hurry);
  } finally {
    await file.close();
  }
}
