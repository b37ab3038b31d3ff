import assert from 'node:assert/strict';
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { mkdtemp, rename, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { HeldFiles } from '../../../../src/runtime/node/held-files.ts';

const MB = 1024 * 1024;
const SIZE = 10_000 * MB;
const isLinux = process.platform === 'linux';
let directory = '';
let files: HeldFiles;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vivarium-held-'));
  files = new HeldFiles(directory);
});

afterEach(async () => {
  await files.close();
  await rm(directory, { recursive: true, force: true });
});

/** Links of this process's descriptors to files of the directory, by name; those without one end in `(deleted)`. */
function descriptors(): Map<string, string> {
  const found = new Map<string, string>();
  for (const descriptor of readdirSync('/proc/self/fd')) {
    const link = `/proc/self/fd/${descriptor}`;
    try {
      const target = readlinkSync(link);
      if (target.startsWith(directory)) found.set(target.slice(directory.length + 1), link);
    } catch {
      // It was the one that listed the others.
    }
  }
  return found;
}

async function lookUntil(condition: () => boolean): Promise<void> {
  while (!condition()) {
    files.look();
    await setImmediate();
  }
}

async function makeTable(name: string): Promise<void> {
  await writeFile(join(directory, name), '');
  await truncate(join(directory, name), SIZE);
}

describe('HeldFiles', { skip: !isLinux }, () => {
  it('shortens a table whose name has gone by one piece after the other', async () => {
    await makeTable('000005.ldb');
    await lookUntil(() => descriptors().has('000005.ldb'));
    await unlink(join(directory, '000005.ldb'));
    const size = (): number | undefined => {
      const link = descriptors().get('000005.ldb (deleted)');
      return link === undefined ? undefined : statSync(link).size;
    };
    await lookUntil(() => (size() ?? 0) < SIZE);
    assert.ok((size() ?? 0) > SIZE / 2);
    await files.close();
    assert.equal(size(), undefined);
  });

  it('leaves a file alone that has another name', async () => {
    await makeTable('000005.ldb');
    await lookUntil(() => descriptors().has('000005.ldb'));
    await rename(join(directory, '000005.ldb'), join(directory, 'kept'));
    await lookUntil(() => !descriptors().has('kept'));
    assert.equal(statSync(join(directory, 'kept')).size, SIZE);
  });

  it('holds tables and logs only, and none when it is closed', async () => {
    for (const name of ['000005.ldb', '000006.log', 'CURRENT', 'LOCK', 'MANIFEST-000004']) {
      await writeFile(join(directory, name), '');
    }
    await lookUntil(() => descriptors().size === 2);
    assert.deepEqual([...descriptors().keys()].sort(), ['000005.ldb', '000006.log']);
    await files.close();
    assert.equal(descriptors().size, 0);
  });
});
