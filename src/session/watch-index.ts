/**
 * Pairs of a path and a watcher, found from either side. Both directions are kept as sets, so adding,
 * triggering and closing cost O(1) per pair, ten thousand watchers of one path included.
 */

import { invariant } from '../base/assert.ts';

export class WatchIndex<Watcher> {
  readonly #byPath = new Map<string, Set<Watcher>>();
  readonly #byWatcher = new Map<Watcher, Set<string>>();
  #count = 0;

  /** Pairs of path and watcher. */
  get count(): number {
    return this.#count;
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

  add(path: string, watcher: Watcher): void {
    let watchers = this.#byPath.get(path);
    if (watchers === undefined) {
      watchers = new Set();
      this.#byPath.set(path, watchers);
    }
    if (watchers.has(watcher)) return;
    watchers.add(watcher);
    let paths = this.#byWatcher.get(watcher);
    if (paths === undefined) {
      paths = new Set();
      this.#byWatcher.set(watcher, paths);
    }
    paths.add(path);
    this.#count += 1;
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
  }
}
