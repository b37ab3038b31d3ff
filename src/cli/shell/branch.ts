/** Reads whole branches, several nodes at a time. They are not read at one moment. */

import {
  type Acl,
  type Client,
  childPath,
  isKeeperError,
  type KeeperError,
  type Stat,
  type WatchListener,
} from '../../client/index.ts';

/** Nodes asked for at once. */
const WINDOW = 256;

export interface BranchNode {
  readonly path: string;
  readonly stat: Stat;
  /** Names, sorted as the original sorts them. */
  readonly children: readonly string[];
  /** Undefined when it was not asked for. */
  readonly data: Buffer | null | undefined;
  readonly acl: readonly Acl[] | undefined;
}

export interface Branch {
  readonly root: string;
  readonly nodes: ReadonlyMap<string, BranchNode>;
  /** Why a node could not be read, in the order in which they were met; nothing below it was. */
  readonly failures: ReadonlyMap<string, KeeperError>;
}

export interface BranchOptions {
  readonly signal: AbortSignal;
  readonly withData?: boolean;
  readonly withAcl?: boolean;
  /** For the children of every node. */
  readonly watch?: WatchListener | undefined;
  /** Levels below the root; by default all. */
  readonly depthMax?: number;
  readonly progress?: (done: number, known: number) => void;
}

/** Nodes that vanish meanwhile are left out. Rejects when the root cannot be read. */
export async function readBranch(
  client: Client,
  root: string,
  options: BranchOptions,
): Promise<Branch> {
  const nodes = new Map<string, BranchNode>();
  const failures = new Map<string, KeeperError>();
  let level = [root];
  let known = 1;
  for (let depth = 0; level.length > 0; depth++) {
    const below: string[] = [];
    for (let at = 0; at < level.length; at += WINDOW) {
      const read = level.slice(at, at + WINDOW).map(async (path) => {
        try {
          nodes.set(path, await readNode(client, path, options));
        } catch (error) {
          const isHopeless = path === root || options.signal.aborted || !isKeeperError(error);
          if (isHopeless || error.code === 'CONNECTION_LOSS') throw error;
          if (error.code !== 'NO_NODE') failures.set(path, error);
        }
      });
      await Promise.all(read);
      for (const path of level.slice(at, at + WINDOW)) {
        for (const name of nodes.get(path)?.children ?? []) below.push(childPath(path, name));
      }
      options.progress?.(nodes.size, Math.max(known, known + below.length));
    }
    known += below.length;
    level = depth === options.depthMax ? [] : below;
  }
  return { root, nodes, failures };
}

async function readNode(
  client: Client,
  path: string,
  { signal, watch, withData = false, withAcl = false }: BranchOptions,
): Promise<BranchNode> {
  const [listed, read, access] = await Promise.all([
    client.children(path, { stat: true, watch, signal }),
    withData ? client.get(path, { signal }) : undefined,
    withAcl ? client.getAcl(path, { signal }) : undefined,
  ]);
  return {
    path,
    // What the data were read with, for whoever wants to change them only if they are still these.
    stat: read?.stat ?? listed.stat,
    children: listed.children.sort(compareNames),
    data: read?.data,
    acl: access?.acl,
  };
}

/** By UTF-16 code units, as the original sorts. */
export function compareNames(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** Each node before those below it, siblings in order. */
export function* inOrder(branch: Branch): Generator<BranchNode> {
  const waiting = [branch.root];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const node = branch.nodes.get(path);
    if (node === undefined) continue;
    yield node;
    for (const name of node.children.toReversed()) waiting.push(childPath(path, name));
  }
}

/** The path below the branch's root: `/` for the root itself. */
export function pathBelow(root: string, path: string): string {
  if (root === '/') return path;
  return path === root ? '/' : path.slice(root.length);
}

/** The other way round. */
export function pathUnder(root: string, below: string): string {
  if (below === '/') return root;
  return root === '/' ? below : `${root}${below}`;
}

export function depthBelow(root: string, path: string): number {
  const below = pathBelow(root, path);
  return below === '/' ? 0 : below.split('/').length - 1;
}

export function isInside(root: string, path: string): boolean {
  return path === root || root === '/' || path.startsWith(`${root}/`);
}
