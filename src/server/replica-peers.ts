/** What a replica and the node that drives it have to do with each other. */

import type { BackendStatus } from '../api/backend.ts';
import type { Zxid } from '../base/ids.ts';
import type { LinkId } from '../consensus/effects.ts';
import type { ZabNode } from '../consensus/zab-node.ts';
import type { ClientMessage } from '../peer/peer-message.ts';
import type { DataTree } from '../store/data-tree.ts';
import type { QuotaExcess } from '../store/quota.ts';

/** What the replica needs of the node that drives it. */
export interface ReplicaPeers {
  readonly node: ZabNode;
  readonly tree: DataTree;
  /** Goes to the leader this server follows; dropped when there is none. */
  sendToLeader(message: ClientMessage): void;
  sendToLearner(link: LinkId, message: ClientMessage): void;
  broadcastToLearners(message: ClientMessage): void;
  /** See `Backend.noticeTime`. */
  noticeTime(): void;
  /** The core has been given work: drain its effects at the end of the turn. */
  wake(): void;
  status(): Promise<NodeFacts>;
  /** Too little space is left on the disk to take writes. */
  readonly isDiskFull: boolean;
  /** The digest of the tree at a zxid at which all replicas take it. */
  digestRecorded(zxid: Zxid, digest: string): void;
  /** This replica's state differs from the leader's. */
  diverged(zxid: Zxid, own: string, leaders: string): void;
  /** A request to this leader passes over a limit. */
  quotaExceeded(excess: QuotaExcess): void;
}

/** What the node, and not the replica, knows of the status. */
export type NodeFacts = Omit<
  BackendStatus,
  'sessionDeadlines' | 'localSessionDeadlines' | 'proposalSizes'
>;
