/** The two servers of a compatibility run, configured alike. */

import { isConfigKey } from '../../src/server/config-keys.ts';
import {
  SESSION_TIMEOUT_MAX_MS,
  startApache,
  startEnsemble,
  startStandalone,
  type Target,
} from '../interop/support.ts';

/** What the run needs from the original: everything switched on, no disk syncs, no sweeps by the clock. */
const PROPERTIES = [
  'zookeeper.forceSync=no',
  'zookeeper.extendedTypesEnabled=true',
  'zookeeper.enforceQuota=true',
  'znode.container.checkIntervalMs=3600000',
];

/** The same for ours. */
const SETTINGS: Readonly<Record<string, string>> = {
  extendedTypesEnabled: 'true',
  enforceQuota: 'true',
  'znode.container.checkIntervalMs': '3600000',
  maxSessionTimeout: String(SESSION_TIMEOUT_MAX_MS),
  // Longer than an answer is waited for: a connection that is only closed for want of a session counts as open.
  handshakeTimeoutMs: '60000',
};

export interface Targets {
  readonly original: Target;
  readonly ours: Target;
  stop(): Promise<void>;
}

/** Starts Apache's server and ours, of which there may be three. */
export async function startTargets(serverCount: 1 | 3): Promise<Targets> {
  const original = await startApache(PROPERTIES);
  try {
    const settings = known(SETTINGS);
    const ours = await (serverCount === 1 ? startStandalone(settings) : startEnsemble(settings));
    const stop = async (): Promise<void> => {
      await Promise.all([original.stop(), ours.stop()]);
    };
    return { original, ours, stop };
  } catch (error) {
    await original.stop();
    throw error;
  }
}

function known(settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => isConfigKey(key)));
}
