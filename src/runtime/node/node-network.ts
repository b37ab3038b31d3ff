/** TCP through `node:net`. */

import { createConnection, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { invariant } from '../../base/assert.ts';
import {
  type Address,
  type ByteStream,
  type Listener,
  type ListenOptions,
  type Network,
  RuntimeError,
  type RuntimeErrorCode,
  type StreamHandler,
} from '../runtime.ts';

/** Bytes waiting in a socket above which `write` says false: a few full frames, not a queue. */
const HIGH_WATER_BYTES = 64 * 1024;
/** Deep enough for all clients of a server that died to come at once. */
const DEFAULT_BACKLOG = 1024;

/** Half-open, because `nc` ends its side before it reads the answer; no delay, because callers write whole turns. */
const SOCKET_OPTIONS = {
  allowHalfOpen: true,
  noDelay: true,
  highWaterMark: HIGH_WATER_BYTES,
} as const;

const UNKNOWN_ADDRESS: Address = { host: '', port: 0 };

export class NodeNetwork implements Network {
  listen(options: ListenOptions, onStream: (stream: ByteStream) => void): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const server = createServer(SOCKET_OPTIONS, (socket) => {
        const stream = new NodeStream(socket, addressOf(socket.remoteAddress, socket.remotePort));
        onStream(stream);
        invariant(stream.isAttached, 'an accepted stream was not attached');
      });
      const place = addressText({ host: options.host ?? '*', port: options.port });
      server.once('error', (error) => {
        reject(listenError(error, place));
      });
      const { host, port, backlog = DEFAULT_BACKLOG } = options;
      server.listen(host === undefined ? { port, backlog } : { host, port, backlog }, () => {
        server.removeAllListeners('error');
        // Errors of single accepts, such as too many open files: the listener goes on, and who
        // could not be accepted finds out by itself.
        server.on('error', () => undefined);
        resolve(new NodeListener(server));
      });
    });
  }

  connect(address: Address, timeoutMs: number): ByteStream {
    const socket = createConnection({ ...SOCKET_OPTIONS, host: address.host, port: address.port });
    const stream = new NodeStream(socket, address);
    stream.awaitOpen(timeoutMs);
    return stream;
  }
}

class NodeListener implements Listener {
  readonly address: Address;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    const bound = server.address();
    invariant(bound !== null && typeof bound === 'object', 'a listening server has an address');
    this.address = { host: bound.address, port: bound.port };
  }

  /** Node's own callback waits for all connections to end; ours are closed by whoever holds them. */
  close(): Promise<void> {
    this.#server.close();
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

class NodeStream implements ByteStream {
  readonly remote: Address;
  readonly #socket: Socket;
  #handler: StreamHandler | undefined = undefined;
  #connectTimer: NodeJS.Timeout | undefined = undefined;
  #local = UNKNOWN_ADDRESS;
  #isOpen = true;
  #endAsked = false;
  #error: Error | undefined = undefined;

  constructor(socket: Socket, remote: Address) {
    this.#socket = socket;
    this.remote = remote;
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

  /** Called in the turn of `connect`. */
  awaitOpen(timeoutMs: number): void {
    this.#isOpen = false;
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
    socket.on('data', (chunk: Buffer) => {
      // A plain array: on a Buffer `slice` would not copy, in the simulator it does.
      handler.onData(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    });
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

const LISTEN_CODES: Readonly<Record<string, RuntimeErrorCode>> = {
  EADDRINUSE: 'ADDRESS_IN_USE',
  EADDRNOTAVAIL: 'ADDRESS_UNAVAILABLE',
  ENOTFOUND: 'ADDRESS_UNAVAILABLE',
  EAI_AGAIN: 'ADDRESS_UNAVAILABLE',
  EACCES: 'ACCESS_DENIED',
  EPERM: 'ACCESS_DENIED',
};

function listenError(error: Error, place: string): RuntimeError {
  const code = LISTEN_CODES[systemCode(error)] ?? 'IO';
  return new RuntimeError(code, `cannot listen on ${place}: ${errorText(error)}`, {
    cause: error,
  });
}

/** `ECONNREFUSED` and the like; empty when the error has none. */
function systemCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** When several addresses of one name were tried, Node's message is empty and only the code is left. */
function errorText(error: Error): string {
  return error.message === '' ? systemCode(error) : error.message;
}

function addressOf(host: string | undefined, port: number | undefined): Address {
  return host === undefined || port === undefined ? UNKNOWN_ADDRESS : { host, port };
}

function addressText({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
