/** Ephemeral nodes by the session that owns them. Holds nodes, not paths: a path is stored nowhere. */

import { invariant } from '../base/assert.ts';
import type { SessionId } from '../base/ids.ts';
import type { Znode } from './znode.ts';

const NO_NODES: ReadonlySet<Znode> = new Set();

export class Ephemerals {
  readonly #bySession = new Map<SessionId, Set<Znode>>();
  #count = 0;

  /** Ephemeral nodes of all sessions. */
  get count(): number {
    return this.#count;
  }

  /** Nodes of one session in the order they were created. */
  of(sessionId: SessionId): ReadonlySet<Znode> {
    return this.#bySession.get(sessionId) ?? NO_NODES;
  }

  /** Sessions that own at least one node, with their nodes. */
  entries(): IterableIterator<[SessionId, ReadonlySet<Znode>]> {
    return this.#bySession.entries();
  }

  add(owner: SessionId, node: Znode): void {
    let nodes = this.#bySession.get(owner);
    if (nodes === undefined) {
      nodes = new Set();
      this.#bySession.set(owner, nodes);
    }
    nodes.add(node);
    this.#count += 1;
  }

  remove(owner: SessionId, node: Znode): void {
    const nodes = this.#bySession.get(owner);
    const isRemoved = nodes?.delete(node) === true;
    invariant(isRemoved, 'ephemeral node missing from its session');
    this.#count -= 1;
    if (nodes?.size === 0) this.#bySession.delete(owner);
  }
}
