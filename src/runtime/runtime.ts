/**
 * The seam: everything through which a server reaches the world. One implementation runs on real
 * machines (node/), one in the simulator (src/testing); server code cannot tell which it runs on.
 *
 * Rules both implementations keep: no callback is called from inside the call that asked for it;
 * callbacks of one stream come in the order of its bytes; after `onClose` a stream is silent.
 */

import type { FaultSite } from './fault-site.ts';

export interface Clock {
  /** Milliseconds since some fixed moment, never going back; for every timeout and interval. */
  monotonicMs(): number;
  /** Milliseconds since 1970; may jump. Only for what people read and for ctime and mtime. */
  wallMs(): number;
  /** Of the time of `monotonicMs`, about so much the thread has worked, or could have; the rest it slept. */
  busyMs(): number;
}

/** A pending call; a value to hand back to `clear`, nothing else. */
export type Timer = object;

export interface Timers {
  /** Calls once, at the earliest after so many milliseconds. */
  set(delayMs: number, callback: () => void): Timer;
  /** Calls every so many milliseconds until cleared. */
  every(periodMs: number, callback: () => void): Timer;
  clear(timer: Timer): void;
  /** Calls once when the current turn's input has been handled: the place to flush what a turn gathered. */
  defer(callback: () => void): void;
}

export interface Runtime {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly network: Network;
  readonly storage: Storage;
  /** Fresh random bytes, owned by the caller. */
  randomBytes(count: number): Uint8Array;
  /** Absent where there is no process; resolves to undefined where the platform does not tell. */
  openFiles?(): Promise<OpenFiles | undefined>;
  /** Told where the process is, in the simulator only: it may not live to see the call return. */
  reached?(site: FaultSite): void;
}

/** Files and sockets that the process has open, and may have. */
export interface OpenFiles {
  readonly count: number;
  /** Infinity: no limit. */
  readonly max: number;
}

// Network ---------------------------------------------------------------------------------------

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ListenOptions {
  /** undefined: all interfaces. */
  readonly host?: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  readonly backlog?: number | undefined;
}

export interface Listener {
  readonly address: Address;
  close(): Promise<void>;
}

export interface Network {
  /**
   * Rejects with a `RuntimeError` (code `ADDRESS_IN_USE`, `ADDRESS_UNAVAILABLE`, `ACCESS_DENIED`).
   * `onStream` must call `stream.attach` before it returns.
   */
  listen(options: ListenOptions, onStream: (stream: ByteStream) => void): Promise<Listener>;
  /** Starts to connect; success is `onOpen`, failure `onClose` with an error. Attach before the turn ends. */
  connect(address: Address, timeoutMs: number): ByteStream;
}

export interface StreamHandler {
  /** The stream is connected (dialled streams only). */
  onOpen?(): void;
  /** Bytes arrived. The chunk belongs to the stream again when the call returns: copy what must stay. */
  onData(chunk: Uint8Array): void;
  /** What `write` reported as too much has left. */
  onDrain?(): void;
  /** The other side will send no more; this side may still write. */
  onEnd?(): void;
  /** Last call, exactly once; with the error that ended the stream, if one did. */
  onClose(error: Error | undefined): void;
}

export interface ByteStream {
  readonly remote: Address;
  readonly local: Address;
  attach(handler: StreamHandler): void;
  /** Takes the bytes over: the caller changes them no more until nothing is buffered. False: more than enough is waiting, write again after `onDrain`. */
  write(bytes: Uint8Array): boolean;
  /** Bytes written and not yet handed to the network. */
  readonly bufferedBytes: number;
  pause(): void;
  resume(): void;
  /** Sends what is buffered, then closes this direction; the stream closes when both sides are done. */
  end(): void;
  /** Closes at once, dropping what is buffered. */
  destroy(): void;
}

// Storage ---------------------------------------------------------------------------------------

export interface Storage {
  /**
   * Opens an ordered key-value store kept in a directory. With `create` false a missing store is an
   * error: an empty store where data should be is never taken for data.
   * Rejects with a `RuntimeError`: `STORE_MISSING`, `STORE_LOCKED`, `STORE_DAMAGED`, `IO`.
   */
  open(directory: string, options: OpenOptions): Promise<KeyValueStore>;
  /** Whether the directory holds a store that `open` would open. */
  exists(directory: string): Promise<boolean>;
  /** The whole file as text, or undefined when there is none. */
  readText(file: string): Promise<string | undefined>;
  /** Replaces a file whole and durably (temporary file, sync, rename, sync of the directory). */
  writeText(file: string, text: string): Promise<void>;
  /**
   * Gives a file, or a directory whose stores are closed, another name in the same file system,
   * durably. What was there under that name, if it is a file, is gone.
   */
  move(from: string, to: string): Promise<void>;
  /** Names in a directory; empty when there is none. */
  list(directory: string): Promise<string[]>;
  /** Of the file system that holds a directory; undefined when there is none, or it does not tell. */
  space(directory: string): Promise<DiskSpace | undefined>;
  /** Bytes under a directory, all levels; 0 when there is none. */
  size(directory: string): Promise<number>;
}

export interface OpenOptions {
  readonly create: boolean;
  /**
   * What is written is deleted in about the order in which it was written, and seldom read; no value
   * is empty. The same data can be opened with and without this.
   */
  readonly isQueue?: boolean | undefined;
}

export interface DiskSpace {
  /** What this process may still use. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export type KeyValue = readonly [key: Uint8Array, value: Uint8Array];

export interface KeyRange {
  readonly gte?: Uint8Array | undefined;
  readonly gt?: Uint8Array | undefined;
  readonly lt?: Uint8Array | undefined;
  readonly lte?: Uint8Array | undefined;
  readonly reverse?: boolean | undefined;
}

/** Keys compare as unsigned bytes. Keys and values handed out belong to the caller. */
export interface KeyValueStore {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  batch(): WriteBatch;
  /** A view of the store as it is now, whatever is written later. Close it. */
  scan(range: KeyRange): Cursor;
  close(): Promise<void>;
}

export interface WriteBatch {
  /** Takes key and value over until the write has settled. */
  put(key: Uint8Array, value: Uint8Array): void;
  delete(key: Uint8Array): void;
  readonly length: number;
  /**
   * Writes all or nothing. Batches take effect in the order of their `write` calls; an unsynced one
   * is durable at the latest with the next synced one. After a rejection nothing more may be written.
   */
  write(options: { readonly sync: boolean }): Promise<void>;
}

export interface Cursor {
  /** Up to `limit` pairs, fewer only at the end. */
  next(limit: number): Promise<KeyValue[]>;
  close(): Promise<void>;
}

export type RuntimeErrorCode =
  | 'ADDRESS_IN_USE'
  | 'ADDRESS_UNAVAILABLE'
  | 'ACCESS_DENIED'
  | 'CONNECT_FAILED'
  | 'CONNECT_TIMEOUT'
  | 'STREAM_BROKEN'
  | 'STORE_MISSING'
  | 'STORE_LOCKED'
  | 'STORE_DAMAGED'
  | 'IO';

/** What the world refused. `message` names the address or path; `cause` is the platform's own error. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: RuntimeErrorCode;

  constructor(code: RuntimeErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
