/** Which process writes into a directory. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writerIn } from '../../../../src/runtime/node/file-writers.ts';

describe('writerIn', { skip: existsSync('/proc/self/fd') ? false : 'there is no /proc' }, () => {
  let directory: string;
  let file: string;

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'vivarium-file-writers-'));
    await mkdir(path.join(directory, 'data', 'version-2'), { recursive: true });
    file = path.join(directory, 'data', 'version-2', 'log.1');
    await writeFile(file, '');
    await symlink(path.join(directory, 'data'), path.join(directory, 'link'));
  });

  after(() => rm(directory, { recursive: true }));

  test('names the process, whatever the directory is called', async () => {
    const handle = await open(file, 'r+');
    assert.equal(await writerIn(path.join(directory, 'data')), process.pid);
    assert.equal(await writerIn(path.join(directory, 'link', 'version-2')), process.pid);
    await handle.close();
    assert.equal(await writerIn(path.join(directory, 'data')), undefined);
  });

  test('takes no reader for a writer, and no neighbour for what is inside', async () => {
    const reader = await open(file, 'r');
    const neighbour = await open(path.join(directory, 'data-of-another'), 'w');
    assert.equal(await writerIn(path.join(directory, 'data')), undefined);
    await reader.close();
    await neighbour.close();
  });

  test('finds nobody in a directory that is not there', async () => {
    assert.equal(await writerIn(path.join(directory, 'none')), undefined);
  });
});
