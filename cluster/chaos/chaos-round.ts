/**
 * One round: clients at work under a path of their own, one fault after the other, then peace, an
 * audit at every server, and the judgement. Short, so that what is judged stays small.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { CreateMode } from '../../src/base/op-code.ts';
import { Prng } from '../../src/base/prng.ts';
import { connect } from '../../src/client/index.ts';
import { checkHistory } from '../../test/sim/checkers/check-history.ts';
import { createdPath } from '../../test/sim/checkers/timelines.ts';
import { create, read, write } from '../../test/sim/drafts.ts';
import { type Draft, History, type Operation } from '../../test/sim/history.ts';
import {
  COUNTERS,
  PARENTS,
  READER_WEIGHTS,
  REGISTERS,
  type TaskWeights,
} from '../../test/sim/workload.ts';
import type { ChaosServers } from './chaos-servers.ts';
import { checkRecipes } from './check-recipes.ts';
import { FAULTS, type FaultContext, type FaultKind } from './faults.ts';
import type { HistoryClient } from './history-client.ts';
import { HAS_KAZOO, KazooHistoryClient } from './kazoo-client.ts';
import { OurClient } from './our-client.ts';
import {
  consumerWork,
  GUARDED,
  LOCK,
  lockWork,
  producerWork,
  QUEUE,
  randomWork,
  type Work,
  type WorkContext,
} from './workers.ts';

export interface RoundOptions {
  readonly number: number;
  readonly seed: number;
  readonly faults: readonly FaultKind[];
  readonly lastsMs: number;
  readonly smallDisk: number | undefined;
}

export interface RoundResult {
  readonly history: History;
  readonly violations: readonly string[];
  /** How long no write was acknowledged during each fault, milliseconds. */
  readonly pauses: ReadonlyMap<FaultKind, readonly number[]>;
}

/** What is not named below is done by clients of its own, or by simulated ones only. */
const NOTHING = Object.fromEntries(
  Object.keys(READER_WEIGHTS).map((task) => [task, 0]),
) as unknown as TaskWeights;
const WEIGHTS: TaskWeights = {
  ...NOTHING,
  unique: 2,
  deleteOwn: 1,
  register: 2,
  counter: 2,
  read: 3,
  ephemeral: 1,
  sequential: 1,
  toggle: 1,
  multi: 1,
  list: 1,
  syncRead: 2,
};
const RESIDENT_WEIGHTS: TaskWeights = { ...NOTHING, read: 2, list: 1, syncRead: 3 };
/** kazoo's client holds nothing that ends with a session. */
const KAZOO_WEIGHTS: TaskWeights = { ...WEIGHTS, ephemeral: 0, sequential: 0, multi: 0 };
const FOLDERS = new Set([...PARENTS, QUEUE, LOCK, '/f']);
const SESSION_MS = 6000;
/** Of clients that stay with their server, whatever becomes of it. */
const RESIDENT_SESSION_MS = 60_000;
const RANDOM_CLIENTS = 4;
const SETTLE_MS = 90_000;
const BETWEEN_FAULTS_MS = 700;
/** What a session may be off: the leader's buckets, and a process that gets no processor. */
const EXPIRY_SLACK_MS = 2500;

export async function runRound(servers: ChaosServers, options: RoundOptions): Promise<RoundResult> {
  const round = new ChaosRound(servers, options);
  return await round.run();
}

class ChaosRound {
  readonly #servers: ChaosServers;
  readonly #options: RoundOptions;
  readonly #prng: Prng;
  readonly #chroot: string;
  readonly #history = new History(() => performance.now());
  readonly #violations: string[] = [];
  readonly #pauses = new Map<FaultKind, number[]>();
  readonly #clients: HistoryClient[] = [];
  readonly #working: Promise<void>[] = [];
  readonly #context: WorkContext;
  #lastAckMs = 0;
  #longestMs = 0;

  constructor(servers: ChaosServers, options: RoundOptions) {
    this.#servers = servers;
    this.#options = options;
    this.#prng = new Prng(options.seed);
    this.#chroot = `/chaos-${options.number}`;
    this.#context = {
      prng: new Prng(options.seed ^ 0x5eed),
      isRunning: true,
      acked: () => this.#acked(),
    };
  }

  async run(): Promise<RoundResult> {
    await this.#prepare();
    this.#startClients();
    await this.#strike();
    await this.#peace();
    this.#violations.push(...this.#servers.endings.splice(0));
    return { history: this.#history, violations: this.#violations, pauses: this.#pauses };
  }

  async #prepare(): Promise<void> {
    const first = await connect({
      hosts: this.#servers.connectString,
      connectTimeoutMs: SETTLE_MS,
    });
    await first.create(this.#chroot, '');
    // Whoever comes next may come to a server that is behind.
    await Promise.all(this.#servers.ids.map((id) => this.#caughtUp(id)));
    await first.close();
    const maker = this.#client(this.#servers.connectString, SESSION_MS);
    const nodes: Draft[] = [];
    for (const path of FOLDERS) {
      nodes.push(write(create(path, `made ${path}`, CreateMode.persistent)));
    }
    for (const path of [...REGISTERS, GUARDED]) {
      nodes.push(write(create(path, `made ${path}`, CreateMode.persistent)));
    }
    for (const path of COUNTERS) nodes.push(write(create(path, '0', CreateMode.persistent)));
    await this.#askAll(maker, nodes);
    await maker.close();
  }

  async #caughtUp(id: number): Promise<void> {
    const client = await connect({
      hosts: this.#servers.addressText(id),
      connectTimeoutMs: SETTLE_MS,
    });
    await client.sync('/');
    await client.close();
  }

  #startClients(): void {
    const { connectString, ids } = this.#servers;
    const anywhere = (): HistoryClient => this.#client(connectString, SESSION_MS);
    const random = randomWork(WEIGHTS, true);
    for (let count = 0; count < RANDOM_CLIENTS; count++) this.#work(anywhere(), random);
    for (const work of [lockWork, lockWork, producerWork, consumerWork, consumerWork]) {
      this.#work(anywhere(), work);
    }
    for (const id of ids) {
      const resident = this.#client(this.#servers.addressText(id), RESIDENT_SESSION_MS);
      this.#work(resident, randomWork(RESIDENT_WEIGHTS, true));
    }
    if (HAS_KAZOO) {
      const kazoo = new KazooHistoryClient(this.#history, connectString, this.#chroot, SESSION_MS);
      this.#clients.push(kazoo);
      this.#work(kazoo, randomWork(KAZOO_WEIGHTS, false));
    }
  }

  #client(hosts: string, sessionTimeoutMs: number): OurClient {
    const client = new OurClient(this.#history, { hosts, chroot: this.#chroot, sessionTimeoutMs });
    this.#clients.push(client);
    return client;
  }

  #work(client: HistoryClient, work: Work): void {
    this.#working.push(work(client, this.#context, `c${client.number}`));
  }

  /** Clients that cannot go on are a violation, too. */
  async #strike(): Promise<void> {
    const { faults, lastsMs, smallDisk } = this.#options;
    const context: FaultContext = {
      servers: this.#servers,
      prng: this.#prng,
      smallDisk,
      violations: this.#violations,
    };
    const deadline = performance.now() + lastsMs;
    await sleep(BETWEEN_FAULTS_MS);
    while (performance.now() < deadline) {
      const kind = faults[this.#prng.between(0, faults.length - 1)];
      if (kind === undefined) break;
      this.#lastAckMs = performance.now();
      this.#longestMs = 0;
      await FAULTS[kind](context);
      await this.#servers.untilWhole();
      await sleep(BETWEEN_FAULTS_MS);
      const pause = Math.max(this.#longestMs, performance.now() - this.#lastAckMs);
      const pauses = this.#pauses.get(kind) ?? [];
      this.#pauses.set(kind, pauses);
      pauses.push(pause);
    }
  }

  async #peace(): Promise<void> {
    await this.#servers.untilWhole();
    this.#context.isRunning = false;
    const done = await Promise.race([
      Promise.all(this.#working).then(() => true),
      sleep(SETTLE_MS, false, { ref: false }),
    ]);
    if (!done) this.#violations.push('clients are not answered though there is peace');
    for (const [index, client] of this.#clients.entries()) {
      const isShort = (client.session?.timeoutMs ?? 0) <= SESSION_MS;
      if (index % 2 === 0 && isShort) await client.abandon();
      else await client.close();
    }
    const ended = new Set(this.#history.sessions.filter(({ state }) => state !== 'live'));
    await sleep(SESSION_MS + EXPIRY_SLACK_MS);
    const auditors = await this.#audit();
    if (!(await this.#servers.becomeEqual())) this.#violations.push('the trees differ in the end');
    const blindMs = this.#servers.kind.leaderTimeoutMs + EXPIRY_SLACK_MS;
    const circumstances = { auditors, ended, blindMs, crashes: new Map() };
    checkHistory(this.#history, circumstances, this.#violations);
    checkRecipes(this.#history, this.#violations);
  }

  async #audit(): Promise<Set<number>> {
    const auditors = new Set<number>();
    const paths = everyPath(this.#history);
    for (const id of this.#servers.ids) {
      const auditor = this.#client(this.#servers.addressText(id), SESSION_MS);
      auditors.add(auditor.number);
      const names = [...FOLDERS].map((path) => read('children', path));
      const nodes = id === 1 ? paths.map((path) => read('get', path)) : [];
      await this.#askAll(auditor, [read('sync', '/'), ...names, ...nodes]);
      await auditor.close();
    }
    return auditors;
  }

  async #askAll(client: OurClient, drafts: readonly Draft[]): Promise<void> {
    for (const draft of drafts) {
      if (!(await client.untilSession(SETTLE_MS)))
        throw new Error('no server though there is peace');
      await client.perform(draft);
    }
  }

  #acked(): void {
    const nowMs = performance.now();
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastAckMs);
    this.#lastAckMs = nowMs;
  }
}

function everyPath(history: History): string[] {
  const paths = new Set<string>();
  for (const operation of history.operations) {
    for (const path of pathsOf(operation)) paths.add(path);
  }
  return [...paths];
}

function pathsOf(operation: Operation): string[] {
  const made = operation.changes
    .filter(({ kind }) => kind === 'create')
    .map((change) => createdPath(operation, change));
  return made.filter((path) => path !== undefined);
}
