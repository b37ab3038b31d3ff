import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { link, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { removeInPieces } from '../../../../src/runtime/node/gone-directory.ts';

const MB = 1024 * 1024;
let root = '';
let directory = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'vivarium-gone-'));
  directory = join(root, 'segment-1.gone');
  await mkdir(directory);
  await writeFile(join(directory, 'CURRENT'), 'MANIFEST-000004\n');
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

describe('removeInPieces', () => {
  it('removes a directory with all its files', async () => {
    await writeFile(join(directory, '000005.log'), Buffer.alloc(3 * MB));
    await removeInPieces(directory, new AbortController().signal);
    assert.equal(existsSync(directory), false);
  });

  it('shortens a large file by one piece after the other, and removes the rest at once when asked to hurry', async () => {
    const large = join(directory, '000005.log');
    await writeFile(large, '');
    await truncate(large, 10_000 * MB);
    const hurry = new AbortController();
    const removed = removeInPieces(directory, hurry.signal);
    while (statSync(large).size > 9_997 * MB) await setImmediate();
    assert.ok(statSync(large).size > 5000 * MB);
    hurry.abort();
    await removed;
    assert.equal(existsSync(directory), false);
  });

  it('leaves alone what has another name: a copy made of links', async () => {
    const copy = join(root, 'copy.log');
    await writeFile(join(directory, '000005.log'), Buffer.alloc(5 * MB, 1));
    await link(join(directory, '000005.log'), copy);
    await removeInPieces(directory, new AbortController().signal);
    assert.equal(existsSync(directory), false);
    assert.equal(statSync(copy).size, 5 * MB);
  });

  it('removes at once what it cannot shorten', async () => {
    await mkdir(join(directory, 'lost'));
    await removeInPieces(directory, new AbortController().signal);
    assert.equal(existsSync(directory), false);
  });
});
