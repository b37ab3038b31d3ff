/**
 * What a simulated client asks, drawn from the seed: operations whose outcome can be judged later,
 * each in its own part of the tree.
 *
 *     /u/*   nodes with names of their own, created once and perhaps deleted once
 *     /d/*   few names that everybody creates and deletes
 *     /r/*   registers that everybody overwrites, some only if the version fits
 *     /c/*   counters: the version says what the data must be
 *     /e/*   ephemeral nodes
 *     /s/*   sequential nodes
 *     /m/*   pairs that a multi creates together or not at all
 *
 * and locks and queues (recipes.ts). Some clients write values of many kilobytes.
 */

import { invariant } from '../../src/base/assert.ts';
import { CreateMode } from '../../src/base/op-code.ts';
import type { Prng } from '../../src/base/prng.ts';
import { check, create, read, remove, set, write } from './drafts.ts';
import type { Change, Draft, Operation } from './history.ts';
import { PERSISTENT, RECURSIVE } from './lasting-watch.ts';
import { Lock, Queue } from './recipes.ts';
import type { ClientWorkload } from './sim-client.ts';

export const PARENTS = ['/u', '/d', '/r', '/c', '/e', '/s', '/m', '/l', '/q', '/f'] as const;
export const REGISTERS = ['/r/0', '/r/1', '/r/2'] as const;
export const COUNTERS = ['/c/0', '/c/1'] as const;
export const FENCES = ['/f/0'] as const;
export const TOGGLES = ['/d/0', '/d/1'] as const;
const LISTED = ['/d', '/e', '/s', '/m'] as const;
/** Fits the limit of a request, and no window of a connection. */
const PADDING_MAX = 200_000;
/** A version that no node of a simulation ever reaches. */
const VERSION_NEVER = 1_000_000;

export type TaskName =
  | 'unique'
  | 'deleteOwn'
  | 'register'
  | 'counter'
  | 'read'
  | 'ephemeral'
  | 'sequential'
  | 'toggle'
  | 'multi'
  | 'list'
  | 'syncRead'
  | 'lock'
  | 'queue'
  | 'lasting'
  | 'close';

/** How often each task is drawn, relative to the others. */
export type TaskWeights = Readonly<Record<TaskName, number>>;

/** Swarm testing: a run without some tasks lets the others meet more often. */
export function drawWeights(prng: Prng): TaskWeights {
  const draw = (): number => [0, 1, 1, 3][prng.between(0, 3)] ?? 1;
  return {
    unique: draw() + 1,
    deleteOwn: draw(),
    register: draw() + 1,
    counter: draw(),
    read: draw() + 1,
    ephemeral: draw(),
    sequential: draw(),
    toggle: draw(),
    multi: draw(),
    list: draw(),
    syncRead: draw(),
    lock: draw(),
    queue: draw(),
    lasting: draw() * 0.3,
    close: draw() * 0.05,
  };
}

/** Of a client whose answers never wait for a write. */
export const READER_WEIGHTS: TaskWeights = {
  unique: 0,
  deleteOwn: 0,
  register: 0,
  counter: 0,
  read: 2,
  ephemeral: 0,
  sequential: 0,
  toggle: 0,
  multi: 0,
  list: 1,
  syncRead: 3,
  lock: 0,
  queue: 0,
  lasting: 0.3,
  close: 0,
};

interface Known {
  readonly version: number;
  readonly value: string;
}

export class RandomWorkload implements ClientWorkload {
  readonly #prng: Prng;
  readonly #weights: TaskWeights;
  readonly #total: number;
  /** Tells this client's names and values from those of all others. */
  readonly #tag: string;
  #count = 0;
  readonly #known = new Map<string, Known>();
  /** Nodes this client created and may delete. */
  #own: string[] = [];
  #budget: number;
  readonly #lock: Lock;
  readonly #queue: Queue;
  /** What the values of this client's own nodes are made longer by. */
  readonly #padding: string;

  constructor(prng: Prng, weights: TaskWeights, tag: string, budget: number) {
    this.#prng = prng;
    this.#weights = weights;
    this.#tag = tag;
    this.#budget = budget;
    this.#lock = new Lock(prng);
    this.#queue = new Queue(prng);
    this.#padding = '.'.repeat(prng.chance(0.05) ? prng.between(1000, PADDING_MAX) : 0);
    this.#total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  }

  next(): readonly Draft[] {
    if (this.#budget <= 0) return [];
    const drafts = this.#drafts(this.#drawTask());
    this.#budget -= drafts.length;
    return drafts;
  }

  replied(operation: Operation): void {
    const { kind, path, outcome, reply } = operation;
    this.#lock.replied(operation);
    this.#queue.replied(operation);
    if (outcome !== 'ok') return;
    if (kind === 'get' && reply.stat !== undefined) {
      this.#known.set(path, { version: reply.stat.version, value: reply.value ?? '' });
    } else if (kind === 'set' && reply.stat !== undefined) {
      const value = operation.changes[0]?.value ?? '';
      this.#known.set(path, { version: reply.stat.version, value });
    } else if (kind === 'create' && reply.path !== undefined) {
      if (/^\/[ues]\//.test(reply.path)) this.#own.push(reply.path);
    }
  }

  sessionEnded(): void {
    this.#lock.sessionEnded();
    this.#own = this.#own.filter((path) => !path.startsWith('/e'));
  }

  #drawTask(): TaskName {
    let rest = this.#prng.fraction() * this.#total;
    for (const [name, weight] of Object.entries(this.#weights)) {
      rest -= weight;
      if (rest < 0) return name as TaskName;
    }
    return 'read';
  }

  #drafts(task: TaskName): readonly Draft[] {
    const prng = this.#prng;
    switch (task) {
      case 'unique': {
        const name = this.#fresh();
        return [write(create(`/u/${name}`, name + this.#padding, CreateMode.persistent))];
      }
      case 'deleteOwn': {
        const path = this.#own.splice(prng.between(0, this.#own.length - 1), 1)[0];
        return path === undefined ? [this.#readOne()] : [write(remove(path))];
      }
      case 'register':
        return [write(this.#overwrite())];
      case 'counter':
        return [this.#increment()];
      case 'read':
        return [this.#readOne()];
      case 'ephemeral': {
        const name = this.#fresh();
        return [write(create(`/e/${name}`, name, CreateMode.ephemeral))];
      }
      case 'sequential': {
        const mode = prng.chance(0.5)
          ? CreateMode.persistentSequential
          : CreateMode.ephemeralSequential;
        return [write(create('/s/q-', this.#fresh(), mode))];
      }
      case 'toggle': {
        const path = this.#pick(TOGGLES);
        if (prng.chance(0.5)) return [write(remove(path))];
        return [write(create(path, this.#fresh(), CreateMode.persistent))];
      }
      case 'multi':
        return [this.#multi()];
      case 'list':
        return [read('children', this.#pick(LISTED), prng.chance(0.5))];
      case 'syncRead': {
        const path = this.#pick(REGISTERS);
        return [read('sync', path), read('get', path)];
      }
      case 'lock':
        return [this.#lock.next(this.#fresh())];
      case 'queue':
        return [this.#queue.next(this.#fresh())];
      case 'lasting':
        return [read('addWatch', this.#pick([...PERSISTENT, ...RECURSIVE]))];
      case 'close':
        return [read('close', '')];
    }
  }

  #readOne(): Draft {
    const watch = this.#prng.chance(0.4);
    if (this.#prng.chance(0.3)) return read('exists', this.#pick(TOGGLES), watch);
    return read('get', this.#pick(this.#prng.chance(0.7) ? REGISTERS : COUNTERS), watch);
  }

  #overwrite(): Change {
    const path = this.#pick(REGISTERS);
    const known = this.#known.get(path);
    const isConditional = known !== undefined && this.#prng.chance(0.4);
    return set(path, this.#fresh(), isConditional ? known.version : -1);
  }

  /** Never without the version it is based on, or two increments would become one. */
  #increment(): Draft {
    const path = this.#pick(COUNTERS);
    const known = this.#known.get(path);
    if (known === undefined || this.#prng.chance(0.4)) return read('get', path);
    return write(set(path, String(Number(known.value) + 1), known.version));
  }

  #multi(): Draft {
    const name = this.#fresh();
    const changes = [
      create(`/m/${name}a`, `${name}a`, CreateMode.persistent),
      create(`/m/${name}b`, `${name}b`, CreateMode.persistent),
    ];
    const variant = this.#prng.between(0, 4);
    if (variant === 1) changes.push(set(this.#pick(REGISTERS), `${name}r`, -1));
    if (variant === 2) changes.push(check(this.#pick(REGISTERS), VERSION_NEVER));
    const first = changes[0];
    if (variant === 4) changes.push(create(`/e/${name}`, `${name}e`, CreateMode.ephemeral));
    if (variant === 3 && first !== undefined) changes.push(remove(first.path));
    return { kind: 'multi', path: '', watch: false, changes };
  }

  #pick(paths: readonly string[]): string {
    const path = paths[this.#prng.between(0, paths.length - 1)];
    invariant(path !== undefined, 'nothing to pick from');
    return path;
  }

  #fresh(): string {
    return `${this.#tag}-${this.#count++}`;
  }
}
