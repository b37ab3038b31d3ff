/** The machine this process runs on. */

import { lookup } from 'node:dns/promises';
import { mkdtemp, realpath, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Machine } from '../machine.ts';
import { isMissing } from './node-files.ts';

export const nodeMachine: Machine = {
  resolve: async (host) => {
    try {
      return (await lookup(host, { all: true })).map(({ address }) => address);
    } catch {
      return [];
    }
  },
  access: async (directory) => {
    const owner = await ownerOf(directory);
    if (owner !== undefined) {
      const isOwn = owner === process.getuid?.();
      return { exists: true, isWritable: await isWritable(directory), isOwn };
    }
    return { exists: false, isWritable: await isWritable(await nearest(directory)), isOwn: false };
  },
  realPath: async (directory) => {
    const there = await nearest(directory);
    const missing = path.relative(there, path.resolve(directory));
    return path.join(await realpath(there), missing);
  },
};

/** undefined when there is no such path. */
async function ownerOf(directory: string): Promise<number | undefined> {
  try {
    return (await stat(directory)).uid;
  } catch (error) {
    if (isMissing(error)) return undefined;
    // There may be one, behind a directory that this process may not enter.
    return -1;
  }
}

/** Found out by trying: permissions say little of root, of file systems that are read only, and of quotas. */
async function isWritable(directory: string): Promise<boolean> {
  try {
    await rmdir(await mkdtemp(path.join(directory, '.vivarium-check-')));
    return true;
  } catch {
    return false;
  }
}

/** The directory itself, or the nearest above it that is there. */
async function nearest(directory: string): Promise<string> {
  let at = path.resolve(directory);
  while ((await ownerOf(at)) === undefined && at !== path.dirname(at)) at = path.dirname(at);
  return at;
}
