/**
 * Compares this server's state with the leader's by digests: at certain zxids, and whenever a
 * leadership or a learner begins, so that a state that went wrong while nobody looked, or before a
 * restart, is not served for long.
 */

import type { Zxid } from '../base/ids.ts';
import { type ClientMessage, ClientMessageType } from '../peer/peer-message.ts';
import type { DataTree } from '../store/data-tree.ts';
import { DigestHistory } from './digest-history.ts';

export interface StateComparisonHooks {
  readonly tree: () => DataTree;
  readonly broadcastToLearners: (message: ClientMessage) => void;
  /** The digest of the tree at a zxid at which others may take it, too. */
  readonly recorded: (zxid: Zxid, digest: string) => void;
  readonly differs: (zxid: Zxid, own: string, leaders: string) => void;
}

/** Between the digest of the nodes, which the original has too, and that of the sessions. */
const SEPARATOR = '+';

export class StateComparison {
  /** Digests of the whole state, at the zxids at which every server takes them. */
  readonly history = new DigestHistory();
  readonly #hooks: StateComparisonHooks;

  constructor(hooks: StateComparisonHooks) {
    this.#hooks = hooks;
  }

  /** Digests of the nodes alone, by zxid, oldest first. */
  *nodeDigests(): Generator<readonly [Zxid, string]> {
    for (const [zxid, digest] of this.history.entries()) {
      yield [zxid, digest.slice(0, digest.indexOf(SEPARATOR))];
    }
  }

  /** Whether `applied` is to be called for the transaction. */
  isDue(zxid: Zxid): boolean {
    return this.history.isDue(zxid) || this.history.isExpected(zxid);
  }

  /** The tree has just applied the transaction. */
  applied(zxid: Zxid, isLeading: boolean): void {
    const digest = stateDigest(this.#hooks.tree());
    const leaders = this.history.takeExpected(zxid);
    if (this.history.isDue(zxid)) this.history.record(zxid, digest);
    if (isLeading) this.#show(zxid, digest);
    else this.#compare(zxid, digest, leaders);
  }

  /** To a leader: its learners are to compare their state with this one as it is now. */
  show(): void {
    const tree = this.#hooks.tree();
    this.#show(tree.lastZxid, stateDigest(tree));
  }

  /** To a learner: the leader's digest. One that is not settled may be about to get another tree. */
  heard(zxid: Zxid, leaders: string, isSettled: boolean): void {
    const own = this.history.compare(zxid, leaders, this.#hooks.tree().lastZxid);
    if (own !== undefined) this.#hooks.differs(zxid, own, leaders);
    if (isSettled) this.verify();
  }

  /** Compares the tree as it is with what the leader said of this zxid, if it said anything. */
  verify(): void {
    const tree = this.#hooks.tree();
    const leaders = this.history.takeExpected(tree.lastZxid);
    if (leaders !== undefined) this.#compare(tree.lastZxid, stateDigest(tree), leaders);
  }

  #show(zxid: Zxid, digest: string): void {
    this.#hooks.recorded(zxid, digest);
    this.#hooks.broadcastToLearners({ type: ClientMessageType.digest, zxid, digest });
  }

  #compare(zxid: Zxid, digest: string, leaders: string | undefined): void {
    this.#hooks.recorded(zxid, digest);
    if (leaders !== undefined && leaders !== digest) this.#hooks.differs(zxid, digest, leaders);
  }
}

function stateDigest({ digestHex, sessions }: DataTree): string {
  return digestHex + SEPARATOR + sessions.digestHex;
}
