/** A client's own root: paths as the caller names them, and as the server does. */

import { invariant } from '../base/assert.ts';
import { isValidPath } from '../base/path.ts';

export class Chroot {
  /** Empty without a chroot. */
  readonly #prefix: string;

  /** `/` and the empty text stand for none. */
  constructor(path: string) {
    invariant(path === '' || isValidPath(path), 'the chroot is not a path');
    this.#prefix = path === '/' ? '' : path;
  }

  get path(): string {
    return this.#prefix === '' ? '/' : this.#prefix;
  }

  toServer(path: string): string {
    if (this.#prefix === '') return path;
    return path === '/' ? this.#prefix : this.#prefix + path;
  }

  /** A path outside, as events of `/zookeeper` have, stays as it is. */
  toClient(path: string): string {
    const prefix = this.#prefix;
    if (prefix === '' || !this.holds(path)) return path;
    return path.length === prefix.length ? '/' : path.slice(prefix.length);
  }

  /** Whether a server's path is the chroot or below it. */
  holds(path: string): boolean {
    const { length } = this.#prefix;
    if (!path.startsWith(this.#prefix)) return false;
    return length === 0 || path.length === length || path[length] === '/';
  }
}
