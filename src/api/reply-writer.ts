/**
 * What goes to one client: replies and watch events of a turn are appended to one slab and leave in
 * one write at its end. A client that leaves too much of it lying is cut off.
 */

import type { ErrorCode } from '../base/error-code.ts';
import { sessionIdHex } from '../base/ids.ts';
import { OpCode } from '../base/op-code.ts';
import { type EventType, STATE_SYNC_CONNECTED } from '../base/watch-event.ts';
import { JuteWriter } from '../protocol/jute-writer.ts';
import { encodeReplyHeader, SpecialXid } from '../protocol/records/header.ts';
import { encodeWatcherEvent } from '../protocol/records/watch.ts';
import type { ByteStream } from '../runtime/runtime.ts';
import type { Connection } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import { isWrite } from './handlers/write-reply.ts';

/** The slab is written before the end of the turn when it holds so much. */
const FLUSH_BYTES = 64 * 1024;
/** Offset of the error in a reply's frame: behind length, xid and zxid. */
const ERROR_OFFSET = 16;

export class ReplyWriter {
  /** Takes the records, between `begin` and `end`. */
  readonly writer: JuteWriter;
  readonly #connection: Connection;
  readonly #host: ConnectionHost;
  readonly #stream: ByteStream;
  /** At least two of the longest replies: one that is on its way does not mean that the client reads nothing. */
  readonly #backlogBytesMax: number;
  #isClogged = false;
  /** Of the reply being written. */
  #zxid = 0;
  /** The highest so far. */
  #lastZxid = 0;

  constructor(connection: Connection, host: ConnectionHost) {
    this.#connection = connection;
    this.#host = host;
    this.#stream = connection.stream;
    this.writer = new JuteWriter(undefined, host.slabs);
    this.#backlogBytesMax = Math.max(
      host.options.limits.backlogBytesMax,
      2 * host.options.replyBytesMax,
    );
  }

  /** Bytes written for the client that the network has not taken. */
  get backlogBytes(): number {
    return this.#stream.bufferedBytes + this.writer.length;
  }

  /** The network takes no more for now. */
  get isClogged(): boolean {
    return this.#isClogged;
  }

  /** The zxid of a reply: never lower than an earlier one's, or a client would go back in time. */
  zxidFrom(zxid: number): number {
    this.#lastZxid = Math.max(this.#lastZxid, zxid);
    return this.#lastZxid;
  }

  /** Starts a reply: length and header. The record is written to `writer`, then `end` called. */
  begin(xid: number, zxid: number): number {
    const mark = this.writer.beginFrame();
    encodeReplyHeader(this.writer, xid, zxid, 0);
    this.#zxid = zxid;
    return mark;
  }

  /** Completes the reply begun at the mark. */
  end(mark: number, op: number, xid: number, error: ErrorCode, receivedMs: number): void {
    if (error !== 0) this.writer.patchInt(mark + ERROR_OFFSET, error);
    // The original looks up the name of a write only when it has succeeded.
    const shownOp = error !== 0 && isWrite(op) ? OpCode.error : op;
    this.endFrame(mark, shownOp, xid, this.#zxid, receivedMs);
  }

  /** Completes a frame that answers a request, and counts it. */
  endFrame(mark: number, op: number, xid: number, zxid: number, receivedMs: number): void {
    this.writer.endFrame(mark);
    const { nowMs, stats } = this.#host;
    const own = this.#connection.stats;
    const latencyMs = Math.max(0, Math.round(nowMs - receivedMs));
    stats.recordResponse(this.writer.length - mark - 4);
    own.packetsSent += 1;
    // Answered where frames are read, these two never were requests to the original's statistics.
    if (op !== OpCode.auth && op !== OpCode.sasl) {
      const isUpdate = isWrite(op) || op === OpCode.createSession || op === OpCode.error;
      stats.recordLatency(latencyMs, isUpdate);
      own.recordReply(op, xid, zxid, latencyMs, nowMs);
    }
    this.#wrote();
  }

  /** Tells of an event at a watched path. */
  event(type: EventType, path: string, zxid: number): void {
    const mark = this.writer.beginFrame();
    encodeReplyHeader(this.writer, SpecialXid.notification, zxid, 0);
    encodeWatcherEvent(this.writer, type, STATE_SYNC_CONNECTED, path);
    this.writer.endFrame(mark);
    this.#connection.stats.packetsSent += 1;
    this.#host.stats.recordEvent(this.writer.length - mark - 4);
    this.#wrote();
  }

  /** The answer to a four-letter word, which is no frame. */
  text(text: string): void {
    this.#isClogged = !this.#stream.write(Buffer.from(text, 'utf8'));
    this.#connection.noteHeld();
    this.#connection.stats.packetsSent += 1;
    this.#host.stats.packetsSent += 1;
  }

  /** Hands what is written to the network, and ends a connection that has left too much lying. */
  flush(): void {
    const stream = this.#stream;
    if (this.writer.length > 0) {
      const bytes = this.writer.take();
      const isTaken = stream.write(bytes);
      if (!isTaken) this.#isClogged = true;
      else if (stream.bufferedBytes === 0) this.writer.reuse(bytes);
      this.#connection.noteHeld();
    }
    if (stream.bufferedBytes > this.#backlogBytesMax) this.#dropSlowClient();
  }

  /** The network has taken everything. */
  drained(): void {
    this.#isClogged = false;
  }

  #wrote(): void {
    if (this.writer.length >= FLUSH_BYTES) this.flush();
    else this.#host.requestTurn(this.#connection);
  }

  #dropSlowClient(): void {
    const { sessionId, remoteHost } = this.#connection;
    const { bufferedBytes, remote } = this.#stream;
    this.#host.stats.counters.slowClientsDropped += 1;
    this.#host.log.warn('slow client dropped', {
      session: sessionIdHex(sessionId),
      remote: `${remoteHost}:${remote.port}`,
      bufferedBytes,
    });
    this.#connection.drop('client does not read');
  }
}
