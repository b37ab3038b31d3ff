/**
 * The configuration doctor: what is wrong or risky in one or several `zoo.cfg`, before a server runs
 * with them. The rules are those of a start; this asks all of them and goes on after the first.
 */

import { stateDirectory } from '../../store/directories.ts';
import type { ServerConfig } from '../config.ts';
import { FatalError, isDamage } from '../fatal-error.ts';
import type { MyId } from '../membership.ts';
import { examineStorage } from '../open-storage.ts';
import { type Setting, Settings } from '../settings.ts';
import type { CheckTools } from './check-tools.ts';
import { compareConfigs } from './compare-configs.ts';
import { errorFinding, type Finding, note } from './finding.ts';
import { checkMachine, checkNames } from './machine-checks.ts';
import { compareNeighbours, type Neighbour } from './neighbours.ts';
import { checkPeers, checkPorts } from './network-checks.ts';
import { examineSettings, type ReadConfig, readMyId, readSettings } from './read-config.ts';

/** All findings, by file in the order given, then those about several files together. */
export async function checkFiles(files: readonly string[], tools: CheckTools): Promise<Finding[]> {
  const findings: Finding[] = [];
  const readable: [file: string, settings: Setting[]][] = [];
  for (const file of files) {
    const settings = await readSettings(tools.runtime.storage, file);
    if (Array.isArray(settings)) readable.push([file, settings]);
    else findings.push(settings);
  }
  const isElsewhere = readable.length > 1 && spansMachines(readable);
  const configs: ReadConfig[] = [];
  for (const [file, written] of readable) {
    const config = await readOne(file, written, isElsewhere, tools);
    findings.push(...config.findings);
    configs.push(config);
  }
  findings.push(...compareConfigs(configs));
  if (isElsewhere) findings.push(note('configuration', files.join(', '), ONLY_TEXTS));
  else findings.push(...(await checkHere(configs, tools)));
  return findings;
}

async function readOne(
  file: string,
  written: readonly Setting[],
  isElsewhere: boolean,
  tools: CheckTools,
): Promise<ReadConfig> {
  const myId = isElsewhere ? anyId(file, written) : await ownId(file, written, tools);
  if (!('severity' in myId)) return examineSettings(file, written, myId);
  // What the file itself says can be judged all the same, the machine cannot.
  const config = examineSettings(file, written, anyId(file, written));
  return { ...config, config: undefined, findings: [myId, ...config.findings] };
}

const ONLY_TEXTS =
  'these servers run on several machines, so only the files were compared; run vivarium check with ' +
  'its one file on each machine for myid, disks, ports, names, peers and clocks';

/** Files that were gathered from several machines say nothing of the one they are looked at on. */
function spansMachines(files: readonly [file: string, settings: readonly Setting[]][]): boolean {
  const hosts = new Set<string>();
  for (const [file, written] of files) {
    const { members } = examineSettings(file, written, { where: file, text: undefined });
    for (const { host } of members) hosts.add(host.toLowerCase());
  }
  return hosts.size > 1;
}

/** A file by itself does not say which server it is for; what is wrong with it hardly depends on that. */
function anyId(file: string, written: readonly Setting[]): MyId {
  const { members, settings } = examineSettings(file, written, { where: file, text: undefined });
  const role = settings.find('peerType')?.value.toLowerCase() ?? 'participant';
  const member = members.find((candidate) => candidate.role === role) ?? members[0];
  return { where: file, text: member === undefined ? undefined : String(member.id) };
}

/** With an unusable `dataDir` there is none, which is reported as such. */
async function ownId(
  file: string,
  written: readonly Setting[],
  { runtime }: CheckTools,
): Promise<MyId | Finding> {
  const settings = new Settings(file, written);
  if ((settings.find('dataDir')?.value ?? '') === '') return { where: file, text: undefined };
  return await readMyId(runtime.storage, settings);
}

/** The checks of files whose servers are meant for this machine. */
async function checkHere(configs: readonly ReadConfig[], tools: CheckTools): Promise<Finding[]> {
  const findings: Finding[] = [];
  const neighbours: Neighbour[] = [];
  for (const { config } of configs) {
    if (config === undefined) continue;
    findings.push(...(await checkMachine(config, tools)), ...(await checkNames(config, tools)));
    const data = await checkData(config, tools);
    findings.push(...data.findings);
    if (!data.isRunning) findings.push(...(await checkPorts(config, tools)));
    neighbours.push({ config, clusterId: data.clusterId });
  }
  const here = new Set<number>(neighbours.map(({ config }) => config.serverId));
  for (const { config } of neighbours) findings.push(...(await checkPeers(config, tools, here)));
  return [...findings, ...(await compareNeighbours(neighbours, tools))];
}

interface DataChecked {
  readonly findings: readonly Finding[];
  /** A server has the stores open, so its ports are in use rightly. */
  readonly isRunning: boolean;
  readonly clusterId: string;
}

async function checkData(config: ServerConfig, tools: CheckTools): Promise<DataChecked> {
  const { dataDir } = config;
  const state = await tools.machine.access(stateDirectory(dataDir));
  if (state.exists && !state.isOwn) {
    // Opening a store writes into it, and its server could then not write what this user owns.
    const remedy = 'run vivarium check as its owner';
    const what = 'the data belong to another user and were not looked into';
    const findings = [note('data', dataDir, what, remedy)];
    return { findings, isRunning: false, clusterId: '' };
  }
  try {
    const facts = await examineStorage(config, tools.runtime);
    return { findings: [], isRunning: false, clusterId: facts?.clusterId ?? '' };
  } catch (error) {
    if (!(error instanceof FatalError)) throw error;
    if (isLocked(error)) {
      const findings = [
        note('data', dataDir, `server ${config.serverId} is running on these data`),
      ];
      return { findings, isRunning: true, clusterId: '' };
    }
    const findings = [errorFinding('data', dataDir, error.what, remedyOf(error))];
    return { findings, isRunning: false, clusterId: '' };
  }
}

function isLocked({ cause }: FatalError): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'STORE_LOCKED';
}

const DAMAGED =
  'start the server while a majority of the others runs: it sets the data aside and fetches them anew';

function remedyOf(error: FatalError): string | undefined {
  return error.remedy ?? (isDamage(error.cause) ? DAMAGED : undefined);
}
