/**
 * The future of a simulated world: events ordered by time, and by the order of their scheduling
 * where times are equal. A binary heap, so that a step costs the logarithm of what is pending; what is
 * due at once, as one event in three is, waits in a line of its own.
 */

import { invariant } from '../base/assert.ts';

/** One scheduled call. Times are whole microseconds of virtual time. */
export interface SimEvent {
  readonly dueUs: number;
  readonly sequence: number;
  readonly isAtOnce: boolean;
  /** undefined once the event has fired or was cancelled. */
  action: (() => void) | undefined;
}

/** Below this many cancelled events a sweep costs more than it saves. */
const SWEEP_MIN = 1024;

export class EventQueue {
  #heap: SimEvent[] = [];
  /** In the order of time and sequence; those before the index have fired. */
  #line: SimEvent[] = [];
  #lineIndex = 0;
  #sequence = 0;
  #cancelledCount = 0;

  push(dueUs: number, action: () => void): SimEvent {
    invariant(Number.isSafeInteger(dueUs) && dueUs >= 0, 'event time is not a whole microsecond');
    const event: SimEvent = { dueUs, sequence: this.#sequence++, isAtOnce: false, action };
    this.#heap.push(event);
    this.#siftUp(this.#heap.length - 1);
    return event;
  }

  /** An event of this moment, behind all that are due then. `nowUs` never goes back. */
  pushAtOnce(nowUs: number, action: () => void): SimEvent {
    const event: SimEvent = { dueUs: nowUs, sequence: this.#sequence++, isAtOnce: true, action };
    this.#line.push(event);
    return event;
  }

  /** Does nothing to an event that has fired or was cancelled before. */
  cancel(event: SimEvent): void {
    if (event.action === undefined) return;
    event.action = undefined;
    if (event.isAtOnce) return;
    this.#cancelledCount++;
    if (this.#cancelledCount >= SWEEP_MIN && this.#cancelledCount * 2 > this.#heap.length) {
      this.#sweep();
    }
  }

  /** Time of the next event that will fire, or undefined when nothing is pending. */
  nextDueUs(): number | undefined {
    this.#dropCancelled();
    return this.#isLineNext() ? this.#line[this.#lineIndex]?.dueUs : this.#heap[0]?.dueUs;
  }

  pop(): SimEvent | undefined {
    this.#dropCancelled();
    return this.#isLineNext() ? this.#line[this.#lineIndex++] : this.#removeTop();
  }

  #isLineNext(): boolean {
    const first = this.#line[this.#lineIndex];
    const top = this.#heap[0];
    return first !== undefined && (top === undefined || isBefore(first, top));
  }

  #dropCancelled(): void {
    while (this.#lineIndex < this.#line.length && isOver(this.#line[this.#lineIndex])) {
      this.#lineIndex++;
    }
    if (this.#lineIndex > 0 && this.#lineIndex === this.#line.length) {
      this.#line.length = 0;
      this.#lineIndex = 0;
    }
    while (this.#heap[0] !== undefined && this.#heap[0].action === undefined) {
      this.#removeTop();
      this.#cancelledCount--;
    }
  }

  /** Timeouts are armed and cleared all the time; their remains must not fill the heap. */
  #sweep(): void {
    this.#heap = this.#heap.filter((event) => event.action !== undefined);
    this.#cancelledCount = 0;
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#siftDown(i);
  }

  #removeTop(): SimEvent | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (top === undefined || last === undefined || top === last) return top;
    this.#heap[0] = last;
    this.#siftDown(0);
    return top;
  }

  #siftUp(from: number): void {
    const heap = this.#heap;
    const moving = heap[from];
    if (moving === undefined) return;
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || isBefore(parent, moving)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = moving;
  }

  #siftDown(from: number): void {
    const heap = this.#heap;
    const moving = heap[from];
    if (moving === undefined) return;
    let index = from;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex++;
      }
      if (isBefore(moving, child)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = moving;
  }
}

function isOver(event: SimEvent | undefined): boolean {
  return event?.action === undefined;
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.dueUs < b.dueUs || (a.dueUs === b.dueUs && a.sequence < b.sequence);
}
