/** A TCP connection, on a socket of `node:net`. */

import { type ConnectOpts, isIPv6, Socket, type SocketConstructorOpts } from 'node:net';
import { invariant } from '../../base/assert.ts';
import {
  type Address,
  type ByteStream,
  RuntimeError,
  type RuntimeErrorCode,
  type StreamHandler,
} from '../runtime.ts';

/** Bytes waiting in a socket above which `write` says false: a few full frames, not a queue. */
const HIGH_WATER_BYTES = 64 * 1024;
/** As much as Node reads at once. */
const READ_BYTES = 64 * 1024;

/**
 * All sockets are read into this, since a chunk is its reader's only until the reader returns. A
 * buffer for each read, made and shrunk, takes Node a third of the time of a small request.
 */
const READ_BUFFER = new Uint8Array(READ_BYTES);

/** Half-open, because `nc` ends its side before it reads the answer. */
export const SOCKET_OPTIONS = { allowHalfOpen: true, highWaterMark: HIGH_WATER_BYTES } as const;

const UNKNOWN_ADDRESS: Address = { host: '', port: 0 };

/** What Node keeps of a connection below a `Socket`. */
export interface SocketHandle {
  readonly getpeername: unknown;
}

/** What a `Socket` takes, with what Node's types leave out. */
type SocketSettings = SocketConstructorOpts &
  ConnectOpts & { handle: SocketHandle | undefined; highWaterMark: number };

export class NodeStream implements ByteStream {
  readonly #socket: Socket;
  #remote: Address;
  #handler: StreamHandler | undefined = undefined;
  #connectTimer: NodeJS.Timeout | undefined = undefined;
  #local = UNKNOWN_ADDRESS;
  #isOpen = true;
  #endAsked = false;
  #error: Error | undefined = undefined;

  /** Of a socket that a server accepted, or of the handle of one, which is cheaper to read from. */
  static accepted(source: Socket | SocketHandle): NodeStream {
    const stream = new NodeStream(source);
    const { remoteAddress, remotePort } = stream.#socket;
    stream.#remote = addressOf(remoteAddress, remotePort);
    return stream;
  }

  static dialled(address: Address, timeoutMs: number): NodeStream {
    const stream = new NodeStream(undefined);
    stream.#remote = address;
    stream.#dial(timeoutMs);
    return stream;
  }

  private constructor(source: Socket | SocketHandle | undefined) {
    this.#remote = UNKNOWN_ADDRESS;
    if (source instanceof Socket) {
      this.#socket = source;
      source.on('data', (chunk) => this.#received(chunk, chunk.length));
      return;
    }
    const onread = {
      buffer: READ_BUFFER,
      callback: (count: number, buffer: Uint8Array): boolean => {
        this.#received(buffer, count);
        return true;
      },
    };
    // No spread: copying the two would take longer than the rest of the literal, for each connection.
    const options: SocketSettings = {
      allowHalfOpen: SOCKET_OPTIONS.allowHalfOpen,
      highWaterMark: SOCKET_OPTIONS.highWaterMark,
      handle: source,
      onread,
    };
    this.#socket = new Socket(options);
    this.#socket.setNoDelay(true);
  }

  get remote(): Address {
    return this.#remote;
  }

  get isAttached(): boolean {
    return this.#handler !== undefined;
  }

  /** Unknown (port 0) until a dialled stream is open; kept after it is closed. */
  get local(): Address {
    if (this.#local.port === 0) {
      this.#local = addressOf(this.#socket.localAddress, this.#socket.localPort);
    }
    return this.#local;
  }

  get bufferedBytes(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength;
  }

  #dial(timeoutMs: number): void {
    this.#isOpen = false;
    this.#socket.connect({ host: this.#remote.host, port: this.#remote.port });
    this.#connectTimer = setTimeout(() => {
      const reason = `${addressText(this.remote)}: no answer within ${timeoutMs} ms`;
      this.#socket.destroy(new RuntimeError('CONNECT_TIMEOUT', reason));
    }, timeoutMs);
    this.#socket.once('connect', () => {
      clearTimeout(this.#connectTimer);
      this.#isOpen = true;
      this.#attached().onOpen?.();
    });
  }

  attach(handler: StreamHandler): void {
    invariant(this.#handler === undefined, 'a stream has one handler');
    this.#handler = handler;
    const socket = this.#socket;
    socket.on('drain', () => handler.onDrain?.());
    socket.on('end', () => {
      if (!socket.destroyed) handler.onEnd?.();
    });
    socket.on('error', (error) => {
      this.#error ??= this.#streamError(error);
    });
    socket.on('close', () => {
      clearTimeout(this.#connectTimer);
      handler.onClose(this.#error);
    });
  }

  write(bytes: Uint8Array): boolean {
    invariant(!this.#endAsked, 'nothing is written after the end');
    if (this.#socket.destroyed || bytes.length === 0) return true;
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#endAsked || this.#socket.destroyed) return;
    this.#endAsked = true;
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #received(bytes: Uint8Array, count: number): void {
    // A plain array: on a Buffer `slice` would not copy, in the simulator it does.
    this.#attached().onData(new Uint8Array(bytes.buffer, bytes.byteOffset, count));
  }

  #attached(): StreamHandler {
    const handler = this.#handler;
    invariant(handler !== undefined, 'a stream without a handler');
    return handler;
  }

  #streamError(error: Error): Error {
    if (error instanceof RuntimeError) return error;
    const code: RuntimeErrorCode = this.#isOpen ? 'STREAM_BROKEN' : 'CONNECT_FAILED';
    return new RuntimeError(code, `${addressText(this.remote)}: ${errorText(error)}`, {
      cause: error,
    });
  }
}

/** `ECONNREFUSED` and the like; empty when the error has none. */
export function systemCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** When several addresses of one name were tried, Node's message is empty and only the code is left. */
export function errorText(error: Error): string {
  return error.message === '' ? systemCode(error) : error.message;
}

function addressOf(host: string | undefined, port: number | undefined): Address {
  return host === undefined || port === undefined ? UNKNOWN_ADDRESS : { host, port };
}

export function addressText({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
