/** A runtime in memory for tests that care about neither time nor faults. */

import { type SimRuntime, SimWorld } from './sim-world.ts';

/**
 * One host alone in a world that runs by itself while a storage call is awaited. Its timers fire
 * only as far as such calls take virtual time along; tests about time use a `SimWorld`.
 */
export function createMemoryRuntime(seed = 1): SimRuntime {
  return new SimWorld(seed, { selfRunning: true }).runtimeFor('memory');
}
