/** Listeners by event name, with types. */

import type { Mailbox } from './mailbox.ts';

type Listener<T> = (payload: T) => void;

export class TypedEmitter<Events extends object> {
  readonly #mailbox: Mailbox;
  /** By name; the value says whether the listener is called once only. */
  readonly #listeners = new Map<keyof Events, Map<Listener<never>, boolean>>();

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
  }

  add<Name extends keyof Events>(
    name: Name,
    listener: Listener<Events[Name]>,
    isOnce = false,
  ): void {
    const known = this.#listeners.get(name);
    if (known === undefined) this.#listeners.set(name, new Map([[listener, isOnce]]));
    else known.set(listener, isOnce);
  }

  remove<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): void {
    this.#listeners.get(name)?.delete(listener);
  }

  /** Everyone who listens now is told, behind what was settled before. */
  emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    const listeners = this.#listeners.get(name) as Map<Listener<Events[Name]>, boolean> | undefined;
    if (listeners === undefined) return;
    for (const [listener, isOnce] of listeners) {
      if (isOnce) listeners.delete(listener);
      this.#mailbox.deliver(listener, payload);
    }
  }
}
