import { createMemoryRuntime } from '../../src/testing/memory-runtime.ts';
import { describeStorage } from './storage-suite.ts';

describeStorage('simulated', () => {
  const { storage } = createMemoryRuntime();
  return Promise.resolve({ storage, root: '/data', close: () => Promise.resolve() });
});
