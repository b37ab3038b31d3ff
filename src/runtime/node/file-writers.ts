/** Which process writes into a directory, as far as the system lets this one know. */

import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import path from 'node:path';

const PROCESSES = '/proc';
/** Of the flags of an open file: whether it was opened for more than reading. */
const WRITES = 0o3;

/**
 * The process that has a file in the directory, or below it, open for writing. Undefined when there
 * is none, when it belongs to another user, and where the system keeps no `/proc`.
 */
export async function writerIn(directory: string): Promise<number | undefined> {
  const real = await realpath(directory).catch(() => undefined);
  if (real === undefined) return undefined;
  for (const name of await entriesOf(PROCESSES)) {
    if (/^\d+$/.test(name) && (await writesIn(path.join(PROCESSES, name), real))) {
      return Number(name);
    }
  }
  return undefined;
}

async function writesIn(processPath: string, directory: string): Promise<boolean> {
  for (const descriptor of await entriesOf(path.join(processPath, 'fd'))) {
    const file = await readlink(path.join(processPath, 'fd', descriptor)).catch(() => '');
    if (!file.startsWith(`${directory}/`)) continue;
    const info = await readFile(path.join(processPath, 'fdinfo', descriptor), 'utf8').catch(
      () => '',
    );
    const [, flags = '0'] = /^flags:\s+([0-7]+)$/m.exec(info) ?? [];
    if ((Number.parseInt(flags, 8) & WRITES) !== 0) return true;
  }
  return false;
}

/** None of a process that ended meanwhile or that this one may not look into. */
function entriesOf(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
