/** A short run of what `npm run chaos` does: real servers, real faults, the simulator's checkers. */

import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { runChaos } from '../../cluster/chaos/chaos.ts';
import { OURS } from '../../cluster/chaos/chaos-servers.ts';
import type { FaultKind } from '../../cluster/chaos/faults.ts';

/** Half a minute holds about eight of them. */
const FAULTS: readonly FaultKind[] = [
  'killLeader',
  'killAll',
  'pauseLeader',
  'leaderAlone',
  'wipe',
];

describe('three servers under faults', () => {
  it('lose, reorder and invent nothing that their clients could see', async () => {
    const fixed = { kind: OURS, servers: 3, seed: 1, links: 'any' } as const;
    assert(await runChaos({ ...fixed, minutes: 0.4, faults: FAULTS }), 'see the violations above');
  });
});
