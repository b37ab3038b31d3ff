/**
 * One end of a simulated connection: what a kernel and a process's socket do together. Arrivals are
 * the kernel's and happen whether or not the process is paused; callbacks are the process's.
 */

import { invariant } from '../base/assert.ts';
import {
  type Address,
  type ByteStream,
  RuntimeError,
  type RuntimeErrorCode,
  type StreamHandler,
} from '../runtime/runtime.ts';
import type { SimEvent } from './event-queue.ts';
import type { Segment, SimNetworkOptions, SimPipe } from './sim-link.ts';
import type { SimProcess } from './sim-process.ts';

/** What is read is scribbled over when the reader returns, to find readers that keep it. */
const SCRIBBLE = 0xdd;

/** What a stream needs from the network around it. */
export interface StreamHome {
  readonly options: SimNetworkOptions;
  /** Bytes were handed to the pipe: the place where connections break and links clog by chance. */
  sent(stream: SimStream): void;
  /** The process is done with the stream. */
  closed(stream: SimStream): void;
}

export class SimStream implements ByteStream {
  readonly process: SimProcess;
  readonly remote: Address;
  readonly local: Address;
  readonly #home: StreamHome;
  readonly #out: SimPipe;
  #handler: StreamHandler | undefined = undefined;
  #connectTimeout: SimEvent | undefined = undefined;
  #isEstablished = false;
  /** The kernel knows the connection no more; what still arrives is answered with a reset. */
  #isClosed = false;
  #isPaused = false;
  #endAsked = false;
  #finSent = false;
  #finDelivered = false;
  #needsDrain = false;
  #outgoing: Uint8Array[] = [];
  #outgoingBytes = 0;
  #windowUsedBytes = 0;
  /** Data and `fin`, arrived and not read. */
  #unread: Segment[] = [];

  constructor(
    process: SimProcess,
    home: StreamHome,
    out: SimPipe,
    addresses: { readonly local: Address; readonly remote: Address },
  ) {
    this.process = process;
    this.local = addresses.local;
    this.remote = addresses.remote;
    this.#home = home;
    this.#out = out;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isAttached(): boolean {
    return this.#handler !== undefined;
  }

  get bufferedBytes(): number {
    return this.#outgoingBytes;
  }

  attach(handler: StreamHandler): void {
    invariant(this.#handler === undefined, 'a stream has one handler');
    this.#handler = handler;
  }

  write(bytes: Uint8Array): boolean {
    invariant(!this.#endAsked, 'nothing is written after the end');
    if (this.#isClosed || bytes.length === 0) return true;
    this.#outgoing.push(bytes);
    this.#outgoingBytes += bytes.length;
    this.#pump();
    if (this.#outgoingBytes <= this.#home.options.highWaterBytes) return true;
    this.#needsDrain = true;
    return false;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.process.after(0, this.#deliver);
  }

  end(): void {
    if (this.#endAsked || this.#isClosed) return;
    this.#endAsked = true;
    this.#pump();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#hangUp(this.#unread.some((segment) => segment.kind === 'data') ? 'reset' : 'end');
    this.#notifyClose(undefined);
  }

  // The network's side ----------------------------------------------------------------------------

  /** Dialling begins. */
  dial(timeoutMs: number): void {
    this.#out.send('syn', this.#home.options);
    const { scheduler } = this.process;
    this.#connectTimeout = scheduler.after(Math.ceil(timeoutMs * 1000), () => {
      if (!this.#isEstablished) this.fail('CONNECT_TIMEOUT', `no answer within ${timeoutMs} ms`);
    });
  }

  /** The accepting end is connected from the start. */
  accept(): void {
    this.#isEstablished = true;
    this.#out.send('synAck', this.#home.options);
  }

  /** Ends the stream with an error that this side finds out now. */
  fail(code: RuntimeErrorCode, reason: string): void {
    if (this.#isClosed) return;
    this.#close();
    const { host, port } = this.remote;
    this.#notifyClose(streamError(code, `${host}:${port}: ${reason}`));
  }

  /** What this side sent and has not arrived is lost. */
  dropUnderWay(): void {
    this.#out.drop();
  }

  /** Closes without a word to this side's process, which is dead; says what its kernel says. */
  abandon(farewell: 'end' | 'reset' | 'resetNow' | 'nothing'): void {
    if (!this.#isClosed) this.#hangUp(farewell);
  }

  arrive(segment: Segment): void {
    if (segment.kind === 'rst') {
      if (this.#isEstablished) this.fail('STREAM_BROKEN', 'reset by the other side');
      else this.fail('CONNECT_FAILED', 'connection refused');
      return;
    }
    if (this.#isClosed) {
      if (segment.kind === 'data' || segment.kind === 'synAck') this.#reset();
      return;
    }
    if (segment.kind === 'synAck') this.#open();
    else if (segment.kind === 'ack') {
      this.#windowUsedBytes -= segment.byteCount;
      this.#pump();
    } else {
      this.#unread.push(segment);
      this.process.run(this.#deliver);
    }
  }

  /** Room in the window made by a reader that could say so at once. */
  release(byteCount: number): void {
    this.#windowUsedBytes -= byteCount;
  }

  /** Set by the network once both ends exist. */
  peer: SimStream | undefined = undefined;

  #open(): void {
    this.#isEstablished = true;
    if (this.#connectTimeout !== undefined) this.process.scheduler.cancel(this.#connectTimeout);
    this.process.run(() => {
      if (!this.#isClosed) this.#attached().onOpen?.();
    });
    this.#pump();
  }

  #attached(): StreamHandler {
    const handler = this.#handler;
    invariant(handler !== undefined, 'a stream without a handler');
    return handler;
  }

  /** Moves what waits into the window, as far as there is room. Calls nobody back. */
  #pump(): void {
    if (!this.#isEstablished || this.#isClosed) return;
    const { options } = this.#home;
    let isMoved = false;
    while (!this.#isClosed) {
      const front = this.#outgoing[0];
      const roomBytes = options.windowBytes - this.#windowUsedBytes;
      if (front === undefined || roomBytes <= 0) break;
      const piece = front.length <= roomBytes ? front : front.subarray(0, roomBytes);
      if (piece === front) this.#outgoing.shift();
      else this.#outgoing[0] = front.subarray(roomBytes);
      this.#outgoingBytes -= piece.length;
      this.#windowUsedBytes += piece.length;
      // A kernel copies what it takes: the caller's memory is the caller's again.
      this.#out.sendData(new Uint8Array(piece), options);
      isMoved = true;
    }
    if (isMoved) this.#home.sent(this);
    // Closed: by the chance that what was just sent broke the connection.
    if (this.#isClosed || this.#outgoingBytes > 0) return;
    if (this.#needsDrain) this.process.after(0, this.#drain);
    if (this.#endAsked && !this.#finSent) {
      this.#finSent = true;
      this.#out.send('fin', options);
      this.#finishIfDone();
    }
  }

  readonly #drain = (): void => {
    if (this.#isClosed || !this.#needsDrain || this.#outgoingBytes > 0) return;
    this.#needsDrain = false;
    this.#attached().onDrain?.();
  };

  /** Hands over what was read, until the process has had enough. */
  readonly #deliver = (): void => {
    while (!this.#isPaused && !this.#isClosed && !this.process.isPaused) {
      const segment = this.#unread.shift();
      if (segment === undefined) return;
      if (segment.kind === 'fin') {
        this.#finDelivered = true;
        this.#attached().onEnd?.();
        this.#finishIfDone();
      } else {
        this.#acknowledge(segment.byteCount);
        const chunk = joined(segment);
        this.#attached().onData(chunk);
        chunk.fill(SCRIBBLE);
      }
    }
    // Paused from inside a callback: the rest is delivered when the process goes on.
    if (this.process.isPaused && this.#unread.length > 0) this.process.run(this.#deliver);
  };

  #acknowledge(byteCount: number): void {
    const { peer } = this;
    const mustTravel = this.#out.link.isBlocked || (peer !== undefined && peer.bufferedBytes > 0);
    if (mustTravel) this.#out.send('ack', this.#home.options, byteCount);
    else peer?.release(byteCount);
  }

  #finishIfDone(): void {
    if (!this.#finSent || !this.#finDelivered || this.#isClosed) return;
    this.#close();
    this.#notifyClose(undefined);
  }

  #hangUp(farewell: 'end' | 'reset' | 'resetNow' | 'nothing'): void {
    const finIsDue = this.#isEstablished && !this.#finSent;
    this.#close();
    if (farewell === 'end' && finIsDue) this.#out.send('fin', this.#home.options);
    if (farewell === 'resetNow' || farewell === 'nothing') this.#out.drop();
    if (farewell === 'reset' || farewell === 'resetNow') this.#reset();
  }

  /** A reset is sent once and never again: on a link that is cut it is lost. */
  #reset(): void {
    if (this.#out.link.isBlocked) this.#out.drop();
    else this.#out.send('rst', this.#home.options);
  }

  #close(): void {
    this.#isClosed = true;
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    this.#unread = [];
    if (this.#connectTimeout !== undefined) this.process.scheduler.cancel(this.#connectTimeout);
    this.#home.closed(this);
  }

  #notifyClose(error: Error | undefined): void {
    this.process.after(0, () => this.#attached().onClose(error));
  }
}

/** Connections end all the time, and where in the simulator they did is of no use to anybody. */
function streamError(code: RuntimeErrorCode, message: string): RuntimeError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = new RuntimeError(code, message);
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}

/** The network's own copy of what was written. */
function joined(segment: Segment): Uint8Array {
  const [first] = segment.chunks;
  if (first !== undefined && segment.chunks.length === 1) return first;
  const bytes = new Uint8Array(segment.byteCount);
  let offset = 0;
  for (const chunk of segment.chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
