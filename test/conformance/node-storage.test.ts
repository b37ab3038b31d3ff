import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { describeStorage } from './storage-suite.ts';

describeStorage('LevelDB', async () => {
  const root = await mkdtemp(join(tmpdir(), 'vivarium-storage-'));
  const { storage } = createNodeRuntime();
  return { storage, root, close: () => rm(root, { recursive: true, force: true }) };
});
