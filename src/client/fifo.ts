/** A queue that takes from its front without moving what stands behind. */

/** Taken slots are given back when there are this many, and more than what is left. */
const SPENT_MIN = 64;

export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #front = 0;

  get length(): number {
    return this.#items.length - this.#front;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  first(): T | undefined {
    return this.#items[this.#front];
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#front];
    this.#items[this.#front] = undefined;
    this.#front += 1;
    if (this.length === 0) this.#reset();
    else if (this.#front >= SPENT_MIN && this.#front > this.length) {
      this.#items.splice(0, this.#front);
      this.#front = 0;
    }
    return item;
  }

  /** Empties the queue into an array, in order. */
  takeAll(): T[] {
    const items = this.#items.slice(this.#front) as T[];
    this.#reset();
    return items;
  }

  #reset(): void {
    this.#items = [];
    this.#front = 0;
  }
}
