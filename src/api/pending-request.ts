/**
 * A request that could not be answered on the spot, and the queue of them that keeps a connection's
 * replies in the order of its requests. The record is at once what the backend gets and settles, so
 * a write costs one object and no closure.
 */

import type { Identity } from '../base/acl.ts';
import { invariant } from '../base/assert.ts';
import type { SessionId, Zxid } from '../base/ids.ts';
import type { OpCode } from '../base/op-code.ts';
import { type ApplyResult, keptResult } from '../store/data-tree.ts';
import type { ClientSync, ClientWrite } from './backend.ts';

export const PendingState = {
  /** Is answered here when its turn comes: reads, pings, refusals. */
  local: 0,
  /** A write that a sync in front of it keeps back. */
  held: 1,
  /** With the backend. */
  submitted: 2,
  /** The backend has settled it. */
  settled: 3,
  /** Waited too long to be carried out at all. */
  throttled: 4,
} as const;
export type PendingState = (typeof PendingState)[keyof typeof PendingState];

/** Who hears of a request's end. */
export interface PendingOwner {
  requestCompleted(request: PendingRequest): void;
  requestDropped(request: PendingRequest): void;
}

export class PendingRequest implements ClientWrite, ClientSync {
  readonly sessionId: SessionId;
  readonly cxid: number;
  /** As sent by the client; an operation the backend knows if `state` says it goes there. */
  readonly type: number;
  readonly identities: readonly Identity[];
  /** Monotonic milliseconds. */
  readonly receivedMs: number;
  /** A copy where the request waits, a view while it is being submitted, else empty. */
  payload: Uint8Array;
  state: PendingState;
  /** Bytes of its record, which somebody keeps until it is answered or settled. */
  readonly recordBytes: number;
  zxid: Zxid | undefined = undefined;
  result: ApplyResult | undefined = undefined;
  next: PendingRequest | undefined = undefined;
  readonly #owner: PendingOwner;

  constructor(
    owner: PendingOwner,
    sessionId: SessionId,
    cxid: number,
    type: number,
    identities: readonly Identity[],
    receivedMs: number,
    payload: Uint8Array,
    state: PendingState,
  ) {
    this.#owner = owner;
    this.sessionId = sessionId;
    this.cxid = cxid;
    this.type = type;
    this.identities = identities;
    this.receivedMs = receivedMs;
    this.payload = payload;
    this.recordBytes = payload.length;
    this.state = state;
  }

  get op(): OpCode {
    return this.type as OpCode;
  }

  /** It is not answered at once: the result has to outlive the next transaction. */
  keepResult(): void {
    if (this.result !== undefined) this.result = keptResult(this.result);
  }

  /** A write has a zxid and a result, a sync has neither. */
  completed(zxid?: Zxid, result?: ApplyResult): void {
    invariant(this.state === PendingState.submitted, 'request settled twice');
    this.state = PendingState.settled;
    this.zxid = zxid;
    this.result = result;
    this.#owner.requestCompleted(this);
  }

  dropped(): void {
    invariant(this.state === PendingState.submitted, 'request settled twice');
    this.state = PendingState.settled;
    this.#owner.requestDropped(this);
  }
}

/** First in, first out, linked through the records themselves. */
export class PendingQueue {
  #head: PendingRequest | undefined = undefined;
  #tail: PendingRequest | undefined = undefined;
  #count = 0;

  get head(): PendingRequest | undefined {
    return this.#head;
  }

  get count(): number {
    return this.#count;
  }

  push(request: PendingRequest): void {
    if (this.#tail === undefined) this.#head = request;
    else this.#tail.next = request;
    this.#tail = request;
    this.#count += 1;
  }

  shift(): void {
    const head = this.#head;
    invariant(head !== undefined, 'shift on an empty queue');
    this.#head = head.next;
    if (this.#head === undefined) this.#tail = undefined;
    head.next = undefined;
    this.#count -= 1;
  }
}
