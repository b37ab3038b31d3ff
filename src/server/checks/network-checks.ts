/** Whether a server would get its ports, reach the others, and agree with them on the time. */

import type { Address } from '../../runtime/runtime.ts';
import { RuntimeError } from '../../runtime/runtime.ts';
import type { ServerConfig } from '../config.ts';
import { bracketed, isAnyAddress, type Member } from '../member-line.ts';
import type { CheckTools } from './check-tools.ts';
import { errorFinding, type Finding, risk } from './finding.ts';

const TIMEOUT_MS = 2000;
/** Below this nobody notices: times of nodes are for people, and nodes with a time to live last longer. */
const CLOCK_DIFFERENCE_MAX_MS = 5000;

interface Port {
  readonly what: string;
  readonly where: string;
  readonly host: string | undefined;
  readonly port: number;
}

/** Tries to open every port of the server that this configuration is for, which must not be running. */
export async function checkPorts(config: ServerConfig, tools: CheckTools): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const port of portsOf(config)) findings.push(...(await checkPort(port, tools)));
  return findings;
}

function portsOf(config: ServerConfig): Port[] {
  const { clientPort, clientHost, serverId } = config;
  const own = config.members.find(({ id }) => id === serverId);
  const where = own === undefined ? config.source : placeOf(config, own);
  const ports: Port[] = [];
  if (clientPort !== undefined) {
    ports.push({ what: 'the client port', where, host: clientHost, port: clientPort });
  }
  if (own === undefined || config.isStandalone) return ports;
  const isOnAll = config.quorumListenOnAllIps || isAnyAddress(own.host);
  const host = isOnAll ? undefined : own.host;
  ports.push({ what: 'the quorum port', where, host, port: own.quorumPort });
  ports.push({ what: 'the election port', where, host, port: own.electionPort });
  return ports;
}

async function checkPort(
  { what, where, host, port }: Port,
  { runtime }: CheckTools,
): Promise<Finding[]> {
  try {
    const listener = await runtime.network.listen({ host, port }, (stream) => {
      stream.attach({ onData: () => undefined, onClose: () => undefined });
      stream.destroy();
    });
    await listener.close();
    return [];
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return [portFinding(error, `${what} ${port}`, where, host)];
  }
}

function portFinding(
  error: RuntimeError,
  port: string,
  where: string,
  host: string | undefined,
): Finding {
  if (error.code === 'ADDRESS_IN_USE') {
    const remedy =
      'stop the program that listens there (ss -tlnp shows it), or choose another port';
    return errorFinding('ports', where, `${port} is in use`, remedy);
  }
  if (error.code === 'ACCESS_DENIED') {
    const remedy = 'choose a port above 1023';
    return errorFinding('ports', where, `${port} may not be opened by this user`, remedy);
  }
  const what = `${port} cannot be opened: ${host ?? 'the address'} is none of this machine's`;
  const remedy =
    'let myid say the number of the line that names this machine, or set quorumListenOnAllIPs=true if addresses are translated';
  return errorFinding('ports', where, what, remedy);
}

/** Calls every other server at its election port, and asks those that serve for the time. */
export async function checkPeers(
  config: ServerConfig,
  tools: CheckTools,
  leftOut: ReadonlySet<number>,
): Promise<Finding[]> {
  const others = config.isStandalone
    ? []
    : config.members.filter(({ id }) => id !== config.serverId && !leftOut.has(id));
  const found = await Promise.all(others.map((member) => checkPeer(config, member, tools)));
  return found.flat();
}

async function checkPeer(
  config: ServerConfig,
  member: Member,
  tools: CheckTools,
): Promise<Finding[]> {
  const { id, host, electionPort } = member;
  const where = placeOf(config, member);
  // What cannot be named is reported as such.
  if ((await tools.machine.resolve(host)).length === 0) return [];
  const reached = await reach({ host, port: electionPort }, tools);
  if (reached === 'open') return await checkClock(config, member, tools);
  const address = `${bracketed(host)}:${electionPort}`;
  if (reached === 'refused') {
    const what = `nothing listens at ${address}, the election port of server.${id}`;
    return [risk('peers', where, what, `start server ${id}, if it is meant to run`)];
  }
  const what = `${address}, the election port of server.${id}, does not answer`;
  const { quorumPort } = member;
  const remedy = `start the machine ${host}, or let its firewall pass ports ${quorumPort} and ${electionPort}`;
  return [risk('peers', where, what, remedy)];
}

type Reached = 'open' | 'refused' | 'silent';

function reach(address: Address, { runtime }: CheckTools): Promise<Reached> {
  return new Promise((resolve) => {
    const stream = runtime.network.connect(address, TIMEOUT_MS);
    stream.attach({
      onOpen: () => {
        resolve('open');
        stream.end();
        stream.destroy();
      },
      onData: () => undefined,
      onClose: (error) => resolve(isRefused(error) ? 'refused' : 'silent'),
    });
  });
}

function isRefused(error: Error | undefined): boolean {
  const cause = error?.cause;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}

async function checkClock(
  config: ServerConfig,
  member: Member,
  tools: CheckTools,
): Promise<Finding[]> {
  // A line without a client part leaves the port to that server's own file, which is like this one.
  const { clientHost = '0.0.0.0', clientPort = config.clientPort } = member;
  if (clientPort === undefined) return [];
  const host = isAnyAddress(clientHost) ? member.host : clientHost;
  const { clock } = tools.runtime;
  const askedMs = clock.wallMs();
  const answer = await tools.ask({ host, port: clientPort }, 'mntr', TIMEOUT_MS);
  const answeredMs = clock.wallMs();
  const said = /^zk_wall_time_ms\t(\d+)$/m.exec(answer ?? '')?.[1];
  if (said === undefined) return [];
  // The server looked at its clock at some time between the question and the answer.
  const theirsMs = Number(said);
  const differenceMs = Math.max(askedMs - theirsMs, theirsMs - answeredMs, 0);
  if (differenceMs <= CLOCK_DIFFERENCE_MAX_MS) return [];
  const side = theirsMs > answeredMs ? 'ahead of' : 'behind';
  const what = `the clock of server.${member.id} is ${Math.round(differenceMs / 1000)} s ${side} the one here`;
  const remedy = 'let both machines follow the same time servers (chrony, systemd-timesyncd)';
  return [risk('clock', placeOf(config, member), what, remedy)];
}

function placeOf({ source }: ServerConfig, { line }: Member): string {
  return line === 0 ? source : `${source}:${line}`;
}
