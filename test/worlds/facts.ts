/** What the world has to know of a server's state: computed once per state, then looked up. */

import { zxidEpoch } from '../../src/base/ids.ts';
import type { LogEntry } from '../../src/consensus/messages.ts';
import type { ServerState } from './server-state.ts';

export interface Facts {
  readonly isUp: boolean;
  /** Transactions on the disk, each as one number of zxid and payload. */
  readonly history: readonly number[];
  /** How many of them clients can see. */
  readonly appliedCount: number;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  readonly isElecting: boolean;
  /** Was elected and believes so still. */
  readonly isLeader: boolean;
  /** Epoch that this server claims by a quorum of promises; 0 for none. */
  readonly claimedEpoch: number;
  readonly canPropose: boolean;
  /** Server id of the leader to follow; 0 for none. */
  readonly following: number;
  readonly isConnecting: boolean;
  /** Epoch in which this server serves clients; 0 when it does not. */
  readonly servingEpoch: number;
  readonly writeCount: number;
  readonly round: number;
  readonly canTrim: boolean;
}

const PAYLOADS = 16;

export function label({ zxid, bytes }: LogEntry): number {
  return zxid * PAYLOADS + (bytes[0] ?? 0);
}

export function epochOfLabel(entry: number): number {
  return zxidEpoch(Math.floor(entry / PAYLOADS) as LogEntry['zxid']);
}

export function showLabel(entry: number): string {
  const zxid = Math.floor(entry / PAYLOADS);
  return `write ${entry % PAYLOADS} at 0x${zxid.toString(16)}`;
}

export function factsOf(server: ServerState): Facts {
  const { node, disk, writes, applied } = server;
  const entries = [...disk.checkpoint, ...disk.log];
  const leader = node?.leader;
  const learner = node?.learner;
  const isClaimed = leader !== undefined && leader.phaseName !== 'discovery';
  const canPropose = node?.canPropose === true;
  const servingEpoch = canPropose ? leader?.epoch : learner?.isServing ? learner.epoch : 0;
  return {
    isUp: node !== undefined,
    history: entries.map(label),
    appliedCount: entries.filter((entry) => entry.zxid <= applied).length,
    acceptedEpoch: disk.state.acceptedEpoch,
    currentEpoch: disk.state.currentEpoch,
    isElecting: server.fields?._election !== undefined,
    isLeader: leader !== undefined,
    claimedEpoch: isClaimed ? (leader.epoch ?? 0) : 0,
    canPropose,
    following: learner?.leader ?? 0,
    isConnecting: server.fields?._learner?._phase === 'connecting',
    servingEpoch: servingEpoch ?? 0,
    writeCount: writes.length,
    round: server.fields?._round ?? 0,
    canTrim: writes.length === 0 && applied > disk.state.retainedAfter,
  };
}
