/**
 * Where the last version of each key is, in the order of the keys, for keys that come and go in about
 * that order: the ends are cheap to change, the middle is not.
 */

import { keyText } from '../../base/key-text.ts';
import type { KeyRange } from '../runtime.ts';

/** Places in front that no key uses any more are given back when there are more of them than this. */
const UNUSED_MAX = 1024;

/** Keys by name, which is their text, and the home of each at the same index. */
export interface KeyView<Home> {
  readonly names: readonly string[];
  readonly homes: readonly Home[];
}

export class KeyHomes<Home> {
  #names: string[] = [];
  #homes: Home[] = [];
  /** Index of the first key; those in front of it are gone. */
  #start = 0;

  get(name: string): Home | undefined {
    const at = this.#find(name);
    return this.#names[at] === name ? this.#homes[at] : undefined;
  }

  set(name: string, home: Home): void {
    const at = this.#find(name);
    if (this.#names[at] !== name) this.#insert(at, name, home);
    this.#homes[at] = home;
  }

  delete(name: string): void {
    const at = this.#find(name);
    if (this.#names[at] !== name) return;
    if (at === this.#start) this.#dropFirst();
    else {
      this.#names.splice(at, 1);
      this.#homes.splice(at, 1);
    }
  }

  /** The keys of a range as they are now, ascending; nothing changes them later. */
  view({ gte, gt, lt, lte }: KeyRange): KeyView<Home> {
    let from = this.#start;
    if (gte !== undefined) from = Math.max(from, this.#find(keyText(gte)));
    if (gt !== undefined) from = Math.max(from, this.#findBehind(keyText(gt)));
    let to = this.#names.length;
    if (lt !== undefined) to = Math.min(to, this.#find(keyText(lt)));
    if (lte !== undefined) to = Math.min(to, this.#findBehind(keyText(lte)));
    to = Math.max(from, to);
    return { names: this.#names.slice(from, to), homes: this.#homes.slice(from, to) };
  }

  #insert(at: number, name: string, home: Home): void {
    const [names, homes] = [this.#names, this.#homes];
    if (at === names.length) {
      names.push(name);
      homes.push(home);
      return;
    }
    names.splice(at, 0, name);
    homes.splice(at, 0, home);
  }

  #dropFirst(): void {
    this.#start++;
    if (this.#start <= UNUSED_MAX || this.#start * 2 <= this.#names.length) return;
    this.#names = this.#names.slice(this.#start);
    this.#homes = this.#homes.slice(this.#start);
    this.#start = 0;
  }

  /** Index of the first key that is not before a name. */
  #find(name: string): number {
    const names = this.#names;
    let [low, high] = [this.#start, names.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((names[middle] as string) < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #findBehind(name: string): number {
    const at = this.#find(name);
    return this.#names[at] === name ? at + 1 : at;
  }
}
