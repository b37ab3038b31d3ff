/**
 * Several `ZabNode`s wired to queues that the test controls: messages, disk writes and time move
 * only when told, in an order drawn from a seed. Histories are checked as they grow.
 */

import { strict as assert } from 'node:assert';
import {
  COUNTER_MAX,
  makeServerId,
  type ServerId,
  ZXID_NONE,
  type Zxid,
  zxidCounter,
  zxidEpoch,
} from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import type { Standing } from '../../src/base/standing.ts';
import type { Effect, LinkId, PersistRequest } from '../../src/consensus/effects.ts';
import type { QuorumMessage } from '../../src/consensus/messages.ts';
import { ZabNode } from '../../src/consensus/zab-node.ts';
import { DEFAULT_TIMINGS } from '../../src/consensus/zab-state.ts';
import { type Choice, Ranks } from './zab-choice.ts';
import { label, ZabChronicle } from './zab-chronicle.ts';
import { falseClaim, falseVote, isAccusation } from './zab-claims.ts';
import {
  checkpointBytes,
  checkpointOf,
  emptyDisk,
  flawOf,
  lastZxid,
  trim,
  write,
} from './zab-disk.ts';
import { ZabLinks } from './zab-links.ts';
import { type OwnDisk, ZabServer } from './zab-server.ts';

export interface ClusterSettings {
  /** With `new` the servers know no more of each other than a real ensemble's at its first start. */
  readonly standing?: Standing;
  /** So many transactions an epoch may have. */
  readonly counterMax?: number;
  /** How long the last voter, which is elected among equals, takes to notice that others are silent. */
  readonly lastTimeoutMs?: number;
}

/** What may be proposed between two looks of the leader at its counter. */
const COUNTER_SLACK = 60;

export class ZabCluster {
  readonly servers: readonly ZabServer[];
  readonly prng: Prng;
  nowMs = 0;
  readonly chronicle = new ZabChronicle();
  /** Payloads whose commitment a leader saw, that is, which a client may have been told of. */
  readonly acknowledged = new Set<string>();
  readonly syncModes = new Set<string>();
  readonly links: ZabLinks;
  /** Some disks and connections are much faster than others, for a while. */
  isSkewed = false;
  readonly #ranks: Ranks;
  #proposals = 0;
  readonly #observers: readonly ServerId[];
  readonly #counterMax: number;
  readonly #lastTimeoutMs: number;
  /** What was committed when a server was asked whether it still leads; by token. */
  readonly #barriers: Zxid[] = [];

  constructor(voters: number, observers: number, seed: number, settings: ClusterSettings = {}) {
    const { standing = 'whole', counterMax = COUNTER_MAX } = settings;
    this.prng = new Prng(seed);
    this.#counterMax = counterMax;
    this.#lastTimeoutMs = settings.lastTimeoutMs ?? DEFAULT_TIMINGS.peerTimeoutMs;
    this.servers = Array.from({ length: voters + observers }, (_, i) => {
      return new ZabServer(makeServerId(i + 1), standing);
    });
    this.#ranks = new Ranks(this.prng);
    this.links = new ZabLinks(
      (sid) => this.server(sid),
      this.prng,
      (sid) => this.#drain(this.server(sid)),
    );
    this.#observers = this.servers.slice(voters).map((server) => server.id);
    if (standing === 'whole') for (const server of this.servers) this.start(server.id);
  }

  server(id: number): ZabServer {
    const server = this.servers[id - 1];
    assert(server !== undefined);
    return server;
  }

  start(id: number): void {
    const server = this.server(id);
    assert(server.node === undefined);
    const { voters } = this;
    server.node = new ZabNode(
      {
        sid: server.id,
        voters,
        observers: this.#observers,
        timings: {
          ...DEFAULT_TIMINGS,
          ...(voters.at(-1) === server.id && { peerTimeoutMs: this.#lastTimeoutMs }),
        },
        freshClusterId: `cluster-${id}`,
        counterMax: this.#counterMax,
        prng: new Prng(this.prng.uint32()),
      },
      server.disk.state,
    );
    server.life++;
    server.writes = [];
    server.staging = 'none';
    const { checkpoint, log, state } = server.disk;
    const tail = log.filter((entry) => entry.zxid <= state.committed);
    server.applied = [...checkpoint, ...tail];
    for (const [index, entry] of server.applied.entries()) {
      this.chronicle.known(server.id, state.currentEpoch, index, entry);
    }
    server.node.start(this.nowMs);
    for (const other of this.servers) {
      if (other === server) continue;
      const isUp = other.node !== undefined;
      server.node.reachability(other.id, isUp ? 'up' : 'down');
      other.node?.reachability(server.id, 'up');
      if (other.node !== undefined) server.node.met(other.id, other.node.isEmpty);
      other.node?.met(server.id, server.node.isEmpty);
      if (other.node !== undefined) this.#drain(other);
    }
    this.#drain(server);
  }

  /**
   * Kills the process: queued writes are lost, or some of them survive. After a silent death the
   * others' connections to it stay open, as far as they can tell.
   */
  crash(id: number, { isSilent = false } = {}): void {
    const server = this.server(id);
    const survivors = this.prng.between(0, server.writes.length);
    for (const request of server.writes.slice(0, survivors)) this.#write(server, request);
    server.node = undefined;
    server.writes = [];
    server.role = { name: 'looking' };
    this.links.died(server.id, isSilent);
    for (const other of isSilent ? [] : this.servers) {
      other.node?.reachability(server.id, 'down');
      if (other.node !== undefined) this.#drain(other);
    }
  }

  /** Puts an empty disk in the place of a server's, which must be down. */
  wipe(id: number, standing: Standing = 'new'): void {
    const server = this.server(id);
    assert(server.node === undefined);
    server.disk = { ...emptyDisk(standing), incarnation: `disk ${this.prng.uint32()} of ${id}` };
    server.applied = [];
  }

  /** A copy of a server's disk, to be put back with `restore`. */
  image(id: number): OwnDisk {
    const { disk } = this.server(id);
    return { ...disk, log: [...disk.log], checkpoint: [...disk.checkpoint] };
  }

  restore(id: number, image: OwnDisk): void {
    const server = this.server(id);
    assert(server.node === undefined);
    server.disk = { ...image, log: [...image.log], checkpoint: [...image.checkpoint] };
  }

  /** Drops the log below what is applied; a later laggard needs a snapshot. */
  trim(id: number): void {
    const server = this.server(id);
    const { node, disk } = server;
    if (node === undefined || server.writes.length > 0) return;
    const upTo = server.lastApplied;
    if (upTo < disk.state.retainedAfter || upTo > node.history.durable) return;
    trim(disk, server.applied, upTo);
    node.trimmed(upTo);
  }

  get voters(): readonly ServerId[] {
    return this.servers.map(({ id }) => id).filter((sid) => !this.#observers.includes(sid));
  }

  /** Committed transactions in their one true order. */
  get committed(): readonly string[] {
    return this.chronicle.committed;
  }

  leader(): ZabServer | undefined {
    return this.servers.find((server) => server.node?.canPropose);
  }

  /** Offers a transaction to every server that believes it leads. */
  propose(): void {
    for (const server of this.servers) {
      if (!server.node?.canPropose) continue;
      const payload = `t${++this.#proposals}@${server.id}`;
      const zxid = server.node.propose(Buffer.from(payload));
      const isInTime = zxidCounter(zxid) <= this.#counterMax + COUNTER_SLACK;
      assert(isInTime, `the counter of epoch ${zxidEpoch(zxid)} runs over`);
      this.#drain(server);
    }
  }

  /** Asks every server that believes it leads whether it does: one that says so holds all there is. */
  sync(): void {
    for (const server of this.servers) {
      if (!server.node?.canPropose) continue;
      server.node.barrier(this.#barriers.length);
      this.#barriers.push(this.chronicle.committedZxid);
      this.#drain(server);
    }
  }

  /** One random event: a message, a write, a notification, or a little time. */
  step(): void {
    const choices: Choice[] = [];
    for (const server of this.servers) {
      if (server.isHanging) continue;
      const key = `disk ${server.id}`;
      if (server.writes.length > 0) {
        choices.push({ key, happen: () => this.#completeWrites(server) });
      }
      if (server.staging === 'writing') {
        choices.push({ key, happen: () => this.#completeStaging(server) });
      }
    }
    this.links.addChoices(choices);
    const choice = this.isSkewed
      ? this.#ranks.first(choices)
      : choices[this.prng.between(0, choices.length)];
    if (choice === undefined || this.prng.chance(0.02)) this.advance(this.prng.between(1, 40));
    else choice.happen();
  }

  advance(ms: number): void {
    this.nowMs += ms;
    for (const server of this.servers) {
      server.node?.tick(this.nowMs);
      if (server.node !== undefined) this.#drain(server);
    }
  }

  /** Runs random events until the condition holds; false when `limitMs` of virtual time did not suffice. */
  runUntil(condition: () => boolean, limitMs = 60_000): boolean {
    const end = this.nowMs + limitMs;
    while (!condition()) {
      if (this.nowMs > end) return false;
      this.step();
    }
    return true;
  }

  isSettled(): boolean {
    const leader = this.leader();
    if (leader === undefined) return false;
    const target = leader.node?.history.last ?? ZXID_NONE;
    return this.servers.every(
      (server) =>
        server.node !== undefined &&
        server.role.name !== 'looking' &&
        server.role.isServing &&
        server.lastApplied === target,
    );
  }

  #completeWrites(server: ZabServer): void {
    const count = this.prng.between(1, server.writes.length);
    const done = server.writes.splice(0, count);
    for (const request of done) this.#write(server, request);
    const last = done.at(-1);
    if (last !== undefined) server.node?.persisted(last.id);
    this.#drain(server);
  }

  #completeStaging(server: ZabServer): void {
    server.staging = 'durable';
    server.node?.snapshotStaged();
    this.#drain(server);
  }

  #write(server: ZabServer, request: PersistRequest): void {
    const { id, disk, staged, staging } = server;
    const isThere = request.snapshot === undefined || staging === 'durable';
    assert(isThere, `server ${id} puts a checkpoint in place that is not there`);
    const { acceptedEpoch, currentEpoch } = disk.state;
    write(disk, request, staged ?? []);
    const { state } = disk;
    assert(state.acceptedEpoch >= acceptedEpoch, `server ${id} forgets a promise`);
    assert(state.currentEpoch >= currentEpoch, `server ${id} goes back to an earlier epoch`);
    holds(server, flawOf(disk));
  }

  #drain(server: ZabServer): void {
    for (const effect of server.node?.takeEffects() ?? []) {
      if (server.node === undefined) return;
      this.#carryOut(server, server.node, effect);
    }
    const { node, disk, writes } = server;
    const isEven = node === undefined || writes.length > 0 || node.history.last === lastZxid(disk);
    assert(isEven, `server ${server.id}: INV-9: its memory differs from its disk`);
  }

  #carryOut(server: ZabServer, node: ZabNode, effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        server.writes.push(effect.request);
        if (node.leader !== undefined && effect.request.currentEpoch !== undefined) {
          this.chronicle.claimed(server.id, effect.request.currentEpoch, server.disk);
        }
        return;
      case 'notify': {
        const { to, notification } = effect;
        holds(server, falseVote(server.id, server, notification));
        this.links.notify(server.id, to, notification);
        return;
      }
      case 'dial':
        this.links.dial(server, effect.leader, effect.link);
        return;
      case 'send':
        this.#send(server, effect.link, effect.message);
        return;
      case 'broadcast':
        for (const link of effect.links) this.#send(server, link, effect.message);
        return;
      case 'close': {
        const { reason } = effect;
        assert(!isAccusation(reason), `server ${server.id} accuses another: ${reason}`);
        this.links.close(server, effect.link);
        return;
      }
      case 'readLog': {
        const { log, state } = server.disk;
        const isCovered = effect.after >= state.retainedAfter;
        const entries = isCovered ? log.filter((entry) => entry.zxid > effect.after) : [];
        node.logRead(effect.link, entries.slice(0, this.prng.between(1, 5)));
        this.#drain(server);
        return;
      }
      case 'sendSnapshot':
        node.snapshotOpened(effect.link, server.disk.state.retainedAfter);
        this.#drain(server);
        this.#send(server, effect.link, {
          type: 33,
          bytes: checkpointBytes(server.disk),
        });
        node.snapshotSent(effect.link, Buffer.alloc(0));
        this.#drain(server);
        return;
      case 'stageBegin':
        server.staged = [];
        server.staging = 'arriving';
        return;
      case 'stageChunk':
        server.staged = checkpointOf(effect.bytes);
        return;
      case 'stageEnd':
        server.staging = 'writing';
        return;
      case 'stageAbort':
        server.staging = 'none';
        return;
      case 'apply':
        this.#apply(server, node, effect.upTo);
        return;
      case 'role':
        server.role = effect.role;
        if (effect.role.name === 'leading' && effect.role.isServing) {
          this.chronicle.established(server.id, effect.role.epoch, server.disk);
        }
        return;
      case 'learnerReady':
        this.syncModes.add(effect.report.mode);
        return;
      case 'barrier': {
        const isCurrent = effect.zxid >= (this.#barriers[effect.token] ?? ZXID_NONE);
        assert(isCurrent, `server ${server.id}: a sync ends without what was committed before it`);
        return;
      }
      case 'trace':
        return;
      case 'fatal':
        assert.fail(`server ${server.id}: ${effect.reason}`);
    }
  }

  #send(server: ZabServer, number: LinkId, message: QuorumMessage): void {
    holds(server, falseClaim(server, message));
    this.links.send(server, number, message);
  }

  #apply(server: ZabServer, node: ZabNode, upTo: Zxid): void {
    const { disk } = server;
    const before = server.apply(upTo);
    for (const [index, entry] of server.applied.slice(before).entries()) {
      this.chronicle.known(server.id, disk.state.currentEpoch, before + index, entry);
    }
    assert(server.lastApplied === upTo, 'applied what is not durable');
    if (node.canPropose) {
      for (const entry of server.applied) {
        if (zxidEpoch(entry.zxid) === node.currentEpoch) this.acknowledged.add(label(entry));
      }
    }
  }
}

function holds({ id }: ZabServer, violation: string | undefined): void {
  assert(violation === undefined, `server ${id}: ${violation}`);
}
