/**
 * The requests of a server's clients that are under way, by their numbers. The numbers are given out
 * in order and settle nearly in order, so this is a ring and not a map: a map that takes and loses
 * thousands of entries a second is copied again and again, and each copy it leaves behind keeps what
 * was in it until the next full garbage collection.
 */

import type { ClientWrite } from '../api/backend.ts';
import { invariant } from '../base/assert.ts';

const CAPACITY_MIN = 64;

export class PendingWrites {
  /** As long as a power of two. */
  #slots: (ClientWrite | undefined)[] = new Array<undefined>(CAPACITY_MIN).fill(undefined);
  /** Place of the oldest number that is still of interest, and that number. */
  #head = 0;
  #firstId: number;
  /** Numbers from the first on that have a place. */
  #span = 0;
  #size = 0;

  /** `firstId`: the number that the first request will get. */
  constructor(firstId: number) {
    this.#firstId = firstId;
  }

  /** Requests that were added and are not yet taken. */
  get size(): number {
    return this.#size;
  }

  /** The request's number: one more than that of the request before. */
  add(write: ClientWrite): number {
    if (this.#span === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#span) & (this.#slots.length - 1)] = write;
    this.#span += 1;
    this.#size += 1;
    return this.#firstId + this.#span - 1;
  }

  has(id: number): boolean {
    return this.#slots[this.#place(id)] !== undefined;
  }

  /** Hands out a request that is settled now; undefined when none has the number, or no longer. */
  take(id: number): ClientWrite | undefined {
    const place = this.#place(id);
    const write = this.#slots[place];
    if (write === undefined) return undefined;
    this.#slots[place] = undefined;
    this.#size -= 1;
    const mask = this.#slots.length - 1;
    while (this.#span > 0 && this.#slots[this.#head] === undefined) {
      this.#head = (this.#head + 1) & mask;
      this.#firstId += 1;
      this.#span -= 1;
    }
    return write;
  }

  /** Hands out all of them in the order of their numbers. */
  takeAll(): ClientWrite[] {
    const all: ClientWrite[] = [];
    for (let at = 0; at < this.#span; at++) {
      const write = this.#slots[(this.#head + at) & (this.#slots.length - 1)];
      if (write !== undefined) all.push(write);
    }
    this.#firstId += this.#span;
    this.#slots = new Array<undefined>(CAPACITY_MIN).fill(undefined);
    this.#head = 0;
    this.#span = 0;
    this.#size = 0;
    return all;
  }

  /** -1, where no slot is, for a number that has no place. */
  #place(id: number): number {
    const offset = id - this.#firstId;
    if (offset < 0 || offset >= this.#span) return -1;
    return (this.#head + offset) & (this.#slots.length - 1);
  }

  #grow(): void {
    const { length } = this.#slots;
    const slots: (ClientWrite | undefined)[] = new Array<undefined>(length * 2).fill(undefined);
    for (let at = 0; at < length; at++) slots[at] = this.#slots[(this.#head + at) & (length - 1)];
    this.#slots = slots;
    this.#head = 0;
    invariant(this.#span < slots.length, 'a ring without room');
  }
}
