/**
 * Holds the large files of a LevelDB open. LevelDB removes those that it has merged into others, several
 * at once, while clients wait for syncs of the same disk. A file that is open keeps its space when its
 * name goes; so the space goes back in pieces here, after the name and when nothing reads it any more:
 * LevelDB takes away a table's name only after its last reader has gone and its memory is unmapped.
 */

import { statSync } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { shrinkInPieces } from './pieces.ts';

/** Tables and logs. */
const LARGE = /^\d{6,}\.(?:ldb|log)$/;
/**
 * One merge may begin behind the other, without a write in between: how often it is looked at meanwhile,
 * and for how long after something has changed.
 */
const LOOK_MS = 10;
const LOOKS = 100;
/** A server should have descriptors left for clients: of more files the rest goes at once. */
const HELD_MAX = 256;

export class HeldFiles {
  readonly #directory: string;
  readonly #held = new Map<string, FileHandle>();
  readonly #hurry = new AbortController();
  #changedMs = 0;
  #looksLeft = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  /** Settles, never rejecting, when everything asked for so far is done. */
  #done: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** After a write: takes hold of files that have come, and lets go of those that have gone. */
  look(): void {
    if (this.#looking !== undefined || this.#hurry.signal.aborted) return;
    const changedMs = statSync(this.#directory, { throwIfNoEntry: false })?.mtimeMs;
    if (changedMs === undefined || changedMs === this.#changedMs) return;
    this.#changedMs = changedMs;
    this.#looksLeft = LOOKS;
    this.#lookAgain();
    this.#looking = this.#look().then(
      () => this.#looked(),
      // What fails here costs time at worst; a disk that fails shows it to those who write.
      () => this.#looked(),
    );
  }

  #lookAgain(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.look();
      if (--this.#looksLeft > 0 && !this.#hurry.signal.aborted) this.#lookAgain();
    }, LOOK_MS).unref();
  }

  #looked(): void {
    this.#looking = undefined;
  }

  async #look(): Promise<void> {
    const names = new Set(await readdir(this.#directory));
    for (const [name, file] of this.#held) {
      if (names.has(name)) continue;
      this.#held.delete(name);
      this.#done = this.#done.then(() => this.#letGo(file)).catch(() => undefined);
    }
    for (const name of names) {
      if (!LARGE.test(name) || this.#held.has(name) || this.#held.size >= HELD_MAX) continue;
      const file = await open(join(this.#directory, name), 'r+').catch(() => undefined);
      if (file !== undefined) this.#held.set(name, file);
    }
  }

  async #letGo(file: FileHandle): Promise<void> {
    try {
      // With another name it is alive, whoever gave it that.
      if ((await file.stat()).nlink === 0) await shrinkInPieces(file, this.#hurry.signal);
    } finally {
      await file.close();
    }
  }

  /** When the LevelDB is closed. */
  async close(): Promise<void> {
    this.#hurry.abort();
    clearTimeout(this.#timer);
    await this.#looking;
    await this.#done;
    for (const file of this.#held.values()) await file.close();
    this.#held.clear();
  }
}
