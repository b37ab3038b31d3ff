/**
 * What this server holds in memory for its clients, all connections together. Two sums, because they
 * shrink in different ways:
 *
 * - requests that wait for the backend: it will get to them, so whoever has some under way is not
 *   read on until there are fewer;
 * - what only the client itself can make less: the beginning of a frame whose rest does not come,
 *   replies that are not read, requests behind them. When it is too much, whoever holds most goes.
 */

import { invariant } from '../base/assert.ts';

/** A connection, as far as its memory is concerned. */
export interface BufferOwner {
  /** What it holds at the moment. */
  readonly heldBytes: number;
  drop(reason: string): void;
}

/** Of the bytes that clients may hold, so many may be requests that wait for the backend. */
const REQUEST_SHARE = 8;

export class ClientBuffers {
  readonly #bytesMax: number;
  readonly #requestBytesMax: number;
  readonly #overflowed: () => void;
  readonly #accounts = new Map<BufferOwner, number>();
  #heldBytes = 0;
  #requestBytes = 0;

  /** `overflowed` is called when more than `bytesMax` are held: `relieve` should be called soon. */
  constructor(bytesMax: number, overflowed: () => void) {
    this.#bytesMax = bytesMax;
    this.#requestBytesMax = Math.floor(bytesMax / REQUEST_SHARE);
    this.#overflowed = overflowed;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get requestBytes(): number {
    return this.#requestBytes;
  }

  /** Requests enough wait for the backend. */
  get areRequestsFull(): boolean {
    return this.#requestBytes >= this.#requestBytesMax;
  }

  /** Requests of so many bytes went to the backend; negative when they came back. */
  requested(bytes: number): void {
    this.#requestBytes += bytes;
    invariant(this.#requestBytes >= 0, 'more requests came back than were sent');
  }

  /** The owner holds so many bytes now; 0 closes its account. */
  hold(owner: BufferOwner, bytes: number): void {
    this.#heldBytes += bytes - (this.#accounts.get(owner) ?? 0);
    if (bytes === 0) this.#accounts.delete(owner);
    else this.#accounts.set(owner, bytes);
    if (this.#heldBytes > this.#bytesMax) this.#overflowed();
  }

  /** Drops whoever holds most, one after the other, until the rest is little enough; returns how many. */
  relieve(): number {
    if (this.#heldBytes <= this.#bytesMax) return 0;
    // What was noted may be out of date: the network takes bytes without a word.
    const owners = [...this.#accounts.keys()];
    for (const owner of owners) this.hold(owner, owner.heldBytes);
    owners.sort((a, b) => b.heldBytes - a.heldBytes);
    let count = 0;
    for (const owner of owners) {
      if (this.#heldBytes <= this.#bytesMax) break;
      owner.drop('clients hold too much memory, this one most');
      count += 1;
    }
    return count;
  }
}
