/**
 * One connection to one server: dialling, the handshake, frames both ways, and the two clocks of a
 * session. A third of the timeout without a word sent makes a ping; two thirds without a word heard
 * mean that the server is gone.
 */

import { invariant } from '../base/assert.ts';
import { OpCode } from '../base/op-code.ts';
import { FrameDecoder, FrameEvent } from '../protocol/frame-decoder.ts';
import { JuteReader } from '../protocol/jute-reader.ts';
import { JuteWriter } from '../protocol/jute-writer.ts';
import {
  type ConnectRequest,
  type ConnectResponse,
  decodeConnectResponse,
  encodeConnectRequest,
} from '../protocol/records/connect.ts';
import { encodeRequestHeader, SpecialXid } from '../protocol/records/header.ts';
import type { Address, ByteStream, StreamHandler, Timer } from '../runtime/runtime.ts';
import type { ClientRuntime } from './client-options.ts';

/** Who owns a connection. After `lost`, and after `destroy`, nothing is called any more. */
export interface ConnectionOwner {
  /** The server has answered the handshake. `password` is a view: copy it. */
  greeted(response: ConnectResponse): void;
  /** A frame behind the handshake. Its bytes are gone when the call returns. */
  received(frame: JuteReader): void;
  /** There is room for more requests. */
  drained(): void;
  lost(reason: Error): void;
}

export interface ConnectionOptions {
  /** For dialling and the handshake together. */
  readonly connectTimeoutMs: number;
  readonly replyBytesMax: number;
  readonly request: ConnectRequest;
}

/** Behind a full frame of the largest size: writes are gathered into fewer, not longer ones. */
const SLAB_BYTES = 64 * 1024;

export class Connection implements StreamHandler {
  readonly address: Address;
  /** Append whole frames, then `flush`. */
  readonly writer = new JuteWriter(SLAB_BYTES);
  readonly #runtime: ClientRuntime;
  readonly #owner: ConnectionOwner;
  readonly #options: ConnectionOptions;
  readonly #decoder: FrameDecoder;
  readonly #reader = new JuteReader();
  readonly #stream: ByteStream;
  #isGreeted = false;
  #isOver = false;
  #isCongested = false;
  #timeoutMs = 0;
  #heardAtMs: number;
  #saidAtMs: number;
  #timer: Timer;

  constructor(
    runtime: ClientRuntime,
    address: Address,
    owner: ConnectionOwner,
    options: ConnectionOptions,
  ) {
    this.address = address;
    this.#runtime = runtime;
    this.#owner = owner;
    this.#options = options;
    this.#decoder = new FrameDecoder(options.replyBytesMax, false);
    this.#heardAtMs = runtime.clock.monotonicMs();
    this.#saidAtMs = this.#heardAtMs;
    this.#stream = runtime.network.connect(address, options.connectTimeoutMs);
    this.#stream.attach(this);
    this.#timer = runtime.timers.set(options.connectTimeoutMs, () => {
      this.#fail(new Error(`no session within ${options.connectTimeoutMs} ms`));
    });
  }

  /** More than enough is waiting to be sent: `drained` will say when there is room. */
  get isCongested(): boolean {
    return this.#isCongested;
  }

  /** Sends what `writer` holds, or its first so many bytes and forgets the rest. */
  flush(byteCount: number = this.writer.length): void {
    const bytes = this.writer.take();
    if (byteCount === 0 || this.#isOver) return;
    this.#saidAtMs = this.#runtime.clock.monotonicMs();
    if (!this.#stream.write(bytes.subarray(0, byteCount))) this.#isCongested = true;
  }

  destroy(): void {
    this.#finish();
    this.#stream.destroy();
  }

  onOpen(): void {
    if (this.#isOver) return;
    const mark = this.writer.beginFrame();
    encodeConnectRequest(this.writer, this.#options.request);
    this.writer.endFrame(mark);
    this.flush();
  }

  onData(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#heardAtMs = this.#runtime.clock.monotonicMs();
    this.#decoder.push(chunk);
    while (!this.#isOver) {
      const event = this.#decoder.next();
      if (event === FrameEvent.more) break;
      if (event !== FrameEvent.frame) {
        this.#fail(new Error(`a frame of ${this.#decoder.word} bytes is longer than allowed`));
        return;
      }
      this.#reader.aim(this.#decoder.bytes, this.#decoder.start, this.#decoder.end);
      if (this.#isGreeted) this.#owner.received(this.#reader);
      else this.#greet();
    }
    this.#reader.release();
  }

  onDrain(): void {
    this.#isCongested = false;
    if (!this.#isOver) this.#owner.drained();
  }

  onEnd(): void {
    this.#fail(new Error('the server closed the connection'));
  }

  onClose(error: Error | undefined): void {
    this.#fail(error ?? new Error('the server closed the connection'));
  }

  /** For what the server did wrong: it is no longer to be believed. */
  broken(reason: string): void {
    this.#fail(new Error(reason));
  }

  #greet(): void {
    const response = decodeConnectResponse(this.#reader);
    if (response === undefined) {
      this.#fail(new Error('the answer to the handshake cannot be decoded'));
      return;
    }
    this.#isGreeted = true;
    this.#timeoutMs = response.timeoutMs;
    this.#runtime.timers.clear(this.#timer);
    if (response.timeoutMs > 0) this.#watchClock();
    this.#owner.greeted(response);
  }

  #watchClock(): void {
    const now = this.#runtime.clock.monotonicMs();
    const deadAtMs = this.#heardAtMs + (this.#timeoutMs * 2) / 3;
    if (now >= deadAtMs) {
      // This process may have stood still, and the answer may lie in the socket: look first.
      this.#runtime.timers.defer(() => this.#buryUnlessHeard(deadAtMs));
      return;
    }
    const pingAtMs = this.#saidAtMs + this.#timeoutMs / 3;
    if (now >= pingAtMs) this.#ping();
    const nextAtMs = Math.min(deadAtMs, this.#saidAtMs + this.#timeoutMs / 3);
    this.#timer = this.#runtime.timers.set(Math.max(1, nextAtMs - now), () => this.#watchClock());
  }

  #buryUnlessHeard(deadAtMs: number): void {
    if (this.#isOver) return;
    if (this.#heardAtMs + (this.#timeoutMs * 2) / 3 > deadAtMs) this.#watchClock();
    else
      this.#fail(
        new Error(`the server was silent for ${Math.round((this.#timeoutMs * 2) / 3)} ms`),
      );
  }

  #ping(): void {
    invariant(this.writer.length === 0, 'a ping would land inside a frame');
    const mark = this.writer.beginFrame();
    encodeRequestHeader(this.writer, SpecialXid.ping, OpCode.ping);
    this.writer.endFrame(mark);
    this.flush();
  }

  #fail(reason: Error): void {
    if (this.#isOver) return;
    this.#finish();
    this.#stream.destroy();
    this.#owner.lost(reason);
  }

  #finish(): void {
    this.#isOver = true;
    this.#runtime.timers.clear(this.#timer);
  }
}
