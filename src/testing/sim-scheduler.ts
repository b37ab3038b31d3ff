/**
 * What all parts of one simulated world share: its time, its queue of events, its one generator of
 * chance and its fingerprint. Nothing here knows what the events are about.
 */

import { invariant } from '../base/assert.ts';
import { Prng } from '../base/prng.ts';
import { EventQueue, type SimEvent } from './event-queue.ts';
import { TraceHash } from './trace-hash.ts';

/** What an event was about, for the trace. */
export const TraceKind = {
  timer: 1,
  bytes: 2,
  streamControl: 3,
  write: 4,
  read: 5,
  crash: 6,
  pause: 7,
} as const;
export type TraceKind = (typeof TraceKind)[keyof typeof TraceKind];

export class SimScheduler {
  readonly prng: Prng;
  readonly trace = new TraceHash();
  #queue = new EventQueue();
  #nowUs = 0;
  #promiseSettled = true;
  #openPromises = 0;
  #eventCount = 0;

  readonly #onPromise: () => void;

  /** `onPromise` is called for every promise given out. */
  constructor(seed: number, onPromise: () => void) {
    this.prng = new Prng(seed);
    this.#onPromise = onPromise;
  }

  get nowUs(): number {
    return this.#nowUs;
  }

  /** Events fired so far. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /** Promises given out whose event is still to come. */
  get openPromises(): number {
    return this.#openPromises;
  }

  after(delayUs: number, action: () => void): SimEvent {
    if (delayUs === 0) return this.#queue.pushAtOnce(this.#nowUs, action);
    return this.#queue.push(this.#nowUs + delayUs, action);
  }

  cancel(event: SimEvent): void {
    this.#queue.cancel(event);
  }

  promiseOpened(): void {
    this.#openPromises++;
    this.#onPromise();
  }

  /** Says that code waiting for a promise can go on, and must before the next event. */
  promiseSettled(): void {
    this.#openPromises--;
    this.#promiseSettled = true;
  }

  /** Says that so many promises will never settle. */
  promisesAbandoned(count: number): void {
    this.#openPromises -= count;
  }

  /** True once after promises were settled. */
  takePromiseSettled(): boolean {
    const settled = this.#promiseSettled;
    this.#promiseSettled = false;
    return settled;
  }

  nextDueUs(): number | undefined {
    return this.#queue.nextDueUs();
  }

  /** Moves time to the next event and fires it; false when there is none. */
  fireNext(): boolean {
    const event = this.#queue.pop();
    if (event?.action === undefined) return false;
    const { action } = event;
    invariant(event.dueUs >= this.#nowUs, 'an event lies in the past');
    this.#nowUs = event.dueUs;
    event.action = undefined;
    this.#eventCount++;
    this.trace.mix(event.dueUs);
    action();
    return true;
  }

  /** Moves time on when nothing is due until then. */
  idleUntil(timeUs: number): void {
    invariant(timeUs >= this.#nowUs, 'time goes back');
    const next = this.#queue.nextDueUs();
    invariant(next === undefined || next >= timeUs, 'an event would be passed over');
    this.#nowUs = timeUs;
  }

  /** A delay drawn between two bounds in milliseconds, as microseconds. */
  drawUs(minMs: number, maxMs: number): number {
    return this.prng.between(Math.round(minMs * 1000), Math.round(maxMs * 1000));
  }
}
