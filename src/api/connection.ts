/**
 * One socket of a client, from its first bytes to its close. Frames are decoded where they lie.
 *
 * It reads as long as nothing speaks against it: the handshake is over, the client takes its
 * replies, and not too much is pending. Otherwise it stops in the middle of what it got, keeps the
 * rest, pauses the socket, and goes on at the end of a later turn. A client that does not take what
 * it asked for is cut off when its session's time is over, if not before (`reply-writer`).
 */

import type { Acl } from '../base/acl.ts';
import { SESSION_NONE, type SessionId } from '../base/ids.ts';
import type { EventType } from '../base/watch-event.ts';
import { FrameDecoder, FrameEvent } from '../protocol/frame-decoder.ts';
import { HEADER_ZXID_NONE } from '../protocol/records/header.ts';
import type { ByteStream, StreamHandler } from '../runtime/runtime.ts';
import type { ConnectionHost } from './connection-host.ts';
import { fourLetterWord, TRACE_MASK_BYTES } from './four-letter-word.ts';
import { openSession } from './handshake.ts';
import { Place } from './place.ts';
import { plainHost } from './remote-address.ts';
import { ReplyWriter } from './reply-writer.ts';
import { RequestPipeline } from './request-pipeline.ts';
import { ConnectionStats } from './server-stats.ts';

/** A connection whose client does not close when all has been said is cut off. */
export const CLOSING_TIMEOUT_MS = 10_000;
/** A connection whose requests have taken so long is read on when the others have had their turn. */
const SLICE_MS = 5;
const NO_BYTES = new Uint8Array(0);

type ConnectionState =
  | 'opening'
  | 'argument'
  | 'command'
  | 'connecting'
  | 'open'
  | 'ending'
  | 'closed';

export class Connection implements StreamHandler {
  readonly stream: ByteStream;
  /** The client's address as plain text, without its port. */
  readonly remoteHost: string;
  readonly stats: ConnectionStats;
  readonly replies: ReplyWriter;
  /** Stands for it in tables until it is closed. */
  readonly place = new Place(this);
  /** For the host: the end of its turn is asked for. */
  isTurnRequested = false;
  sessionId: SessionId = SESSION_NONE;
  /** What was agreed with the client; 0 before the handshake. */
  sessionTimeoutMs = 0;
  readonly #host: ConnectionHost;
  readonly #decoder: FrameDecoder;
  readonly #pipeline: RequestPipeline;
  #state: ConnectionState = 'opening';
  #isHeld = false;
  #endsWhenDrained = false;
  /** Since when frames lie here unread because of what is in work. */
  #throttledSinceMs: number | undefined = undefined;
  /** How long the frame being read has lain here. */
  #waitedMs = 0;
  /** `heldBytes` as it was last told the host. */
  #notedBytes = 0;
  /** What has come behind `stmk`. */
  #argument: Uint8Array = NO_BYTES;

  constructor(stream: ByteStream, host: ConnectionHost) {
    this.stream = stream;
    this.#host = host;
    this.remoteHost = plainHost(stream.remote.host);
    this.stats = new ConnectionStats(host.wallMs());
    this.#decoder = new FrameDecoder(host.options.juteMaxBufferBytes, true);
    this.replies = new ReplyWriter(this, host);
    this.#pipeline = new RequestPipeline(this, host);
  }

  /** True while requests of the session are taken and answered. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** All has been said, and the client has not closed yet. */
  get isEnding(): boolean {
    return this.#state === 'ending';
  }

  /** A four-letter word is being answered here, or its argument awaited. */
  get isCommand(): boolean {
    return this.#state === 'command' || this.#state === 'argument';
  }

  /** True from the connect request to its answer. */
  get isConnecting(): boolean {
    return this.#state === 'connecting';
  }

  /** Requests received and not answered yet. */
  get pendingCount(): number {
    return this.#pipeline.pendingCount;
  }

  /** How long the frame being read has waited for requests in front of it to be settled. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /** What is kept in memory until the client sends the rest of a frame, or takes what it asked for. */
  get heldBytes(): number {
    const unsentBytes = this.replies.isClogged ? this.replies.backlogBytes : 0;
    return this.#decoder.keptBytes + this.#pipeline.localBytes + unsentBytes;
  }

  /** What the original shows as a socket's interest in events: 1 reading, 4 writing. */
  get interest(): number {
    if (this.isCommand || this.#state === 'ending') return 0;
    return (this.#isHeld ? 0 : 1) + (this.stream.bufferedBytes > 0 ? 4 : 0);
  }

  // What the stream reports ----------------------------------------------------------------------

  onData(chunk: Uint8Array): void {
    const host = this.#host;
    host.stats.counters.bytesReceived += chunk.length;
    host.backend.noticeTime();
    if (this.#state === 'argument') {
      this.#readArgument(chunk);
      return;
    }
    // Bytes behind a command, or behind a closed session, mean nothing.
    if (this.#state === 'command' || this.#state === 'ending' || this.#state === 'closed') return;
    host.refreshNow();
    this.touch();
    this.#decoder.push(chunk);
    this.#readFrames();
    host.reader.release();
    this.noteHeld();
  }

  onDrain(): void {
    if (this.#state === 'closed') return;
    this.replies.drained();
    this.noteHeld();
    this.#host.refreshNow();
    this.touch();
    this.#host.requestTurn(this);
  }

  /** The client is done sending. It may still read: what it asked for is answered first. */
  onEnd(): void {
    if (this.#state === 'opening' || this.#state === 'argument' || this.isConnecting) this.#close();
    else if (this.#state === 'open') this.endAfterReplies();
  }

  onClose(_error: Error | undefined): void {
    this.#close();
  }

  // What the rest of the server does with a connection -------------------------------------------

  /** The record of the frame being read, behind its header: a view that lasts as long as the chunk. */
  payload(): Uint8Array {
    const { bytes, end } = this.#decoder;
    return bytes.subarray(this.#host.reader.position, end);
  }

  get identities(): RequestPipeline['identities'] {
    return this.#pipeline.identities;
  }

  /** What is kept here in memory may have changed. */
  noteHeld(): void {
    if (this.#state === 'closed') return;
    const heldBytes = this.heldBytes;
    if (heldBytes === this.#notedBytes) return;
    this.#notedBytes = heldBytes;
    this.#host.buffers.hold(this, heldBytes);
  }

  /** Puts off the moment at which silence ends the connection. */
  touch(): void {
    const isEstablished = this.#state === 'open' || this.#state === 'connecting';
    if (isEstablished) this.#host.expireAfter(this, this.sessionTimeoutMs);
  }

  /** Whether the client may read a node with the ACL, and so may hear of it. */
  mayRead(acl: readonly Acl[]): boolean {
    return this.#pipeline.mayRead(acl);
  }

  /** A watch of this connection was triggered by the transaction being applied. */
  notify(type: EventType, path: string): void {
    if (this.isOpen) this.replies.event(type, path, this.#host.backend.tree.lastZxid);
  }

  /** A watch that the client brings back missed this event while it was away. False: the client is dropped. */
  missed(type: EventType, path: string): boolean {
    if (this.isOpen) this.replies.event(type, path, HEADER_ZXID_NONE);
    return this.isOpen;
  }

  /** The handshake has begun: `timeoutMs` is what the client will get. Nothing is read until it is over. */
  connecting(timeoutMs: number): void {
    this.#state = 'connecting';
    this.sessionTimeoutMs = timeoutMs;
    this.#host.noteSessionless(this, false);
    this.touch();
  }

  /** The session is set up and the client told: its requests are taken from here on. */
  opened(sessionId: SessionId): void {
    this.sessionId = sessionId;
    this.#state = 'open';
    this.#host.adopt(this);
    this.#host.requestTurn(this);
  }

  /** Reads no more; when all that is pending has been answered, closes. */
  endAfterReplies(): void {
    if (this.#state === 'closed' || this.#state === 'ending') return;
    this.#endsWhenDrained = true;
    this.#hold();
    this.#host.requestTurn(this);
  }

  /** Sends the whole answer to a four-letter word, then closes. */
  answerCommand(text: string): void {
    if (this.#state !== 'command') return;
    if (text.length > 0) this.replies.text(text);
    this.#end();
  }

  /** Closes at once without a word, for a reason worth noting. */
  drop(reason: string): void {
    if (this.#state === 'closed') return;
    this.#host.stats.counters.connectionsDropped += 1;
    this.#host.log.debug('connection dropped', {
      reason,
      remote: `${this.remoteHost}:${this.stream.remote.port}`,
    });
    this.#close();
  }

  /** Called once at the end of a turn in which something was written here or became possible. */
  endTurn(): void {
    if (this.#state === 'closed' || this.#state === 'ending') return;
    if (this.#state === 'open') this.#pipeline.drain();
    this.replies.flush();
    if (this.isClosed) return;
    if (this.#endsWhenDrained && this.#pipeline.pendingCount === 0) this.#end();
    else if (this.#isHeld && this.#mayRead()) this.#readOn();
    this.noteHeld();
  }

  // Reading --------------------------------------------------------------------------------------

  #mayRead(): boolean {
    if (this.#state === 'opening') return true;
    if (this.#state !== 'open' || this.replies.isClogged || this.#endsWhenDrained) return false;
    if (!this.#isWaitingForBackend()) return true;
    if (this.#throttledSinceMs === undefined) {
      this.#throttledSinceMs = this.#host.nowMs;
      this.#host.stats.counters.throttleWaits += 1;
    }
    this.#host.waitForBackend(this);
    return false;
  }

  #isWaitingForBackend(): boolean {
    if (this.#pipeline.isFull) return true;
    return this.#host.isOverloaded && this.#pipeline.pendingCount > 0;
  }

  #readFrames(): void {
    this.#host.refreshNow();
    const sliceEndMs = this.#host.nowMs + SLICE_MS;
    this.#pipeline.beginFrames();
    while (this.#mayRead()) {
      switch (this.#decoder.next()) {
        case FrameEvent.more:
          return;
        case FrameEvent.frame:
          this.#readFrame();
          this.#host.refreshNow();
          if (this.#state === 'open' && this.#host.nowMs >= sliceEndMs) {
            this.#hold();
            this.#host.requestTurn(this);
            return;
          }
          break;
        case FrameEvent.firstWord:
          this.#readFirstWord();
          break;
        case FrameEvent.badLength:
          if (this.#decoder.word > 0) this.#host.stats.counters.requestsTooLong += 1;
          this.drop('frame length out of range');
          break;
      }
    }
    if (this.#state === 'open' || this.#state === 'connecting') this.#hold();
  }

  #readFirstWord(): void {
    const word = fourLetterWord(this.#decoder.word);
    if (word !== undefined) {
      this.#countPacket();
      const isArgumentAwaited = word === 'stmk' && this.#host.allowsWord(word);
      this.#state = isArgumentAwaited ? 'argument' : 'command';
      if (isArgumentAwaited) this.#readArgument(this.#decoder.rest());
      else this.#host.answerWord(this, word);
    } else if (!this.#host.isServing) {
      this.#host.stats.counters.closedWhileNotServing += 1;
      this.drop('nobody is served');
    }
  }

  /** The mask of `stmk` may come in pieces; what follows it means nothing. */
  #readArgument(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.#argument, chunk]);
    this.#argument = bytes.subarray(0, TRACE_MASK_BYTES);
    if (bytes.length < TRACE_MASK_BYTES) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, TRACE_MASK_BYTES);
    this.#state = 'command';
    this.#host.setTraceMask(view.getBigInt64(0));
    this.#host.answerWord(this, 'stmk');
  }

  #readFrame(): void {
    this.#countPacket();
    const { bytes, start, end } = this.#decoder;
    this.#host.reader.aim(bytes, start, end);
    if (this.#state === 'open') this.#pipeline.accept();
    else openSession(this, this.#host);
  }

  #countPacket(): void {
    this.stats.packetsReceived += 1;
    this.#host.stats.packetsReceived += 1;
  }

  #hold(): void {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#decoder.keep();
    this.stream.pause();
  }

  #readOn(): void {
    this.#isHeld = false;
    const sinceMs = this.#throttledSinceMs;
    this.#throttledSinceMs = undefined;
    this.#waitedMs = sinceMs === undefined ? 0 : this.#host.nowMs - sinceMs;
    this.#readFrames();
    this.#waitedMs = 0;
    // What is still there has been there since then: nothing was let in meanwhile.
    if (this.#throttledSinceMs !== undefined && sinceMs !== undefined) {
      this.#throttledSinceMs = sinceMs;
    }
    this.#host.reader.release();
    if (!this.#isHeld && this.#state === 'open') this.stream.resume();
  }

  // Closing --------------------------------------------------------------------------

  /** Sends what is written, then closes this side, and does not wait long for the other. */
  #end(): void {
    this.#state = 'ending';
    this.#decoder.discard();
    this.noteHeld();
    this.#host.release(this);
    this.#host.noteSessionless(this, true);
    this.#host.expireAfter(this, CLOSING_TIMEOUT_MS);
    this.stream.end();
    // A paused stream would never report that the client has closed too.
    this.stream.resume();
  }

  #close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#host.release(this);
    this.#host.forget(this);
    this.#pipeline.abandon();
    if (this.#notedBytes > 0) this.#host.buffers.hold(this, 0);
    this.stream.destroy();
  }
}
