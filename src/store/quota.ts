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

  /**
   * Whether a change at the path keeps to the hard limits, judged by usage as it is now. A soft
   * limit, or none of the nodes that a quota is made of, lets everything pass.
   */
  check(path: string, bytesDiff: number, countDiff: number): ErrorCode {
    const limited = this.#limited.size === 0 ? undefined : this.#deepest(path);
    if (limited === undefined) return ErrorCode.ok;
    const limitsNode = this.#tree.find(quotaNodePath(limited, LIMITS_NAME));
    const statsNode = this.#tree.find(quotaNodePath(limited, STATS_NAME));
    if (limitsNode === undefined || statsNode === undefined) return ErrorCode.ok;
    const limits = parseQuota(limitsNode.dataText ?? '');
    if (limits === undefined) return ErrorCode.marshallingError;
    const usage = parseQuota(statsNode.dataText ?? '') ?? this.#measure(limited);
    if (exceeds(limits, 'countHardLimit', amount(usage, 'count'), countDiff)) {
      return ErrorCode.quotaExceeded;
    }
    return exceeds(limits, 'byteHardLimit', amount(usage, 'bytes'), bytesDiff)
      ? ErrorCode.quotaExceeded
      : ErrorCode.ok;
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
      for (const child of node.children.values()) pending.push(child);
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

/** A change of nothing is never too much, one that makes less of too much still is. */
function exceeds(
  limits: ReadonlyMap<string, number>,
  key: string,
  used: number,
  diff: number,
): boolean {
  const limit = amount(limits, key);
  return diff !== 0 && limit > NO_LIMIT && used + diff > limit;
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
