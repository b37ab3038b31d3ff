/**
 * One connection of a load. In a closed loop it keeps `depth` requests outstanding and sends the next
 * one when a reply has come; in an open loop it sends when it is told to. Replies are judged by their
 * length, order, zxid and error code and are not kept.
 */

import { invariant } from '../base/assert.ts';
import { Prng } from '../base/prng.ts';
import type { Address } from '../runtime/runtime.ts';
import { type RequestFrames, writeNumber, XID_AT } from './load-frames.ts';
import type { LoadTally } from './load-tally.ts';
import { WireConnection } from './wire-connection.ts';

export interface LoadPlan {
  readonly reads: RequestFrames | undefined;
  readonly writes: RequestFrames | undefined;
  /** What follows each write, on the same node: the delete behind a create. */
  readonly undos: RequestFrames | undefined;
  /** Of 100 requests, how many are writes. */
  readonly writePercent: number;
  /** Requests that may be outstanding. */
  readonly depth: number;
  /** Whether a reply calls for the next request. */
  readonly isClosedLoop: boolean;
  /** Requests that are sent in all. */
  readonly requestsMax: number;
  readonly seed: number;
}

export class LoadConnection {
  readonly #plan: LoadPlan;
  readonly #tally: LoadTally;
  readonly #prng: Prng;
  readonly #wire: WireConnection;
  readonly #slabBytes: number;
  /** By `xid % depth`: when a request was sent, and what its reply should be like. */
  readonly #sentAtMs: Float64Array;
  readonly #sent: RequestFrames[] = [];
  #slab: Buffer;
  #slabAt = 0;
  #nextXid = 1;
  #nextReplyXid = 1;
  #lastZxid = 0;
  #writesSent = 0;
  #writesDone = 0;
  #isDone = false;

  constructor(plan: LoadPlan, tally: LoadTally) {
    this.#plan = plan;
    this.#tally = tally;
    this.#prng = new Prng(plan.seed);
    this.#sentAtMs = new Float64Array(plan.depth);
    const kinds = [plan.reads, plan.writes, plan.undos].flatMap((kind) => kind?.frames ?? []);
    this.#slabBytes = plan.depth * Math.max(...kinds.map((frame) => frame.length));
    this.#slab = Buffer.allocUnsafeSlow(this.#slabBytes);
    this.#wire = new WireConnection({
      replied: (head, nowMs) => this.#replied(head, nowMs),
      readEnded: () => this.#flush(),
      failed: (reason) => this.#fail(reason),
    });
  }

  /** Requests sent and not answered. */
  get outstanding(): number {
    return this.#nextXid - this.#nextReplyXid;
  }

  /** Requests sent since the beginning. */
  get sent(): number {
    return this.#nextXid - 1;
  }

  /** Writes acknowledged since the beginning; undos count as well. */
  get writesDone(): number {
    return this.#writesDone;
  }

  /** Resolves when the server has given a session. */
  connect(address: Address): Promise<void> {
    return this.#wire.connect(address);
  }

  /** Sends until `depth` requests are outstanding. */
  fill(nowMs: number): void {
    while (this.outstanding < this.#plan.depth && this.#mayGoOn()) this.#append(nowMs);
    this.#flush();
  }

  /** Sends one request that was due at `dueMs`; false when no more may be outstanding. */
  send(dueMs: number): boolean {
    if (this.#isDone || this.outstanding >= this.#plan.depth) return false;
    this.#append(dueMs);
    this.#flush();
    return true;
  }

  close(): void {
    this.#isDone = true;
    this.#wire.close();
  }

  /** Writes the next request into the slab. */
  #append(nowMs: number): void {
    const plan = this.#plan;
    const isWrite = plan.writePercent > 0 && this.#prng.uint32() % 100 < plan.writePercent;
    const isUndo = isWrite && plan.undos !== undefined && this.#writesSent % 2 === 1;
    const requests = isUndo ? plan.undos : isWrite ? plan.writes : plan.reads;
    invariant(requests !== undefined, 'a load without the frames it asks for');
    const frame = requests.frames[this.#prng.uint32() % requests.frames.length];
    invariant(frame !== undefined, 'a load without frames');
    const at = this.#slabAt;
    this.#slab.set(frame, at);
    this.#slab.writeInt32BE(this.#nextXid, at + XID_AT);
    if (isWrite) {
      const number = plan.undos === undefined ? this.#writesSent : Math.floor(this.#writesSent / 2);
      if (requests.numberAt !== undefined) writeNumber(this.#slab, at + requests.numberAt, number);
      this.#writesSent += 1;
    }
    this.#slabAt = at + frame.length;
    const slot = this.#nextXid % plan.depth;
    this.#sentAtMs[slot] = nowMs;
    this.#sent[slot] = requests;
    this.#nextXid += 1;
  }

  #mayGoOn(): boolean {
    return this.#tally.isIssuing && this.#nextXid <= this.#plan.requestsMax;
  }

  #flush(): void {
    if (this.#slabAt === 0) return;
    this.#wire.write(this.#slab.subarray(0, this.#slabAt));
    this.#slabAt = 0;
    // What the kernel did not take at once is still read from the slab: leave it alone.
    if (this.#wire.unsentBytes > 0) this.#slab = Buffer.allocUnsafeSlow(this.#slabBytes);
  }

  #replied(head: Buffer, nowMs: number): void {
    const plan = this.#plan;
    const xid = this.#nextReplyXid;
    const slot = xid % plan.depth;
    const requests = this.#sent[slot];
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
      if (requests !== plan.reads) this.#writesDone += 1;
      this.#tally.record((nowMs - (this.#sentAtMs[slot] ?? nowMs)) * 1000);
      if (plan.isClosedLoop && this.#mayGoOn()) this.#append(nowMs);
    }
  }

  #fail(reason: string): void {
    this.#tally.fail(reason);
    this.close();
  }
}
