/** Failures of commands that read and write data directories. */

import { asFatal } from '../server/fatal-error.ts';

/**
 * Runs a command's work. Data and disks that refuse become errors with an exit code and a sentence
 * for the person at the terminal; a broken invariant keeps its stack.
 */
export async function reportingFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'exitCode' in error) throw error;
    const fatal = asFatal(error);
    throw fatal.code === 'INVARIANT' ? error : fatal;
  }
}
