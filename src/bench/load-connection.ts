/**
 * One connection of a closed loop: keeps `depth` requests outstanding, and sends the next one when a
 * reply has come. Replies are judged by their length, order, zxid and error code and are not kept.
 */

import { connect, type Socket } from 'node:net';
import { invariant } from '../base/assert.ts';
import { SESSION_NONE } from '../base/ids.ts';
import { Prng } from '../base/prng.ts';
import { JuteWriter } from '../protocol/jute-writer.ts';
import { encodeConnectRequest } from '../protocol/records/connect.ts';
import type { Address } from '../runtime/runtime.ts';
import { type RequestFrames, writeNumber, XID_AT } from './load-frames.ts';
import type { LoadTally } from './load-tally.ts';

const SESSION_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Length, xid, zxid and error of a reply; of the handshake's answer, all up to the session's id. */
const HEAD_BYTES = 20;
const HEAD_AFTER_LENGTH = HEAD_BYTES - 4;
const CHUNK_BYTES = 64 * 1024;
/** The next read overwrites it, for all connections: what it holds is used up before `onread` returns. */
const CHUNK = Buffer.allocUnsafeSlow(CHUNK_BYTES);

export interface LoadPlan {
  readonly reads: RequestFrames | undefined;
  readonly writes: RequestFrames;
  /** Of 100 requests, how many are writes. */
  readonly writePercent: number;
  readonly depth: number;
  readonly seed: number;
}

export class LoadConnection {
  readonly #plan: LoadPlan;
  readonly #tally: LoadTally;
  readonly #prng: Prng;
  readonly #slabBytes: number;
  /** By `xid % depth`: when a request was sent, and whether it is a write. */
  readonly #sentAtMs: Float64Array;
  readonly #isWrite: Uint8Array;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #socket: Socket | undefined;
  #slab: Buffer;
  #slabAt = 0;
  #headCount = 0;
  #bodyLeft = -1;
  #nextXid = 1;
  #nextReplyXid = 1;
  #lastZxid = 0;
  #writesSent = 0;
  #writesDone = 0;
  #isConnected = false;
  #isDone = false;
  #onConnected: () => void = () => undefined;

  constructor(plan: LoadPlan, tally: LoadTally) {
    this.#plan = plan;
    this.#tally = tally;
    this.#prng = new Prng(plan.seed);
    this.#sentAtMs = new Float64Array(plan.depth);
    this.#isWrite = new Uint8Array(plan.depth);
    const frames = [...(plan.reads?.frames ?? []), ...plan.writes.frames];
    this.#slabBytes = plan.depth * Math.max(...frames.map((frame) => frame.length));
    this.#slab = Buffer.allocUnsafeSlow(this.#slabBytes);
  }

  /** Requests sent and not answered. */
  get outstanding(): number {
    return this.#nextXid - this.#nextReplyXid;
  }

  /** Writes acknowledged since the beginning. */
  get writesDone(): number {
    return this.#writesDone;
  }

  /** Resolves when the server has given a session. */
  connect(address: Address): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no session from port ${address.port} in time`)),
        CONNECT_TIMEOUT_MS,
      );
      this.#onConnected = () => {
        clearTimeout(timer);
        resolve();
      };
      const socket = connect({
        host: address.host,
        port: address.port,
        noDelay: true,
        onread: { buffer: CHUNK, callback: (count) => this.#received(count) },
      });
      socket.on('connect', () => socket.write(connectFrame()));
      socket.on('error', (error) => this.#fail(`port ${address.port}: ${error.message}`));
      socket.on('close', () => {
        if (!this.#isDone) this.#fail(`port ${address.port} closed the connection`);
      });
      this.#socket = socket;
    });
  }

  /** Sends until `depth` requests are outstanding. */
  fill(nowMs: number): void {
    while (this.outstanding < this.#plan.depth) this.#append(nowMs);
    this.#flush();
  }

  close(): void {
    this.#isDone = true;
    this.#socket?.destroy();
  }

  /** Writes the next request into the slab. */
  #append(nowMs: number): void {
    const plan = this.#plan;
    const isWrite = plan.writePercent > 0 && this.#prng.uint32() % 100 < plan.writePercent;
    const requests = isWrite ? plan.writes : plan.reads;
    invariant(requests !== undefined, 'a load without the frames it asks for');
    const frame = requests.frames[this.#prng.uint32() % requests.frames.length];
    invariant(frame !== undefined, 'a load without frames');
    const at = this.#slabAt;
    this.#slab.set(frame, at);
    this.#slab.writeInt32BE(this.#nextXid, at + XID_AT);
    if (isWrite) {
      if (requests.numberAt !== undefined) {
        writeNumber(this.#slab, at + requests.numberAt, this.#writesSent);
      }
      this.#writesSent += 1;
    }
    this.#slabAt = at + frame.length;
    const slot = this.#nextXid % plan.depth;
    this.#sentAtMs[slot] = nowMs;
    this.#isWrite[slot] = isWrite ? 1 : 0;
    this.#nextXid += 1;
  }

  #flush(): void {
    const socket = this.#socket;
    if (this.#slabAt === 0 || socket === undefined) return;
    socket.write(this.#slab.subarray(0, this.#slabAt));
    this.#slabAt = 0;
    // What the kernel did not take at once is still read from the slab: leave it alone.
    if (socket.writableLength > 0) this.#slab = Buffer.allocUnsafeSlow(this.#slabBytes);
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
      if (this.#isConnected) this.#replied(nowMs);
      else this.#handshaken();
    }
    if (!this.#isDone) this.#flush();
    return !this.#isDone;
  }

  /** The frame that began with `#head` is complete. */
  #replied(nowMs: number): void {
    const head = this.#head;
    const xid = this.#nextReplyXid;
    const slot = xid % this.#plan.depth;
    const isWrite = this.#isWrite[slot] === 1;
    const requests = isWrite ? this.#plan.writes : this.#plan.reads;
    const zxid = head.readInt32BE(8) * 0x1_0000_0000 + head.readUInt32BE(12);
    const code = head.readInt32BE(16);
    if (head.readInt32BE(4) !== xid || this.outstanding === 0) {
      this.#fail(`a reply out of order: xid ${head.readInt32BE(4)} where ${xid} was due`);
    } else if (code !== 0) {
      this.#fail(`a reply with error ${code}`);
    } else if (head.readInt32BE(0) !== requests?.replyLength) {
      this.#fail(`a reply of ${head.readInt32BE(0)} bytes`);
    } else if (zxid < this.#lastZxid) {
      this.#fail('a reply with an older zxid than the one before it');
    } else {
      this.#lastZxid = zxid;
      this.#nextReplyXid = xid + 1;
      if (isWrite) this.#writesDone += 1;
      this.#tally.record((nowMs - (this.#sentAtMs[slot] ?? nowMs)) * 1000);
      if (this.#tally.isIssuing) this.#append(nowMs);
    }
  }

  #handshaken(): void {
    const timeoutMs = this.#head.readInt32BE(8);
    if (timeoutMs <= 0) {
      this.#fail('the server gave no session');
      return;
    }
    this.#isConnected = true;
    this.#onConnected();
  }

  #fail(reason: string): void {
    this.#tally.fail(reason);
    this.close();
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
