/**
 * Writes to a segmented store as a log does until it is killed, and says which writes have settled.
 * What write `n` changes follows from `n` and the keys before it, so that whoever kills it knows what
 * must be there. Arguments: the directory.
 */

import assert from 'node:assert/strict';
import { writeSync } from 'node:fs';
import { Prng } from '../../src/base/prng.ts';
import { openSegmentedStore } from '../../src/runtime/node/segmented-store.ts';
import type { KeyRange, KeyValueStore } from '../../src/runtime/runtime.ts';

/** Few records a segment: some of them come and go between any two kills. */
export const KILLED_OPTIONS = { create: true, segmentBytes: 1500 } as const;
/** Written by every write, with its number; sorts behind the other keys. */
const META = 'M';
const VALUE_BYTES_MAX = 250;
const KEYS_MAX = 60;

type Change = readonly [key: string, value: string | undefined];
export type Contents = Map<string, string>;

/** What write `n` does to these contents. */
function changesOf(n: number, contents: Contents): Change[] {
  const prng = new Prng(n);
  const keys = [...contents.keys()].filter((key) => key !== META).sort();
  const value = (): string => `${n} `.padEnd(prng.between(2, VALUE_BYTES_MAX), '.');
  const some = prng.between(0, keys.length);
  const draw = keys.length > KEYS_MAX ? 0 : prng.between(0, 99);
  const changes: Change[] = [];
  if (draw < 20) for (const key of keys.slice(0, some)) changes.push([key, undefined]);
  else if (draw < 35) {
    // A truncation, and mostly other records under the keys that it freed.
    const isRefilled = prng.fraction() < 0.7;
    for (const key of keys.slice(some)) changes.push([key, undefined]);
    if (isRefilled) for (const key of keys.slice(some)) changes.push([key, value()]);
  } else if (draw < 40) for (const key of keys) changes.push([key, undefined]);
  else {
    for (let i = prng.between(1, 4); i > 0; i--) {
      changes.push([`L${String(n * 4 + i).padStart(9, '0')}`, value()]);
    }
  }
  changes.push([META, String(n)]);
  return changes;
}

/** The contents after write `n`, which change those given. */
export function applyWrite(n: number, contents: Contents): readonly Change[] {
  const changes = changesOf(n, contents);
  for (const [key, value] of changes) {
    if (value === undefined) contents.delete(key);
    else contents.set(key, value);
  }
  return changes;
}

export async function contentsOf(store: KeyValueStore, range: KeyRange = {}): Promise<Contents> {
  const contents: Contents = new Map();
  const cursor = store.scan(range);
  for (let page = await cursor.next(7); page.length > 0; page = await cursor.next(7)) {
    for (const [key, value] of page) contents.set(text(key), text(value));
  }
  await cursor.close();
  return contents;
}

/** Number of the last write in these contents; 0 when there was none. */
export function lastWrite(contents: Contents): number {
  return Number(contents.get(META) ?? 0);
}

async function write(store: KeyValueStore, changes: readonly Change[], sync: boolean) {
  const batch = store.batch();
  for (const [key, value] of changes) {
    if (value === undefined) batch.delete(bytes(key));
    else batch.put(bytes(key), bytes(value));
  }
  await batch.write({ sync });
}

/** Two writes at a time, now and then a look at everything, and never an end. */
async function run(directory: string): Promise<void> {
  const store = await openSegmentedStore(directory, KILLED_OPTIONS);
  const contents = await contentsOf(store);
  for (let n = lastWrite(contents) + 1; ; n += 2) {
    const prng = new Prng(n ^ 0x5eed);
    const first = write(store, applyWrite(n, contents), prng.fraction() < 0.6);
    const second = write(store, applyWrite(n + 1, contents), prng.fraction() < 0.6);
    await Promise.all([first, second]);
    writeSync(1, `${n + 1}\n`);
    if (prng.fraction() < 0.2) {
      const found = await contentsOf(store, { reverse: prng.fraction() < 0.5 });
      assert.deepEqual(new Map([...found].sort()), new Map([...contents].sort()));
    }
  }
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

const [, program, directory] = process.argv;
if (program === import.meta.filename && directory !== undefined) await run(directory);
