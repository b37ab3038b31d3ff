/** A persistent watch as an async iterator: events wait in it until they are taken. */

import { Fifo } from './fifo.ts';
import { KeeperError } from './keeper-error.ts';
import type { NodeEvent, RearmedEvent, WatchEvent } from './watch-event.ts';

/** What an iterator yields. After `rearmed`, read again: events may have been missed. */
export type WatchedEvent = NodeEvent | RearmedEvent;

type Taker = {
  readonly resolve: (result: IteratorResult<WatchedEvent, undefined>) => void;
  readonly reject: (error: unknown) => void;
};

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

export class WatchIterator implements AsyncIterableIterator<WatchedEvent, undefined> {
  /** Settles when the server watches: what happens from then on is told. */
  readonly ready: Promise<void>;
  readonly #path: string;
  readonly #eventsMax: number;
  readonly #release: () => void;
  readonly #events = new Fifo<WatchedEvent>();
  readonly #takers = new Fifo<Taker>();
  #isOver = false;
  #error: KeeperError | undefined;

  /** `start` registers the listener; `release` takes it back, once. */
  constructor(
    path: string,
    eventsMax: number,
    start: (listener: (event: WatchEvent) => void) => Promise<void>,
    release: (listener: (event: WatchEvent) => void) => void,
  ) {
    this.#path = path;
    this.#eventsMax = eventsMax;
    this.#release = () => release(this.#listener);
    this.ready = start(this.#listener);
    // The iterator reports it too: whoever only iterates need not wait for `ready`.
    this.ready.catch((error: unknown) => this.#finish(error));
  }

  /** Events that wait to be taken. */
  get waitingCount(): number {
    return this.#events.length;
  }

  next(): Promise<IteratorResult<WatchedEvent, undefined>> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#isOver) return Promise.resolve(END);
    return new Promise((resolve, reject) => {
      this.#takers.push({ resolve, reject });
    });
  }

  /** Ends the watch; a loop that is left does it by itself. */
  return(): Promise<IteratorReturnResult<undefined>> {
    this.#events.takeAll();
    this.#error = undefined;
    this.stop();
    return Promise.resolve(END);
  }

  /** Ends the watch; events that wait may still be taken. */
  stop(): void {
    if (this.#isOver) return;
    this.#release();
    this.#finish(undefined);
  }

  /** As `stop`, but the iterator throws this when the waiting events were taken. */
  fail(error: KeeperError): void {
    if (this.#isOver) return;
    this.#release();
    this.#finish(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  readonly #listener = (event: WatchEvent): void => {
    if (this.#isOver) return;
    switch (event.type) {
      case 'ended':
        // The owner closed the client: that is an end, not a failure.
        this.#finish(event.error.code === 'CLOSING' ? undefined : event.error);
        return;
      case 'dataWatchRemoved':
      case 'childWatchRemoved':
      case 'persistentWatchRemoved':
        this.#finish(undefined);
        return;
      default:
        this.#offer(event);
    }
  };

  #offer(event: WatchedEvent): void {
    const taker = this.#takers.shift();
    if (taker !== undefined) taker.resolve({ done: false, value: event });
    else if (this.#events.length < this.#eventsMax) this.#events.push(event);
    else {
      const reason = `more than ${this.#eventsMax} events wait to be taken`;
      this.fail(new KeeperError('WATCH_OVERFLOW', 'watch', { path: this.#path, reason }));
    }
  }

  #finish(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const takers = this.#takers.takeAll();
    if (error !== undefined && takers.length === 0 && error instanceof KeeperError) {
      this.#error = error;
    }
    for (const [index, taker] of takers.entries()) {
      // One caller is told of the failure; the iterator is simply over for the others.
      if (error !== undefined && index === 0) taker.reject(error);
      else taker.resolve(END);
    }
  }
}
