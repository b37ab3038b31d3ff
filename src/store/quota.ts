/**
 * Quotas: the nodes `/zookeeper/quota<path>/zookeeper_limits` and `.../zookeeper_stats`, one pair
 * for each node that has a quota. What they say is plain text in ordinary nodes,
 *
 *     count=<nodes>,bytes=<bytes>[=;byteHardLimit=<bytes>;countHardLimit=<nodes>]
 *
 * where -1 stands for no limit. Usage is kept in that text and nowhere else, so it is as exact as
 * the checkpoint it is in, and equal on all replicas without ever being counted again at a start.
 *
 * Of several quotas on one path only the deepest counts a change.
 */

import { ErrorCode } from '../base/error-code.ts';
import { parentPath } from '../base/path.ts';
import type { Znode } from './znode.ts';

const QUOTA_PREFIX = '/zookeeper/quota';
const LIMITS_NAME = 'zookeeper_limits';
const STATS_NAME = 'zookeeper_stats';
const NO_LIMIT = -1;

/** A change that does not keep to a limit. */
export interface QuotaExcess {
  /** The path that has the quota. */
  readonly path: string;
  readonly what: 'count' | 'bytes';
  /** A hard limit refuses the change where quotas are enforced, a soft one lets it pass. */
  readonly isHard: boolean;
  /** What the usage would be, or will be. */
  readonly usage: number;
  readonly limit: number;
}

/** Limits and usage of all quotas below one node of the top level; -1 where there is no limit. */
export interface NamespaceUsage {
  countLimit: number;
  bytesLimit: number;
  count: number;
  bytes: number;
}

/** What the bookkeeping needs of the tree it is part of. */
export interface QuotaTree {
  find(path: string): Znode | undefined;
  /** Replaces the data and nothing else: no version, no mzxid, no watch. */
  rewrite(node: Znode, path: string, data: string): void;
}

export class QuotaBook {
  readonly #tree: QuotaTree;
  /** Paths that have a quota. */
  readonly #limited = new Set<string>();

  constructor(tree: QuotaTree) {
    this.#tree = tree;
  }

  /** The node is in the tree now. */
  created(path: string, node: Znode): void {
    if (path.startsWith(QUOTA_PREFIX)) this.#quotaNodeCreated(path, node);
    if (this.#limited.size > 0) this.#count(path, node.dataLength, 1);
  }

  /** The node is no longer in the tree. */
  deleted(path: string, node: Znode): void {
    if (path.startsWith(QUOTA_PREFIX) && isQuotaNode(path, LIMITS_NAME)) {
      this.#limited.delete(limitedPath(path));
    }
    if (this.#limited.size > 0) this.#count(path, -node.dataLength, -1);
  }

  dataChanged(path: string, bytesDiff: number): void {
    if (this.#limited.size > 0) this.#count(path, bytesDiff, 0);
  }

  /** A node of a checkpoint is in the tree now: its usage stands there already. */
  restored(path: string): void {
    if (isQuotaNode(path, LIMITS_NAME)) this.#limited.add(limitedPath(path));
  }

  /** Counts all usage anew: in data of the original's each server keeps its own numbers. */
  measureAnew(): void {
    for (const limited of this.#limited) {
      const statsPath = quotaNodePath(limited, STATS_NAME);
      const stats = this.#tree.find(statsPath);
      if (stats === undefined) continue;
      this.#tree.rewrite(stats, statsPath, formatQuota(this.#measure(limited)));
    }
  }

  /**
   * Whether a change at the path keeps to the hard limits, judged by usage as it is now. A soft
   * limit, or none of the nodes that a quota is made of, lets everything pass. Of count and bytes a
   * hard limit that is set makes the soft one meaningless; each limit passed over is reported.
   */
  check(
    path: string,
    bytesDiff: number,
    countDiff: number,
    report: (excess: QuotaExcess) => void,
  ): ErrorCode {
    const limited = this.#limited.size === 0 ? undefined : this.#deepest(path);
    if (limited === undefined) return ErrorCode.ok;
    const limitsNode = this.#tree.find(quotaNodePath(limited, LIMITS_NAME));
    const statsNode = this.#tree.find(quotaNodePath(limited, STATS_NAME));
    if (limitsNode === undefined || statsNode === undefined) return ErrorCode.ok;
    const limits = parseQuota(limitsNode.dataText ?? '');
    if (limits === undefined) return ErrorCode.marshallingError;
    const usage = parseQuota(statsNode.dataText ?? '') ?? this.#measure(limited);
    for (const what of ['count', 'bytes'] as const) {
      const diff = what === 'count' ? countDiff : bytesDiff;
      const excess = excessOf(limited, what, limits, usage, diff);
      if (excess === undefined) continue;
      report(excess);
      if (excess.isHard) return ErrorCode.quotaExceeded;
    }
    return ErrorCode.ok;
  }

  /** By name of the node at the top level: O(quotas). */
  namespaces(): Map<string, NamespaceUsage> {
    const namespaces = new Map<string, NamespaceUsage>();
    for (const path of this.#limited) {
      const name = path.split('/')[1] ?? '';
      const known = namespaces.get(name);
      const sum = known ?? { countLimit: -1, bytesLimit: -1, count: 0, bytes: 0 };
      if (known === undefined) namespaces.set(name, sum);
      const limits = this.#read(path, LIMITS_NAME);
      const usage = this.#read(path, STATS_NAME);
      sum.countLimit = plusLimit(sum.countLimit, effectiveLimit(limits, 'count').limit);
      sum.bytesLimit = plusLimit(sum.bytesLimit, effectiveLimit(limits, 'bytes').limit);
      sum.count += Math.max(0, amount(usage, 'count'));
      sum.bytes += Math.max(0, amount(usage, 'bytes'));
    }
    return namespaces;
  }

  /** Every quota must say how much there is below it; for tests, O(quotas x nodes below them). */
  measured(): Map<string, string> {
    const usage = new Map<string, string>();
    for (const path of this.#limited) usage.set(path, formatQuota(this.#measure(path)));
    return usage;
  }

  /** What one of the two nodes says; nothing when it is missing or says nothing sensible. */
  #read(limited: string, name: string): ReadonlyMap<string, number> {
    const text = this.#tree.find(quotaNodePath(limited, name))?.dataText;
    return parseQuota(text ?? '') ?? new Map<string, number>();
  }

  #quotaNodeCreated(path: string, node: Znode): void {
    if (isQuotaNode(path, LIMITS_NAME)) this.#limited.add(limitedPath(path));
    else if (isQuotaNode(path, STATS_NAME)) {
      this.#tree.rewrite(node, path, formatQuota(this.#measure(limitedPath(path))));
    }
  }

  #count(path: string, bytesDiff: number, countDiff: number): void {
    const limited = this.#deepest(path);
    if (limited === undefined) return;
    const statsPath = quotaNodePath(limited, STATS_NAME);
    const stats = this.#tree.find(statsPath);
    if (stats === undefined) return;
    // A client may have written anything there; then the change is part of what is measured.
    let usage = parseQuota(stats.dataText ?? '');
    if (usage === undefined) usage = this.#measure(limited);
    else {
      usage.set('count', amount(usage, 'count') + countDiff);
      usage.set('bytes', amount(usage, 'bytes') + bytesDiff);
    }
    this.#tree.rewrite(stats, statsPath, formatQuota(usage));
  }

  /** The quota that counts for the path: its own, or that of its nearest ancestor with one. */
  #deepest(path: string): string | undefined {
    for (let at = path; at.length > 1; at = parentPath(at)) if (this.#limited.has(at)) return at;
    return undefined;
  }

  /** O(nodes of the subtree). */
  #measure(path: string): Map<string, number> {
    let count = 0;
    let bytes = 0;
    const top = this.#tree.find(path);
    const pending = top === undefined ? [] : [top];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      count += 1;
      bytes += node.dataLength;
      for (const child of node.children()) pending.push(child);
    }
    return new Map([
      ['count', count],
      ['bytes', bytes],
    ]);
  }
}

/**
 * Keys and numbers; undefined when the text is not written as a quota. No text at all sets no limit.
 * What passes is what the original lets pass, an empty number (`count==`) only if more follows it.
 */
export function parseQuota(text: string): Map<string, number> | undefined {
  const values = new Map<string, number>();
  if (text === '') return values;
  for (const part of splitAsJava(text, /[,;]+/)) {
    const [key, number] = splitAsJava(part, /=/);
    if (key === undefined || number === undefined) return undefined;
    if (number === '') values.set(key, NO_LIMIT);
    else if (/^[+-]?\d{1,19}$/.test(number)) values.set(key, Number(number));
    else return undefined;
  }
  return values;
}

/** Without the empty strings at the end. */
function splitAsJava(text: string, separator: RegExp): string[] {
  const parts = text.split(separator);
  if (parts.length === 1) return parts;
  while (parts.at(-1) === '') parts.pop();
  return parts;
}

/** count and bytes first, and a stray `=` before anything else: what parsers before 3.7 can read. */
export function formatQuota(values: ReadonlyMap<string, number>): string {
  const text = `count=${amount(values, 'count')},bytes=${amount(values, 'bytes')}`;
  const others = [...values].filter(([key]) => key !== 'count' && key !== 'bytes');
  if (others.length === 0) return text;
  const pairs = others.map(([key, value]) => `${key}=${value}`).sort();
  return `${text}=;${pairs.join(';')}`;
}

function amount(values: ReadonlyMap<string, number>, key: string): number {
  return values.get(key) ?? NO_LIMIT;
}

/** The limit that counts: the hard one if there is one. */
function effectiveLimit(
  limits: ReadonlyMap<string, number>,
  what: QuotaExcess['what'],
): { readonly limit: number; readonly isHard: boolean } {
  const hard = amount(limits, what === 'count' ? 'countHardLimit' : 'byteHardLimit');
  return hard > NO_LIMIT
    ? { limit: hard, isHard: true }
    : { limit: amount(limits, what), isHard: false };
}

/** A change of nothing is never too much, one that makes less of too much still is. */
function excessOf(
  path: string,
  what: QuotaExcess['what'],
  limits: ReadonlyMap<string, number>,
  used: ReadonlyMap<string, number>,
  diff: number,
): QuotaExcess | undefined {
  const { limit, isHard } = effectiveLimit(limits, what);
  const usage = amount(used, what) + diff;
  if (diff === 0 || limit <= NO_LIMIT || usage <= limit) return undefined;
  return { path, what, isHard, usage, limit };
}

function plusLimit(sum: number, limit: number): number {
  if (limit <= NO_LIMIT) return sum;
  return sum === NO_LIMIT ? limit : sum + limit;
}

/** Whether it is the limits or the stats of some node; of the root there are none. */
function isQuotaNode(path: string, name: string): boolean {
  if (!path.startsWith(`${QUOTA_PREFIX}/`) || !path.endsWith(`/${name}`)) return false;
  return limitedPath(path) !== '';
}

/** The path that a node of limits or stats is about. */
function limitedPath(path: string): string {
  return parentPath(path).slice(QUOTA_PREFIX.length);
}

function quotaNodePath(limited: string, name: string): string {
  return `${QUOTA_PREFIX}${limited}/${name}`;
}
