/** What is wrong with the data on disk, said so that a person can act on it. */

export type StoreErrorCode =
  /** The log store is empty: it was never created, or it was lost. */
  | 'LOG_MISSING'
  /** A log is already there, so none may be created. */
  | 'LOG_EXISTS'
  /** The directory belongs to another server. */
  | 'WRONG_SERVER'
  /** The record of identity and promises is unreadable: as good as an empty disk. */
  | 'META_DAMAGED'
  /** Written by a newer version. */
  | 'FORMAT_UNKNOWN'
  /** Identity and promises are intact, the history is not. */
  | 'LOG_DAMAGED'
  /** Asked for entries that a trim has dropped. */
  | 'LOG_TRIMMED'
  /** The generation that the log names is not in the state store. */
  | 'STATE_MISSING'
  /** A checkpoint is already there, so none may be created. */
  | 'STATE_EXISTS'
  | 'STATE_DAMAGED'
  /** A snapshot arrived incomplete or changed; nothing of this server's own is affected. */
  | 'SNAPSHOT_DAMAGED';

/** Refusal of a store; `message` is a sentence that names the place and the remedy. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** Which record or range of zxids, for example `log group 0x100000001`. */
  readonly place: string;
  readonly remedy: string;

  constructor(code: StoreErrorCode, place: string, problem: string, remedy: string) {
    super(`${place}: ${problem}; ${remedy}`);
    this.code = code;
    this.place = place;
    this.remedy = remedy;
  }
}
