import type { SessionId } from '../base/ids.ts';
import type { Znode } from './znode.ts';

/**
 * Told before state is overwritten, so that a checkpoint can be written in the background from
 * what the state was. A node whose `checkpointMark` equals `mark` is known to be changed and costs
 * one comparison; for any other `beforeChange` is called (it may still read the node's older mark),
 * then the tree marks the node. Nodes and paths are good during the call only.
 */
export interface ChangeTracker {
  /** A positive 32-bit integer; the tracker raises it when it begins a new checkpoint. */
  readonly mark: number;
  beforeChange(node: Znode, path: string): void;
  /** Called for every deletion, whatever the node's mark. */
  beforeDelete(node: Znode, path: string): void;
  /** Called for every new node, complete and already marked. */
  created(node: Znode, path: string): void;
  /** Called before a session is created, changed or removed. */
  beforeSessionChange(sessionId: SessionId): void;
}
