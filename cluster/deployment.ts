/** Configurations for servers on machines of their own, in one folder from which each gets its part. */

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bracketed, type MemberRole } from '../src/server/member-line.ts';

export interface DeploymentHost {
  readonly host: string;
  readonly role: MemberRole;
}

export interface Deployment {
  readonly hosts: readonly DeploymentHost[];
  /** Of every server, on its machine. */
  readonly dataDir: string;
  readonly clientPort: number;
}

export interface DeploymentFile {
  /** Relative to the folder: the host, and the name. */
  readonly file: string;
  readonly text: string;
}

const QUORUM_PORT = 2888;
const ELECTION_PORT = 3888;

/**
 * Reads `host,host,host:observer`; IPv6 addresses in brackets. A string is what is wrong with it, as
 * a sentence.
 */
export function parseHosts(text: string): DeploymentHost[] | string {
  const hosts: DeploymentHost[] = [];
  for (const part of text.split(',')) {
    const [, inBrackets, plain, role = 'participant'] =
      /^(?:\[([^\]]+)\]|([^:\s]+))(?::(participant|observer))?$/.exec(part.trim()) ?? [];
    const host = inBrackets ?? plain;
    if (host === undefined) return `"${part}" is no host: expected NAME or NAME:observer`;
    if (hosts.some((known) => known.host === host)) return `${host} is named twice`;
    hosts.push({ host, role: role === 'observer' ? 'observer' : 'participant' });
  }
  return hosts.some(({ role }) => role === 'participant') ? hosts : 'all hosts are observers';
}

/** `zoo.cfg` and `myid` of every server. Servers are numbered as their hosts are named. */
export function deploymentFiles({ hosts, dataDir, clientPort }: Deployment): DeploymentFile[] {
  const members = hosts.map(({ host, role }, index) => {
    const ports = `${QUORUM_PORT}:${ELECTION_PORT}:${role};${clientPort}`;
    return `server.${index + 1}=${bracketed(host)}:${ports}`;
  });
  const lines = ['tickTime=2000', 'initLimit=10', 'syncLimit=5', `dataDir=${dataDir}`, ...members];
  return hosts.flatMap(({ host }, index) => [
    {
      file: path.join(host, 'zoo.cfg'),
      text: `# The same on every server; which one this is, myid in dataDir says.\n${lines.join('\n')}\n`,
    },
    { file: path.join(host, 'myid'), text: `${index + 1}\n` },
  ]);
}

export function writeDeployment(directory: string, deployment: Deployment): void {
  for (const { file, text } of deploymentFiles(deployment)) {
    const target = path.join(directory, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}
