/**
 * A file read front to back without ever holding more than a piece of it: a window of bytes not yet
 * used, which moves on as they are, and grows while what is to be read next does not fit.
 */

import { invariant } from '../base/assert.ts';
import { JuteReader } from '../protocol/jute-reader.ts';
import { damagedFile } from './apache-data-error.ts';

/** No record of the original's comes near it; a length that asks for more is not a length. */
export const RECORD_BYTES_MAX = 512 * 1024 * 1024;

const NO_BYTES = Buffer.alloc(0);

export class ByteSource {
  /** Name for messages. */
  readonly file: string;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #reader = new JuteReader();
  #window: Buffer = NO_BYTES;
  #offset = 0;
  #hasEnded = false;

  constructor(file: string, chunks: AsyncIterable<Uint8Array>) {
    this.file = file;
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Bytes at hand and not consumed; valid until `more`, and what views of it were handed out too. */
  get window(): Uint8Array {
    return this.#window;
  }

  /** Where the window begins, counted from the beginning of the file. */
  get offset(): number {
    return this.#offset;
  }

  consume(count: number): void {
    invariant(count >= 0 && count <= this.#window.length, 'more consumed than there is');
    this.#window = this.#window.subarray(count);
    this.#offset += count;
  }

  /**
   * Makes the window longer, at least to twice its length, so that a long record is not copied once
   * for every piece of it. False, with the window as it was, at the end of the file.
   */
  async more(): Promise<boolean> {
    if (this.#hasEnded) return false;
    if (this.#window.length > RECORD_BYTES_MAX) throw this.damaged('a length in it is impossible');
    const parts: Uint8Array[] = [this.#window];
    const wanted = Math.max(1, this.#window.length);
    let added = 0;
    while (added < wanted) {
      const next = await this.#chunks.next();
      if (next.done === true) {
        this.#hasEnded = true;
        break;
      }
      parts.push(next.value);
      added += next.value.length;
    }
    if (added === 0) return false;
    // What was handed out are views of the old window: it is left as it is.
    this.#window = Buffer.concat(parts);
    return true;
  }

  /** Makes sure that so many bytes are at hand; false when the file ends before. */
  async require(count: number): Promise<boolean> {
    while (this.#window.length < count) {
      if (!(await this.more())) return false;
    }
    return true;
  }

  /** Decodes one thing and consumes it; undefined when the file ends within it. Views are of the window. */
  async decode<T>(read: (reader: JuteReader) => T): Promise<T | undefined> {
    for (;;) {
      this.#reader.aim(this.#window);
      const value = read(this.#reader);
      if (!this.#reader.failed) {
        this.consume(this.#reader.position);
        return value;
      }
      if (!(await this.more())) return undefined;
    }
  }

  damaged(problem: string, offset: number = this.#offset): Error {
    return damagedFile(this.file, offset, problem);
  }

  async close(): Promise<void> {
    this.#hasEnded = true;
    await this.#chunks.return?.();
  }
}
