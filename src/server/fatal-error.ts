/** Why a server cannot start or go on, with what the process should say and how it should end. */

import { RuntimeError } from '../runtime/runtime.ts';
import { StoreError } from '../store/store-error.ts';

export type FatalCode =
  /** The configuration does not fit the data directory or the machine. */
  | 'CONFIG'
  /** The data directory is damaged, foreign, or belongs to another server. */
  | 'DATA'
  /** What the disk holds, or what was made of it, is not what was once there: others may replace it. */
  | 'DAMAGE'
  /** A port cannot be bound. */
  | 'PORT'
  /** A write or sync failed: what is on the disk is no longer known. */
  | 'DISK'
  /** State was found broken; serving it would spread the damage. */
  | 'INVARIANT';

const EXIT_CODES: Readonly<Record<FatalCode, number>> = {
  CONFIG: 2,
  DATA: 3,
  DAMAGE: 3,
  PORT: 4,
  DISK: 5,
  INVARIANT: 1,
};

export class FatalError extends Error {
  override readonly name = 'FatalError';
  readonly code: FatalCode;
  /** The message without what to do. */
  readonly what: string;
  /** What to do, where that is said apart. */
  readonly remedy: string | undefined;

  /** `what` is a sentence for the operator: what and where, and what to do unless `remedy` says it. */
  constructor(
    code: FatalCode,
    what: string,
    options: { readonly cause?: unknown; readonly remedy?: string | undefined } = {},
  ) {
    const { cause, remedy } = options;
    super(
      remedy === undefined ? what : `${what}; ${remedy}`,
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
    this.what = what;
    this.remedy = remedy;
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

const DAMAGE_CODES: readonly string[] = [
  'LOG_DAMAGED',
  'META_DAMAGED',
  'STATE_DAMAGED',
  // A generation is durable before any log names it: where it is missing, the disk lost it.
  'STATE_MISSING',
  'STORE_DAMAGED',
];

/** Bytes that are not those once written, as opposed to those of another server, version or time. */
export function isDamage(error: unknown): error is StoreError | RuntimeError {
  const isOfDisk = error instanceof StoreError || error instanceof RuntimeError;
  return isOfDisk && DAMAGE_CODES.includes(error.code);
}

const DISK_ADVICE =
  'what is on the disk is no longer known, so this server stops without trying again; check the disk, then start it';

/**
 * Any error as a fatal one: wrong data, a disk that refused, or else a broken invariant, wherever in
 * the server it came to light.
 */
export function asFatal(error: unknown): FatalError {
  if (error instanceof FatalError) return error;
  if (isDamage(error)) return new FatalError('DAMAGE', error.message, { cause: error });
  if (error instanceof StoreError) return new FatalError('DATA', error.message, { cause: error });
  if (error instanceof RuntimeError) {
    return new FatalError('DISK', `${error.message}; ${DISK_ADVICE}`, { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new FatalError('INVARIANT', message, { cause: error });
}
