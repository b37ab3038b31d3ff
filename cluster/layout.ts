/** Where a local ensemble keeps its servers: directories, ports, and the generated configurations. */

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface EnsembleServer {
  readonly id: number;
  readonly role: 'participant' | 'observer';
  readonly clientPort: number;
  readonly quorumPort: number;
  readonly electionPort: number;
}

/** The shape of an ensemble, as it is kept in its directory. */
export interface EnsembleLayout {
  /** Absolute. */
  readonly directory: string;
  readonly servers: readonly EnsembleServer[];
  /** Further lines for every `zoo.cfg`, by key. */
  readonly settings: Readonly<Record<string, string>>;
}

export const HOST = '127.0.0.1';

const CLIENT_PORT = 2181;
const QUORUM_PORT = 2888;
const ELECTION_PORT = 3888;
const PORT_MAX = 65535;
const SERVERS_MAX = 255;

export interface ServerCounts {
  /** Participants. */
  readonly servers: number;
  readonly observers: number;
}

export interface LayoutError {
  readonly problem: string;
}

/**
 * Ports count up from the given client port; quorum and election ports keep their usual distance
 * from it, so that 2181 goes with 2888 and 3888.
 */
export function deriveServers(
  counts: ServerCounts,
  clientPort: number,
): EnsembleServer[] | LayoutError {
  const total = counts.servers + counts.observers;
  if (!(Number.isInteger(total) && counts.servers >= 1 && counts.observers >= 0)) {
    return { problem: 'an ensemble has at least one server, and no less than 0 observers' };
  }
  if (total > SERVERS_MAX) return { problem: `an ensemble has at most ${SERVERS_MAX} servers` };
  const offset = clientPort - CLIENT_PORT;
  const portMax = PORT_MAX - (ELECTION_PORT - CLIENT_PORT) - total + 1;
  if (!(Number.isInteger(clientPort) && clientPort >= 1 && clientPort <= portMax)) {
    const problem = `the first client port of ${total} servers is a number from 1 to ${portMax}, because the other ports follow from it`;
    return { problem };
  }
  if (total > QUORUM_PORT - CLIENT_PORT) return { problem: 'too many servers for derived ports' };
  return serversOnPorts(counts, (index) => ({
    clientPort: clientPort + index,
    quorumPort: QUORUM_PORT + offset + index,
    electionPort: ELECTION_PORT + offset + index,
  }));
}

/** Servers 1, 2, ... on the ports that `portsOf` gives for 0, 1, ...; observers come last. */
export function serversOnPorts(
  counts: ServerCounts,
  portsOf: (index: number) => Pick<EnsembleServer, 'clientPort' | 'quorumPort' | 'electionPort'>,
): EnsembleServer[] {
  const servers: EnsembleServer[] = [];
  for (let index = 0; index < counts.servers + counts.observers; index++) {
    const role = index < counts.servers ? 'participant' : 'observer';
    servers.push({ id: index + 1, role, ...portsOf(index) });
  }
  return servers;
}

/**
 * The same ensemble with one more observer: on the ports that follow, if the others' were derived,
 * or else on those given.
 */
export function withObserver(
  layout: EnsembleLayout,
  otherPorts: readonly [clientPort: number, quorumPort: number, electionPort: number],
): EnsembleLayout | LayoutError {
  const { servers } = layout;
  const counts = { servers: participantCount(layout), observers: 0 };
  counts.observers = servers.length - counts.servers;
  const firstPort = servers[0]?.clientPort ?? CLIENT_PORT;
  const before = deriveServers(counts, firstPort);
  const isDerived = !('problem' in before) && JSON.stringify(before) === JSON.stringify(servers);
  if (isDerived) {
    const after = deriveServers({ ...counts, observers: counts.observers + 1 }, firstPort);
    return 'problem' in after ? after : { ...layout, servers: after };
  }
  if (servers.length >= SERVERS_MAX) {
    return { problem: `an ensemble has at most ${SERVERS_MAX} servers` };
  }
  const [clientPort, quorumPort, electionPort] = otherPorts;
  const id = Math.max(...servers.map((server) => server.id)) + 1;
  const added = { id, role: 'observer' as const, clientPort, quorumPort, electionPort };
  return { ...layout, servers: [...servers, added] };
}

export function serverDirectory(layout: EnsembleLayout, id: number): string {
  return path.join(layout.directory, `server.${id}`);
}

export function configFile(layout: EnsembleLayout, id: number): string {
  return path.join(serverDirectory(layout, id), 'zoo.cfg');
}

export function logFile(layout: EnsembleLayout, id: number): string {
  return path.join(serverDirectory(layout, id), 'server.log');
}

/** The text of one server's `zoo.cfg`. */
export function configText(layout: EnsembleLayout, server: EnsembleServer): string {
  const settings: Record<string, string | number> = {
    tickTime: 2000,
    initLimit: 10,
    syncLimit: 5,
    dataDir: escapeValue(path.join(serverDirectory(layout, server.id), 'data')),
    clientPort: server.clientPort,
    clientPortAddress: HOST,
    ...layout.settings,
  };
  // An ensemble of one is still an ensemble: it may be given more servers later.
  if (participantCount(layout) === 1) {
    settings['standaloneEnabled'] = 'false';
  }
  if (server.role === 'observer') settings['peerType'] = 'observer';
  for (const { id, role, quorumPort, electionPort, clientPort } of layout.servers) {
    const line = `${HOST}:${quorumPort}:${electionPort}:${role};${HOST}:${clientPort}`;
    settings[`server.${id}`] = line;
  }
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  return `# Generated for server ${server.id} of a local ensemble.\n${lines.join('')}`;
}

/** Writes `zoo.cfg` and `myid` of every server; data that is already there stays. */
export function writeConfigurations(layout: EnsembleLayout): void {
  for (const server of layout.servers) {
    const data = path.join(serverDirectory(layout, server.id), 'data');
    mkdirSync(data, { recursive: true });
    writeFileSync(configFile(layout, server.id), configText(layout, server));
    writeFileSync(path.join(data, 'myid'), `${server.id}\n`);
  }
}

/** `host:port,host:port,...` for clients. */
export function connectString(layout: EnsembleLayout): string {
  return layout.servers.map(({ clientPort }) => `${HOST}:${clientPort}`).join(',');
}

export function participantCount(layout: EnsembleLayout): number {
  return layout.servers.filter(({ role }) => role === 'participant').length;
}

/** A backslash in a path would otherwise be an escape. */
function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\');
}
