import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createNodeRuntime } from '../../../../src/runtime/node/node-runtime.ts';
import { openSegmentedStore } from '../../../../src/runtime/node/segmented-store.ts';
import { type KeyValueStore, RuntimeError } from '../../../../src/runtime/runtime.ts';

const { storage } = createNodeRuntime();
const OPTIONS = { create: true, segmentBytes: 1000 };
let root = '';
let directory = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'vivarium-segmented-'));
  directory = join(root, 'log');
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function put(store: KeyValueStore, number: number): Promise<void> {
  const batch = store.batch();
  batch.put(Uint8Array.of(number), new Uint8Array(200).fill(number));
  await batch.write({ sync: true });
}

async function drop(store: KeyValueStore, number: number): Promise<void> {
  const batch = store.batch();
  batch.delete(Uint8Array.of(number));
  await batch.write({ sync: true });
}

async function keys(store: KeyValueStore): Promise<number[]> {
  const cursor = store.scan({});
  const pairs = await cursor.next(1000).finally(() => cursor.close());
  return pairs.map(([key]) => key[0] ?? -1);
}

async function segments(): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.startsWith('segment')).sort();
}

/** Writes keys from a number on until there are so many segments; gives the next number. */
async function grow(store: KeyValueStore, from: number, count: number): Promise<number> {
  let number = from;
  while ((await segments()).length < count) await put(store, number++);
  return number;
}

async function isRefused(opening: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await assert.rejects(opening, (error) => {
    assert.ok(error instanceof RuntimeError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

describe('SegmentedStore', () => {
  it('removes segments whose keys are all deleted, and only those', async () => {
    const store = await openSegmentedStore(directory, OPTIONS);
    const end = await grow(store, 0, 4);
    for (let number = 0; number < end - 2; number++) await drop(store, number);
    assert.deepEqual(await keys(store), [end - 2, end - 1]);
    await store.close();
    const left = await segments();
    assert.ok(!left.includes('segment-1') && left.includes('segment-4'), left.join());
    const again = await openSegmentedStore(directory, OPTIONS);
    assert.deepEqual(await keys(again), [end - 2, end - 1]);
    await again.close();
  });

  it('keeps a segment in which one key lives, and what deleted others before it', async () => {
    const store = await openSegmentedStore(directory, OPTIONS);
    const end = await grow(store, 0, 3);
    for (let number = 1; number < end; number++) await drop(store, number);
    await store.close();
    const again = await openSegmentedStore(directory, OPTIONS);
    assert.deepEqual(await keys(again), [0]);
    assert.deepEqual((await segments()).slice(0, 2), ['segment-1', 'segment-2']);
    await again.close();
  });

  it('reads a view from segments that are emptied meanwhile', async () => {
    const store = await openSegmentedStore(directory, OPTIONS);
    const end = await grow(store, 0, 3);
    const cursor = store.scan({});
    for (let number = 0; number < end; number++) await drop(store, number);
    assert.equal((await cursor.next(1000)).length, end);
    await cursor.close();
    assert.deepEqual(await keys(store), []);
    await store.close();
  });

  it('is found by who opens the directory as a store of any kind', async () => {
    const store = await openSegmentedStore(directory, OPTIONS);
    const end = await grow(store, 0, 2);
    await store.close();
    const plain = await storage.open(directory, { create: false });
    assert.equal((await keys(plain)).length, end);
    await plain.close();
  });

  it('goes on with what a store of one LevelDB holds', async () => {
    const plain = await storage.open(directory, { create: true });
    await put(plain, 200);
    await plain.close();
    const store = await openSegmentedStore(directory, OPTIONS);
    const end = await grow(store, 0, 2);
    assert.equal((await keys(store)).at(-1), 200);
    for (let number = 0; number < end; number++) await drop(store, number);
    await drop(store, 200);
    await store.close();
    const again = await openSegmentedStore(directory, OPTIONS);
    assert.deepEqual(await keys(again), []);
    await again.close();
  });

  it('is locked as a whole', async () => {
    const store = await openSegmentedStore(directory, OPTIONS);
    await isRefused(openSegmentedStore(directory, OPTIONS), 'STORE_LOCKED', /log/);
    await store.close();
  });

  it('clears away segments whose making or removal was cut short', async () => {
    const store = await openSegmentedStore(directory, OPTIONS);
    const end = await grow(store, 0, 2);
    await store.close();
    // As a power failure leaves it that comes before LevelDB has synced its first manifest.
    await mkdir(join(directory, 'segment-3.new'));
    await writeFile(join(directory, 'segment-3.new', 'MANIFEST-000001'), '');
    await writeFile(join(directory, 'segment-3.new', 'CURRENT'), 'MANIFEST-000001\n');
    await mkdir(join(directory, 'segment-0.gone'));
    await writeFile(join(directory, 'segment-0.gone', '000003.log'), '');
    const again = await openSegmentedStore(directory, OPTIONS);
    assert.equal((await keys(again)).length, end);
    assert.deepEqual(await segments(), ['segment-1', 'segment-2']);
    await again.close();
  });

  it('makes a segment under another name until it can be opened', async () => {
    const store = await openSegmentedStore(directory, OPTIONS);
    await writeFile(join(directory, 'segment-1.new'), 'in the way');
    await isRefused(grow(store, 0, 2), 'IO', /failed before/);
    await store.close();
    const again = await openSegmentedStore(directory, OPTIONS);
    await put(again, 200);
    assert.equal((await keys(again)).at(-1), 200);
    await again.close();
  });

  it('deletes for good what a segment knows that is being removed', async () => {
    const store = await openSegmentedStore(directory, OPTIONS);
    const end = await grow(store, 0, 2);
    await put(store, 250);
    for (let number = 0; number < end; number++) await drop(store, number);
    for (let number = end; (await segments()).length < 3; number++) {
      await put(store, number);
      await drop(store, number);
    }
    // The process ends, in effect, when the first of the two has emptied the oldest segment.
    await writeFile(join(directory, 'segment-1.gone'), 'in the way');
    await Promise.all([put(store, 250), drop(store, 250)]);
    await store.close();
    assert.ok((await segments()).includes('segment-1'));
    const again = await openSegmentedStore(directory, OPTIONS);
    assert.deepEqual(await keys(again), []);
    await again.close();
  });

  it('calls itself damaged when a segment between others is lost', async () => {
    const store = await openSegmentedStore(directory, OPTIONS);
    await grow(store, 0, 3);
    await store.close();
    await rename(join(directory, 'segment-2'), join(root, 'elsewhere'));
    await isRefused(openSegmentedStore(directory, OPTIONS), 'STORE_DAMAGED', /lost its segment-2/);
  });

  it('calls itself damaged when a segment with data has lost its CURRENT', async () => {
    const store = await openSegmentedStore(directory, OPTIONS);
    await grow(store, 0, 2);
    await store.close();
    await rm(join(directory, 'segment-1', 'CURRENT'));
    await isRefused(storage.open(directory, { create: false }), 'STORE_DAMAGED', /segment-1/);
  });

  it('calls itself damaged when segments are there and the first has lost its CURRENT', async () => {
    const store = await openSegmentedStore(directory, OPTIONS);
    await grow(store, 0, 2);
    await store.close();
    await rm(join(directory, 'CURRENT'));
    assert.equal(await storage.exists(directory), true);
    for (const create of [true, false]) {
      const opening = storage.open(directory, { create, isQueue: true });
      await isRefused(opening, 'STORE_DAMAGED', /CURRENT/);
    }
  });

  it('can be read again after a segment could not be opened', async () => {
    const store = await openSegmentedStore(directory, OPTIONS);
    await grow(store, 0, 3);
    const current = join(directory, 'segment-1', 'CURRENT');
    const hidden = `${current}.hidden`;
    await rename(current, hidden);
    await assert.rejects(keys(store));
    await rename(hidden, current);
    assert.ok((await keys(store)).length > 0);
    await store.close();
  });

  it('refuses writes after a segment could not be made', async () => {
    const store = await openSegmentedStore(directory, OPTIONS);
    await writeFile(join(directory, 'segment-1'), 'in the way');
    await isRefused(
      (async () => {
        for (let number = 0; number < 200; number++) await put(store, number);
      })(),
      'IO',
      /failed before/,
    );
    await store.close();
  });
});
