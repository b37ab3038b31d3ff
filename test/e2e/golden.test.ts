/**
 * Everything ever recorded from Apache ZooKeeper, byte for byte: each conversation of
 * `test/golden/client-protocol.jsonl` that holds for release 3.9, played against a server of ours.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigOptions } from '../../src/server/load-config.ts';
import { replayGolden } from '../support/golden-replay.ts';
import {
  type GoldenScenario,
  type GoldenSwitch,
  loadGoldenScenarios,
  selectScenarios,
} from '../support/golden-scenarios.ts';
import { startNodeServer } from '../support/node-server.ts';

/** Long enough to see an answer that should not come, short enough to wait for its absence often. */
const QUIET_MS = 60;
const ALL_SWITCHES: ReadonlySet<GoldenSwitch> = new Set([
  'extendedTypesEnabled',
  'enforceQuota',
  'superDigest',
]);
/** Password `super:secret`. */
const SUPER_DIGEST = 'super:lK75jTNcA+U9vtVEw5vB51mj/w4=';

const scenarios = loadGoldenScenarios();

test('a server without switches answers every recorded conversation as release 3.9 does', async (t) => {
  const selected = selectScenarios(scenarios, '3.9');
  assert.equal(selected.length, 76);
  await playAll(t, selected, { extendedTypesEnabled: false, '4lw.commands.whitelist': '*' });
});

test('a server with its switches on answers every recorded conversation as release 3.9 does', async (t) => {
  const selected = selectScenarios(scenarios, '3.9', ALL_SWITCHES);
  assert.equal(selected.filter(({ name }) => name.startsWith('x-')).length, 3);
  await playAll(t, selected, {
    extendedTypesEnabled: true,
    enforceQuota: true,
    'DigestAuthenticationProvider.superDigest': SUPER_DIGEST,
    '4lw.commands.whitelist': '*',
  });
});

async function playAll(
  t: { test(name: string, body: () => Promise<void>): Promise<void> },
  selected: readonly GoldenScenario[],
  options: ConfigOptions,
): Promise<void> {
  const { port, stop } = await startNodeServer(options);
  try {
    for (const scenario of selected) {
      await t.test(scenario.name, async () => {
        const target = { host: '127.0.0.1', port, profile: '3.9', quietMs: QUIET_MS } as const;
        const [report] = await replayGolden([scenario], target);
        assert.deepEqual(report?.differences, []);
      });
    }
  } finally {
    await stop();
  }
}
