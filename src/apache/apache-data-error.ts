/** Why data of the original's, or a place for it, cannot be used: a sentence with place and remedy. */

export type ApacheDataCode =
  /** Nothing there, or not what was said to be there. */
  | 'NOT_FOUND'
  /** A file is not what its format says. */
  | 'DAMAGED'
  /** Transactions are missing between those that are there. */
  | 'GAP'
  /** The tree that the files make is not the one their digests speak of. */
  | 'DIGEST'
  /** A server is running on what is to be read: it may change meanwhile, and later. */
  | 'SOURCE_IN_USE'
  /** What is to be written to already holds data. */
  | 'TARGET_IN_USE';

/** The command line ends with `exitCode`: 3, data damaged or foreign. */
export class ApacheDataError extends Error {
  override readonly name = 'ApacheDataError';
  readonly code: ApacheDataCode;
  readonly exitCode = 3;

  /** `place` is a path, with `at byte N` where that helps. */
  constructor(code: ApacheDataCode, place: string, problem: string, remedy: string) {
    super(`${place}: ${problem}; ${remedy}`);
    this.code = code;
  }
}

const OTHER_COPY =
  'use the directory of another server of the ensemble or a backup, or let Apache ZooKeeper start on ' +
  'a copy of it once: if it does, it writes a new snapshot that can be imported';

export function damagedFile(file: string, offset: number, problem: string): ApacheDataError {
  return new ApacheDataError('DAMAGED', `${file} at byte ${offset}`, problem, OTHER_COPY);
}

export function gapInLogs(place: string, problem: string): ApacheDataError {
  return new ApacheDataError('GAP', place, problem, OTHER_COPY);
}
