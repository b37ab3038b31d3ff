/**
 * Tells callers what happened, in the order it did. A promise's continuation runs after the code that
 * settled it; a listener called on the spot would therefore overtake a reply that came before its
 * event. So listeners are called from continuations too.
 */

import type { Timers } from '../runtime/runtime.ts';

export class Mailbox {
  readonly #timers: Timers;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /**
   * Calls the listener behind everything settled or delivered before. What it throws is a bug of its
   * owner's: it is thrown once more in a turn of its own, where nothing of the client is half done.
   */
  deliver<T>(listener: (payload: T) => void, payload: T): void {
    Promise.resolve(payload)
      .then(listener)
      .catch((error: unknown) => {
        this.#timers.defer(() => {
          throw error;
        });
      });
  }
}
