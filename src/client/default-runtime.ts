/** The world of a client that was given none: this machine, without the stores that servers need. */

import { randomFillSync } from 'node:crypto';
import { nodeClock, nodeTimers } from '../runtime/node/node-clock.ts';
import { NodeNetwork } from '../runtime/node/node-network.ts';
import type { ClientRuntime } from './client-options.ts';

export function createDefaultRuntime(): ClientRuntime {
  return {
    clock: nodeClock,
    timers: nodeTimers,
    network: new NodeNetwork(),
    randomBytes: (count) => randomFillSync(new Uint8Array(count)),
  };
}
