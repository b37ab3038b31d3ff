/** Reads the keys of several segments in order, each from where its last version is. */

import { invariant } from '../../base/assert.ts';
import { keyText } from '../../base/key-text.ts';
import { type Cursor, type KeyRange, type KeyValue, RuntimeError } from '../runtime.ts';
import type { KeyView } from './key-homes.ts';
import type { Segment, SegmentReader } from './segment.ts';

/** The keys of a view as they were when it was made; closed segments are opened when reached. */
export class SegmentedCursor implements Cursor {
  readonly #view: KeyView<Segment>;
  readonly #isReverse: boolean;
  readonly #refuseIfClosed: () => void;
  readonly #sources = new Map<Segment, Source>();
  /** Keys read so far. */
  #count = 0;
  #isClosed = false;

  constructor(view: KeyView<Segment>, range: KeyRange, refuseIfClosed: () => void) {
    this.#view = view;
    this.#isReverse = range.reverse === true;
    this.#refuseIfClosed = refuseIfClosed;
    let last: Segment | undefined;
    for (const segment of view.homes) {
      if (segment === last) continue;
      last = segment;
      if (!this.#sources.has(segment)) {
        this.#sources.set(segment, { reader: segment.scan(range), page: [], at: 0 });
      }
    }
  }

  async next(limit: number): Promise<KeyValue[]> {
    invariant(limit > 0, 'a cursor is asked for at least one pair');
    const { names, homes } = this.#view;
    const pairs: KeyValue[] = [];
    while (pairs.length < limit) {
      this.#refuseIfClosed();
      if (this.#isClosed) throw new RuntimeError('IO', 'the cursor is closed');
      const at = this.#isReverse ? names.length - 1 - this.#count : this.#count;
      const [name, segment] = [names[at], homes[at]];
      if (name === undefined || segment === undefined) break;
      const pair = await this.#read(name, segment);
      if (pair !== undefined) pairs.push(pair);
      this.#count++;
    }
    return pairs;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { reader } of this.#sources.values()) await reader.close();
  }

  /** undefined when a write that was under way when the cursor was made has deleted the key. */
  async #read(name: string, segment: Segment): Promise<KeyValue | undefined> {
    const source = this.#sources.get(segment);
    invariant(source !== undefined, 'a segment that is not read');
    for (;;) {
      const pair = source.page[source.at];
      if (pair === undefined) {
        source.page = await source.reader.next();
        source.at = 0;
        if (source.page.length === 0) return undefined;
        continue;
      }
      const there = keyText(pair[0]);
      if (there === name) {
        source.at++;
        return pair[1].length === 0 ? undefined : pair;
      }
      if (this.#isReverse ? there < name : there > name) return undefined;
      source.at++;
    }
  }
}

interface Source {
  readonly reader: SegmentReader;
  page: readonly KeyValue[];
  at: number;
}
