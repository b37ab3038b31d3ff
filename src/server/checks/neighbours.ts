/** Servers that share one machine: nothing that belongs to one of them may belong to another. */

import type { ServerConfig } from '../config.ts';
import type { CheckTools } from './check-tools.ts';
import { errorFinding, type Finding } from './finding.ts';

export interface Neighbour {
  readonly config: ServerConfig;
  /** What its data say; empty when they do not. */
  readonly clusterId: string;
}

/** One thing of a server that no other may have. */
interface Claim {
  readonly config: ServerConfig;
  /** Equal for what is the same. */
  readonly key: string;
  readonly what: string;
  readonly topic: 'myid' | 'disk' | 'ports';
  readonly where: string;
  readonly remedy: string;
}

export async function compareNeighbours(
  neighbours: readonly Neighbour[],
  tools: CheckTools,
): Promise<Finding[]> {
  const owners = new Map<string, Claim>();
  const findings: Finding[] = [];
  for (const { config } of neighbours) {
    for (const claim of await claimsOf(config, tools)) {
      const owner = owners.get(claim.key);
      if (owner === undefined) owners.set(claim.key, claim);
      else if (owner.config !== config) findings.push(conflict(claim, owner));
    }
  }
  return [...findings, ...compareClusters(neighbours)];
}

async function claimsOf(config: ServerConfig, { machine }: CheckTools): Promise<Claim[]> {
  const { serverId, dataDir, dataLogDir, source, clientPort } = config;
  const claims: Claim[] = [
    {
      config,
      key: `myid ${serverId}`,
      what: `holds ${serverId}`,
      topic: 'myid',
      where: `${dataDir}/myid`,
      remedy: 'give each server the number of its own line',
    },
  ];
  for (const directory of new Set([dataDir, dataLogDir])) {
    const key = `directory ${await machine.realPath(directory)}`;
    const what = `uses the directory ${directory}`;
    const remedy = 'give each server a dataDir of its own, and a dataLogDir';
    claims.push({ config, key, what, topic: 'disk', where: source, remedy });
  }
  if (clientPort !== undefined) {
    const key = `port ${clientPort}`;
    const remedy = 'give each server on one machine a clientPort of its own';
    const what = `uses client port ${clientPort}`;
    claims.push({ config, key, what, topic: 'ports', where: source, remedy });
  }
  return claims;
}

function conflict({ topic, where, what, remedy }: Claim, owner: Claim): Finding {
  return errorFinding(topic, where, `${what}, as ${owner.where} does`, remedy);
}

function compareClusters(neighbours: readonly Neighbour[]): Finding[] {
  const known = neighbours.filter(({ clusterId }) => clusterId !== '');
  const [first, ...others] = known;
  const findings: Finding[] = [];
  for (const { config, clusterId } of others) {
    if (first === undefined || clusterId === first.clusterId) continue;
    const what = `holds data of cluster ${short(clusterId)}, ${first.config.dataDir} of cluster ${short(first.clusterId)}`;
    const remedy =
      'name the directory that belongs to this ensemble, or move this one away and let the server join anew while the others run';
    findings.push(errorFinding('data', config.dataDir, what, remedy));
  }
  return findings;
}

/** As messages of running servers show it. */
function short(clusterId: string): string {
  return clusterId.slice(0, 8);
}
