/**
 * One simulation: an ensemble and clients drawn from a seed, a while of faults, then peace, in which
 * everything must come back and agree. Everything that happens follows from the seed.
 */

import { CreateMode } from '../../src/base/op-code.ts';
import { Prng } from '../../src/base/prng.ts';
import { SimWorld } from '../../src/testing/sim-world.ts';
import { checkHistory } from './checkers/check-history.ts';
import { ServerHistory } from './checkers/server-history.ts';
import { ClientGroup, NO_WORKLOAD } from './client-group.ts';
import { create, read, write } from './drafts.ts';
import type { FaultCounts } from './fault-kinds.ts';
import { type Draft, History, type SessionRecord } from './history.ts';
import { loseMinority } from './lost-minority.ts';
import { Nemesis } from './nemesis.ts';
import type { ClientProfile } from './sim-client.ts';
import { type ClusterShape, type LogLine, SimCluster } from './sim-cluster.ts';
import {
  COUNTERS,
  drawWeights,
  FENCES,
  PARENTS,
  RandomWorkload,
  READER_WEIGHTS,
  REGISTERS,
  type TaskWeights,
  TOGGLES,
} from './workload.ts';

export interface SeedResult {
  readonly seed: number;
  /** Empty when all is well. */
  readonly violations: readonly string[];
  readonly faults: FaultCounts;
  /** Events of the simulated world. */
  readonly events: number;
  /** Requests that clients sent, and those of them that succeeded. */
  readonly operations: number;
  readonly acknowledged: number;
  readonly leaderChanges: number;
  readonly simulatedMs: number;
  /** Equal for two runs of one seed. */
  readonly traceHash: string;
}

const BOOT_MAX_MS = 5000;
/** After peace has come: until all servers serve, all clients are connected and the work goes on. */
const PROGRESS_MAX_MS = 10_000;
/** Beside the timeout: what a tick, a slow link and a slow disk add. */
const BLIND_MORE_MS = 250;
/** Clocks of servers may be fast or slow by a tenth. */
const DRIFT_SHARE = 1.15;
/** A run lasts until it has had so many faults; now and then the last attempt brings two. */
export const FAULTS_MIN = 20;
/** Mean time between two faults. A long one is rare: such a run costs as much as several others. */
const PAUSE_MIN_MS = 12;
const PAUSE_USUAL_MAX_MS = 45;
const PAUSE_LONG_MAX_MS = 150;
const LONG_PROBABILITY = 0.03;
/** Not every attempt strikes somebody. After so long a run gets faults of all kinds. */
const ATTEMPTS_PER_FAULT = 2;
const WORK_MORE_MS = 500;
/** Of runs: those in which a majority must get on without the others when all the rest is over. */
const LOST_MINORITY_SHARE = 0.2;
/** A run has a few thousand; so many are a loop in which no time passes. */
const EVENTS_MAX = 500_000;
/** More violations than these say nothing new. */
const VIOLATIONS_MAX = 20;

export async function runSeed(seed: number, logLine?: LogLine): Promise<SeedResult> {
  const simulation = new Simulation(seed, logLine);
  try {
    await simulation.run();
  } catch (error) {
    simulation.threw(error);
  }
  return simulation.result();
}

class Simulation {
  readonly #seed: number;
  readonly #prng: Prng;
  readonly #world: SimWorld;
  readonly #violations: string[] = [];
  readonly #history = new History(() => this.#world.nowMs);
  readonly #servers = new ServerHistory(this.#violations);
  readonly #cluster: SimCluster;
  readonly #clients: ClientGroup;
  readonly #shape: ClusterShape;
  readonly #weights: TaskWeights;
  readonly #nemesis: Nemesis;
  readonly #usualWorkMs: number;
  readonly #auditors = new Set<number>();
  readonly #ended = new Set<SessionRecord>();
  #clientCount = 0;

  constructor(seed: number, logLine: LogLine | undefined) {
    this.#seed = seed;
    // What is drawn here must not depend on what the world draws.
    const prng = new Prng(seed ^ 0x5eed);
    this.#prng = prng;
    this.#world = new SimWorld(seed, {
      network: drawNetwork(this.#prng),
      storage: drawStorage(this.#prng),
    });
    this.#shape = drawShape(this.#prng);
    this.#weights = drawWeights(this.#prng);
    this.#cluster = new SimCluster(this.#world, this.#shape, this.#violations, logLine);
    this.#clients = new ClientGroup(
      this.#world,
      this.#history,
      this.#violations,
      this.#prng,
      this.#shape.sessions,
    );
    const victims = {
      clientHosts: () => this.#clients.hosts,
      ackedZxid: () => this.#history.highestAcked,
      killClient: (hostName: string) => {
        this.#clients.kill(hostName);
        this.#startClient();
      },
    };
    const meanPauseMs = prng.chance(LONG_PROBABILITY)
      ? prng.between(PAUSE_USUAL_MAX_MS, PAUSE_LONG_MAX_MS)
      : prng.between(PAUSE_MIN_MS, PAUSE_USUAL_MAX_MS);
    this.#usualWorkMs = FAULTS_MIN * ATTEMPTS_PER_FAULT * meanPauseMs + WORK_MORE_MS;
    const ownPrng = new Prng(prng.uint32());
    this.#nemesis = new Nemesis(this.#world, this.#cluster, victims, ownPrng, meanPauseMs);
  }

  async run(): Promise<void> {
    const isReady = (await this.#boot()) && (await this.#work()) && (await this.#recover());
    if (isReady) await this.#audit();
    const { peerTimeoutsMs, maxSessionTimeoutMs } = this.#shape;
    const driftMs = (DRIFT_SHARE - 1) * maxSessionTimeoutMs;
    const blindMs = DRIFT_SHARE * Math.max(...peerTimeoutsMs) + driftMs + BLIND_MORE_MS;
    const { crashes } = this.#cluster;
    const circumstances = { auditors: this.#auditors, ended: this.#ended, blindMs, crashes };
    checkHistory(this.#history, circumstances, this.#violations);
  }

  /** Something that no server caught itself. */
  threw(error: unknown): void {
    this.#fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  result(): SeedResult {
    const { operations } = this.#history;
    return {
      seed: this.#seed,
      violations: this.#violations.slice(0, VIOLATIONS_MAX),
      faults: this.#nemesis.counts,
      events: this.#world.eventCount,
      operations: operations.length,
      acknowledged: operations.filter(({ outcome }) => outcome === 'ok').length,
      leaderChanges: Math.max(0, this.#servers.leaderCount - 1),
      simulatedMs: Math.round(this.#world.nowMs),
      traceHash: this.#world.traceHash,
    };
  }

  /** The first servers come up, the first nodes are made. */
  async #boot(): Promise<boolean> {
    this.#cluster.startAll();
    if (!(await this.#until(() => this.#cluster.isWhole(), BOOT_MAX_MS))) {
      return this.#fail('the ensemble did not come up');
    }
    const founder = this.#clients.start('founder', this.#addresses(), QUIET, NO_WORKLOAD);
    founder.ask(foundation());
    if (!(await this.#until(() => founder.isIdle, BOOT_MAX_MS))) {
      return this.#fail('the first nodes could not be made');
    }
    return true;
  }

  /** Clients at work while faults come and go. */
  async #work(): Promise<boolean> {
    const count = this.#prng.between(2, 4);
    for (let i = 0; i < count; i++) this.#startClient();
    const usualEndMs = this.#world.nowMs + this.#usualWorkMs;
    const isDue = (): boolean => this.#nemesis.wakeAtMs <= this.#world.nowMs;
    while (this.#nemesis.count < FAULTS_MIN) {
      await this.#until(isDue, Math.max(0.001, this.#nemesis.wakeAtMs - this.#world.nowMs));
      if (this.#world.nowMs > usualEndMs) this.#nemesis.widen();
      this.#nemesis.tick();
      if (this.#violations.length > 0) return false;
    }
    return true;
  }

  /** Without faults all servers serve, all clients connect and get answers, within bounded time. */
  async #recover(): Promise<boolean> {
    this.#nemesis.heal();
    // Whether servers come back, and what they hold then, is the same with less to do.
    if (this.#prng.chance(0.5)) this.#clients.rest();
    const isBack = await this.#until(
      () => this.#cluster.isWhole() && this.#clients.isConnected,
      PROGRESS_MAX_MS,
    );
    if (!isBack) return this.#fail(`no recovery in ${PROGRESS_MAX_MS} ms of peace`);
    if (!(await this.#until(() => this.#cluster.isHealed(), PROGRESS_MAX_MS))) {
      return this.#fail('a server that lost its data does not come to count again');
    }
    if (this.#prng.chance(LOST_MINORITY_SHARE) && !(await this.#goOnWithoutMinority()))
      return false;
    this.#clients.rest();
    const isSettled = (): boolean => this.#clients.isConnected && this.#clients.isIdle;
    if (!(await this.#until(isSettled, PROGRESS_MAX_MS))) {
      return this.#fail('requests are not answered though there is peace');
    }
    let longestMs = 0;
    for (const session of this.#history.sessions) {
      if (session.state === 'live' || session.state === 'closed') continue;
      this.#ended.add(session);
      longestMs = Math.max(longestMs, session.timeoutMs);
    }
    // Every session that lost its client ends in this time.
    const endMs = longestMs + 4 * this.#shape.tickTimeMs;
    if (this.#ended.size > 0) await this.#until(isNever, DRIFT_SHARE * endMs);
    return true;
  }

  /** A majority that is well must get on, whatever the others do or leave undone. */
  async #goOnWithoutMinority(): Promise<boolean> {
    const lost = loseMinority(this.#world, this.#cluster, this.#prng);
    const core = this.#cluster.members.filter((member) => !lost.members.has(member));
    const addresses = core.map((member) => member.clientAddress);
    const probe = this.#clients.start('probe', addresses, QUIET, NO_WORKLOAD);
    const before = this.#history.operations.length;
    let count = 0;
    const isAnswered = (): boolean => {
      if (!probe.isIdle || !probe.isConnected) return false;
      const last = this.#history.operations.findLast(
        ({ id, client }) => id >= before && client === probe.number,
      );
      if (last?.outcome === 'ok') return true;
      probe.ask([write(create(`/probe-${count}`, `${count}`, CreateMode.persistent))]);
      count++;
      return false;
    };
    if (!(await this.#until(isAnswered, PROGRESS_MAX_MS))) {
      return this.#fail(`no progress in ${PROGRESS_MAX_MS} ms without ${lost.what}`);
    }
    lost.end();
    this.#cluster.startAll();
    const isBack = (): boolean => this.#cluster.isWhole() && this.#clients.isConnected;
    if (await this.#until(isBack, PROGRESS_MAX_MS)) return true;
    return this.#fail(`no recovery in ${PROGRESS_MAX_MS} ms after ${lost.what}`);
  }

  /** Every server is asked what there is, and one of them, drawn, for what is in it. */
  async #audit(): Promise<void> {
    const names = PARENTS.map((path) => read('children', path));
    const nodes = everyPath(this.#history).map((path) => read('get', path));
    const chosen = this.#prng.between(1, this.#cluster.members.length);
    const auditors = this.#cluster.members.map((member) => {
      const hostName = `auditor${member.id}`;
      const servers = [member.clientAddress];
      const auditor = this.#clients.start(hostName, servers, QUIET, NO_WORKLOAD);
      this.#auditors.add(auditor.number);
      auditor.ask([read('sync', '/'), ...names, ...(member.id === chosen ? nodes : [])]);
      return auditor;
    });
    const isDone = (): boolean => auditors.every((auditor) => auditor.isIdle);
    if (!(await this.#until(isDone, PROGRESS_MAX_MS))) this.#fail('the audit was not answered');
    // Whose session has ended is told so now, at the latest.
    await this.#allAnswered();
    const isEven = await this.#until(() => this.#cluster.isEven(), PROGRESS_MAX_MS);
    if (!isEven) this.#fail('the servers do not become equal');
  }

  /** Every client is connected and gets an answer. */
  async #allAnswered(): Promise<boolean> {
    const isConnected = (): boolean => this.#clients.isConnected;
    if (!(await this.#until(isConnected, PROGRESS_MAX_MS))) {
      return this.#fail('clients find no server though there is peace');
    }
    for (const client of this.#clients.clients) client.ask([read('sync', '/')]);
    if (await this.#until(() => this.#clients.isIdle, PROGRESS_MAX_MS)) return true;
    return this.#fail('requests are not answered though there is peace');
  }

  #startClient(): void {
    const prng = new Prng(this.#prng.uint32());
    const profile = drawProfile(prng, this.#shape);
    const tag =
      String.fromCharCode(97 + (this.#clientCount % 26)) + Math.floor(this.#clientCount / 26);
    const hostName = `c${++this.#clientCount}`;
    const weights = prng.chance(0.2) ? READER_WEIGHTS : this.#weights;
    const workload = new RandomWorkload(prng, weights, tag, BUDGET);
    this.#clients.start(hostName, this.#addresses(), profile, workload);
  }

  #addresses() {
    return this.#cluster.members.map((member) => member.clientAddress);
  }

  /** Runs the world, looking at every server after every event. */
  async #until(condition: () => boolean, maxMs: number): Promise<boolean> {
    const { members } = this.#cluster;
    return await this.#world.runUntil(() => {
      if (this.#world.eventCount > EVENTS_MAX) throw new Error('the simulation does not end');
      for (const member of members) {
        const view = this.#cluster.view(member);
        if (view !== undefined) this.#servers.observe(member.id, member.life ?? member, view);
      }
      this.#nemesis.watch();
      return condition();
    }, maxMs);
  }

  #fail(what: string): false {
    this.#violations.push(what);
    return false;
  }
}

const QUIET: ClientProfile = {
  sessionTimeoutMs: 600,
  depth: 1,
  thinkMaxMs: 1,
  roamProbability: 0,
  readsOnly: false,
};
/** Requests of one client. */
const BUDGET = 45;

function isNever(): boolean {
  return false;
}

function foundation(): Draft[] {
  const paths = [...PARENTS, ...REGISTERS, ...COUNTERS, ...FENCES];
  return paths.map((path) => write(create(path, '0', CreateMode.persistent)));
}

/** All that was ever made, as far as clients know. */
function everyPath(history: History): string[] {
  const paths = new Set<string>([...REGISTERS, ...COUNTERS, ...FENCES, ...TOGGLES]);
  for (const { changes, outcome, reply } of history.operations) {
    if (outcome === 'failed') continue;
    for (const change of changes) {
      if (change.kind === 'create') paths.add(reply.path ?? change.path);
    }
  }
  return [...paths];
}

function drawNetwork(prng: Prng) {
  return {
    maxDelayMs: [0.5, 1, 5][prng.between(0, 2)] ?? 1,
    splitProbability: 0.05,
    breakProbability: prng.chance(0.2) ? 0.001 : 0,
    clogProbability: prng.chance(0.2) ? 0.002 : 0,
  };
}

function drawShape(prng: Prng): ClusterShape {
  const isSmall = prng.chance(0.5);
  const tickTimeMs = [50, 100, 200][prng.between(0, 2)] ?? 100;
  const peerHeartbeatMs = [30, 60, 100][prng.between(0, 2)] ?? 60;
  const voterCount = drawVoterCount(prng);
  // The cost of a run grows with the square of its servers: most have as few as show what is wrong.
  const observerMax = prng.chance(0.3) ? Math.max(1, 5 - voterCount) : 1;
  const observerCount = prng.chance(0.2) ? prng.between(1, observerMax) : 0;
  return {
    voterCount,
    observerCount,
    tickTimeMs,
    maxSessionTimeoutMs: 600,
    peerHeartbeatMs,
    peerTimeoutsMs: drawTimeouts(prng, peerHeartbeatMs, voterCount + observerCount),
    checkpointIntervalTxns: isSmall ? prng.between(2, 20) : 1000,
    logRetainTxns: isSmall ? prng.between(0, 20) : 1000,
    logRetainBytes: prng.chance(0.2) ? prng.between(1000, 20_000) : 1_000_000,
    globalOutstandingLimit: prng.chance(0.2) ? prng.between(1, 10) : 1000,
    initLimit: prng.between(5, 10),
    syncLimit: prng.between(3, 10),
    sessions: drawSessions(prng),
    readOnlyGraceMs: prng.chance(0.4) ? prng.between(0, 100) : undefined,
  };
}

function drawSessions(prng: Prng): ClusterShape['sessions'] {
  if (prng.chance(0.6)) return 'replicated';
  return prng.chance(0.75) ? 'local' : 'fixed';
}

function drawVoterCount(prng: Prng): number {
  if (prng.chance(0.9)) return 3;
  return [4, 5, 5, 5, 7][prng.between(0, 4)] ?? 5;
}

/** A server that is slower than others to notice that it leads nobody is a deposed leader. */
function drawTimeouts(prng: Prng, heartbeatMs: number, count: number): number[] {
  const common = heartbeatMs * prng.between(3, 5);
  const isUneven = prng.chance(0.3);
  return Array.from({ length: count }, () => {
    return isUneven ? heartbeatMs * prng.between(3, 10) : common;
  });
}

function drawStorage(prng: Prng) {
  return {
    maxReadMs: [0.1, 0.1, 1, 20][prng.between(0, 3)] ?? 0.1,
    maxSyncMs: [1, 4, 20][prng.between(0, 2)] ?? 4,
  };
}

function drawProfile(prng: Prng, shape: ClusterShape): ClientProfile {
  return {
    sessionTimeoutMs: prng.between(2 * shape.tickTimeMs + 50, shape.maxSessionTimeoutMs),
    depth: prng.between(1, 6),
    thinkMaxMs: prng.between(1, 50),
    roamProbability: prng.chance(0.3) ? 0.1 : 0,
    readsOnly: shape.readOnlyGraceMs !== undefined && prng.chance(0.5),
  };
}
