/** An ensemble and clients whose steps, and whose misfortunes, a test decides. */

import assert from 'node:assert/strict';
import { Prng } from '../../src/base/prng.ts';
import { SimWorld } from '../../src/testing/sim-world.ts';
import { ClientGroup, NO_WORKLOAD } from './client-group.ts';
import { type Draft, History, type Operation } from './history.ts';
import type { SimClient } from './sim-client.ts';
import { type ClusterShape, SimCluster, type SimMember } from './sim-cluster.ts';

export const SHAPE: ClusterShape = {
  voterCount: 3,
  observerCount: 0,
  tickTimeMs: 200,
  maxSessionTimeoutMs: 4000,
  peerHeartbeatMs: 50,
  peerTimeoutsMs: [250, 250, 250],
  checkpointIntervalTxns: 1000,
  logRetainTxns: 1000,
  logRetainBytes: 1_000_000,
  globalOutstandingLimit: 1000,
  initLimit: 10,
  syncLimit: 5,
  sessions: 'replicated',
  readOnlyGraceMs: undefined,
};
export const PROFILE = {
  sessionTimeoutMs: 4000,
  depth: 1,
  thinkMaxMs: 1,
  roamProbability: 0,
  readsOnly: false,
};
const WAIT_MS = 5000;

/** An ensemble and clients, one a server, whose steps the test decides. */
export class Stage {
  readonly world: SimWorld;
  readonly violations: string[] = [];
  readonly history = new History(() => this.world.nowMs);
  readonly cluster: SimCluster;
  readonly #clients: ClientGroup;
  /** Events of the servers' logs, as `server event`. */
  readonly #events: string[] = [];

  /** `isStarted`: the servers are started at once. */
  constructor(shape: ClusterShape, { isStarted = true } = {}) {
    this.world = new SimWorld(7);
    this.cluster = new SimCluster(this.world, shape, this.violations, (_ms, id, _level, event) => {
      this.#events.push(`${id} ${event}`);
    });
    this.#clients = new ClientGroup(
      this.world,
      this.history,
      this.violations,
      new Prng(7),
      shape.sessions,
    );
    if (isStarted) this.cluster.startAll();
  }

  member(id: number): SimMember {
    const member = this.cluster.members[id - 1];
    assert(member !== undefined);
    return member;
  }

  leader(): SimMember {
    const leader = this.cluster.leader();
    assert(leader !== undefined, 'nobody leads');
    return leader;
  }

  async whole(): Promise<void> {
    await this.until(() => this.cluster.isWhole(), 'the ensemble is whole');
  }

  /** Waits for the ensemble, then lets it elect once more: of equals the one with the highest number leads. */
  async wholeUnderHighest(): Promise<void> {
    await this.whole();
    for (const member of this.cluster.members) this.cluster.crash(member);
    this.cluster.startAll();
    await this.whole();
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    assert(await this.world.runUntil(condition, WAIT_MS), `waited in vain: ${what}`);
    assert.deepEqual(this.violations, []);
  }

  /** A client that knows this server only. */
  async clientOf(
    member: SimMember,
    hostName = `client${member.id}`,
    profile = PROFILE,
  ): Promise<SimClient> {
    const client = this.#clients.start(hostName, [member.clientAddress], profile, NO_WORKLOAD);
    await this.until(() => client.isConnected, 'the client is connected');
    return client;
  }

  /** Sends a request and leaves it to its fate. */
  ask(client: SimClient, draft: Draft): Operation {
    client.ask([draft]);
    const operation = this.history.operations.at(-1);
    assert(operation !== undefined);
    return operation;
  }

  async done(client: SimClient, draft: Draft): Promise<Operation> {
    const operation = this.ask(client, draft);
    await this.until(() => operation.outcome !== 'pending', 'the request is answered');
    assert.equal(operation.outcome, 'ok');
    return operation;
  }

  count(event: string): number {
    return this.#events.filter((line) => line.endsWith(` ${event}`)).length;
  }
}
