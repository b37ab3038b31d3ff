/**
 * Pairs of a path and a watcher, found from either side. Both directions are kept as sets, so adding,
 * triggering and closing cost O(1) per pair, ten thousand watchers of one path included.
 */

import { invariant } from '../base/assert.ts';

/** A path takes the room of one watch, and of one more for each so many of its characters. */
const CHARS_PER_UNIT = 128;

export class WatchIndex<Watcher> {
  readonly #byPath = new Map<string, Set<Watcher>>();
  readonly #byWatcher = new Map<Watcher, Set<string>>();
  /** What long paths take beyond one unit each, for the few watchers that have any. */
  readonly #extraByWatcher = new Map<Watcher, number>();
  #count = 0;
  #extra = 0;

  /** Pairs of path and watcher. */
  get count(): number {
    return this.#count;
  }

  /** Room that all pairs take: one each, more where paths are long. */
  get units(): number {
    return this.#count + this.#extra;
  }

  unitsOf(watcher: Watcher): number {
    const pairs = this.#byWatcher.get(watcher)?.size ?? 0;
    return pairs + (this.#extraByWatcher.get(watcher) ?? 0);
  }

  get byPath(): ReadonlyMap<string, ReadonlySet<Watcher>> {
    return this.#byPath;
  }

  get byWatcher(): ReadonlyMap<Watcher, ReadonlySet<string>> {
    return this.#byWatcher;
  }

  has(path: string, watcher: Watcher): boolean {
    return this.#byPath.get(path)?.has(watcher) === true;
  }

  /** False when the pair was there already. */
  add(path: string, watcher: Watcher): boolean {
    let watchers = this.#byPath.get(path);
    if (watchers === undefined) {
      watchers = new Set();
      this.#byPath.set(path, watchers);
    }
    if (watchers.has(watcher)) return false;
    watchers.add(watcher);
    let paths = this.#byWatcher.get(watcher);
    if (paths === undefined) {
      paths = new Set();
      this.#byWatcher.set(watcher, paths);
    }
    paths.add(path);
    this.#count += 1;
    if (path.length >= CHARS_PER_UNIT) this.#addExtra(watcher, extraOf(path));
    return true;
  }

  /** False when there was no such pair. */
  remove(path: string, watcher: Watcher): boolean {
    const watchers = this.#byPath.get(path);
    if (watchers === undefined || !watchers.delete(watcher)) return false;
    if (watchers.size === 0) this.#byPath.delete(path);
    this.#forgetPath(path, watcher);
    this.#count -= 1;
    return true;
  }

  /** Removes all pairs of a path and returns who was in them; the set belongs to the caller. */
  take(path: string): Set<Watcher> | undefined {
    const watchers = this.#byPath.get(path);
    if (watchers === undefined) return undefined;
    this.#byPath.delete(path);
    this.#count -= watchers.size;
    for (const watcher of watchers) this.#forgetPath(path, watcher);
    return watchers;
  }

  removeWatcher(watcher: Watcher): void {
    const paths = this.#byWatcher.get(watcher);
    if (paths === undefined) return;
    this.#byWatcher.delete(watcher);
    this.#count -= paths.size;
    this.#extra -= this.#extraByWatcher.get(watcher) ?? 0;
    this.#extraByWatcher.delete(watcher);
    for (const path of paths) {
      const watchers = this.#byPath.get(path);
      const isRemoved = watchers?.delete(watcher) === true;
      invariant(isRemoved, 'watch missing from its path');
      if (watchers?.size === 0) this.#byPath.delete(path);
    }
  }

  #forgetPath(path: string, watcher: Watcher): void {
    const paths = this.#byWatcher.get(watcher);
    const isRemoved = paths?.delete(path) === true;
    invariant(isRemoved, 'watch missing from its watcher');
    if (paths?.size === 0) this.#byWatcher.delete(watcher);
    if (path.length >= CHARS_PER_UNIT) this.#addExtra(watcher, -extraOf(path));
  }

  #addExtra(watcher: Watcher, units: number): void {
    const extra = (this.#extraByWatcher.get(watcher) ?? 0) + units;
    this.#extra += units;
    if (extra === 0) this.#extraByWatcher.delete(watcher);
    else this.#extraByWatcher.set(watcher, extra);
  }
}

function extraOf(path: string): number {
  return Math.floor(path.length / CHARS_PER_UNIT);
}
