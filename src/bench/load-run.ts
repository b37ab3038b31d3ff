/**
 * Drives one load against one target: makes the nodes, warms up, measures a window, waits for what is
 * outstanding, counts at every server that each acknowledged write is there, and removes the nodes.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { invariant } from '../base/assert.ts';
import type { Address } from '../runtime/runtime.ts';
import { ConnectDriver } from './connect-driver.ts';
import { FanoutDriver } from './fanout-driver.ts';
import { type Latencies, latenciesOf } from './histogram.ts';
import type { LoadDriver } from './load-driver.ts';
import { makeNodes, type Nodes, removeNodes } from './load-nodes.ts';
import { LoadTally } from './load-tally.ts';
import { nodePlan, RequestDriver } from './request-driver.ts';
import { type Usage, UsageSample, usageBetween } from './usage.ts';
import { type LoadOptions, type Workload, workloadName } from './workloads.ts';

/** What a load is driven against. */
export interface LoadTarget {
  /** Column of the report. */
  readonly name: string;
  readonly addresses: readonly Address[];
  /** Processes of the servers; empty when they are unknown. */
  readonly pids: readonly number[];
}

export interface LoadResult extends Usage, Latencies {
  readonly workload: string;
  /** Replies in the measured window. */
  readonly operations: number;
  readonly opsPerSecond: number;
  readonly cpuSecondsPerKop: number | undefined;
  /** Why this run does not count; empty when it does. */
  readonly failures: readonly string[];
}

/** Windows in which the servers should notice that they are being measured, e.g. to take a profile. */
export interface WindowHooks {
  begin(): void;
  end(): void;
}

export async function runLoad(
  target: LoadTarget,
  workload: Workload,
  options: LoadOptions,
  hooks?: WindowHooks,
): Promise<LoadResult> {
  const nodes = await makeNodes(target.addresses, nodePlan(workload, options));
  const tally = new LoadTally();
  const driver = makeDriver(target, workload, options, nodes, tally);
  await driver.start();
  await sleep(options.warmupSeconds * 1000);
  hooks?.begin();
  const before = new UsageSample(target.pids);
  tally.isMeasuring = true;
  await sleep(options.seconds * 1000);
  tally.isMeasuring = false;
  const usage = usageBetween(before, new UsageSample(target.pids));
  hooks?.end();
  await driver.stop();
  const failures = [...tally.reasons];
  if (failures.length === 0) failures.push(...(await driver.verify()));
  driver.close();
  await removeNodes(target.addresses);
  return resultOf(workloadName(workload), usage, tally, failures);
}

export function resultOf(
  workload: string,
  usage: Usage,
  { histogram }: LoadTally,
  failures: readonly string[],
): LoadResult {
  const { serverCpuSeconds, seconds } = usage;
  const operations = histogram.total;
  return {
    ...usage,
    ...latenciesOf(histogram),
    workload,
    operations,
    opsPerSecond: operations / seconds,
    cpuSecondsPerKop:
      serverCpuSeconds === undefined ? undefined : (serverCpuSeconds / operations) * 1000,
    failures: operations === 0 ? [...failures, 'nothing was answered'] : failures,
  };
}

function makeDriver(
  { addresses }: LoadTarget,
  workload: Workload,
  options: LoadOptions,
  nodes: Nodes,
  tally: LoadTally,
): LoadDriver {
  switch (workload.operation) {
    case 'watch fan-out': {
      const [path] = nodes.keys;
      invariant(path !== undefined, 'a fan-out without a node');
      return new FanoutDriver(addresses, path, workload.size, options.watchers, tally);
    }
    case 'connect+close':
      return new ConnectDriver(addresses, options.connections, tally);
    default:
      return new RequestDriver(addresses, workload, options, nodes, tally);
  }
}
