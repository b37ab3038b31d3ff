/** What the storage files share: errors of the file system, and the sync of a directory. */

import { open } from 'node:fs/promises';
import { RuntimeError } from '../runtime.ts';

/** True when a path, or a directory on the way to it, is not there. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** `message` names the path; the platform's own words follow it. */
export function ioError(message: string, error: unknown): RuntimeError {
  const code = systemCode(error);
  const isDenied = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
  const reason = error instanceof Error ? error.message : String(error);
  return new RuntimeError(isDenied ? 'ACCESS_DENIED' : 'IO', `${message}: ${reason}`, {
    cause: error,
  });
}

/** Makes the names in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw ioError(`cannot sync the directory ${directory}`, error);
  }
}

function systemCode(error: unknown): string {
  const hasCode = error instanceof Error && 'code' in error && typeof error.code === 'string';
  return hasCode ? String(error.code) : '';
}
