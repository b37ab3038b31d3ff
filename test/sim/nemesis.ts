/**
 * Faults drawn from the seed: which kinds there are in this run, how often one comes, whom it hits
 * and how long it lasts. Every fault ends by itself or with `heal`.
 */

import type { Prng } from '../../src/base/prng.ts';
import { FAULT_SITES, type FaultSite } from '../../src/runtime/fault-site.ts';
import type { SimWorld } from '../../src/testing/sim-world.ts';
import { type DiskFaultKind, DiskFaults } from './disk-faults.ts';
import { FAULT_KINDS, type FaultCounts, type FaultKind, type Victims } from './fault-kinds.ts';
import { NetworkFaults } from './network-faults.ts';
import type { SimCluster, SimMember } from './sim-cluster.ts';

const HOUR_MS = 3_600_000;
/** Of disks harmed, how many go with a machine that is gone without a word. */
const SILENT_LOSS_SHARE = 0.3;
/** The servers look once a second. */
const FULL_MAX_MS = 3000;
/** A second crash so soon finds a server in the middle of its start. */
const AGAIN_MAX_MS = 15;
/** A monotonic clock that is more wrong than that is broken. */
const DRIFT_MAX = 0.1;
/** Sites that a server passes all the time, and those that it passes now and then. */
const PASSES_MAX = 60;
const RARE_PASSES_MAX = 3;
const FREQUENT_SITES: readonly FaultSite[] = ['effect', 'logWrite', 'logWritten', 'applied'];

export class Nemesis {
  readonly counts: FaultCounts = {};
  readonly #world: SimWorld;
  readonly #cluster: SimCluster;
  readonly #victims: Victims;
  readonly #prng: Prng;
  #kinds: readonly FaultKind[];
  readonly #meanPauseMs: number;
  /** How long faults last, drawn up to this. */
  readonly #lengthMaxMs: number;
  /** What is to be undone, and when. */
  #endings: { readonly atMs: number; readonly end: () => void }[] = [];
  #nextAtMs: number;
  readonly #disks: DiskFaults;
  readonly #links: NetworkFaults;
  /** Whoever leads next, other than this one, is to be killed at once. */
  #prey: { readonly leader: SimMember | undefined; readonly untilMs: number } | undefined;
  /** When a client has been acknowledged more than this, the power goes. */
  #powerUntilZxid: number | undefined;
  /** Where somebody is to die, after so many others have passed. */
  #trap: { readonly site: FaultSite; passes: number } | undefined;

  /** `meanPauseMs`: between two faults. */
  constructor(
    world: SimWorld,
    cluster: SimCluster,
    victims: Victims,
    prng: Prng,
    meanPauseMs: number,
  ) {
    this.#world = world;
    this.#cluster = cluster;
    this.#victims = victims;
    this.#prng = prng;
    const share = [0.15, 0.3, 0.6][prng.between(0, 2)] ?? 0.3;
    const drawn = FAULT_KINDS.filter(() => prng.chance(share));
    this.#kinds = drawn.length > 0 ? drawn : ['crashLeader'];
    this.#meanPauseMs = meanPauseMs;
    this.#lengthMaxMs = [50, 150, 300, 600][prng.between(0, 3)] ?? 300;
    this.#nextAtMs = world.nowMs + this.#drawPause();
    this.#disks = new DiskFaults(world, cluster, prng);
    this.#links = new NetworkFaults(world, cluster, victims.clientHosts, prng, (end, lengthMaxMs) =>
      this.#later(end, lengthMaxMs),
    );
    cluster.onEnd = (member) => this.#later(() => this.#revive(member));
    world.onSite = (hostName, site) => this.#passed(hostName, site);
  }

  /** Faults so far. */
  get count(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** Called after every event: strikes where the moment matters. */
  watch(): void {
    if (this.#powerUntilZxid !== undefined && this.#victims.ackedZxid() > this.#powerUntilZxid) {
      this.#powerUntilZxid = undefined;
      this.#losePower();
      this.#struck('losePower');
    }
    const prey = this.#prey;
    if (prey === undefined) return;
    if (this.#world.nowMs > prey.untilMs) this.#prey = undefined;
    const leader = this.#cluster.leader();
    if (leader === undefined || leader === prey.leader) return;
    this.#prey = undefined;
    this.#later(() => {
      if (this.#crash(leader, this.#prng.chance(0.5))) this.#struck('crashNewLeader');
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
    if (kind !== undefined && this.#inflict(kind)) this.#struck(kind);
  }

  /** From now on faults may be of any kind: those of this run find nobody to strike. */
  widen(): void {
    this.#kinds = FAULT_KINDS;
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
    this.#trap = undefined;
    // What ends may have something else begin, that is to end too.
    while (this.#endings.length > 0) for (const { end } of this.#endings.splice(0)) end();
    this.#disks.heal();
    const { network } = this.#world;
    network.heal();
    for (const member of this.#cluster.members) if (member.isPaused) this.#cluster.resume(member);
    this.#cluster.startAll();
  }

  #struck(kind: FaultKind): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
  }

  /** False when there is nobody to inflict it on, or when it will strike later, if at all. */
  #inflict(kind: FaultKind): boolean {
    const world = this.#world;
    const server = this.#drawServer();
    const leader = this.#cluster.leader();
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
        return false;
      case 'crashAtSite':
        this.#setTrap();
        return false;
      case 'losePower':
        this.#powerUntilZxid = this.#victims.ackedZxid();
        return false;
      case 'crashSome':
      case 'crashAll': {
        const share = kind === 'crashAll' ? 1 : 0.5;
        const chosen = this.#cluster.members.filter(() => this.#prng.chance(share));
        const hits = chosen.map((member) => this.#crash(member, false));
        return hits.includes(true);
      }
      case 'slowDisk':
      case 'stallDisk':
        return this.#hinderDisk(server, kind);
      case 'wipeDisk':
      case 'flipBits':
      case 'loseGroup':
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
      case 'driftClock':
        return this.#drift(server);
      case 'crashClient': {
        const hosts = this.#victims.clientHosts();
        const host = hosts[this.#prng.between(0, hosts.length - 1)];
        if (host !== undefined) this.#victims.killClient(host);
        return host !== undefined;
      }
      default:
        return this.#links.inflict(kind, this.#lengthMaxMs);
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

  #drift(member: SimMember | undefined): boolean {
    if (member === undefined) return false;
    const rate = 1 + (2 * this.#prng.fraction() - 1) * DRIFT_MAX;
    this.#world.setClockRate(member.hostName, rate);
    return true;
  }

  #setTrap(): void {
    const site = FAULT_SITES[this.#prng.between(0, FAULT_SITES.length - 1)];
    if (site === undefined) return;
    const passesMax = FREQUENT_SITES.includes(site) ? PASSES_MAX : RARE_PASSES_MAX;
    this.#trap = { site, passes: this.#prng.between(1, passesMax) };
  }

  /** Called in the middle of what a server does. */
  #passed(hostName: string, site: FaultSite): void {
    const trap = this.#trap;
    if (trap === undefined || trap.site !== site || --trap.passes > 0) return;
    const member = this.#cluster.members.find((other) => other.hostName === hostName);
    this.#trap = undefined;
    if (this.#crash(member, this.#prng.chance(0.3))) this.#struck('crashAtSite');
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
    if (member.life !== undefined) this.#crash(member, this.#prng.chance(SILENT_LOSS_SHARE));
    return this.#disks.tamper(member, kind);
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
}
