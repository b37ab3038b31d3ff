/**
 * One connection between two servers: frames over a byte stream, a hello from each side first, and
 * everything written in a turn leaving in one piece.
 */

import { invariant } from '../base/assert.ts';
import { FrameDecoder, FrameEvent } from '../protocol/frame-decoder.ts';
import type { ByteStream, Runtime, Timer } from '../runtime/runtime.ts';
import type { Hello } from './identity.ts';
import { decodeHello, encodeHello, encodeRefusal } from './identity.ts';
import { PEER_FRAME_BYTES_MAX } from './peer-codec.ts';

export interface PeerLinkHandler {
  /** Both hellos are exchanged and accepted; nothing may be sent before. */
  onOpen(link: PeerLink, hello: Hello): void;
  /** A frame's content; a view that is good during the call. */
  onFrame(link: PeerLink, frame: Uint8Array): void;
  /** What `isCongested` reported has left. */
  onDrain(link: PeerLink): void;
  /** Last call, exactly once. `refusal`: this side or the other refused to talk, and why. */
  onClose(link: PeerLink, reason: string, refusal: string | undefined): void;
}

export interface PeerLinkOptions {
  readonly runtime: Runtime;
  readonly stream: ByteStream;
  /** True on the side that connected: it speaks first. */
  readonly isDialler: boolean;
  /** The own hello; on the accepting side made when the other's has come. */
  readonly hello: (theirs: Hello | undefined) => Hello;
  /** Why the other side is refused, if it is. */
  readonly judge: (link: PeerLink, hello: Hello) => string | undefined;
  readonly handler: PeerLinkHandler;
}

/** How long the other side may take to say hello. */
const HELLO_TIMEOUT_MS = 5000;
/** Accepted connections of one port that may be without a hello: more than the largest ensemble. */
const STRANGERS_MAX = 256;
/** No hello or refusal is nearly as long: a stranger gets memory for no more. */
const HELLO_BYTES_MAX = 16 * 1024;
/** Joins small frames up to this size into one write. */
const JOIN_BYTES_MAX = 64 * 1024;

export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #decoder = new FrameDecoder(HELLO_BYTES_MAX, false);
  /** Ends the wait for a hello, or for the other side to hang up when it was refused. */
  #patience: Timer;
  #outgoing: Uint8Array[] = [];
  #outgoingBytes = 0;
  #isFlushScheduled = false;
  #isOpen = false;
  #isClosed = false;
  #refusal: string | undefined;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    const { runtime, stream } = options;
    this.#patience = runtime.timers.set(HELLO_TIMEOUT_MS, () => this.close('no hello in time'));
    stream.attach({
      onOpen: () => this.#sendHello(undefined),
      onData: (chunk) => this.#received(chunk),
      onDrain: () => options.handler.onDrain(this),
      onEnd: () => this.close('the other side ended the connection'),
      onClose: (error) => {
        runtime.timers.clear(this.#patience);
        this.#closed(error?.message ?? 'the connection ended');
      },
    });
  }

  /** Address of the other side, for people. */
  get remote(): string {
    const { host, port } = this.#options.stream.remote;
    return `${host}:${port}`;
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isClosed;
  }

  /** Bytes that wait for the network. */
  get queuedBytes(): number {
    return this.#options.stream.bufferedBytes + this.#outgoingBytes;
  }

  /** Sends a whole frame (with its length) at the end of the turn. The bytes are shared, not copied. */
  send(frame: Uint8Array): void {
    if (this.#isClosed) return;
    invariant(this.#isOpen, 'peer message before the hello');
    this.#write(frame);
  }

  /** Everything sent so far goes to the stream now. */
  flush(): void {
    this.#isFlushScheduled = false;
    const frames = this.#outgoing;
    if (this.#isClosed || frames.length === 0) return;
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    const { stream } = this.#options;
    if (frames.length === 1) for (const only of frames) stream.write(only);
    else for (const bytes of joined(neighboursAsOne(frames))) stream.write(bytes);
  }

  close(reason: string): void {
    if (this.#isClosed) return;
    this.flush();
    this.#options.stream.end();
    this.#options.stream.destroy();
    this.#closed(reason);
  }

  #write(frame: Uint8Array): void {
    this.#outgoing.push(frame);
    this.#outgoingBytes += frame.length;
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    this.#options.runtime.timers.defer(() => this.flush());
  }

  #sendHello(theirs: Hello | undefined): void {
    if (this.#options.isDialler || theirs !== undefined) {
      this.#write(encodeHello(this.#options.hello(theirs)));
    }
  }

  #received(chunk: Uint8Array): void {
    if (this.#isClosed) return;
    this.#decoder.push(chunk);
    for (;;) {
      if (this.#isClosed) return;
      const event = this.#decoder.next();
      if (event === FrameEvent.more) return;
      if (event !== FrameEvent.frame) {
        this.close('the other side does not speak the peer protocol');
        return;
      }
      if (this.#isOpen) this.#options.handler.onFrame(this, this.#decoder.frame());
      else this.#receivedHello(this.#decoder.frame());
    }
  }

  #receivedHello(frame: Uint8Array): void {
    const hello = decodeHello(frame);
    const isRefusal = hello !== undefined && 'refusal' in hello;
    // Only who was dialled can refuse before a hello: anybody else would write in this server's log.
    if (hello === undefined || (isRefusal && !this.#options.isDialler)) {
      this.close('the other side does not speak the peer protocol');
      return;
    }
    if (isRefusal) {
      this.#refusal = hello.refusal;
      this.close('refused by the other side');
      return;
    }
    const refusal = this.#options.judge(this, hello);
    if (refusal !== undefined) {
      this.#refusal = refusal;
      this.#write(encodeRefusal(refusal));
      this.flush();
      // The stream is ended, not destroyed, so that the sentence arrives.
      const { runtime, stream } = this.#options;
      stream.end();
      this.#closed('refused');
      this.#patience = runtime.timers.set(HELLO_TIMEOUT_MS, () => stream.destroy());
      return;
    }
    this.#options.runtime.timers.clear(this.#patience);
    this.#isOpen = true;
    this.#decoder.frameBytesMax = PEER_FRAME_BYTES_MAX;
    if (!this.#options.isDialler) this.#sendHello(hello);
    this.#options.handler.onOpen(this, hello);
  }

  #closed(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    this.#options.runtime.timers.clear(this.#patience);
    this.#options.handler.onClose(this, reason, this.#refusal);
  }
}

/** The connections accepted at one port whose other side has not said hello. */
export class Strangers {
  readonly #links = new Set<PeerLink>();

  /** When there are too many, the one that has been silent longest goes: servers speak at once. */
  add(link: PeerLink): void {
    this.#links.add(link);
    if (this.#links.size <= STRANGERS_MAX) return;
    for (const oldest of this.#links) {
      oldest.close('too many connections without a hello');
      return;
    }
  }

  delete(link: PeerLink): void {
    this.#links.delete(link);
  }

  closeAll(reason: string): void {
    for (const link of [...this.#links]) link.close(reason);
  }
}

/** The same bytes, frames that lie one behind the other in memory being one piece: nothing is copied. */
function neighboursAsOne(frames: readonly Uint8Array[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let memory: ArrayBufferLike | undefined;
  let start = 0;
  let end = 0;
  for (const { buffer, byteOffset, byteLength } of frames) {
    if (buffer !== memory || byteOffset !== end) {
      if (memory !== undefined) pieces.push(new Uint8Array(memory, start, end - start));
      memory = buffer;
      start = byteOffset;
    }
    end = byteOffset + byteLength;
  }
  if (memory !== undefined) pieces.push(new Uint8Array(memory, start, end - start));
  return pieces;
}

/** The frames as few byte blocks: small ones side by side, large ones as they are. */
function joined(frames: readonly Uint8Array[]): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  let smallBytes = 0;
  const cut = (): void => {
    const only = small[0];
    if (small.length > 1) blocks.push(Buffer.concat(small, smallBytes));
    else if (only !== undefined) blocks.push(only);
    small = [];
    smallBytes = 0;
  };
  for (const frame of frames) {
    if (smallBytes + frame.length > JOIN_BYTES_MAX) cut();
    small.push(frame);
    smallBytes += frame.length;
  }
  cut();
  return blocks;
}
