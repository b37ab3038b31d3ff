/** One LevelDB of a store that consists of several, one written after the other. */

import { readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { invariant } from '../../base/assert.ts';
import {
  type Cursor,
  type KeyRange,
  type KeyValue,
  type KeyValueStore,
  RuntimeError,
} from '../runtime.ts';
import { removeDirectory } from './gone-directory.ts';
import { openLevelStore } from './level-store.ts';
import { ioError, isMissing, syncDirectory } from './node-files.ts';

const NAME = /^segment-(\d{1,15})$/;
/** What a segment is called until it is whole. */
const UNFINISHED = '.new';
/** What a segment is called from the moment in which it counts for nothing any more. */
const GONE = '.gone';
const NO_SEGMENT = /^segment-\d{1,15}\.(?:new|gone)$/;
const CLEAR_KEYS = 1024;
/** What is read of a segment at once, about: few large values, many small ones. */
const PAGE_BYTES = 128 * 1024;
const FIRST_PAGE_KEYS = 16;
const PAGE_KEYS_MAX = 256;

/** Number of the directory that holds the others; its own LevelDB is the first segment. */
export const ROOT = 0;

export class Segment {
  readonly number: number;
  readonly #directory: string;
  #store: KeyValueStore | undefined;
  #opening: Promise<KeyValueStore> | undefined;
  #closing: Promise<void> | undefined;
  /** Keys whose last version is in this segment. */
  liveCount = 0;
  /** What was written to it by this process, as its memory counts. */
  byteCount = 0;
  /** Who reads it: as long as there are any, it is neither closed nor removed. */
  userCount = 0;

  constructor(number: number, directory: string, store: KeyValueStore) {
    this.number = number;
    this.#directory = directory;
    this.#store = store;
  }

  /** Makes an empty segment in the directory of the first, durably, and whole or not at all. */
  static async create(root: string, number: number): Promise<Segment> {
    const directory = join(root, segmentName(number));
    const unfinished = `${directory}${UNFINISHED}`;
    // LevelDB points to its first manifest before that is synced: a power failure right then leaves
    // a store that nobody can open.
    const made = await openLevelStore(unfinished, true);
    await made.close();
    await renameDurably(unfinished, directory);
    return await Segment.open(root, number);
  }

  /** Opens one that is there. */
  static async open(root: string, number: number): Promise<Segment> {
    const directory = join(root, segmentName(number));
    return new Segment(number, directory, await openLevelStore(directory, false));
  }

  /** Of a segment that was never closed. */
  get store(): KeyValueStore {
    invariant(this.#store !== undefined, 'a closed segment is written to');
    return this.#store;
  }

  /** Of an open segment a view as of now, of a closed one, which does not change, as of the first read. */
  scan(range: KeyRange): SegmentReader {
    this.userCount++;
    const cursor = this.#store?.scan(range);
    return new SegmentReader(this, cursor, range);
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.userCount++;
    try {
      return await (await this.opened()).get(key);
    } finally {
      this.userCount--;
    }
  }

  opened(): Promise<KeyValueStore> {
    if (this.#store !== undefined) return Promise.resolve(this.#store);
    this.#opening ??= this.#reopen();
    return this.#opening;
  }

  async #reopen(): Promise<KeyValueStore> {
    await this.#closing;
    try {
      const store = await openLevelStore(this.#directory, false);
      this.#store = store;
      return store;
    } finally {
      this.#opening = undefined;
    }
  }

  /** Lets go of its memory, unless somebody reads it. */
  async closeIfUnused(): Promise<void> {
    if (this.userCount === 0) await this.close();
  }

  async close(): Promise<void> {
    if (this.#opening !== undefined) await this.#opening.catch(() => undefined);
    if (this.#store === undefined) return;
    this.#closing = this.#store.close();
    // In the same turn: nobody may begin to read what is being closed.
    this.#store = undefined;
    await this.#closing;
  }

  /**
   * After this nothing that was in it comes back. The first segment stays, empty; of the others this
   * returns the directory that is left to be removed.
   */
  async remove(): Promise<string | undefined> {
    invariant(this.liveCount === 0 && this.userCount === 0, 'a segment in use is removed');
    if (this.number === ROOT) {
      await clear(await this.opened());
      return undefined;
    }
    await this.close();
    const gone = `${this.#directory}${GONE}`;
    // Half of it must never be taken for a damaged segment.
    await renameDurably(this.#directory, gone);
    return gone;
  }
}

/** Reads a part of one segment in order. */
export class SegmentReader {
  readonly #segment: Segment;
  readonly #range: KeyRange;
  #cursor: Cursor | undefined;
  #pageKeys = FIRST_PAGE_KEYS;

  constructor(segment: Segment, cursor: Cursor | undefined, range: KeyRange) {
    this.#segment = segment;
    this.#cursor = cursor;
    this.#range = range;
  }

  /** The next pairs, marks of deletion among them; none at the end. */
  async next(): Promise<readonly KeyValue[]> {
    this.#cursor ??= (await this.#segment.opened()).scan(this.#range);
    const pairs = await this.#cursor.next(this.#pageKeys);
    let bytes = 0;
    for (const [key, value] of pairs) bytes += key.length + value.length;
    if (bytes > PAGE_BYTES) this.#pageKeys = Math.max(1, this.#pageKeys >>> 1);
    else this.#pageKeys = Math.min(PAGE_KEYS_MAX, this.#pageKeys * 2);
    return pairs;
  }

  async close(): Promise<void> {
    this.#segment.userCount--;
    await this.#cursor?.close();
  }
}

/** Whether there are segments beside the first in a directory. */
export async function hasSegments(root: string): Promise<boolean> {
  return (await namesIn(root)).some((name) => NAME.test(name));
}

/**
 * Numbers of the segments in a directory beside the first, ascending. Removes what is left of those
 * whose making or removal was cut short: the ones never held anything, the others nothing of use.
 */
export async function findSegments(root: string): Promise<number[]> {
  const numbers: number[] = [];
  for (const name of await namesIn(root)) {
    if (NO_SEGMENT.test(name)) await removeDirectory(join(root, name));
    const number = NAME.exec(name)?.[1];
    if (number === undefined) continue;
    await requireCurrent(join(root, name));
    numbers.push(Number(number));
  }
  numbers.sort((a, b) => a - b);
  const lost = numbers.find((number, at) => at > 0 && number - 1 !== numbers[at - 1]);
  if (lost !== undefined) {
    const message = `the store in ${root} has lost its ${segmentName(lost - 1)}`;
    throw new RuntimeError('STORE_DAMAGED', message);
  }
  return numbers;
}

/** Every LevelDB has this file, without which LevelDB takes what else there is for rubbish. */
export async function requireCurrent(directory: string): Promise<void> {
  if ((await namesIn(directory)).includes('CURRENT')) return;
  throw new RuntimeError('STORE_DAMAGED', `${directory} has lost its file CURRENT`);
}

function segmentName(number: number): string {
  return `segment-${number}`;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw ioError(`cannot look into ${directory}`, error);
  }
}

async function renameDurably(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    throw ioError(`cannot rename ${from}`, error);
  }
  await syncDirectory(dirname(to));
}

async function clear(store: KeyValueStore): Promise<void> {
  const cursor = store.scan({});
  try {
    for (;;) {
      const pairs = await cursor.next(CLEAR_KEYS);
      if (pairs.length === 0) break;
      const batch = store.batch();
      for (const [key] of pairs) batch.delete(key);
      await batch.write({ sync: true });
    }
  } finally {
    await cursor.close();
  }
}
