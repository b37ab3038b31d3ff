/**
 * What applications build from the operations: a lock whose holder fences what it writes, held for
 * a moment or, as leadership in an election, for as long as it lasts; and a queue.
 *
 *     /l/q-*   who waits for the lock, the lowest number first
 *     /f/0     what holders write: their number, and only while their node is there
 *     /q/q-*   items of the queue, each taken by whoever deletes it
 */

import { CreateMode } from '../../src/base/op-code.ts';
import type { Prng } from '../../src/base/prng.ts';
import { check, create, read, remove, set, write } from './drafts.ts';
import type { Draft, Operation } from './history.ts';

const LOCK = '/l';
const FENCE = '/f/0';
const QUEUE = '/q';

export class Lock {
  readonly #prng: Prng;
  /** How long it is held: the chance that it is given up after a write. */
  readonly #release: number;
  #path: string | undefined;
  #isAsked = false;
  #isHeld = false;

  constructor(prng: Prng) {
    this.#prng = prng;
    this.#release = prng.chance(0.5) ? 0.5 : 0.05;
  }

  next(value: string): Draft {
    if (this.#path === undefined && !this.#isAsked) {
      this.#isAsked = true;
      return write(create(`${LOCK}/q-`, value, CreateMode.ephemeralSequential));
    }
    if (this.#path === undefined || !this.#isHeld) return read('children', LOCK);
    if (this.#prng.chance(this.#release)) return write(remove(this.#path));
    const changes = [check(this.#path, -1), set(FENCE, `${numberOf(this.#path)}`, -1)];
    return { kind: 'multi', path: '', watch: false, changes };
  }

  replied({ kind, path, outcome, reply, changes }: Operation): void {
    if (kind === 'create' && changes[0]?.path === `${LOCK}/q-`) {
      if (outcome === 'ok') this.#path = reply.path;
      else this.#isAsked = false;
    } else if (kind === 'children' && path === LOCK) {
      this.#isHeld = this.#path !== undefined && isLowest(this.#path, reply.names ?? []);
    } else if (kind === 'delete' && path === this.#path) {
      this.sessionEnded();
    } else if (kind === 'multi' && outcome === 'failed' && changes[1]?.path === FENCE) {
      this.sessionEnded();
    }
  }

  /** The node has gone, or will. */
  sessionEnded(): void {
    this.#path = undefined;
    this.#isAsked = false;
    this.#isHeld = false;
  }
}

export class Queue {
  readonly #prng: Prng;
  #items: readonly string[] = [];

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  next(value: string): Draft {
    if (this.#prng.chance(0.4)) {
      return write(create(`${QUEUE}/q-`, value, CreateMode.persistentSequential));
    }
    const [first, ...rest] = this.#items;
    if (first === undefined) return read('children', QUEUE);
    this.#items = rest;
    return write(remove(`${QUEUE}/${first}`));
  }

  replied({ kind, path, outcome, reply }: Operation): void {
    if (kind !== 'children' || path !== QUEUE || outcome !== 'ok') return;
    this.#items = [...(reply.names ?? [])].sort().slice(0, 2);
  }
}

function numberOf(path: string): number {
  return Number(path.slice(-10));
}

function isLowest(path: string, names: readonly string[]): boolean {
  const own = numberOf(path);
  const isThere = names.some((name) => numberOf(name) === own);
  return isThere && names.every((name) => numberOf(name) >= own);
}
