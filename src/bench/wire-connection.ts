/**
 * One connection with a session, reduced to what a load needs: bytes out, heads of replies in. What
 * stands behind the head of a reply is counted and dropped.
 */

import { connect, type Socket } from 'node:net';
import { SESSION_NONE } from '../base/ids.ts';
import { JuteWriter } from '../protocol/jute-writer.ts';
import { encodeConnectRequest } from '../protocol/records/connect.ts';
import type { Address } from '../runtime/runtime.ts';
import { ConnectionLostError } from './session-client.ts';

const SESSION_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Length, xid, zxid and error of a reply; of the handshake's answer, all up to the session's id. */
const HEAD_BYTES = 20;
const HEAD_AFTER_LENGTH = HEAD_BYTES - 4;
const CHUNK_BYTES = 64 * 1024;
/** The next read overwrites it, for all connections: what it holds is used up before `onread` returns. */
const CHUNK = Buffer.allocUnsafeSlow(CHUNK_BYTES);
const CONNECT_FRAME = connectFrame();

export interface WireEvents {
  /** A whole reply has come; `head` holds its first 20 bytes, until the next one comes. */
  replied(head: Buffer, nowMs: number): void;
  /** All replies of one read have been handed over. */
  readEnded(): void;
  /** The connection broke, closed, or said what cannot be understood. Not called after `close()`. */
  failed(reason: string): void;
}

export class WireConnection {
  readonly #events: WireEvents;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #socket: Socket | undefined;
  #headCount = 0;
  #bodyLeft = -1;
  #isOpen = false;
  #isDone = false;
  #onOpen: (() => void) | undefined;
  #onRefused: ((error: Error) => void) | undefined;

  constructor(events: WireEvents) {
    this.#events = events;
  }

  /** Bytes that the kernel has not taken yet. */
  get unsentBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** Resolves when the server has given a session; rejects when it does not in time. */
  connect(address: Address): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = (): void => this.#fail(`no session from port ${address.port} in time`);
      const timer = setTimeout(refuse, CONNECT_TIMEOUT_MS);
      this.#onOpen = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#onRefused = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      const socket = connect({
        host: address.host,
        port: address.port,
        noDelay: true,
        onread: { buffer: CHUNK, callback: (count) => this.#received(count) },
      });
      socket.on('connect', () => socket.write(CONNECT_FRAME));
      socket.on('error', (error) => this.#fail(`port ${address.port}: ${error.message}`));
      socket.on('close', () => this.#fail(`port ${address.port} closed the connection`));
      this.#socket = socket;
    });
  }

  /** The bytes are the socket's until `unsentBytes` is 0. */
  write(bytes: Uint8Array): void {
    this.#socket?.write(bytes);
  }

  /** Drops the connection; a session that was not closed lives on until it expires. */
  close(): void {
    this.#isDone = true;
    this.#socket?.destroy();
  }

  /** Takes `count` bytes at the beginning of `CHUNK`; true asks for more. */
  #received(count: number): boolean {
    const nowMs = performance.now();
    let at = 0;
    while (at < count && !this.#isDone) {
      if (this.#bodyLeft < 0) {
        const taken = Math.min(HEAD_BYTES - this.#headCount, count - at);
        CHUNK.copy(this.#head, this.#headCount, at, at + taken);
        this.#headCount += taken;
        at += taken;
        if (this.#headCount < HEAD_BYTES) break;
        this.#bodyLeft = this.#head.readInt32BE(0) - HEAD_AFTER_LENGTH;
        if (this.#bodyLeft < 0) {
          this.#fail('a reply shorter than its header');
          break;
        }
      }
      const taken = Math.min(this.#bodyLeft, count - at);
      this.#bodyLeft -= taken;
      at += taken;
      if (this.#bodyLeft > 0) break;
      this.#bodyLeft = -1;
      this.#headCount = 0;
      if (this.#isOpen) this.#events.replied(this.#head, nowMs);
      else this.#handshaken();
    }
    if (!this.#isDone) this.#events.readEnded();
    return !this.#isDone;
  }

  #handshaken(): void {
    const timeoutMs = this.#head.readInt32BE(8);
    if (timeoutMs <= 0) {
      this.#fail('the server gave no session');
      return;
    }
    this.#isOpen = true;
    this.#onOpen?.();
  }

  #fail(reason: string): void {
    if (this.#isDone) return;
    this.close();
    if (this.#isOpen) this.#events.failed(reason);
    else this.#onRefused?.(new ConnectionLostError('CONNECTION_LOST', reason));
  }
}

function connectFrame(): Uint8Array {
  const writer = new JuteWriter();
  const mark = writer.beginFrame();
  encodeConnectRequest(writer, {
    protocolVersion: 0,
    lastZxidSeen: 0,
    timeoutMs: SESSION_TIMEOUT_MS,
    sessionId: SESSION_NONE,
    password: new Uint8Array(16),
    readOnly: false,
  });
  writer.endFrame(mark);
  return writer.take();
}
