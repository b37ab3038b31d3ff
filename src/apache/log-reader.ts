/**
 * A transaction log of the original's:
 *
 *     "ZKLG":4 version:int=2 dbid:long
 *     { checksum:long=Adler-32 of the payload  length:int  payload  'B':1 }...
 *     zeros to the end of what was allocated in advance
 *
 * A record that is cut off, or lacks its `B`, was being written when the server died: nobody was told
 * that it is there, and the original takes it for the end as well.
 */

import { adler32 } from './adler32.ts';
import { type ByteSource, RECORD_BYTES_MAX } from './byte-source.ts';
import { decodeTxnRecord, type TxnRecord } from './txn-record.ts';

export const LOG_MAGIC = 0x5a4b4c47;
export const LOG_VERSION = 2;
export const LOG_HEADER_BYTES = 16;
export const RECORD_HEADER_BYTES = 12;
export const END_OF_RECORD = 0x42;

export interface LogRecord extends TxnRecord {
  /** Where the record begins in the file. */
  readonly offset: number;
}

/** How a file ended. */
export interface LogEnd {
  /** `empty`: the server died before it wrote the header. `torn`: within a record. */
  readonly kind: 'clean' | 'empty' | 'torn';
  /** Behind the last whole record. */
  readonly offset: number;
  /** Where bytes other than zero stand behind the end; undefined when there are none. */
  readonly restAt: number | undefined;
}

export class LogReader {
  readonly #source: ByteSource;
  #hasHeader = false;
  /** What the records ended with, once that was met. */
  #stop: 'clean' | 'torn' | undefined;
  #end: LogEnd | undefined;

  /** Takes the source over. */
  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Defined once `next` has returned undefined. */
  get end(): LogEnd | undefined {
    return this.#end;
  }

  /**
   * The records at hand, never none of them; undefined at the end. Their data are views that stay
   * valid. Throws an `ApacheDataError` of code `DAMAGED` at a record that is whole and wrong.
   */
  async next(): Promise<readonly LogRecord[] | undefined> {
    if (!this.#hasHeader) await this.#readHeader();
    while (this.#end === undefined) {
      const records = this.#stop === undefined ? this.#readRecords() : [];
      if (records.length > 0) return records;
      if (this.#stop !== undefined) this.#end = await this.#finish(this.#stop);
      else if (!(await this.#source.more())) this.#end = await this.#finish('torn');
    }
    return undefined;
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  async #readHeader(): Promise<void> {
    this.#hasHeader = true;
    const source = this.#source;
    if (!(await source.require(LOG_HEADER_BYTES))) {
      this.#end = { kind: 'empty', offset: 0, restAt: undefined };
      return;
    }
    const header = viewOf(source.window);
    if (header.getUint32(0) !== LOG_MAGIC) {
      throw source.damaged('it does not begin as a transaction log does');
    }
    const version = header.getInt32(4);
    if (version !== LOG_VERSION) throw source.damaged(`its format ${version} is not known`);
    source.consume(LOG_HEADER_BYTES);
  }

  /** The whole records in the window; notes it when they end. */
  #readRecords(): LogRecord[] {
    const source = this.#source;
    const { window, offset } = source;
    const view = viewOf(window);
    const records: LogRecord[] = [];
    let at = 0;
    while (window.length - at >= RECORD_HEADER_BYTES) {
      const length = view.getInt32(at + 8);
      if (length === 0) {
        this.#stop = 'clean';
        break;
      }
      if (length < 0 || length > RECORD_BYTES_MAX) {
        throw source.damaged('the length of the record there is impossible', offset + at);
      }
      const start = at + RECORD_HEADER_BYTES;
      if (start + length >= window.length) break;
      if (window[start + length] !== END_OF_RECORD) {
        this.#stop = 'torn';
        break;
      }
      records.push(this.#readRecord(view, at, offset + at, length));
      at = start + length + 1;
    }
    source.consume(at);
    return records;
  }

  #readRecord(view: DataView, at: number, offset: number, length: number): LogRecord {
    const payload = new Uint8Array(view.buffer, view.byteOffset + at + RECORD_HEADER_BYTES, length);
    if (view.getUint32(at) !== 0 || view.getUint32(at + 4) !== adler32(payload)) {
      throw this.#source.damaged('the checksum of the record there does not match', offset);
    }
    const record = decodeTxnRecord(payload);
    if (typeof record === 'string') {
      throw this.#source.damaged(`the record there cannot be read: ${record}`, offset);
    }
    return { ...record, offset };
  }

  /** Looks through what is left of a file whose records have ended: nothing should stand there. */
  async #finish(stop: 'clean' | 'torn'): Promise<LogEnd> {
    const source = this.#source;
    const { offset, window } = source;
    // Without space allocated in advance the file ends where the last record does.
    if (stop === 'torn' && window.some(isNotZero))
      return { kind: 'torn', offset, restAt: undefined };
    for (;;) {
      const found = source.window.findIndex(isNotZero);
      if (found >= 0) return { kind: 'clean', offset, restAt: source.offset + found };
      source.consume(source.window.length);
      if (!(await source.more())) return { kind: 'clean', offset, restAt: undefined };
    }
  }
}

function isNotZero(byte: number): boolean {
  return byte !== 0;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
