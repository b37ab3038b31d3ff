/** The nodes of a run: made before it, looked at behind it, removed again. */

import { Prng } from '../base/prng.ts';
import type { Address } from '../runtime/runtime.ts';
import { numberedPath, randomBytes } from './load-frames.ts';
import { pipelined } from './pipelined.ts';
import { SessionClient, UnexpectedReplyError } from './session-client.ts';

/** Everything that a run makes is below it; what an interrupted run left there is removed. */
export const ROOT = '/vivarium-bench';
const OPEN_TIMEOUT_MS = 10_000;
const NOTHING = new Uint8Array(0);

export interface NodePlan {
  /** What all are below; `ROOT` when nothing is said. */
  readonly root?: string | undefined;
  /** Nodes with data. */
  readonly keys: number;
  readonly size: number;
  /** Nodes for others to be created below. */
  readonly parents: number;
  /** Children that each parent has from the beginning. */
  readonly children: number;
}

export interface Nodes {
  readonly keys: readonly string[];
  readonly parents: readonly string[];
}

/** Makes the nodes at the first server; the others may be behind until they are asked to `sync`. */
export async function makeNodes(addresses: readonly Address[], plan: NodePlan): Promise<Nodes> {
  const root = plan.root ?? ROOT;
  const keys = Array.from({ length: plan.keys }, (_, at) => numberedPath(root, at));
  const parents = Array.from({ length: plan.parents }, (_, at) => `${root}/c${at}`);
  const children = parents.flatMap((parent) =>
    Array.from({ length: plan.children }, (_, at) => numberedPath(parent, at)),
  );
  const prng = new Prng(plan.size + 2);
  const client = await openFirst(addresses);
  await removeBranch(client, root);
  await mustCreate(client, root, NOTHING);
  await pipelined(keys, (path) => mustCreate(client, path, randomBytes(prng, plan.size)));
  await pipelined(parents, (path) => mustCreate(client, path, NOTHING));
  await pipelined(children, (path) => mustCreate(client, path, NOTHING));
  await client.close();
  await atEveryServer(addresses, () => Promise.resolve());
  return { keys, parents };
}

export async function removeNodes(addresses: readonly Address[], root = ROOT): Promise<void> {
  const client = await openFirst(addresses);
  await client.sync();
  await removeBranch(client, root);
  await client.close();
}

/** Calls with a session at each server in turn, behind everything acknowledged anywhere. */
export async function atEveryServer(
  addresses: readonly Address[],
  call: (client: SessionClient, address: Address) => Promise<void>,
): Promise<void> {
  for (const address of addresses) {
    const client = await SessionClient.open(address, OPEN_TIMEOUT_MS);
    await client.sync();
    await call(client, address);
    await client.close();
  }
}

export async function sumOf(
  paths: readonly string[],
  count: (path: string) => Promise<number>,
): Promise<number> {
  let sum = 0;
  await pipelined(paths, async (path) => {
    // Not `sum += await ...`: that reads the sum before it waits, and others add to it meanwhile.
    const counted = await count(path);
    sum += counted;
  });
  return sum;
}

/** Children first; a node that is not there is as good as removed. */
async function removeBranch(client: SessionClient, path: string): Promise<void> {
  const names = await client.childrenIfAny(path);
  const isLeaf = names.length === 0;
  if (!isLeaf) {
    const paths = names.map((name) => `${path}/${name}`);
    const parents = paths.filter((child) => !isKey(child));
    for (const parent of parents) await removeBranch(client, parent);
    await pipelined(paths.filter(isKey), (child) => client.delete(child));
  }
  await client.delete(path);
}

/** Nodes that `numberedPath` names have no children here. */
function isKey(path: string): boolean {
  return /\/n\d{8}$/.test(path);
}

async function mustCreate(client: SessionClient, path: string, data: Uint8Array): Promise<void> {
  const error = await client.create(path, data);
  if (error !== 0) throw new UnexpectedReplyError(`create ${path}: error ${error}`);
}

function openFirst(addresses: readonly Address[]): Promise<SessionClient> {
  const address = addresses[0];
  if (address === undefined) throw new RangeError('a target without servers');
  return SessionClient.open(address, OPEN_TIMEOUT_MS);
}
