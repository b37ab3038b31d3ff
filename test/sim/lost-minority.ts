/**
 * A minority of the voters that is of no use any more, each in a way of its own, for as long as it
 * takes: the others must go on without it.
 */

import type { Prng } from '../../src/base/prng.ts';
import type { SimWorld } from '../../src/testing/sim-world.ts';
import type { SimCluster, SimMember } from './sim-cluster.ts';

const WAYS = ['dead', 'gone', 'frozen', 'cut off', 'deaf', 'mute', 'without a disk'] as const;
type Way = (typeof WAYS)[number];

const FOREVER_MS = 3_600_000;

export interface LostMinority {
  readonly members: ReadonlySet<SimMember>;
  /** Who is lost, and how. */
  readonly what: string;
  /** What was cut or stopped is as before; who is dead, or has no disk, is dead. */
  readonly end: () => void;
}

/** Fewer than half of the voters, the leader among them more often than not. */
export function loseMinority(world: SimWorld, cluster: SimCluster, prng: Prng): LostMinority {
  const voters = cluster.members.filter(({ isVoter }) => isVoter);
  const count = prng.between(1, Math.max(1, Math.floor((voters.length - 1) / 2)));
  const leader = cluster.leader();
  const members = new Set<SimMember>();
  if (leader !== undefined && prng.chance(0.6)) members.add(leader);
  while (members.size < count) {
    const member = voters[prng.between(0, voters.length - 1)];
    if (member !== undefined) members.add(member);
  }
  const ends: (() => void)[] = [];
  const told: string[] = [];
  for (const member of members) {
    const way = WAYS[prng.between(0, WAYS.length - 1)] ?? 'dead';
    told.push(`server ${member.id} ${way}${member === leader ? ', the leader,' : ''}`);
    ends.push(lose(world, cluster, member, way));
  }
  return {
    members,
    what: told.join(' and '),
    end: () => {
      for (const end of ends) end();
    },
  };
}

function lose(world: SimWorld, cluster: SimCluster, member: SimMember, way: Way): () => void {
  const { hostName } = member;
  const others = cluster.hostNames.filter((other) => other !== hostName);
  switch (way) {
    case 'dead':
    case 'gone':
      cluster.crash(member, { silent: way === 'gone' });
      return () => undefined;
    case 'frozen':
      cluster.pause(member);
      return () => cluster.resume(member);
    case 'without a disk':
      world.stallDisk(hostName, FOREVER_MS);
      return () => {
        if (member.life !== undefined) cluster.crash(member);
      };
    case 'cut off':
    case 'deaf':
    case 'mute':
      for (const other of others) {
        if (way !== 'mute') world.network.cut(other, hostName, { oneWay: true });
        if (way !== 'deaf') world.network.cut(hostName, other, { oneWay: true });
      }
      return () => {
        for (const other of others) world.network.heal(hostName, other);
      };
  }
}
