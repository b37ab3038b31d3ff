/**
 * What becomes of data that cannot be trusted: it is moved aside, never deleted, and the server
 * begins anew with nothing, as one that lost its data. The others give it everything back.
 */

import type { Standing } from '../base/standing.ts';
import type { Runtime, Storage } from '../runtime/runtime.ts';
import { logDirectory, stateDirectory } from '../store/directories.ts';
import type { ServerConfig } from './config.ts';
import { FatalError } from './fatal-error.ts';

/** Follows the name of a directory that was moved aside; a number follows it. */
const ASIDE = '.damaged-';
/** So many copies are kept: a disk that fails again and again would be filled with them. */
const COPIES_MAX = 8;
/** An empty file of this name, which `zkServer-initialize.sh` also makes, says that nothing is to be waited for. */
const INITIALIZE = 'initialize';
const INITIALIZED = 'initialize.used';

/** Whether a directory's name is that of data that was moved aside. */
export function isSetAside(name: string): boolean {
  return name.includes(ASIDE);
}

/** Whether there are other voters that can give this server back what it lost. */
export function canHeal({ isStandalone, voterIds, serverId }: ServerConfig): boolean {
  return !isStandalone && voterIds.some((sid) => sid !== serverId);
}

/**
 * Moves both stores, which must be closed, out of the way. Resolves to where they are now; rejects
 * with a `FatalError` when there are too many from earlier times.
 */
export async function setAside(
  config: ServerConfig,
  { storage, reached }: Pick<Runtime, 'storage' | 'reached'>,
): Promise<readonly string[]> {
  const logPath = logDirectory(config.dataLogDir);
  const statePath = stateDirectory(config.dataDir);
  const [ofLog, ofState] = await highestNumbers(config, storage);
  if (ofLog === ofState && (await countCopies(logPath, storage)) >= COPIES_MAX) {
    throw new FatalError(
      'DATA',
      `server ${config.serverId}: its data is damaged, and was set aside ${COPIES_MAX} times before`,
      {
        remedy:
          `replace the disk if it is to blame; delete the directories ${logPath}${ASIDE}N and ` +
          `${statePath}${ASIDE}N that nobody needs any more, and start the server again`,
      },
    );
  }
  // A move that was cut short between the two goes on under its number.
  const number = ofLog === ofState ? ofLog + 1 : Math.max(ofLog, ofState);
  const moved: string[] = [];
  for (const path of [logPath, statePath]) {
    if (!(await storage.exists(path))) continue;
    const target = `${path}${ASIDE}${number}`;
    await storage.move(path, target);
    moved.push(target);
    reached?.('halfSetAside');
  }
  return moved;
}

/** Whether a move was cut short between the one store and the other. */
export async function isHalfSetAside(config: ServerConfig, { storage }: Runtime): Promise<boolean> {
  const [ofLog, ofState] = await highestNumbers(config, storage);
  return ofLog !== ofState;
}

/** What a server may claim whose stores are made now. */
export async function standingOfNew(config: ServerConfig, { storage }: Runtime): Promise<Standing> {
  if (!canHeal(config)) return 'whole';
  for (const directory of new Set([config.dataDir, config.dataLogDir])) {
    const names = await storage.list(directory);
    if (names.some(isSetAside)) return 'lost';
  }
  return 'new';
}

/** Whether an operator says that this server's empty disk is meant to be empty; says so once. */
export async function isInitialized(config: ServerConfig, { storage }: Runtime): Promise<boolean> {
  for (const directory of new Set([config.dataDir, config.dataLogDir])) {
    if (!(await storage.list(directory)).includes(INITIALIZE)) continue;
    await storage.move(`${directory}/${INITIALIZE}`, `${directory}/${INITIALIZED}`);
    return true;
  }
  return false;
}

async function countCopies(path: string, storage: Storage): Promise<number> {
  const [directory, prefix] = splitAside(path);
  return (await storage.list(directory)).filter((name) => name.startsWith(prefix)).length;
}

/** The directory in which copies of a store lie, and how their names begin. */
function splitAside(path: string): readonly [directory: string, prefix: string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, slash), path.slice(slash + 1) + ASIDE];
}

/** The last number under which the log, and the state, was moved aside; 0 for never. */
async function highestNumbers(
  config: ServerConfig,
  storage: Storage,
): Promise<readonly [number, number]> {
  const highest = async (path: string): Promise<number> => {
    const [directory, prefix] = splitAside(path);
    const names = await storage.list(directory);
    const numbers = names.filter((name) => name.startsWith(prefix)).map(numberOf);
    return Math.max(0, ...numbers);
  };
  return [
    await highest(logDirectory(config.dataLogDir)),
    await highest(stateDirectory(config.dataDir)),
  ];
}

function numberOf(name: string): number {
  const number = Number(name.slice(name.indexOf(ASIDE) + ASIDE.length));
  return Number.isSafeInteger(number) ? number : 0;
}
