/**
 * The tree's digest at every 128th transaction, the newest 1024 of them, so that replicas can be
 * compared although they apply at different moments.
 */

import type { Zxid } from '../base/ids.ts';

const INTERVAL = 128;
const LENGTH_MAX = 1024;

export class DigestHistory {
  readonly #own = new Map<Zxid, string>();
  /** The leader's digests for transactions that were not applied, or not looked at, here yet. */
  readonly #expected = new Map<Zxid, string>();

  isDue(zxid: Zxid): boolean {
    return zxid % INTERVAL === 0;
  }

  /** Oldest first, as hex. */
  entries(): IterableIterator<[Zxid, string]> {
    return this.#own.entries();
  }

  /** Keeps the own digest. */
  record(zxid: Zxid, digest: string): void {
    keep(this.#own, zxid, digest);
  }

  isExpected(zxid: Zxid): boolean {
    return this.#expected.has(zxid);
  }

  /** Hands out the leader's digest, if it came before the transaction was applied. */
  takeExpected(zxid: Zxid): string | undefined {
    const expected = this.#expected.get(zxid);
    this.#expected.delete(zxid);
    return expected;
  }

  /** The own digest if it is known and differs from the leader's; one not known yet is compared later. */
  compare(zxid: Zxid, leaders: string, applied: Zxid): string | undefined {
    const own = this.#own.get(zxid);
    if (own === undefined && zxid >= applied) keep(this.#expected, zxid, leaders);
    return own !== undefined && own !== leaders ? own : undefined;
  }

  /** Another history begins. */
  clear(): void {
    this.#own.clear();
    this.#expected.clear();
  }
}

function keep(map: Map<Zxid, string>, zxid: Zxid, digest: string): void {
  map.set(zxid, digest);
  if (map.size <= LENGTH_MAX) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}
