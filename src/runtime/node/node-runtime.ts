/** The seam on a real machine. */

import { randomFillSync } from 'node:crypto';
import type { Runtime } from '../runtime.ts';
import { nodeClock, nodeTimers } from './node-clock.ts';
import { NodeNetwork } from './node-network.ts';
import { NodeStorage } from './node-storage.ts';
import { openFiles } from './open-files.ts';

/** Stateless but for what it opens: a process may have several. */
export function createNodeRuntime(): Runtime {
  return {
    clock: nodeClock,
    timers: nodeTimers,
    network: new NodeNetwork(),
    storage: new NodeStorage(),
    openFiles,
    randomBytes: (count) => randomFillSync(new Uint8Array(count)),
  };
}
