/** What happens to the links of a simulated ensemble, each fault with its end. */

import type { Prng } from '../../src/base/prng.ts';
import type { SimWorld } from '../../src/testing/sim-world.ts';
import type { SimCluster, SimMember } from './sim-cluster.ts';

export const NETWORK_FAULT_KINDS = [
  'cutOneWay',
  'cutBothWays',
  /** A server that is heard and hears nothing, or the other way round. */
  'deafen',
  'isolateLeader',
  'isolateServer',
  /** For longer than anybody waits. */
  'isolateLong',
  'partition',
  /** Two halves that both see one server in the middle. */
  'bridge',
  'cutClient',
  'clog',
  /** One server after the other stands still; they come back in another order. */
  'swizzle',
  'breakConnections',
  'breakClient',
  'delay',
  'slowNetwork',
] as const;
export type NetworkFaultKind = (typeof NETWORK_FAULT_KINDS)[number];

/** Has something undone after a while, drawn up to so long. */
export type Later = (end: () => void, lengthMaxMs?: number) => void;

const LONG_MS = 2500;

export class NetworkFaults {
  readonly #world: SimWorld;
  readonly #cluster: SimCluster;
  readonly #clientHosts: () => readonly string[];
  readonly #prng: Prng;
  readonly #later: Later;

  constructor(
    world: SimWorld,
    cluster: SimCluster,
    clientHosts: () => readonly string[],
    prng: Prng,
    later: Later,
  ) {
    this.#world = world;
    this.#cluster = cluster;
    this.#clientHosts = clientHosts;
    this.#prng = prng;
    this.#later = later;
  }

  /** False when there is nobody to inflict it on. */
  inflict(kind: NetworkFaultKind, lengthMs: number): boolean {
    const servers = this.#cluster.hostNames;
    const server = this.#cluster.members[this.#prng.between(0, servers.length - 1)];
    const [client] = this.#draw(this.#clientHosts(), 1);
    switch (kind) {
      case 'cutOneWay':
      case 'cutBothWays':
        return this.#cutPair(kind === 'cutOneWay');
      case 'deafen':
        return this.#deafen(server);
      case 'isolateLeader':
        return this.#isolate(this.#cluster.leader());
      case 'isolateServer':
        return this.#isolate(server);
      case 'isolateLong':
        return this.#isolate(this.#prng.chance(0.5) ? this.#cluster.leader() : server, LONG_MS);
      case 'partition':
        return this.#partition();
      case 'bridge':
        return this.#bridge();
      case 'cutClient':
        if (client === undefined) return false;
        return this.#part([client], servers);
      case 'clog':
        return this.#clog(lengthMs);
      case 'swizzle':
        return this.#swizzle(lengthMs);
      case 'breakConnections':
        return this.#breakPair();
      case 'breakClient':
        if (client === undefined || server === undefined) return false;
        return this.#world.network.breakConnections(client, server.hostName) > 0;
      case 'delay':
        return this.#delayPair();
      case 'slowNetwork':
        return this.#slowAll();
    }
  }

  #part(left: readonly string[], right: readonly string[], lengthMaxMs?: number): boolean {
    if (left.length === 0 || right.length === 0) return false;
    this.#world.network.partition(left, right);
    this.#later(() => this.#healBetween(left, right), lengthMaxMs);
    return true;
  }

  #healBetween(left: readonly string[], right: readonly string[]): void {
    for (const a of left) for (const b of right) this.#world.network.heal(a, b);
  }

  #cutPair(oneWay: boolean): boolean {
    const [from, to] = this.#draw(this.#cluster.hostNames, 2);
    if (from === undefined || to === undefined) return false;
    this.#world.network.cut(from, to, { oneWay });
    this.#later(() => this.#world.network.heal(from, to));
    return true;
  }

  #deafen(member: SimMember | undefined): boolean {
    const others = this.#othersOf(member);
    if (member === undefined || others.length === 0) return false;
    const isDeaf = this.#prng.chance(0.5);
    for (const other of others) {
      const [from, to] = isDeaf ? [other, member.hostName] : [member.hostName, other];
      this.#world.network.cut(from, to, { oneWay: true });
    }
    this.#later(() => this.#healBetween([member.hostName], others));
    return true;
  }

  /** Clients may lose sight of the lone server or go on talking to it. */
  #isolate(member: SimMember | undefined, lengthMaxMs?: number): boolean {
    const others = this.#othersOf(member);
    if (member === undefined || others.length === 0) return false;
    const rest = this.#prng.chance(0.3) ? [...others, ...this.#clientHosts()] : others;
    return this.#part([member.hostName], rest, lengthMaxMs);
  }

  #partition(): boolean {
    const hosts = [...this.#cluster.hostNames, ...this.#clientHosts()];
    const left = hosts.filter(() => this.#prng.chance(0.5));
    const right = hosts.filter((host) => !left.includes(host));
    return this.#part(left, right);
  }

  #bridge(): boolean {
    const [, ...rest] = this.#draw(this.#cluster.hostNames, this.#cluster.members.length);
    const middle = Math.ceil(rest.length / 2);
    return this.#part(rest.slice(0, middle), rest.slice(middle));
  }

  #clog(lengthMs: number): boolean {
    const [from, to] = this.#draw([...this.#cluster.hostNames, ...this.#clientHosts()], 2);
    if (from === undefined || to === undefined) return false;
    this.#world.network.clog(from, to, this.#prng.fraction() * lengthMs);
    return true;
  }

  #swizzle(lengthMs: number): boolean {
    const { network } = this.#world;
    const chosen = this.#draw(this.#cluster.hostNames, this.#prng.between(2, 3));
    for (const hostName of chosen) {
      this.#later(() => {
        for (const other of this.#cluster.hostNames) {
          if (other === hostName) continue;
          network.clog(other, hostName, lengthMs);
          network.clog(hostName, other, lengthMs);
        }
        this.#later(() => this.#healBetween([hostName], this.#cluster.hostNames));
      });
    }
    return chosen.length > 0;
  }

  #breakPair(): boolean {
    const [a, b] = this.#draw(this.#cluster.hostNames, 2);
    if (a === undefined || b === undefined) return false;
    return this.#world.network.breakConnections(a, b) > 0;
  }

  #delayPair(): boolean {
    const [from, to] = this.#draw([...this.#cluster.hostNames, ...this.#clientHosts()], 2);
    if (from === undefined || to === undefined) return false;
    this.#delay(from, to, this.#prng.between(5, 150));
    return true;
  }

  #slowAll(): boolean {
    const maxDelayMs = this.#prng.between(3, 20);
    for (const from of this.#cluster.hostNames) {
      for (const to of this.#cluster.hostNames) {
        if (from !== to) this.#delay(from, to, maxDelayMs);
      }
    }
    return true;
  }

  #delay(from: string, to: string, maxDelayMs: number): void {
    this.#world.network.setDelay(from, to, { minDelayMs: 1, maxDelayMs });
    this.#later(() => this.#world.network.setDelay(from, to, undefined));
  }

  #othersOf(member: SimMember | undefined): readonly string[] {
    return this.#cluster.hostNames.filter((hostName) => hostName !== member?.hostName);
  }

  #draw<T>(list: readonly T[], count: number): T[] {
    const rest = [...list];
    const drawn: T[] = [];
    while (drawn.length < count && rest.length > 0) {
      drawn.push(...rest.splice(this.#prng.between(0, rest.length - 1), 1));
    }
    return drawn;
  }
}
