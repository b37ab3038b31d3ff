/** Sockets that do what no client should. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectFrame } from '../support/client-kit.ts';

/** Connections dialled at a time: more would only wait in the kernel's queue. */
const PARALLEL = 250;

export class FloodSockets {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();

  constructor(port: number) {
    this.#port = port;
  }

  /** Sockets that the server has not closed. */
  get openCount(): number {
    let count = 0;
    for (const socket of this.#sockets) if (!socket.destroyed && !socket.readableEnded) count += 1;
    return count;
  }

  /** Opens so many connections, each of which first sends the bytes; a paused one never reads. */
  async open(count: number, bytes: Uint8Array, isPaused = false): Promise<Socket[]> {
    const opened: Socket[] = [];
    while (opened.length < count) {
      const batch = Math.min(PARALLEL, count - opened.length);
      const sockets = Array.from({ length: batch }, () => this.#dial(bytes, isPaused));
      await Promise.all(sockets.map(connectedOrGone));
      opened.push(...sockets);
    }
    return opened;
  }

  /** Connections with a session each; its reply may lie unread. */
  async openSessions(count: number, isPaused = false): Promise<Socket[]> {
    const sockets = await this.open(count, Buffer.from(connectFrame(), 'hex'));
    await Promise.all(
      sockets.map((socket) => Promise.race([once(socket, 'data'), closed(socket)])),
    );
    if (isPaused) for (const socket of sockets) socket.pause();
    return sockets;
  }

  /** Waits until the server has closed all but so many, or the time is over. */
  async closedBut(count: number, timeoutMs: number): Promise<void> {
    for (const end = performance.now() + timeoutMs; performance.now() < end; ) {
      if (this.openCount <= count) return;
      await sleep(20);
    }
  }

  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #dial(bytes: Uint8Array, isPaused: boolean): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true });
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    if (isPaused) socket.pause();
    else socket.on('data', () => undefined);
    if (bytes.length > 0) socket.write(bytes);
    return socket;
  }
}

function connectedOrGone(socket: Socket): Promise<unknown> {
  return Promise.race([once(socket, 'connect'), closed(socket)]).catch(() => undefined);
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
