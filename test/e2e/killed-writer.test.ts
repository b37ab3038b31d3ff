/** What a store in segments holds after its process was killed at any moment: every write that settled. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Prng } from '../../src/base/prng.ts';
import { openSegmentedStore } from '../../src/runtime/node/segmented-store.ts';
import {
  applyWrite,
  type Contents,
  contentsOf,
  KILLED_OPTIONS,
  lastWrite,
} from '../support/killed-writer.ts';

const WRITER = fileURLToPath(new URL('../support/killed-writer.js', import.meta.url));
const SEEDS = [1, 2, 3];
/** For each seed. */
const KILLS = 11;
/** Some writers are killed at the first sign of life, soon after the opening. */
const KILLED_AT_OPENING = 0.2;
const WRITES_MAX = 50;

/** Runs a writer until it has settled about so many writes; gives the last that is known to have. */
async function writeAndKill(directory: string, after: number, writes: number): Promise<number> {
  const child = spawn(process.execPath, [WRITER, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let said = '';
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    said += text;
    const settled = Number(said.split('\n').at(-2) ?? after);
    if (settled >= after + writes) child.kill('SIGKILL');
  });
  const [, signal] = await exited;
  assert.equal(signal, 'SIGKILL', 'the writer ended by itself');
  // A line that was cut off was said, too.
  return Math.max(after, ...said.split('\n').slice(0, -1).map(Number));
}

/** Kills one writer after the other over one store. Gives the number of the last segment. */
async function killAgainAndAgain(seed: number): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'vivarium-killed-'));
  const prng = new Prng(seed);
  const model: Contents = new Map();
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const before = lastWrite(model);
      const writes = prng.fraction() < KILLED_AT_OPENING ? 1 : prng.between(2, WRITES_MAX);
      const settled = await writeAndKill(directory, before, writes);
      const store = await openSegmentedStore(directory, KILLED_OPTIONS);
      const found = await contentsOf(store);
      await store.close();
      const last = lastWrite(found);
      assert.ok(last >= settled, `write ${settled} settled, and the last one there is ${last}`);
      for (let n = before + 1; n <= last; n++) applyWrite(n, model);
      assert.deepEqual(new Map([...found].sort()), new Map([...model].sort()));
    }
    const names = await readdir(directory);
    return Math.max(...names.map((name) => Number(/^segment-(\d+)$/.exec(name)?.[1] ?? 0)));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('A store in segments holds all writes that settled, in order, after each of many kills', async () => {
  // Side by side, since they mostly wait for the disk.
  const lasts = await Promise.all(SEEDS.map(killAgainAndAgain));
  const made = lasts.reduce((sum, last) => sum + last, 0);
  assert.ok(made > KILLS, `only ${made} segments were made`);
});
