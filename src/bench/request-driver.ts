/** Many connections with prepared requests: everything but fan-outs and sessions. */

import { invariant, unreachable } from '../base/assert.ts';
import type { Address } from '../runtime/runtime.ts';
import { LoadConnection, type LoadPlan } from './load-connection.ts';
import type { LoadDriver } from './load-driver.ts';
import {
  childrenFrames,
  createFrames,
  deleteFrames,
  existsFrames,
  getFrames,
  multiFrames,
  setFrames,
} from './load-frames.ts';
import { atEveryServer, type NodePlan, type Nodes, sumOf } from './load-nodes.ts';
import type { LoadTally } from './load-tally.ts';
import { Pacer } from './pacer.ts';
import { poll } from './poll.ts';
import { CHILDREN, type LoadOptions, MULTI_SETS, type Workload } from './workloads.ts';

const DRAIN_TIMEOUT_MS = 30_000;
/** Requests that an open loop lets wait on one connection before it makes them late. */
const OPEN_LOOP_DEPTH = 1024;
/** Nodes of getChildren. */
const LISTS = 16;

export class RequestDriver implements LoadDriver {
  readonly #addresses: readonly Address[];
  readonly #workload: Workload;
  readonly #nodes: Nodes;
  readonly #tally: LoadTally;
  readonly #connections: readonly LoadConnection[];
  readonly #pacer: Pacer | undefined;

  /** `requestsMax`: of each connection. The nodes must be those of `nodePlan`. */
  constructor(
    addresses: readonly Address[],
    workload: Workload,
    options: LoadOptions,
    nodes: Nodes,
    tally: LoadTally,
    requestsMax = Number.POSITIVE_INFINITY,
  ) {
    this.#addresses = addresses;
    this.#workload = workload;
    this.#nodes = nodes;
    this.#tally = tally;
    const isClosedLoop = options.rate === undefined;
    const shared = sharedRequests(workload, nodes);
    this.#connections = Array.from({ length: options.connections }, (_, seed) => {
      const plan: LoadPlan = {
        ...(shared ?? creations(workload, nodes, seed)),
        writePercent: workload.writePercent,
        depth: isClosedLoop ? workload.depth : OPEN_LOOP_DEPTH,
        isClosedLoop,
        requestsMax,
        seed,
      };
      return new LoadConnection(plan, tally);
    });
    this.#pacer =
      options.rate === undefined ? undefined : new Pacer(options.rate, this.#connections);
  }

  async start(): Promise<void> {
    const connecting = this.#connections.map((connection, at) => {
      const address = this.#addresses[at % this.#addresses.length];
      invariant(address !== undefined, 'a target without servers');
      return connection.connect(address);
    });
    await Promise.all(connecting);
    if (this.#pacer === undefined) {
      const nowMs = performance.now();
      for (const connection of this.#connections) connection.fill(nowMs);
    } else {
      this.#pacer.start();
    }
  }

  /** Resolves when every connection has sent all that it may and has its answers. */
  async finished(requestsMax: number): Promise<void> {
    await poll(() => this.#isBroken() || this.#connections.every((c) => c.sent === requestsMax));
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#tally.isIssuing = false;
    this.#pacer?.stop();
    const isDrained = (): boolean =>
      this.#isBroken() || this.#connections.every((connection) => connection.outstanding === 0);
    if (!(await poll(isDrained, DRAIN_TIMEOUT_MS))) {
      this.#tally.fail('requests were never answered');
    }
  }

  /** Every server must show every acknowledged write, no more and no less. */
  async verify(): Promise<readonly string[]> {
    if (this.#workload.writePercent === 0) return [];
    const { operation } = this.#workload;
    const { keys, parents } = this.#nodes;
    const perWrite = operation === 'multi' ? MULTI_SETS : 1;
    const done = this.#connections.reduce((sum, connection) => sum + connection.writesDone, 0);
    const expected = done * perWrite;
    const failures: string[] = [];
    await atEveryServer(this.#addresses, async (client, address) => {
      const found =
        operation === 'create'
          ? await sumOf(parents, async (path) => (await client.children(path)).length)
          : operation === 'create+delete'
            ? await sumOf(parents, async (path) => (await client.exists(path)).cversion)
            : await sumOf(keys, async (path) => (await client.exists(path)).version);
      if (found === expected) return;
      failures.push(`port ${address.port}: ${expected} changes acknowledged, ${found} found`);
    });
    return failures;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #isBroken(): boolean {
    return this.#tally.errorCount > 0;
  }
}

/** The nodes that the driver of this workload needs. */
export function nodePlan(workload: Workload, options: LoadOptions): NodePlan {
  const { operation, size } = workload;
  switch (operation) {
    case 'create':
    case 'create+delete':
      return { keys: 0, size: 0, parents: options.connections, children: 0 };
    case 'getChildren':
      return { keys: 0, size: 0, parents: LISTS, children: CHILDREN };
    case 'get':
    case 'exists':
    case 'set':
    case 'get:set':
    case 'multi':
      return { keys: options.keys, size, parents: 0, children: 0 };
    case 'watch fan-out':
      return { keys: 1, size, parents: 0, children: 0 };
    case 'connect+close':
      return { keys: 0, size: 0, parents: 0, children: 0 };
    default:
      return unreachable(operation);
  }
}

type Requests = Pick<LoadPlan, 'reads' | 'writes' | 'undos'>;
const NONE: Requests = { reads: undefined, writes: undefined, undos: undefined };

/** Undefined where each connection needs frames of its own. */
function sharedRequests(workload: Workload, { keys, parents }: Nodes): Requests | undefined {
  const { operation, size } = workload;
  switch (operation) {
    case 'get':
      return { ...NONE, reads: getFrames(keys, size) };
    case 'exists':
      return { ...NONE, reads: existsFrames(keys) };
    case 'getChildren':
      return { ...NONE, reads: childrenFrames(parents, CHILDREN) };
    case 'set':
      return { ...NONE, writes: setFrames(keys, size) };
    case 'get:set':
      return { ...NONE, reads: getFrames(keys, size), writes: setFrames(keys, size) };
    case 'multi':
      return { ...NONE, writes: multiFrames(keys, size, MULTI_SETS) };
    case 'create':
    case 'create+delete':
      return undefined;
    case 'watch fan-out':
    case 'connect+close':
      return NONE;
    default:
      return unreachable(operation);
  }
}

function creations({ operation, size }: Workload, { parents }: Nodes, at: number): Requests {
  const parent = parents[at];
  invariant(parent !== undefined, 'a connection without a node to create below');
  const undos = operation === 'create+delete' ? deleteFrames(parent) : undefined;
  return { ...NONE, writes: createFrames(parent, size), undos };
}
