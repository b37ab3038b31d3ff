/** Ephemeral nodes by the session that owns them. Holds slots, not paths: a path is stored nowhere. */

import { invariant } from '../base/assert.ts';
import type { SessionId } from '../base/ids.ts';
import type { Znode } from './znode.ts';

export class Ephemerals {
  readonly #nodeOf: (slot: number) => Znode;
  readonly #bySession = new Map<SessionId, Set<number>>();
  #count = 0;

  constructor(nodeOf: (slot: number) => Znode) {
    this.#nodeOf = nodeOf;
  }

  /** Ephemeral nodes of all sessions. */
  get count(): number {
    return this.#count;
  }

  countOf(sessionId: SessionId): number {
    return this.#bySession.get(sessionId)?.size ?? 0;
  }

  /** Nodes of one session in the order they were created. */
  *of(sessionId: SessionId): Generator<Znode> {
    const slots = this.#bySession.get(sessionId);
    if (slots !== undefined) for (const slot of slots) yield this.#nodeOf(slot);
  }

  /** Sessions that own at least one node. */
  owners(): IterableIterator<SessionId> {
    return this.#bySession.keys();
  }

  add(owner: SessionId, slot: number): void {
    let slots = this.#bySession.get(owner);
    if (slots === undefined) {
      slots = new Set();
      this.#bySession.set(owner, slots);
    }
    slots.add(slot);
    this.#count += 1;
  }

  remove(owner: SessionId, slot: number): void {
    const slots = this.#bySession.get(owner);
    const isRemoved = slots?.delete(slot) === true;
    invariant(isRemoved, 'ephemeral node missing from its session');
    this.#count -= 1;
    if (slots?.size === 0) this.#bySession.delete(owner);
  }
}
