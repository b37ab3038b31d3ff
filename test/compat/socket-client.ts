/** A client that shows frames as they come: one TCP connection, whole frames out, whole frames in. */

import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

type Waiting = { readonly resolve: (frame: Uint8Array | undefined) => void };

export class SocketClient {
  readonly #socket: Socket;
  readonly #frames: Uint8Array[] = [];
  #input: Buffer = Buffer.alloc(0);
  #waiting: Waiting | undefined;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    // How a connection ends is its business: closing and resetting are one thing to a client.
    socket.on('error', () => this.#close());
    socket.on('close', () => this.#close());
    socket.on('end', () => this.#close());
  }

  /** `address`: host:port. */
  static async connect(address: string): Promise<SocketClient> {
    const [host, port] = address.split(':');
    const socket = createConnection({ host: host ?? '', port: Number(port) });
    await once(socket, 'connect');
    return new SocketClient(socket);
  }

  get isClosed(): boolean {
    return this.#isClosed && this.#frames.length === 0;
  }

  /** Bytes as they are, frames or not. */
  send(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#socket.write(bytes);
  }

  /** The next frame without its length; undefined: closed, or nothing came in time. */
  async next(timeoutMs: number): Promise<Uint8Array | undefined> {
    const frame = this.#frames.shift();
    if (frame !== undefined || this.#isClosed) return frame;
    return await new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting = undefined;
        resolve(undefined);
      }, timeoutMs);
      this.#waiting = {
        resolve: (found) => {
          clearTimeout(timer);
          this.#waiting = undefined;
          resolve(found);
        },
      };
    });
  }

  destroy(): void {
    this.#socket.destroy();
    this.#close();
  }

  #take(chunk: Buffer): void {
    this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
    let at = 0;
    while (this.#input.length - at >= 4) {
      const length = this.#input.readInt32BE(at);
      if (length < 0 || this.#input.length - at - 4 < length) break;
      this.#frames.push(this.#input.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    this.#input = this.#input.subarray(at);
    if (this.#frames.length > 0) this.#waiting?.resolve(this.#frames.shift());
  }

  #close(): void {
    this.#isClosed = true;
    this.#waiting?.resolve(undefined);
  }
}
