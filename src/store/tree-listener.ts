import type { Znode } from './znode.ts';

/**
 * Told of changes while they are applied, in the order clients learn of them: the node's own event,
 * then its parent's. Paths and nodes are good during the call only; the tree's `lastZxid` is
 * already that of the transaction. A deleted node still has its data, Stat and ACL.
 */
export interface TreeListener {
  created(path: string, node: Znode): void;
  deleted(path: string, node: Znode): void;
  dataChanged(path: string, node: Znode): void;
  childrenChanged(parentPath: string, parent: Znode): void;
}
