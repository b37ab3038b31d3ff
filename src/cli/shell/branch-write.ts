/** Writes whole branches, several nodes at a time, each behind its parent. */

import {
  type Acl,
  type Client,
  ensurePath,
  isKeeperError,
  KeeperError,
  type NodeOptions,
  OPEN_ACL,
  parentPath,
} from '../../client/index.ts';
import { isMasked } from './acl-text.ts';
import type { BranchNode } from './branch.ts';
import { CommandError } from './command-error.ts';
import { isEphemeral, type NodeKind } from './format.ts';

const WINDOW = 256;

/** A node as it is to be. */
export interface NodePlan {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  readonly kind: NodeKind;
}

export interface WriteOptions {
  readonly signal: AbortSignal;
  /** Nodes that are there get the data and the ACL; otherwise they are a failure. */
  readonly overwrites: boolean;
  readonly progress: (done: number, total: number) => void;
}

/** What a copy of a node at another path is. Throws a `CommandError` for an ACL that cannot be copied. */
export function planOf(node: BranchNode, path: string, withAcl: boolean): NodePlan {
  const acl = withAcl ? (node.acl ?? OPEN_ACL) : OPEN_ACL;
  if (acl.some(isMasked)) {
    throw new CommandError(
      `the server hides who may use ${node.path}: addauth as its administrator, or leave ACLs out with -A`,
    );
  }
  const kind: NodeKind = { type: isEphemeral(node.stat) ? 'ephemeral' : 'persistent' };
  return { path, data: node.data ?? null, acl, kind };
}

/** Kind and ACL for the client. An ephemeral would belong to this shell: it is written as an ordinary node. */
export function optionsOf({ kind, acl }: NodePlan): NodeOptions {
  switch (kind.type) {
    case 'container':
      return { mode: 'container', acl };
    case 'ttl':
      return { mode: 'persistent', ttlMs: kind.ttlMs, acl };
    default:
      return { mode: 'persistent', acl };
  }
}

/** Parents stand before their children in `plans`. Rejects with the first failure; nothing is begun after it. */
export async function writeBranch(
  client: Client,
  plans: readonly NodePlan[],
  { signal, overwrites, progress }: WriteOptions,
): Promise<void> {
  await ensureParent(client, plans, signal);
  for (let at = 0; at < plans.length; at += WINDOW) {
    const window = plans.slice(at, at + WINDOW);
    // The service takes them in this order, so a parent is there before its children.
    const outcomes = await Promise.allSettled(
      window.map((plan) => writeNode(client, plan, overwrites, signal)),
    );
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    progress(at + window.length, plans.length);
  }
}

/** Creates what is missing above the first of the plans, open to everybody and without data. */
export async function ensureParent(
  client: Client,
  [first]: readonly NodePlan[],
  signal: AbortSignal,
): Promise<void> {
  if (first === undefined || first.path === '/') return;
  await ensurePath(client, parentPath(first.path), { signal });
}

async function writeNode(
  client: Client,
  plan: NodePlan,
  overwrites: boolean,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.create(plan.path, plan.data, { ...optionsOf(plan), signal });
  } catch (error) {
    if (!isKeeperError(error, 'NODE_EXISTS') && plan.path !== '/') throw error;
    if (!overwrites && plan.path !== '/') {
      throw new KeeperError('NODE_EXISTS', 'create', { path: plan.path });
    }
    await client.set(plan.path, plan.data, { signal });
    await client.setAcl(plan.path, plan.acl, { signal });
  }
}
