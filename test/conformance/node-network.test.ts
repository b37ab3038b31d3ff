import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { NodeNetwork } from '../../src/runtime/node/node-network.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { describeNetwork, type NetworkBench } from './network-suite.ts';

const PATIENCE_MS = 20_000;

function benchOf(network: NodeNetwork): Promise<NetworkBench> {
  const { clock } = createNodeRuntime();
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
}

describeNetwork('TCP', () => benchOf(new NodeNetwork()));
describeNetwork('TCP on sockets that Node made', () => benchOf(new NodeNetwork(false)));
