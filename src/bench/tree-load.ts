/** A tree of many nodes, created as fast as the servers take it. */

import { makeNodes, ROOT, removeNodes } from './load-nodes.ts';
import { type LoadResult, type LoadTarget, resultOf } from './load-run.ts';
import { LoadTally } from './load-tally.ts';
import { nodePlan, RequestDriver } from './request-driver.ts';
import { UsageSample, usageBetween } from './usage.ts';
import type { LoadOptions, Workload } from './workloads.ts';

/** Not where loads make and remove their nodes: they may run while the tree is there. */
const TREE_ROOT = `${ROOT}-tree`;
const DEPTH = 16;

export interface TreeResult extends LoadResult {
  /** Of all servers before the first node. */
  readonly emptyBytes: number | undefined;
}

/** Creates at least as many nodes of `size` bytes, a parent for each connection, and leaves them. */
export async function loadTree(
  target: LoadTarget,
  nodeCount: number,
  size: number,
  options: LoadOptions,
): Promise<TreeResult> {
  const workload: Workload = {
    operation: 'create',
    size,
    depth: DEPTH,
    writePercent: 100,
    isMain: false,
  };
  const closedLoop = { ...options, rate: undefined };
  const plan = { ...nodePlan(workload, closedLoop), root: TREE_ROOT };
  const nodes = await makeNodes(target.addresses, plan);
  const perConnection = Math.ceil(nodeCount / options.connections);
  const tally = new LoadTally();
  const driver = new RequestDriver(
    target.addresses,
    workload,
    closedLoop,
    nodes,
    tally,
    perConnection,
  );
  const before = new UsageSample(target.pids);
  tally.isMeasuring = true;
  await driver.start();
  await driver.finished(perConnection);
  const usage = usageBetween(before, new UsageSample(target.pids));
  const failures = [...tally.reasons];
  if (failures.length === 0) failures.push(...(await driver.verify()));
  driver.close();
  const name = `tree of ${nodeCount} nodes of ${size} B`;
  return { ...resultOf(name, usage, tally, failures), emptyBytes: before.residentBytes };
}

export function removeTree(target: LoadTarget): Promise<void> {
  return removeNodes(target.addresses, TREE_ROOT);
}
