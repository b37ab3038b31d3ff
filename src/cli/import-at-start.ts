/** `vivarium server --import`: takes Apache ZooKeeper's data over before the server starts. */

import { hasApacheData, hasOwnData, wasImported } from '../apache/import-data.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ServerConfig } from '../server/config.ts';
import { importText, importWithProgress } from './commands/import.ts';

/**
 * Nothing to do when there is nothing of the original's, or data of ours already. A member of an
 * ensemble imports once: what it may have lost since, the others have, and it is newer.
 */
export async function importIfThere(config: ServerConfig, runtime: Runtime): Promise<void> {
  const { dataDir, dataLogDir, serverId } = config;
  const isThere = await hasApacheData(runtime.storage, dataDir, dataLogDir);
  if (!isThere || (await hasOwnData(runtime.storage, dataDir, dataLogDir))) return;
  if (!config.isStandalone && (await wasImported(runtime.storage, dataDir))) return;
  // A dataLogDir that the original did not have yet holds nothing of it.
  const hasLogDir = await hasApacheData(runtime.storage, dataLogDir, dataLogDir);
  const apacheLogDir = hasLogDir ? dataLogDir : undefined;
  const directories = { apacheDir: dataDir, apacheLogDir, dataDir, dataLogDir };
  const report = await importWithProgress({ ...directories, serverId });
  process.stderr.write(importText(report, dataDir));
}
