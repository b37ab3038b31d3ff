/**
 * Deletes what nobody needs any more, on the leader: containers whose last child went, and nodes with
 * a time to live that is over. Each deletion is a transaction like any other.
 *
 * What is due is looked for once an interval and then worked off evenly, so that a great many nodes
 * that end together do not crowd out clients. A node is looked at again when its turn comes, since
 * it may have got a child or new data while it waited.
 */

import type { DataTree } from '../store/data-tree.ts';
import { NodeKind, ttlOfOwner } from '../store/owner.ts';
import type { Znode } from '../store/znode.ts';

export interface SweepPolicy {
  /** Between two looks at all containers and nodes with a time to live. */
  readonly checkIntervalMs: number;
  readonly maxPerMinute: number;
  /** Age at which a container that never had a child goes too; 0: never. */
  readonly maxNeverUsedIntervalMs: number;
}

export interface SweepHooks {
  /** Whether a change of the node is under way, which the tree does not show yet. */
  isPending(path: string): boolean;
  /** Proposes the deletion. */
  delete(path: string): void;
}

const MINUTE_MS = 60_000;

export class ContainerSweep {
  readonly #policy: SweepPolicy;
  readonly #hooks: SweepHooks;
  /** Paths found due, in the order of their turns, from `#next` on. */
  #due: string[] = [];
  #next = 0;
  #lookAtMs: number;
  #workedAtMs: number;

  /** `nowMs` is monotonic, here and below; the first look comes after a whole interval. */
  constructor(policy: SweepPolicy, hooks: SweepHooks, nowMs: number) {
    this.#policy = policy;
    this.#hooks = hooks;
    this.#lookAtMs = nowMs + policy.checkIntervalMs;
    this.#workedAtMs = nowMs;
  }

  /** Several times a second. `wallMs` is the clock that the nodes' times come from. */
  tick(tree: DataTree, nowMs: number, wallMs: number): void {
    if (nowMs >= this.#lookAtMs) {
      this.#lookAtMs = nowMs + this.#policy.checkIntervalMs;
      if (this.#next >= this.#due.length) this.#look(tree, nowMs, wallMs);
    }
    if (this.#next < this.#due.length) this.#work(tree, nowMs, wallMs);
  }

  #look(tree: DataTree, nowMs: number, wallMs: number): void {
    this.#due = [];
    this.#next = 0;
    for (const node of tree.sweepable()) if (this.#isDue(node, wallMs)) this.#due.push(node.path);
    // The first one goes at once, the others follow at the pace of the policy.
    this.#workedAtMs = nowMs - this.#pauseMs;
  }

  #work(tree: DataTree, nowMs: number, wallMs: number): void {
    let count = Math.floor((nowMs - this.#workedAtMs) / this.#pauseMs);
    if (count <= 0) return;
    this.#workedAtMs += count * this.#pauseMs;
    for (; count > 0 && this.#next < this.#due.length; count--) {
      const path = this.#due[this.#next++];
      const node = path === undefined ? undefined : tree.find(path);
      if (path === undefined || node === undefined || !this.#isDue(node, wallMs)) continue;
      if (!this.#hooks.isPending(path)) this.#hooks.delete(path);
    }
  }

  /** Between two deletions. */
  get #pauseMs(): number {
    return MINUTE_MS / this.#policy.maxPerMinute;
  }

  #isDue(node: Znode, wallMs: number): boolean {
    if (node.numChildren > 0) return false;
    const ageMs = wallMs - node.mtimeMs;
    if (node.kind === NodeKind.ttl) return ageMs > ttlOfOwner(node.storedOwner);
    if (node.kind !== NodeKind.container) return false;
    if (node.creates > 0) return true;
    const { maxNeverUsedIntervalMs } = this.#policy;
    return maxNeverUsedIntervalMs > 0 && ageMs > maxNeverUsedIntervalMs;
  }
}
