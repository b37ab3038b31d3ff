/** Finds stores that lie where another configuration would have put them. */

import type { Storage } from '../runtime/runtime.ts';
import { logDirectory, stateDirectory } from '../store/directories.ts';
import type { ServerConfig } from './config.ts';

/**
 * What is wrong, and what to do, when a log lies in `dataDir` or a state in `dataLogDir` although
 * these are two directories: a server that began anew beside them would hide its own data.
 */
export async function misplacedStore(
  { dataDir, dataLogDir }: ServerConfig,
  storage: Storage,
): Promise<{ readonly problem: string; readonly remedy: string } | undefined> {
  if (dataDir === dataLogDir) return undefined;
  const log = logDirectory(dataDir);
  const state = stateDirectory(dataLogDir);
  const isLogThere = await storage.exists(log);
  const isStateThere = await storage.exists(state);
  if (isLogThere && isStateThere) {
    return {
      problem: `dataDir ${dataDir} holds a log and dataLogDir ${dataLogDir} a state: the two are swapped`,
      remedy: 'swap dataDir and dataLogDir in the configuration',
    };
  }
  if (isLogThere && !(await storage.exists(logDirectory(dataLogDir)))) {
    return {
      problem: `the log is in ${log}, and dataLogDir says ${dataLogDir}`,
      remedy: `move ${log} to ${logDirectory(dataLogDir)}, or take dataLogDir out of the configuration`,
    };
  }
  if (isStateThere && !(await storage.exists(stateDirectory(dataDir)))) {
    return {
      problem: `the state is in ${state}, and dataDir says ${dataDir}`,
      remedy: `move ${state} to ${stateDirectory(dataDir)}, or correct dataDir in the configuration`,
    };
  }
  return undefined;
}
