import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { openSegmentedStore } from '../../src/runtime/node/segmented-store.ts';
import type { KeyRange, KeyValueStore } from '../../src/runtime/runtime.ts';

const SEGMENT_BYTES = 1000;
/** Stands for the record that every write of a log replaces; it sorts behind the rest. */
const META = 'M';

type Step =
  | {
      readonly do: 'append';
      readonly count: number;
      readonly bytes: number;
      readonly sync: boolean;
    }
  | { readonly do: 'trim' | 'truncate'; readonly share: number; readonly sync: boolean }
  | { readonly do: 'replace'; readonly share: number }
  | { readonly do: 'scan'; readonly from: number; readonly to: number; readonly reverse: boolean }
  | { readonly do: 'get'; readonly share: number }
  | { readonly do: 'reopen' | 'crash' };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 4 }),
      bytes: fc.integer({ min: 1, max: 300 }),
      sync: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('trim' as const, 'truncate' as const),
      share,
      sync: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('scan' as const),
      from: share,
      to: share,
      reverse: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('replace' as const, 'get' as const), share }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('reopen' as const, 'crash' as const) }),
  },
);

/** A store beside a plain map. */
class Pair {
  readonly #root: string;
  readonly #model = new Map<string, string>();
  #directory: string;
  #store: KeyValueStore;
  #life = 0;
  #nextKey = 0;

  constructor(root: string, directory: string, store: KeyValueStore) {
    this.#root = root;
    this.#directory = directory;
    this.#store = store;
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'append': {
        const added: [string, string][] = [];
        for (let i = 0; i < step.count; i++) {
          added.push([keyOf(this.#nextKey++), `${this.#nextKey}`.padEnd(step.bytes, '.')]);
        }
        return await this.#write(added, step.sync);
      }
      case 'trim':
      case 'truncate': {
        const keys = this.#keys();
        const at = Math.floor(step.share * keys.length);
        const gone = step.do === 'trim' ? keys.slice(0, at) : keys.slice(at);
        return await this.#write(
          gone.map((key) => [key, undefined]),
          step.sync,
        );
      }
      case 'replace':
        return await this.#write([[this.#keyAt(step.share), 'replaced']], true);
      case 'get': {
        const key = this.#keyAt(step.share);
        const value = await this.#store.get(bytes(key));
        assert.equal(value && text(value), this.#model.get(key));
        return;
      }
      case 'scan': {
        const [from, to] = [this.#keyAt(step.from), this.#keyAt(step.to)];
        await this.#compare({ gte: bytes(from), lt: bytes(to), reverse: step.reverse });
        return;
      }
      case 'reopen':
        await this.#store.close();
        this.#store = await openSegmentedStore(this.#directory, OPTIONS);
        return await this.compareAll();
      case 'crash':
        return await this.#crash();
    }
  }

  /** What a killed process leaves is in the system's hands, whatever was synced. */
  async #crash(): Promise<void> {
    const left = join(this.#root, `life-${++this.#life}`);
    // Segments come and go beside this: only a copy that was made between such moments is one that
    // a process can have left.
    while (!(await isCopied(this.#directory, left))) {
      await rm(left, { recursive: true, force: true });
    }
    await this.#store.close();
    this.#directory = left;
    this.#store = await openSegmentedStore(left, OPTIONS);
    await this.compareAll();
  }

  async compareAll(): Promise<void> {
    await this.#compare({});
    await this.#compare({ reverse: true });
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  async #write(changes: [string, string | undefined][], sync: boolean): Promise<void> {
    const batch = this.#store.batch();
    for (const [key, value] of [...changes, [META, `${this.#nextKey}`] as const]) {
      if (value === undefined) {
        batch.delete(bytes(key));
        this.#model.delete(key);
      } else {
        batch.put(bytes(key), bytes(value));
        this.#model.set(key, value);
      }
    }
    await batch.write({ sync });
  }

  async #compare(range: KeyRange): Promise<void> {
    const cursor = this.#store.scan(range);
    const found: [string, string][] = [];
    for (let page = await cursor.next(3); page.length > 0; page = await cursor.next(3)) {
      for (const [key, value] of page) found.push([text(key), text(value)]);
    }
    await cursor.close();
    const [from, to] = [range.gte && text(range.gte), range.lt && text(range.lt)];
    const expected = [...this.#model]
      .filter(([key]) => (from === undefined || key >= from) && (to === undefined || key < to))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual(found, range.reverse === true ? expected.reverse() : expected);
  }

  #keys(): string[] {
    return [...this.#model.keys()].filter((key) => key !== META).sort();
  }

  #keyAt(at: number): string {
    const keys = this.#keys();
    return keys[Math.floor(at * (keys.length - 1))] ?? META;
  }
}

const OPTIONS = { create: true, segmentBytes: SEGMENT_BYTES };

async function isCopied(from: string, to: string): Promise<boolean> {
  try {
    const before = await filesIn(from);
    await cp(from, to, { recursive: true, force: true });
    const [after, copied] = [await filesIn(from), await filesIn(to)];
    return before.join() === after.join() && before.join() === copied.join();
  } catch (error) {
    // A segment went while it was looked at.
    assert.match(String(error), /ENOENT/);
    return false;
  }
}

async function filesIn(directory: string): Promise<string[]> {
  return (await readdir(directory, { recursive: true })).sort();
}

function keyOf(number: number): string {
  return `L${String(number).padStart(8, '0')}`;
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

test('SegmentedStore is a sorted map, through starts and the ends of its process', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 60 }), async (steps) => {
      const root = await mkdtemp(join(tmpdir(), 'vivarium-segmented-'));
      const directory = join(root, 'life-0');
      const pair = new Pair(root, directory, await openSegmentedStore(directory, OPTIONS));
      try {
        for (const step of steps) await pair.take(step);
        await pair.compareAll();
      } finally {
        await pair.close();
        await rm(root, { recursive: true, force: true });
      }
    }),
    { seed: 20_261_121, numRuns: 25 },
  );
});
