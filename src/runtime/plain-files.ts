/**
 * Plain files, for what was written by another program or is meant for one: a server keeps nothing
 * of its own in them but a few short texts, which `Storage` reads and writes.
 */

export interface PlainFiles {
  /** Names in a directory, in no order; empty when there is none. */
  list(directory: string): Promise<string[]>;
  /** Whether a path is a directory, a file, or nothing. */
  kind(path: string): Promise<'directory' | 'file' | 'missing'>;
  /** Bytes of a file. Rejects with a `RuntimeError` of code `IO` or `ACCESS_DENIED`, as all do here. */
  size(file: string): Promise<number>;
  /** The file from its beginning, in pieces of about 1 MiB that belong to the caller. */
  read(file: string): AsyncIterable<Uint8Array>;
  /**
   * Writes a new file durably, its directory included, and makes the directories above it. The file
   * has another name until it is complete, so a file of this name is always whole.
   */
  write(file: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void>;
}
