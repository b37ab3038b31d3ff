/** Failures of commands that read and write data directories. */

import { RuntimeError } from '../runtime/runtime.ts';
import { asFatal, isDamage } from '../server/fatal-error.ts';

/** A file or directory that the machine refuses; the command line ends with `exitCode`. */
class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number, cause: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

const REFUSED_CODE = 3;
const DISK_CODE = 5;

/**
 * Runs a command's work. Data and disks that refuse become errors with an exit code and a sentence
 * for the person at the terminal; a broken invariant keeps its stack.
 */
export async function reportingFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'exitCode' in error) throw error;
    // What a server says of its disk, that nobody knows what is on it, is not true of a copy.
    if (error instanceof RuntimeError && !isDamage(error)) throw refused(error);
    const fatal = asFatal(error);
    throw fatal.code === 'INVARIANT' ? error : fatal;
  }
}

function refused(error: RuntimeError): RefusedError {
  if (error.code !== 'ACCESS_DENIED') return new RefusedError(error.message, DISK_CODE, error);
  const remedy = 'run this as a user who may read and write there';
  return new RefusedError(`${error.message}; ${remedy}`, REFUSED_CODE, error);
}
