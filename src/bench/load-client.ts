/**
 * Drives one load against one target: makes the nodes, warms up, measures a window, waits for what is
 * outstanding, counts at every server that each acknowledged write is there, and removes the nodes.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Prng } from '../base/prng.ts';
import type { Address } from '../runtime/runtime.ts';
import { LoadConnection, type LoadPlan } from './load-connection.ts';
import { createFrames, getFrames, numberedPath, randomBytes, setFrames } from './load-frames.ts';
import { LoadTally } from './load-tally.ts';
import { pipelined } from './pipelined.ts';
import { SessionClient, UnexpectedReplyError } from './session-client.ts';
import { type Usage, UsageSample, usageBetween } from './usage.ts';
import { type LoadOptions, type Workload, workloadName } from './workloads.ts';

const ROOT = '/vivarium-bench';
const DRAIN_TIMEOUT_MS = 30_000;
const DRAIN_POLL_MS = 2;
const OPEN_TIMEOUT_MS = 10_000;

/** What a load is driven against. */
export interface LoadTarget {
  readonly addresses: readonly Address[];
  readonly pids: readonly number[];
}

export interface LoadResult extends Usage {
  readonly workload: string;
  /** Replies in the measured window. */
  readonly operations: number;
  readonly opsPerSecond: number;
  readonly cpuSecondsPerKop: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
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
  const admin = await openFirst(target);
  const layout = await makeNodes(admin, workload, options);
  admin.destroy();
  const tally = new LoadTally();
  const connections = plansOf(workload, layout).map((plan) => new LoadConnection(plan, tally));
  const usage = await drive(target, connections, tally, options, hooks);
  const failures = [...tally.reasons];
  if (failures.length === 0)
    failures.push(...(await verify(target, workload, layout, connections)));
  for (const connection of connections) connection.close();
  await removeNodes(target, workload, layout);
  const { histogram } = tally;
  return {
    ...usage,
    workload: workloadName(workload),
    operations: histogram.total,
    opsPerSecond: histogram.total / usage.seconds,
    cpuSecondsPerKop: (usage.serverCpuSeconds / histogram.total) * 1000,
    p50Us: histogram.quantileUs(0.5),
    p99Us: histogram.quantileUs(0.99),
    maxUs: histogram.maxUs,
    failures,
  };
}

/** The nodes of one run. */
interface Layout {
  /** Of reads and sets. */
  readonly keys: readonly string[];
  /** One for each connection: the parent of what it creates. */
  readonly parents: readonly string[];
}

/** One plan for each connection; only the frames of a create differ between them. */
function plansOf(workload: Workload, layout: Layout): LoadPlan[] {
  const { size, writePercent, depth } = workload;
  const reads = writePercent < 100 ? getFrames(layout.keys, size) : undefined;
  const sets = workload.write === 'set' ? setFrames(layout.keys, size) : undefined;
  return layout.parents.map((parent, seed) => {
    const writes = sets ?? createFrames(parent, size);
    return { reads, writes, writePercent, depth, seed };
  });
}

async function drive(
  target: LoadTarget,
  connections: readonly LoadConnection[],
  tally: LoadTally,
  options: LoadOptions,
  hooks: WindowHooks | undefined,
): Promise<Usage> {
  const { addresses, pids } = target;
  const connecting = connections.map((connection, at) => {
    const address = addresses[at % addresses.length];
    return address === undefined ? Promise.resolve() : connection.connect(address);
  });
  await Promise.all(connecting);
  const startedMs = performance.now();
  for (const connection of connections) connection.fill(startedMs);
  await sleep(options.warmupSeconds * 1000);
  hooks?.begin();
  const before = new UsageSample(pids);
  tally.isMeasuring = true;
  await sleep(options.seconds * 1000);
  tally.isMeasuring = false;
  const usage = usageBetween(before, new UsageSample(pids));
  hooks?.end();
  tally.isIssuing = false;
  await drain(connections, tally);
  return usage;
}

async function drain(connections: readonly LoadConnection[], tally: LoadTally): Promise<void> {
  const deadlineMs = performance.now() + DRAIN_TIMEOUT_MS;
  while (tally.errorCount === 0 && connections.some((connection) => connection.outstanding > 0)) {
    if (performance.now() > deadlineMs) tally.fail('requests were never answered');
    await sleep(DRAIN_POLL_MS);
  }
}

/** Every server must show every acknowledged write, no more and no less. */
async function verify(
  target: LoadTarget,
  workload: Workload,
  layout: Layout,
  connections: readonly LoadConnection[],
): Promise<string[]> {
  if (workload.writePercent === 0) return [];
  const acknowledged = connections.reduce((sum, connection) => sum + connection.writesDone, 0);
  const failures: string[] = [];
  for (const address of target.addresses) {
    const client = await SessionClient.open(address, OPEN_TIMEOUT_MS);
    await client.sync();
    const found =
      workload.write === 'set'
        ? await sumOf(layout.keys, async (path) => (await client.exists(path)).version)
        : await sumOf(layout.parents, async (path) => (await client.children(path)).length);
    await client.close();
    if (found === acknowledged) continue;
    failures.push(`port ${address.port}: ${acknowledged} writes acknowledged, ${found} found`);
  }
  return failures;
}

async function sumOf(
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

async function makeNodes(
  client: SessionClient,
  workload: Workload,
  options: LoadOptions,
): Promise<Layout> {
  const isCreate = workload.write === 'create';
  const keys = Array.from({ length: isCreate ? 0 : options.keys }, (_, at) =>
    numberedPath(ROOT, at),
  );
  const parents = Array.from({ length: options.connections }, (_, at) => `${ROOT}/c${at}`);
  const prng = new Prng(workload.size + 2);
  await mustCreate(client, ROOT, new Uint8Array(0));
  await pipelined(keys, (path) => mustCreate(client, path, randomBytes(prng, workload.size)));
  if (isCreate) {
    await pipelined(parents, (path) => mustCreate(client, path, new Uint8Array(0)));
  }
  await client.sync();
  return { keys, parents };
}

/** Children first: what connections created, then what was made for them. */
async function removeNodes(target: LoadTarget, workload: Workload, layout: Layout): Promise<void> {
  const client = await openFirst(target);
  await client.sync();
  if (workload.write === 'create') {
    for (const parent of layout.parents) {
      const names = await client.children(parent);
      await pipelined(names, (name) => client.delete(`${parent}/${name}`));
    }
    await pipelined(layout.parents, (path) => client.delete(path));
  }
  await pipelined(layout.keys, (path) => client.delete(path));
  await client.delete(ROOT);
  await client.close();
}

async function mustCreate(client: SessionClient, path: string, data: Uint8Array): Promise<void> {
  const error = await client.create(path, data);
  if (error !== 0) throw new UnexpectedReplyError(`create ${path}: error ${error}`);
}

function openFirst(target: LoadTarget): Promise<SessionClient> {
  const address = target.addresses[0];
  if (address === undefined) throw new RangeError('a target without servers');
  return SessionClient.open(address, OPEN_TIMEOUT_MS);
}
