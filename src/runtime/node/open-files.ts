/** How many files and sockets this process has open: Linux tells, under `/proc`. */

import { readdir, readFile } from 'node:fs/promises';
import type { OpenFiles } from '../runtime.ts';

/** undefined where there is no such directory. */
export async function openFiles(): Promise<OpenFiles | undefined> {
  try {
    const [names, limits] = await Promise.all([
      readdir('/proc/self/fd'),
      readFile('/proc/self/limits', 'utf8'),
    ]);
    const soft = /^Max open files\s+(\w+)/m.exec(limits)?.[1];
    if (soft === undefined) return undefined;
    return { count: names.length, max: soft === 'unlimited' ? Infinity : Number(soft) };
  } catch {
    // Another platform, or a container that hides it.
    return undefined;
  }
}
