/**
 * Requests in the order they were asked for: not sent yet, and sent and unanswered. It also holds the
 * rule for a connection that is lost under them.
 *
 * Operations of one client take effect in the order they were asked for. If a write was under way
 * nobody knows whether it took effect, and what was asked behind it may have counted on it; what was
 * asked before it could see it if it were repeated now. So everything asked so far fails, and only
 * what was a write and was sent has an unknown outcome. If none was under way, reads are sent again,
 * and what was not sent yet waits.
 *
 * A read may itself be the reason why connections break, when its reply is too long for this client:
 * the one that is due is therefore not sent for ever.
 */

import { OpCode } from '../base/op-code.ts';
import { Fifo } from './fifo.ts';
import type { KeeperErrorCode } from './keeper-error.ts';
import type { FailDetails, PendingRequest } from './request.ts';

/** A read that was due when so many connections broke is given up. */
const LOSSES_MAX = 5;

export class RequestQueue {
  readonly #repeatsReads: boolean;
  readonly #unsent = new Fifo<PendingRequest>();
  readonly #sent = new Fifo<PendingRequest>();
  /** Their replies may overtake others. Undefined: sent by the client itself, nobody waits for it. */
  readonly #sentAuths = new Fifo<PendingRequest | undefined>();

  constructor(repeatsReads: boolean) {
    this.#repeatsReads = repeatsReads;
  }

  get unsentCount(): number {
    return this.#unsent.length;
  }

  /** Sent and unanswered. */
  get sentCount(): number {
    return this.#sent.length;
  }

  add(request: PendingRequest): void {
    this.#unsent.push(request);
  }

  /** The next one to send that somebody still waits for. */
  takeUnsent(): PendingRequest | undefined {
    for (;;) {
      const request = this.#unsent.shift();
      if (request === undefined || !request.isSettled) return request;
    }
  }

  sent(request: PendingRequest): void {
    request.isSent = true;
    if (request.op === OpCode.auth) this.#sentAuths.push(request);
    else this.#sent.push(request);
  }

  sentOwnAuth(): void {
    this.#sentAuths.push(undefined);
  }

  /** The request a reply belongs to; undefined when it is not the one that is due. */
  takeAnswered(xid: number): PendingRequest | undefined {
    return this.#sent.first()?.xid === xid ? this.#sent.shift() : undefined;
  }

  takeAnsweredAuth(): PendingRequest | undefined {
    return this.#sentAuths.shift();
  }

  /** The connection is gone. */
  lost(cause: unknown): void {
    const auths = this.#sentAuths.takeAll();
    const sent = this.#sent.takeAll();
    const unsent = this.#unsent.takeAll();
    const fails = sent.some((request) => request.isWrite || !this.#repeatsReads);
    // Credentials are the client's: every connection gets them, whatever became of the last.
    for (const auth of auths) this.#keep(auth);
    const due = sent[0];
    if (due !== undefined) due.lossCount += 1;
    for (const request of sent) {
      if (fails || request.lossCount >= LOSSES_MAX) request.fail('CONNECTION_LOSS', { cause });
      else this.#keep(request);
    }
    for (const request of unsent) {
      if (fails && request.op !== OpCode.auth) request.fail('CONNECTION_LOSS', { cause });
      else this.#keep(request);
    }
  }

  failAll(code: KeeperErrorCode, details: FailDetails): void {
    const auths = this.#sentAuths.takeAll();
    for (const request of [...auths, ...this.#sent.takeAll(), ...this.#unsent.takeAll()]) {
      request?.fail(code, details);
    }
  }

  #keep(request: PendingRequest | undefined): void {
    if (request === undefined || request.isSettled) return;
    request.isSent = false;
    this.#unsent.push(request);
  }
}
