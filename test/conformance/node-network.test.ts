import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { describeNetwork } from './network-suite.ts';

const PATIENCE_MS = 20_000;

describeNetwork('TCP', () => {
  const { network, clock } = createNodeRuntime();
  return Promise.resolve({
    network,
    host: '127.0.0.1',
    until: async (condition: () => boolean) => {
      const giveUpMs = clock.monotonicMs() + PATIENCE_MS;
      while (!condition()) {
        assert.ok(clock.monotonicMs() < giveUpMs, 'the condition never held');
        await setImmediate();
      }
    },
    finish: <T>(promise: Promise<T>) => promise,
    close: () => Promise.resolve(),
  });
});
