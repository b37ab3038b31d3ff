import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { openSegmentedStore } from '../../src/runtime/node/segmented-store.ts';
import type { OpenOptions, Storage } from '../../src/runtime/runtime.ts';
import { describeStorage } from './storage-suite.ts';

/** So small that hardly two writes go into one segment. */
const SEGMENT_BYTES = 128;

describeStorage('LevelDB in segments', async () => {
  const root = await mkdtemp(join(tmpdir(), 'vivarium-segments-'));
  const { storage: node } = createNodeRuntime();
  const storage: Storage = {
    open: async (directory: string, { create }: OpenOptions) => {
      // Refuses what has to be refused before there is a store.
      const plain = await node.open(directory, { create });
      await plain.close();
      return await openSegmentedStore(directory, { create, segmentBytes: SEGMENT_BYTES });
    },
    exists: (directory) => node.exists(directory),
    readText: (file) => node.readText(file),
    writeText: (file, text) => node.writeText(file, text),
    move: (from, to) => node.move(from, to),
    list: (directory) => node.list(directory),
    space: (directory) => node.space(directory),
    size: (directory) => node.size(directory),
  };
  const close = (): Promise<void> => rm(root, { recursive: true, force: true });
  return { storage, root, smallestValue: 1, close };
});
