/**
 * Breadth first through all worlds that can be reached from the root: each is expanded once, in the
 * order in which it was found, so the first violation is found on a shortest path.
 */

import { Fingerprints } from './fingerprints.ts';
import { ROW_WIDTH, type Row } from './row.ts';
import type { Worlds } from './worlds.ts';

export interface Violation {
  readonly text: string;
  /** Which transition was taken in each world, from the root on. */
  readonly path: readonly number[];
  /** Worlds known when it was found. */
  readonly states: number;
}

export interface Progress {
  readonly states: number;
  readonly transitions: number;
  /** Transitions from the root to the worlds that are now expanded. */
  readonly depth: number;
  /** True when there is no world left that was not expanded. */
  readonly isComplete: boolean;
}

/** Of the root. */
const NO_PARENT = -1;
const CHUNK_ROWS = 2 ** 16;
const CHUNK = CHUNK_ROWS * ROW_WIDTH;

/** Rows first in, first out; the chunks that were read go. */
class RowQueue {
  #chunks: (Int32Array | undefined)[] = [];
  #written = 0;
  #read = 0;

  get length(): number {
    return this.#written - this.#read;
  }

  push(row: Row): void {
    const chunk = Math.floor(this.#written / CHUNK_ROWS);
    if (chunk === this.#chunks.length) this.#chunks.push(new Int32Array(CHUNK));
    this.#chunks[chunk]?.set(row, (this.#written % CHUNK_ROWS) * ROW_WIDTH);
    this.#written++;
  }

  shiftInto(row: Row): void {
    const chunk = Math.floor(this.#read / CHUNK_ROWS);
    const start = (this.#read % CHUNK_ROWS) * ROW_WIDTH;
    const rows = this.#chunks[chunk];
    if (rows === undefined) throw new RangeError('the queue is empty');
    for (let i = 0; i < ROW_WIDTH; i++) row[i] = rows[start + i] ?? 0;
    this.#read++;
    if (this.#read % CHUNK_ROWS === 0) this.#chunks[chunk] = undefined;
  }
}

/** Whence each world was reached first: its parent and the number of the transition. */
class Origins {
  readonly #chunks: Int32Array[] = [];
  #count = 0;

  push(parent: number, choice: number): void {
    const at = (this.#count % CHUNK_ROWS) * 2;
    if (at === 0) this.#chunks.push(new Int32Array(CHUNK_ROWS * 2));
    const chunk = this.#chunks.at(-1);
    chunk?.set([parent, choice], at);
    this.#count++;
  }

  path(state: number): number[] {
    const path: number[] = [];
    for (let at = state; ; ) {
      const chunk = this.#chunks[Math.floor(at / CHUNK_ROWS)];
      const start = (at % CHUNK_ROWS) * 2;
      const parent = chunk?.[start] ?? NO_PARENT;
      if (parent === NO_PARENT) break;
      path.push(chunk?.[start + 1] ?? 0);
      at = parent;
    }
    return path.reverse();
  }
}

export class Explorer {
  readonly #worlds: Worlds;
  readonly #root: Row;
  #violation: Violation | undefined;
  readonly #known = new Fingerprints();
  readonly #queue = new RowQueue();
  readonly #origins = new Origins();
  readonly #row: Row = new Int32Array(ROW_WIDTH);
  #transitions = 0;
  #expanded = 0;
  #depth = 0;
  /** Number of the first world of the next depth. */
  #depthEnd: number;
  /** Worlds found at each depth. */
  readonly widths: number[] = [];

  constructor(worlds: Worlds, root: Row) {
    this.#worlds = worlds;
    this.#root = root.slice();
    this.#known.add(root);
    this.#keep(root, NO_PARENT, 0);
    this.#depthEnd = this.#known.count;
    this.widths.push(this.#depthEnd);
  }

  /** The first one found. */
  get violation(): Violation | undefined {
    return this.#violation;
  }

  get progress(): Progress {
    return {
      states: this.#known.count,
      transitions: this.#transitions,
      depth: this.#depth,
      isComplete: this.#queue.length === 0,
    };
  }

  /** Goes on until so many worlds are known, something is violated, or nothing is left. */
  run(statesMax: number): Progress {
    while (this.#queue.length > 0 && this.#known.count < statesMax) {
      if (this.#violation !== undefined) break;
      this.#expandNext();
    }
    return this.progress;
  }

  /** What happens on a path, in words. */
  tell(path: readonly number[]): string[] {
    let row: Row | undefined = this.#root.slice();
    const told: string[] = [];
    this.#worlds.isTelling = true;
    for (const choice of path) {
      const nexts: Row[] = [];
      let number = 0;
      if (row === undefined) break;
      this.#worlds.expand(row, (reached, violation, text) => {
        if (number++ !== choice) return;
        nexts.push(reached.slice());
        told.push(violation === undefined ? text : `${text}\n     ${violation}`);
      });
      row = nexts[0];
    }
    this.#worlds.isTelling = false;
    return told;
  }

  #expandNext(): void {
    const parent = this.#expanded++;
    if (parent === this.#depthEnd) {
      this.#depth++;
      this.widths.push(this.#known.count - this.#depthEnd);
      this.#depthEnd = this.#known.count;
    }
    this.#queue.shiftInto(this.#row);
    let choice = 0;
    this.#worlds.expand(this.#row, (row, text) => {
      const number = choice++;
      this.#transitions++;
      if (text !== undefined) {
        const path = [...this.#origins.path(parent), number];
        this.#violation ??= { text, path, states: this.#known.count };
        return;
      }
      if (this.#known.add(row)) this.#keep(row, parent, number);
    });
  }

  #keep(row: Row, parent: number, choice: number): void {
    this.#queue.push(row);
    this.#origins.push(parent, choice);
  }
}
