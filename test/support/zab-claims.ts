/**
 * What a server may say when: every message that vouches for durable data is held against the
 * sender's disk in the moment it is sent. And what no server that follows the protocol ever hears.
 */

import { EPOCH_NONE, makeZxid, type ServerId, type Zxid, zxidEpoch } from '../../src/base/ids.ts';
import {
  type AckEpoch,
  MessageType,
  type Notification,
  PeerState,
  type QuorumMessage,
} from '../../src/consensus/messages.ts';
import type { ZabNode } from '../../src/consensus/zab-node.ts';
import { type Disk, lastZxid } from './zab-disk.ts';

/** Whoever vouches for something. */
export interface Claimant {
  readonly node: ZabNode | undefined;
  readonly disk: Disk;
  /** Handed to the disk, not yet synced. */
  readonly writes: readonly unknown[];
}

/** Why a message claims more than its sender's disk holds; undefined when it does not. */
export function falseClaim(server: Claimant, message: QuorumMessage): string | undefined {
  const { state } = server.disk;
  switch (message.type) {
    case MessageType.followerInfo:
      return unless(message.acceptedEpoch <= state.acceptedEpoch, 'FOLLOWERINFO ahead of the disk');
    case MessageType.leaderInfo:
      return unless(message.epoch <= state.acceptedEpoch, 'LEADERINFO before the own promise');
    case MessageType.ackEpoch:
      return falseAckEpoch(server, message);
    case MessageType.newLeader:
      return unless(message.epoch === state.currentEpoch, 'NEWLEADER before the own claim');
    case MessageType.ack:
      return falseAck(server, message.zxid);
    default:
      return undefined;
  }
}

export function falseVote(
  sid: ServerId,
  { disk, writes }: Claimant,
  { state, vote }: Notification,
): string | undefined {
  if (state !== PeerState.looking || vote.leader !== sid) return undefined;
  if (writes.length > 0) return 'INV-4: a vote while a write is under way';
  const isTrue = vote.zxid === lastZxid(disk) && vote.peerEpoch === disk.state.currentEpoch;
  return unless(isTrue, 'a vote that differs from the disk');
}

function falseAckEpoch(
  { disk, writes, node }: Claimant,
  { currentEpoch, lastZxid: last }: AckEpoch,
): string | undefined {
  if (writes.length > 0) return 'INV-4: ACKEPOCH while a write is under way';
  // Without an epoch it is no promise, and nobody counts it.
  const promised = currentEpoch === undefined ? EPOCH_NONE : (node?.learner?.epoch ?? EPOCH_NONE);
  if (promised > disk.state.acceptedEpoch) return 'INV-4: ACKEPOCH before the promise is durable';
  return unless(last === lastZxid(disk), 'ACKEPOCH that differs from the disk');
}

function falseAck({ disk }: Claimant, zxid: Zxid): string | undefined {
  const { currentEpoch } = disk.state;
  if (zxid === makeZxid(currentEpoch, 0)) return undefined;
  if (zxidEpoch(zxid) !== currentEpoch) return 'INV-4: ACK of an epoch that is not durable';
  return unless(zxid <= lastZxid(disk), 'ACK of what is not durable');
}

function unless(isTrue: boolean, text: string): string | undefined {
  return isTrue ? undefined : `INV-4: ${text}`;
}

/** Reasons to end a connection that blame the other side: between servers that keep to the protocol, none. */
const ACCUSATIONS = [
  'out of order',
  'leaves a gap',
  'never proposed',
  'never sent',
  'contradicts itself',
  'does not start where',
  'not in this log',
  'no longer reaches back',
  'sent what only',
  'of another epoch',
  'another cluster',
  'twice',
  'sent less than',
  'lacks committed',
];

export function isAccusation(reason: string): boolean {
  return ACCUSATIONS.some((words) => reason.includes(words));
}
