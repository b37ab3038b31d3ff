/**
 * Finds out whose state is wrong when states differ: every server reports the digest of its tree at
 * certain zxids to the leader, and what a majority of the voters has is right. Without a majority
 * nobody can tell, and nobody is judged.
 */

import type { ServerId, Zxid } from '../base/ids.ts';

/** Reports of so many zxids are kept for servers that come later. */
const ZXIDS_MAX = 64;

export interface Verdict {
  readonly zxid: Zxid;
  /** Hex; what a majority has. */
  readonly digest: string;
  /** Servers that have something else, each named once. */
  readonly wrong: readonly ServerId[];
}

interface Case {
  readonly digests: Map<ServerId, string>;
  readonly judged: Set<ServerId>;
}

export class DigestJury {
  readonly #voters: readonly ServerId[];
  readonly #cases = new Map<Zxid, Case>();

  constructor(voters: readonly ServerId[]) {
    this.#voters = voters;
  }

  /** Takes a server's digest at a zxid; undefined while nobody is known to be wrong. */
  report(sid: ServerId, zxid: Zxid, digest: string): Verdict | undefined {
    const found = this.#caseOf(zxid);
    found.digests.set(sid, digest);
    const right = this.#majority(found);
    if (right === undefined) return undefined;
    const wrong: ServerId[] = [];
    for (const [reporter, reported] of found.digests) {
      if (reported === right || found.judged.has(reporter)) continue;
      found.judged.add(reporter);
      wrong.push(reporter);
    }
    return wrong.length === 0 ? undefined : { zxid, digest: right, wrong };
  }

  /** Another leadership begins: what was reported before says nothing about the servers of now. */
  clear(): void {
    this.#cases.clear();
  }

  #majority({ digests }: Case): string | undefined {
    const counts = new Map<string, number>();
    for (const voter of this.#voters) {
      const digest = digests.get(voter);
      if (digest === undefined) continue;
      const count = (counts.get(digest) ?? 0) + 1;
      if (count * 2 > this.#voters.length) return digest;
      counts.set(digest, count);
    }
    return undefined;
  }

  #caseOf(zxid: Zxid): Case {
    let found = this.#cases.get(zxid);
    if (found !== undefined) return found;
    found = { digests: new Map(), judged: new Set() };
    this.#cases.set(zxid, found);
    const oldest = this.#cases.keys().next();
    if (this.#cases.size > ZXIDS_MAX && oldest.done !== true) this.#cases.delete(oldest.value);
    return found;
  }
}
