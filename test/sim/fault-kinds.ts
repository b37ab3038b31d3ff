/** What may happen to a simulated ensemble, by name. */

import { DISK_FAULT_KINDS } from './disk-faults.ts';
import { NETWORK_FAULT_KINDS } from './network-faults.ts';

export const FAULT_KINDS = [
  'crash',
  'crashSilently',
  'crashLeader',
  'crashSome',
  'crashAll',
  'crashAtOnceAgain',
  'crashNewLeader',
  /** At a named moment in the middle of what a server does (src/runtime/fault-site.ts). */
  'crashAtSite',
  'losePower',
  ...NETWORK_FAULT_KINDS,
  'slowDisk',
  'stallDisk',
  'pause',
  'pauseLeader',
  'skewClock',
  'driftClock',
  'crashClient',
  ...DISK_FAULT_KINDS,
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];
export type FaultCounts = Partial<Record<FaultKind, number>>;

/** Clients as the nemesis sees them. */
export interface Victims {
  /** Hosts of the living clients. */
  readonly clientHosts: () => readonly string[];
  /** The highest zxid that a client was acknowledged. */
  readonly ackedZxid: () => number;
  /** Kills the client on a host; another one takes its place. */
  readonly killClient: (hostName: string) => void;
}
