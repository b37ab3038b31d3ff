import assert from 'node:assert/strict';
import { SimWorld } from '../../src/testing/sim-world.ts';
import { describeNetwork } from './network-suite.ts';

describeNetwork('simulated', () => {
  const world = new SimWorld(7);
  const { network } = world.runtimeFor('host1');
  return Promise.resolve({
    network,
    host: 'host1',
    until: async (condition: () => boolean) => {
      assert.ok(await world.runUntil(condition, 60_000), 'the condition never held');
    },
    finish: <T>(promise: Promise<T>) => world.finish(promise),
    close: () => Promise.resolve(),
  });
});
