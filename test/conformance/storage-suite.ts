/**
 * What every implementation of `Storage` must do. A factory makes a fresh, empty place; the same
 * tests then run on the simulated disk and on LevelDB.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type KeyRange,
  type KeyValueStore,
  RuntimeError,
  type RuntimeErrorCode,
  type Storage,
} from '../../src/runtime/runtime.ts';

export interface StorageBench {
  readonly storage: Storage;
  /** An existing, empty directory of this test alone. */
  readonly root: string;
  /** Bytes of the smallest value that it takes; default 0. */
  readonly smallestValue?: number;
  close(): Promise<void>;
}

export function describeStorage(name: string, makeBench: () => Promise<StorageBench>): void {
  describe(`${name} storage`, () => {
    const test = (behaviour: string, run: (bench: StorageBench) => Promise<void>): void => {
      it(behaviour, async () => {
        const bench = await makeBench();
        try {
          await run(bench);
        } finally {
          await bench.close();
        }
      });
    };
    openTests(test);
    writeTests(test);
    failureTests(test);
    scanTests(test);
    fileTests(test);
  });
}

type Define = (behaviour: string, run: (bench: StorageBench) => Promise<void>) => void;

function openTests(test: Define): void {
  test('open() refuses a missing store unless asked to create it', async ({ storage, root }) => {
    await rejects(storage.open(`${root}/db`, { create: false }), 'STORE_MISSING', /\/db/);
    assert.equal(await storage.exists(`${root}/db`), false);
    const store = await storage.open(`${root}/db`, { create: true });
    await store.close();
    assert.equal(await storage.exists(`${root}/db`), true);
  });

  test('open() does not take a directory without a store for one', async ({ storage, root }) => {
    await storage.writeText(`${root}/db/myid`, '1');
    assert.equal(await storage.exists(`${root}/db`), false);
    await rejects(storage.open(`${root}/db`, { create: false }), 'STORE_MISSING', /\/db/);
  });

  test('open() creates the directories above', async ({ storage, root }) => {
    const store = await storage.open(`${root}/a/b/c`, { create: true });
    await put(store, 'k', 'v');
    await store.close();
    assert.deepEqual(await storage.list(`${root}/a`), ['b']);
  });

  test('open() refuses a store that is open', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    await rejects(storage.open(`${root}/db`, { create: true }), 'STORE_LOCKED', /\/db/);
    await put(store, 'still', 'usable');
    assert.equal(await get(store, 'still'), 'usable');
    await store.close();
  });

  test('open() finds what was written before close()', async ({ storage, root }) => {
    const first = await storage.open(`${root}/db`, { create: true });
    await put(first, 'synced', '1', true);
    await put(first, 'unsynced', '2');
    await first.close();
    const second = await storage.open(`${root}/db`, { create: false });
    assert.deepEqual(await texts(second), ['synced=1', 'unsynced=2']);
    await second.close();
  });

  test('a closed store refuses everything', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    const batch = store.batch();
    batch.put(bytes('k'), bytes('v'));
    await store.close();
    await rejects(store.get(bytes('k')), 'IO', /closed/);
    await rejects(batch.write({ sync: true }), 'IO', /closed/);
    const isRefusal = (error: unknown): boolean =>
      error instanceof RuntimeError && error.code === 'IO';
    assert.throws(() => store.scan({}), isRefusal);
    assert.throws(() => store.batch(), isRefusal);
  });

  test('close() waits for the writes before it', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    const writes = ['a', 'b', 'c'].map((key) => put(store, key, key, key === 'b'));
    await store.close();
    await Promise.all(writes);
    const again = await storage.open(`${root}/db`, { create: false });
    assert.deepEqual(await texts(again), ['a=a', 'b=b', 'c=c']);
    await again.close();
  });
}

function writeTests(test: Define): void {
  test('get() yields undefined for a key that is not there', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    assert.equal(await store.get(bytes('nothing')), undefined);
    await store.close();
  });

  test('get() hands out bytes of the caller alone', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    await put(store, 'k', 'value');
    const value = await store.get(bytes('k'));
    assert.ok(value !== undefined);
    assert.equal(Object.getPrototypeOf(value), Uint8Array.prototype);
    value.fill(0);
    assert.equal(await get(store, 'k'), 'value');
    await store.close();
  });

  test('write() applies a batch in the order of its calls', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    const batch = store.batch();
    batch.put(bytes('a'), bytes('1'));
    batch.put(bytes('a'), bytes('2'));
    batch.put(bytes('b'), bytes('1'));
    batch.delete(bytes('b'));
    batch.delete(bytes('c'));
    batch.put(bytes('c'), bytes('1'));
    assert.equal(batch.length, 6);
    await batch.write({ sync: true });
    assert.deepEqual(await texts(store), ['a=2', 'c=1']);
    await store.close();
  });

  test('write() keeps the order of calls that do not wait', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    const settled: number[] = [];
    const writes: Array<Promise<void>> = [];
    for (let i = 0; i < 50; i++) {
      const write = put(store, 'counter', String(i), i % 7 === 0);
      writes.push(write.then(() => void settled.push(i)));
    }
    await Promise.all(writes);
    assert.equal(await get(store, 'counter'), '49');
    assert.deepEqual(settled, [...Array(50).keys()]);
    await store.close();
  });

  test('write() of an empty batch succeeds, synced or not', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    await store.batch().write({ sync: false });
    await store.batch().write({ sync: true });
    assert.deepEqual(await texts(store), []);
    await store.close();
  });

  test('write() leaves the bytes to the caller once it has settled', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    const key = bytes('key');
    const value = bytes('value');
    const batch = store.batch();
    batch.put(key, value);
    await batch.write({ sync: false });
    key.fill(0);
    value.fill(0);
    assert.deepEqual(await texts(store), ['key=value']);
    await store.close();
  });

  test('values may be empty and may be large', async ({ storage, root, smallestValue = 0 }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    const large = new Uint8Array(3 * 1024 * 1024);
    for (let i = 0; i < large.length; i++) large[i] = (i * 31 + (i >> 8)) & 0xff;
    const batch = store.batch();
    batch.put(bytes('empty'), new Uint8Array(smallestValue));
    batch.put(bytes('large'), large);
    await batch.write({ sync: true });
    assert.deepEqual(await store.get(bytes('empty')), new Uint8Array(smallestValue));
    const found = await store.get(bytes('large'));
    assert.ok(found !== undefined && Buffer.compare(found, large) === 0);
    await store.close();
  });

  test('many batches of many keys are all kept', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    for (let round = 0; round < 40; round++) {
      const batch = store.batch();
      // Keys in an order unlike their own, to exercise insertion everywhere.
      for (let i = 0; i < 50; i++) batch.put(number((i * 37 + round * 7919) % 2000), bytes('x'));
      await batch.write({ sync: round % 10 === 9 });
    }
    const expected = new Set<number>();
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 50; i++) expected.add((i * 37 + round * 7919) % 2000);
    }
    const found = (await pairs(store, {})).map(([key]) => toNumber(key));
    assert.deepEqual(
      found,
      [...expected].sort((a, b) => a - b),
    );
    await store.close();
  });
}

function failureTests(test: Define): void {
  test('a batch is written once', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    const batch = store.batch();
    batch.put(bytes('a'), bytes('1'));
    await batch.write({ sync: false });
    assert.throws(() => batch.write({ sync: false }), /a batch is written once/);
    assert.throws(() => batch.put(bytes('b'), bytes('1')), /nothing more/);
    await store.close();
  });

  test('close() twice is the same as once', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    await store.close();
    await store.close();
    const again = await storage.open(`${root}/db`, { create: false });
    await again.close();
  });
}

function scanTests(test: Define): void {
  test('scan() compares keys as unsigned bytes', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    const keys = [[0xff], [0x00], [0x7f, 0x00], [0x80], [0x7f], [0x00, 0x00], [0xff, 0xff]];
    const batch = store.batch();
    for (const key of keys) batch.put(Uint8Array.from(key), bytes('x'));
    await batch.write({ sync: false });
    const found = (await pairs(store, {})).map(([key]) => [...key]);
    const expected = [[0x00], [0x00, 0x00], [0x7f], [0x7f, 0x00], [0x80], [0xff], [0xff, 0xff]];
    assert.deepEqual(found, expected);
    await store.close();
  });

  test('scan() keeps to its bounds, both ways', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    for (const key of ['a', 'b', 'c', 'd', 'e']) await put(store, key, key);
    const keys = async (range: KeyRange): Promise<string> =>
      (await pairs(store, range)).map(([key]) => text(key)).join('');
    assert.equal(await keys({ gte: bytes('b'), lte: bytes('d') }), 'bcd');
    assert.equal(await keys({ gt: bytes('b'), lt: bytes('d') }), 'c');
    assert.equal(await keys({ gt: bytes('bb'), lt: bytes('dd') }), 'cd');
    assert.equal(await keys({ gte: bytes('c') }), 'cde');
    assert.equal(await keys({ lt: bytes('c') }), 'ab');
    assert.equal(await keys({ reverse: true }), 'edcba');
    assert.equal(await keys({ gt: bytes('a'), lte: bytes('c'), reverse: true }), 'cb');
    assert.equal(await keys({ gte: bytes('bb'), lte: bytes('dd'), reverse: true }), 'dc');
    assert.equal(await keys({ gt: bytes('d'), lt: bytes('b') }), '');
    await store.close();
  });

  test('scan() yields full pages, and fewer only at the end', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    const batch = store.batch();
    for (let i = 0; i < 10; i++) batch.put(number(i), new Uint8Array(40_000));
    await batch.write({ sync: false });
    const cursor = store.scan({});
    const lengths = [];
    for (let i = 0; i < 4; i++) lengths.push((await cursor.next(4)).length);
    assert.deepEqual(lengths, [4, 4, 2, 0]);
    await cursor.close();
    await store.close();
  });

  test('scan() does not see later writes', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    for (const key of ['a', 'b', 'd']) await put(store, key, 'old');
    const cursor = store.scan({});
    const reverse = store.scan({ reverse: true });
    const first = await cursor.next(1);
    const batch = store.batch();
    batch.put(bytes('b'), bytes('new'));
    batch.put(bytes('c'), bytes('new'));
    batch.delete(bytes('d'));
    await batch.write({ sync: true });
    const rest = await cursor.next(10);
    assert.deepEqual([...first, ...rest].map(pairText), ['a=old', 'b=old', 'd=old']);
    assert.deepEqual((await reverse.next(10)).map(pairText), ['d=old', 'b=old', 'a=old']);
    assert.deepEqual(await texts(store), ['a=old', 'b=new', 'c=new']);
    await cursor.close();
    await reverse.close();
    await store.close();
  });

  test('next() of a closed cursor is refused', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    const cursor = store.scan({});
    await cursor.close();
    await rejects(cursor.next(1), 'IO', /closed/);
    await store.close();
  });

  test('close() of a store closes its cursors', async ({ storage, root }) => {
    const store = await storage.open(`${root}/db`, { create: true });
    const cursor = store.scan({});
    await store.close();
    await rejects(cursor.next(1), 'IO', /closed/);
    await cursor.close();
  });
}

function fileTests(test: Define): void {
  test('readText() yields undefined for a missing file', async ({ storage, root }) => {
    assert.equal(await storage.readText(`${root}/none`), undefined);
    assert.equal(await storage.readText(`${root}/none/deeper`), undefined);
  });

  test('writeText() replaces a file whole and leaves no other', async ({ storage, root }) => {
    await storage.writeText(`${root}/conf/zoo.cfg`, 'tickTime=2000\nlonger than what follows\n');
    await storage.writeText(`${root}/conf/zoo.cfg`, 'größer=ß\n');
    assert.equal(await storage.readText(`${root}/conf/zoo.cfg`), 'größer=ß\n');
    assert.deepEqual(await storage.list(`${root}/conf`), ['zoo.cfg']);
  });

  test('list() names what is in a directory', async ({ storage, root }) => {
    assert.deepEqual(await storage.list(`${root}/none`), []);
    await storage.writeText(`${root}/myid`, '1\n');
    const store = await storage.open(`${root}/state`, { create: true });
    await store.close();
    assert.deepEqual((await storage.list(root)).sort(), ['myid', 'state']);
  });

  test('move() renames a file and a store with all that is in it', async ({ storage, root }) => {
    await storage.writeText(`${root}/a`, 'x');
    await storage.move(`${root}/a`, `${root}/b`);
    assert.equal(await storage.readText(`${root}/a`), undefined);
    assert.equal(await storage.readText(`${root}/b`), 'x');
    const store = await storage.open(`${root}/db`, { create: true });
    await put(store, 'k', 'v', true);
    await store.close();
    await storage.move(`${root}/db`, `${root}/db.aside`);
    assert.equal(await storage.exists(`${root}/db`), false);
    const moved = await storage.open(`${root}/db.aside`, { create: false });
    assert.deepEqual(await texts(moved), ['k=v']);
    await moved.close();
    await rejects(storage.move(`${root}/none`, `${root}/some`), 'IO', /none/);
  });

  test('space() tells what is free of how much', async ({ storage, root }) => {
    await storage.writeText(`${root}/a`, 'x');
    const space = await storage.space(root);
    assert.ok(space !== undefined);
    assert.ok(space.freeBytes > 0 && space.freeBytes <= space.totalBytes);
  });

  test('size() counts the bytes of all levels', async ({ storage, root }) => {
    assert.equal(await storage.size(`${root}/none`), 0);
    await storage.writeText(`${root}/a/b/file`, 'x'.repeat(1000));
    assert.equal(await storage.size(`${root}/a`), 1000);
    const store = await storage.open(`${root}/a/db`, { create: true });
    await put(store, 'k', 'v'.repeat(10_000), true);
    assert.ok((await storage.size(`${root}/a`)) >= 11_000);
    await store.close();
  });
}

async function rejects(
  promise: Promise<unknown>,
  code: RuntimeErrorCode,
  message: RegExp,
): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof RuntimeError, `not a RuntimeError: ${String(error)}`);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

function put(store: KeyValueStore, key: string, value: string, sync = false): Promise<void> {
  const batch = store.batch();
  batch.put(bytes(key), bytes(value));
  return batch.write({ sync });
}

async function get(store: KeyValueStore, key: string): Promise<string | undefined> {
  const value = await store.get(bytes(key));
  return value === undefined ? undefined : text(value);
}

async function pairs(
  store: KeyValueStore,
  range: KeyRange,
): Promise<Array<readonly [Uint8Array, Uint8Array]>> {
  const cursor = store.scan(range);
  const found = [];
  for (;;) {
    const page = await cursor.next(100);
    found.push(...page);
    if (page.length < 100) break;
  }
  await cursor.close();
  return found;
}

async function texts(store: KeyValueStore): Promise<string[]> {
  return (await pairs(store, {})).map(pairText);
}

function pairText([key, value]: readonly [Uint8Array, Uint8Array]): string {
  return `${text(key)}=${text(value)}`;
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

function number(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function toNumber(key: Uint8Array): number {
  return ((key[0] ?? 0) << 8) | (key[1] ?? 0);
}
