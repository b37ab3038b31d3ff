/** What a running server says of itself through `srvr` and `mntr`, and what several say together. */

import { parseZxid, type Zxid, zxidEpoch } from '../base/ids.ts';
import type { Address } from '../runtime/runtime.ts';
import { type Asker, askFourLetter } from './four-letter-client.ts';

/** `down`: cannot be reached. `looking`: runs and serves nobody, because it knows no quorum. */
export type ServerRole =
  | 'leader'
  | 'follower'
  | 'observer'
  | 'standalone'
  | 'read-only'
  | 'looking'
  | 'down';

export interface ServerStatus {
  readonly address: Address;
  readonly role: ServerRole;
  /** Last transaction the server has applied; undefined when it does not say. */
  readonly zxid: Zxid | undefined;
  readonly epoch: number | undefined;
  readonly connections: number | undefined;
  readonly nodeCount: number | undefined;
  /** Transactions behind the leader of the same epoch; undefined when that cannot be said. */
  readonly lag: number | undefined;
  /** The leader's count of followers that keep up; undefined for others. */
  readonly syncedFollowers: number | undefined;
  /** Why the server is down. */
  readonly problem: string | undefined;
}

const SERVING: ReadonlySet<ServerRole> = new Set(['leader', 'follower', 'observer', 'standalone']);

/** Asks all servers at once; never rejects, for a server without an answer is an answer. */
export async function askStatus(
  runtime: Asker,
  addresses: readonly Address[],
  timeoutMs: number,
): Promise<ServerStatus[]> {
  const statuses = await Promise.all(
    addresses.map((address) => askOne(runtime, address, timeoutMs)),
  );
  const leader = statuses.find(({ role }) => role === 'leader');
  return statuses.map((status) => ({ ...status, lag: lagBehind(leader, status) }));
}

/** True when some server serves clients: only a server that knows a quorum does. */
export function hasQuorum(statuses: readonly ServerStatus[]): boolean {
  return statuses.some(({ role }) => SERVING.has(role));
}

/** Reads `host:port` (IPv6 in brackets), with 2181 when no port is given; undefined when it is neither. */
export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, portText = '2181'] =
    /^(?:\[([^\]]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(text.trim()) ?? [];
  const host = bracketed ?? plain;
  const port = Number(portText);
  return host === undefined || port < 1 || port > 65535 ? undefined : { host, port };
}

async function askOne(runtime: Asker, address: Address, timeoutMs: number): Promise<ServerStatus> {
  try {
    const srvr = await askFourLetter(runtime, address, 'srvr', timeoutMs);
    const role = roleOf(srvr);
    const mntr = role === 'leader' ? await askFourLetter(runtime, address, 'mntr', timeoutMs) : '';
    const zxid = parseZxid(Number(/^Zxid: (0x[0-9a-f]+)$/m.exec(srvr)?.[1]));
    return {
      address,
      role,
      zxid,
      epoch: zxid === undefined ? undefined : zxidEpoch(zxid),
      connections: numberAfter(/^Connections: (\d+)$/m, srvr),
      nodeCount: numberAfter(/^Node count: (\d+)$/m, srvr),
      lag: undefined,
      syncedFollowers: numberAfter(/^zk_synced_followers\t(\d+)/m, mntr),
      problem: undefined,
    };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { ...SILENCE, address, problem };
  }
}

const SILENCE = {
  role: 'down',
  zxid: undefined,
  epoch: undefined,
  connections: undefined,
  nodeCount: undefined,
  lag: undefined,
  syncedFollowers: undefined,
} as const;

const ROLES: readonly ServerRole[] = ['leader', 'follower', 'observer', 'standalone', 'read-only'];

function roleOf(srvr: string): ServerRole {
  const mode = /^Mode: (\S+)$/m.exec(srvr)?.[1];
  return ROLES.find((role) => role === mode) ?? 'looking';
}

function numberAfter(pattern: RegExp, text: string): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Counters of different epochs cannot be subtracted. */
function lagBehind(leader: ServerStatus | undefined, status: ServerStatus): number | undefined {
  if (leader?.zxid === undefined || status.zxid === undefined) return undefined;
  if (leader.epoch !== status.epoch) return undefined;
  return Math.max(0, leader.zxid - status.zxid);
}
