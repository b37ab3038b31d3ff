/**
 * What a server needs of its machine: room and permission on its disks, open files, and names that
 * mean something. A start looks at the same, stops at errors and logs risks.
 */

import type { DiskSpace } from '../../runtime/runtime.ts';
import type { ServerConfig } from '../config.ts';
import { diskFill } from '../disk-watch.ts';
import type { CheckTools } from './check-tools.ts';
import { errorFinding, type Finding, risk } from './finding.ts';

/** Fewer are gone with a few hundred clients; systems hand out 1024 unless they are told. */
const OPEN_FILES_MIN = 4096;
const MEGABYTE = 1024 * 1024;

export async function checkMachine(
  config: ServerConfig,
  tools: Pick<CheckTools, 'runtime' | 'machine'>,
): Promise<Finding[]> {
  return [...(await checkDirectories(config, tools)), ...(await checkOpenFiles(config, tools))];
}

async function checkDirectories(
  config: ServerConfig,
  { runtime, machine }: Pick<CheckTools, 'runtime' | 'machine'>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const directory of new Set([config.dataDir, config.dataLogDir])) {
    const { exists, isWritable } = await machine.access(directory);
    if (!isWritable) {
      const what = exists ? 'this user cannot write here' : 'this user cannot make this directory';
      const remedy = `run as its owner, or as root: mkdir -p ${directory} && chown USER ${directory}`;
      findings.push(errorFinding('disk', directory, what, remedy));
      continue;
    }
    const space = await runtime.storage.space(directory);
    if (space !== undefined) findings.push(...checkSpace(config, directory, space));
  }
  return findings;
}

function checkSpace(
  { diskReserveBytes }: ServerConfig,
  directory: string,
  space: DiskSpace,
): Finding[] {
  const fill = diskFill(space, diskReserveBytes);
  if (fill === 'roomy') return [];
  const free = `${Math.floor(space.freeBytes / MEGABYTE)} MiB are free`;
  const effect =
    fill === 'full'
      ? 'writes are refused with so little (see diskReserveBytes)'
      : 'that is little more than the reserve (see diskReserveBytes)';
  return [risk('disk', directory, `${free}: ${effect}`, 'make room, or give it a larger disk')];
}

async function checkOpenFiles(
  config: ServerConfig,
  { runtime }: Pick<CheckTools, 'runtime'>,
): Promise<Finding[]> {
  const files = await runtime.openFiles?.();
  if (files === undefined || files.max >= OPEN_FILES_MIN) return [];
  const what = `this process may open ${files.max} files, and each client takes one`;
  const remedy =
    'raise the limit: ulimit -n 65536 before the start, or LimitNOFILE=65536 in the systemd unit';
  return [risk('limits', config.source, what, remedy)];
}

/** Asks the system's resolver, which may take its time. */
export async function checkNames(
  config: ServerConfig,
  { machine }: Pick<CheckTools, 'machine'>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { id, host, line } of config.isStandalone ? [] : config.members) {
    if ((await machine.resolve(host)).length > 0) continue;
    const where = line === 0 ? config.source : `${config.source}:${line}`;
    const what = `nobody here knows an address for ${host}, the host of server.${id}`;
    const remedy = 'correct the name, or make it known in the DNS or in /etc/hosts';
    findings.push(risk('names', where, what, remedy));
  }
  return findings;
}
