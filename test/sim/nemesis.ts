/**
 * Faults drawn from the seed: which kinds there are in this run, how often one comes, whom it hits
 * and how long it lasts. Every fault ends by itself or with `heal`.
 */

import type { Prng } from '../../src/base/prng.ts';
import type { SimWorld } from '../../src/testing/sim-world.ts';
import { DISK_FAULT_KINDS, type DiskFaultKind, DiskFaults } from './disk-faults.ts';
import type { SimCluster, SimMember } from './sim-cluster.ts';

export const FAULT_KINDS = [
  'crash',
  'crashSilently',
  'crashLeader',
  'crashAll',
  'crashAtOnceAgain',
  'crashNewLeader',
  'losePower',
  'cutOneWay',
  'cutBothWays',
  'isolateLeader',
  'isolateServer',
  'partition',
  'cutClient',
  'clog',
  'breakConnections',
  'breakClient',
  'delay',
  'slowDisk',
  'stallDisk',
  'pause',
  'pauseLeader',
  'skewClock',
  'crashClient',
  ...DISK_FAULT_KINDS,
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];
export type FaultCounts = Partial<Record<FaultKind, number>>;

/** Clients as the nemesis sees them. */
export interface Victims {
  /** Hosts of the living clients. */
  readonly clientHosts: () => readonly string[];
  /** The highest zxid that a client was acknowledged. */
  readonly ackedZxid: () => number;
  /** Kills the client on a host; another one takes its place. */
  readonly killClient: (hostName: string) => void;
}

const HOUR_MS = 3_600_000;
/** The servers look once a second. */
const FULL_MAX_MS = 3000;
/** A second crash so soon finds a server in the middle of its start. */
const AGAIN_MAX_MS = 15;

export class Nemesis {
  readonly counts: FaultCounts = {};
  readonly #world: SimWorld;
  readonly #cluster: SimCluster;
  readonly #victims: Victims;
  readonly #prng: Prng;
  readonly #kinds: readonly FaultKind[];
  readonly #meanPauseMs: number;
  /** How long faults last, drawn up to this. */
  readonly #lengthMaxMs: number;
  /** What is to be undone, and when. */
  #endings: { readonly atMs: number; readonly end: () => void }[] = [];
  #nextAtMs: number;
  readonly #disks: DiskFaults;
  /** Whoever leads next, other than this one, is to be killed at once. */
  #prey: { readonly leader: SimMember | undefined; readonly untilMs: number } | undefined;
  /** When a client has been acknowledged more than this, the power goes. */
  #powerUntilZxid: number | undefined;

  constructor(world: SimWorld, cluster: SimCluster, victims: Victims, prng: Prng) {
    this.#world = world;
    this.#cluster = cluster;
    this.#victims = victims;
    this.#prng = prng;
    const share = [0.15, 0.3, 0.6][prng.between(0, 2)] ?? 0.3;
    const drawn = FAULT_KINDS.filter(() => prng.chance(share));
    this.#kinds = drawn.length > 0 ? drawn : ['crashLeader'];
    this.#meanPauseMs = prng.between(20, 300);
    this.#lengthMaxMs = prng.between(20, 600);
    this.#nextAtMs = world.nowMs + this.#drawPause();
    this.#disks = new DiskFaults(world, cluster, prng);
    cluster.onEnd = (member) => this.#later(() => this.#revive(member));
  }

  /** Called after every event: strikes where the moment matters. */
  watch(): void {
    if (this.#powerUntilZxid !== undefined && this.#victims.ackedZxid() > this.#powerUntilZxid) {
      this.#powerUntilZxid = undefined;
      this.#losePower();
    }
    const prey = this.#prey;
    if (prey === undefined) return;
    if (this.#world.nowMs > prey.untilMs) this.#prey = undefined;
    const leader = this.#cluster.leader();
    if (leader === undefined || leader === prey.leader) return;
    this.#prey = undefined;
    this.#later(() => {
      this.#crash(leader, this.#prng.chance(0.5));
    }, 6);
  }

  /** Called when `wakeAtMs` has come: begins and ends what is due. */
  tick(): void {
    const { nowMs } = this.#world;
    const due = this.#endings.filter(({ atMs }) => atMs <= nowMs);
    if (due.length > 0) {
      this.#endings = this.#endings.filter(({ atMs }) => atMs > nowMs);
      for (const { end } of due) end();
    }
    if (nowMs < this.#nextAtMs) return;
    this.#nextAtMs = nowMs + this.#drawPause();
    const kind = this.#kinds[this.#prng.between(0, this.#kinds.length - 1)];
    if (kind === undefined || !this.#inflict(kind)) return;
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
  }

  /** When the next thing happens. */
  get wakeAtMs(): number {
    let atMs = this.#nextAtMs;
    for (const ending of this.#endings) atMs = Math.min(atMs, ending.atMs);
    return atMs;
  }

  /** Undoes everything: all servers run, everybody hears everybody. */
  heal(): void {
    this.#prey = undefined;
    this.#powerUntilZxid = undefined;
    for (const { end } of this.#endings.splice(0)) end();
    this.#disks.heal();
    const { network } = this.#world;
    network.heal();
    for (const member of this.#cluster.members) if (member.isPaused) this.#cluster.resume(member);
    this.#cluster.startAll();
  }

  /** False when there is nobody to inflict it on. */
  #inflict(kind: FaultKind): boolean {
    const world = this.#world;
    const server = this.#drawServer();
    const leader = this.#cluster.leader();
    const [client] = this.#draw(this.#victims.clientHosts(), 1);
    switch (kind) {
      case 'crash':
        return this.#crash(server, false);
      case 'crashSilently':
        return this.#crash(server, true);
      case 'crashLeader':
        return this.#crash(leader, this.#prng.chance(0.3));
      case 'crashAtOnceAgain':
        return this.#crashAgain(server);
      case 'crashNewLeader':
        this.#prey = { leader, untilMs: world.nowMs + this.#lengthMaxMs };
        return true;
      case 'losePower':
        this.#powerUntilZxid = this.#victims.ackedZxid();
        return true;
      case 'crashAll': {
        const hits = this.#cluster.members.map((member) => this.#crash(member, false));
        return hits.includes(true);
      }
      case 'cutOneWay':
      case 'cutBothWays':
        return this.#cutPair(kind === 'cutOneWay');
      case 'isolateLeader':
        return this.#isolate(leader);
      case 'isolateServer':
        return this.#isolate(server);
      case 'partition':
        return this.#partition();
      case 'cutClient':
        if (client === undefined) return false;
        world.network.partition([client], this.#cluster.hostNames);
        this.#later(() => this.#healBetween([client], this.#cluster.hostNames));
        return true;
      case 'clog':
        return this.#clog();
      case 'breakConnections':
        return this.#breakPair();
      case 'breakClient':
        if (client === undefined || server === undefined) return false;
        return world.network.breakConnections(client, server.hostName) > 0;
      case 'delay':
        return this.#delayPair();
      case 'slowDisk':
      case 'stallDisk':
        return this.#hinderDisk(server, kind);
      case 'wipeDisk':
      case 'flipBits':
      case 'failWrite':
      case 'failSync':
      case 'fillDisk':
        return this.#harmDisk(server, kind);
      case 'pause':
        return this.#pause(server);
      case 'pauseLeader':
        return this.#pause(leader);
      case 'skewClock':
        if (server === undefined) return false;
        world.setClockSkew(server.hostName, this.#prng.between(-HOUR_MS, HOUR_MS));
        return true;
      case 'crashClient':
        if (client === undefined) return false;
        this.#victims.killClient(client);
        return true;
    }
  }

  // Processes -------------------------------------------------------------------------------------

  #crash(member: SimMember | undefined, silent: boolean): boolean {
    if (member?.life === undefined) return false;
    const fates = ['draw', 'draw', 'keep', 'drop'] as const;
    const unsynced = fates[this.#prng.between(0, fates.length - 1)] ?? 'draw';
    this.#cluster.crash(member, { silent, unsynced });
    this.#later(() => this.#revive(member), this.#prng.chance(0.4) ? 5 : this.#lengthMaxMs);
    return true;
  }

  #crashAgain(member: SimMember | undefined): boolean {
    if (!this.#crash(member, false) || member === undefined) return false;
    this.#revive(member);
    this.#later(() => {
      this.#crash(member, false);
    }, AGAIN_MAX_MS);
    return true;
  }

  /** All die and what was not synced is gone; the one that led is missed longer than the others. */
  #losePower(): void {
    const leader = this.#cluster.leader();
    for (const member of this.#cluster.members) {
      if (member.life === undefined) continue;
      this.#cluster.crash(member, { unsynced: this.#prng.chance(0.8) ? 'drop' : 'draw' });
      this.#later(() => this.#revive(member), member === leader ? 600 : 5);
    }
  }

  #revive(member: SimMember): void {
    if (member.life === undefined) this.#cluster.start(member);
  }

  #pause(member: SimMember | undefined): boolean {
    if (member?.life === undefined || member.isPaused) return false;
    this.#cluster.pause(member);
    const { life } = member;
    this.#later(() => {
      if (member.life === life && member.isPaused) this.#cluster.resume(member);
    });
    return true;
  }

  #hinderDisk(member: SimMember | undefined, kind: 'slowDisk' | 'stallDisk'): boolean {
    if (member === undefined) return false;
    if (kind === 'stallDisk') {
      this.#world.stallDisk(member.hostName, this.#prng.fraction() * this.#lengthMaxMs);
      return true;
    }
    const disk = this.#world.disk(member.hostName);
    disk.configure({ slowSyncProbability: 0.3, slowSyncMaxMs: 60 });
    this.#later(() => disk.configure({ slowSyncProbability: 0 }));
    return true;
  }

  #harmDisk(member: SimMember | undefined, kind: DiskFaultKind): boolean {
    if (member === undefined) return false;
    if (kind === 'fillDisk') {
      this.#disks.fill(member, true);
      this.#later(() => this.#disks.fill(member, false), FULL_MAX_MS);
      return true;
    }
    if (kind === 'failWrite' || kind === 'failSync') return this.#disks.fail(member, kind);
    if (member.life !== undefined) this.#crash(member, this.#prng.chance(0.3));
    return this.#disks.tamper(member, kind);
  }

  // Network ---------------------------------------------------------------------------------------

  #cutPair(oneWay: boolean): boolean {
    const [from, to] = this.#draw(this.#cluster.hostNames, 2);
    if (from === undefined || to === undefined) return false;
    this.#world.network.cut(from, to, { oneWay });
    this.#later(() => this.#world.network.heal(from, to));
    return true;
  }

  /** Clients may lose sight of the lone server or go on talking to it. */
  #isolate(member: SimMember | undefined): boolean {
    const others = this.#cluster.hostNames.filter((hostName) => hostName !== member?.hostName);
    if (member === undefined || others.length === 0) return false;
    const alone = [member.hostName];
    const rest = this.#prng.chance(0.3) ? [...others, ...this.#victims.clientHosts()] : others;
    this.#world.network.partition(alone, rest);
    this.#later(() => this.#healBetween(alone, rest));
    return true;
  }

  #partition(): boolean {
    const hosts = [...this.#cluster.hostNames, ...this.#victims.clientHosts()];
    const left = hosts.filter(() => this.#prng.chance(0.5));
    const right = hosts.filter((host) => !left.includes(host));
    if (left.length === 0 || right.length === 0) return false;
    this.#world.network.partition(left, right);
    this.#later(() => this.#healBetween(left, right));
    return true;
  }

  #healBetween(left: readonly string[], right: readonly string[]): void {
    for (const a of left) for (const b of right) this.#world.network.heal(a, b);
  }

  #clog(): boolean {
    const hosts = [...this.#cluster.hostNames, ...this.#victims.clientHosts()];
    const [from, to] = this.#draw(hosts, 2);
    if (from === undefined || to === undefined) return false;
    this.#world.network.clog(from, to, this.#prng.fraction() * this.#lengthMaxMs);
    return true;
  }

  #breakPair(): boolean {
    const [a, b] = this.#draw(this.#cluster.hostNames, 2);
    if (a === undefined || b === undefined) return false;
    return this.#world.network.breakConnections(a, b) > 0;
  }

  #delayPair(): boolean {
    const hosts = [...this.#cluster.hostNames, ...this.#victims.clientHosts()];
    const [from, to] = this.#draw(hosts, 2);
    if (from === undefined || to === undefined) return false;
    const maxDelayMs = this.#prng.between(5, 150);
    this.#world.network.setDelay(from, to, { minDelayMs: 1, maxDelayMs });
    this.#later(() => this.#world.network.setDelay(from, to, undefined));
    return true;
  }

  // Chance ----------------------------------------------------------------------------------------

  #drawPause(): number {
    return this.#prng.between(1, 2 * this.#meanPauseMs);
  }

  #later(end: () => void, lengthMaxMs = this.#lengthMaxMs): void {
    const atMs = this.#world.nowMs + this.#prng.between(1, Math.max(1, lengthMaxMs));
    this.#endings.push({ atMs, end });
  }

  #drawServer(): SimMember | undefined {
    const { members } = this.#cluster;
    return members[this.#prng.between(0, members.length - 1)];
  }

  /** So many different ones of a list. */
  #draw(list: readonly string[], count: number): string[] {
    const rest = [...list];
    const drawn: string[] = [];
    while (drawn.length < count && rest.length > 0) {
      drawn.push(...rest.splice(this.#prng.between(0, rest.length - 1), 1));
    }
    return drawn;
  }
}
