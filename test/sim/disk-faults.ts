/**
 * What happens to disks in a simulation. At any time a minority of the voters may lack what it
 * vouched for; more would be a loss that nobody can make good, and no fault of the servers.
 */

import type { Prng } from '../../src/base/prng.ts';
import { isSetAside } from '../../src/server/set-aside.ts';
import type { SimWorld } from '../../src/testing/sim-world.ts';
import type { SimCluster, SimMember } from './sim-cluster.ts';

export const DISK_FAULT_KINDS = [
  'wipeDisk',
  'flipBits',
  /** A group of transactions is gone from the log. */
  'loseGroup',
  'failWrite',
  'failSync',
  'fillDisk',
] as const;
export type DiskFaultKind = (typeof DISK_FAULT_KINDS)[number];

const LOG = '/data/log';
const STATE = '/data/state';
/** First byte of the keys under which the log keeps its groups. */
const GROUP_KEY = 0x4c;
/** Less than the reserve, and more than any simulation writes. */
const NEARLY_FULL_BYTES = 64 * 1024 * 1024;

/** Stores, two a time. A server whose data was set aside often asks its operator for a new disk, and ends. */
const SET_ASIDE_MAX = 12;

export class DiskFaults {
  readonly #world: SimWorld;
  readonly #cluster: SimCluster;
  readonly #prng: Prng;
  /** Voters whose disk was tampered with and that were not seen whole since. */
  readonly #hurt = new Set<SimMember>();

  constructor(world: SimWorld, cluster: SimCluster, prng: Prng) {
    this.#world = world;
    this.#cluster = cluster;
    this.#prng = prng;
  }

  /** Changes the disk of a server that is down. False when too many have been hurt already. */
  tamper(member: SimMember, kind: 'wipeDisk' | 'flipBits' | 'loseGroup'): boolean {
    const disk = this.#world.disk(member.hostName);
    if (member.life !== undefined || !this.#mayHurt(member)) return false;
    if (kind === 'wipeDisk') {
      disk.wipe('/data');
    } else if ([...disk.stores.keys()].filter(isSetAside).length > SET_ASIDE_MAX) {
      return false;
    } else if (kind === 'loseGroup') {
      const groups = disk.entries(LOG).filter(([key]) => key[0] === GROUP_KEY);
      const group = groups[this.#prng.between(0, Math.max(0, groups.length - 1))];
      if (group === undefined) return false;
      disk.edit(LOG, group[0], undefined);
    } else {
      const directory = this.#prng.chance(0.5) ? LOG : STATE;
      const count = disk.entries(directory).length;
      if (count === 0) return false;
      const chosen = this.#prng.between(0, count - 1);
      let index = 0;
      disk.corrupt(directory, () => index++ === chosen);
    }
    member.isTampered = true;
    if (member.isVoter) this.#hurt.add(member);
    return true;
  }

  /** The next write of a server that runs fails, and so the server ends. */
  fail(member: SimMember, kind: 'failWrite' | 'failSync'): boolean {
    const directory = this.#prng.chance(0.8) ? LOG : STATE;
    const disk = this.#world.disk(member.hostName);
    if (this.#cluster.view(member) === undefined || !disk.stores.has(directory)) return false;
    member.isDoomed = true;
    disk.failNext(directory, kind === 'failWrite' ? 'write' : 'sync');
    return true;
  }

  /** Other programs leave next to nothing of a disk, or free it again. */
  fill(member: SimMember, isFull: boolean): void {
    const disk = this.#world.disk(member.hostName);
    disk.occupiedBytes = isFull ? disk.capacityBytes - NEARLY_FULL_BYTES : 0;
  }

  /** No disk fails any more. */
  heal(): void {
    for (const member of this.#cluster.members) {
      this.fill(member, false);
      for (const store of this.#world.disk(member.hostName).stores.values()) {
        store.failNext = undefined;
      }
      // A write may have failed already, which is the server's end, though it has not heard of it yet.
      if (member.isDoomed && member.life !== undefined) this.#cluster.crash(member);
      member.isDoomed = false;
    }
  }

  #mayHurt(member: SimMember): boolean {
    if (!member.isVoter) return true;
    for (const other of this.#hurt) {
      if (this.#cluster.view(other)?.standing === 'whole') this.#hurt.delete(other);
    }
    const voterCount = this.#cluster.members.filter(({ isVoter }) => isVoter).length;
    return this.#hurt.has(member) || (this.#hurt.size + 1) * 2 < voterCount;
  }
}
