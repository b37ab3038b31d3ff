/** Storms over the consensus core alone: random events under a seed, then peace, in which all must agree. */

import { strict as assert } from 'node:assert';
import { ZabCluster } from './zab-cluster.ts';

export interface StormOutcome {
  readonly leaderships: number;
  readonly wipes: number;
}

const EVENTS = 1500;

/**
 * Crashes (half of them silent in seeds that wipe), cuts, trims, proposals, and in every other pair
 * of seeds disks that are emptied, at any time those of a minority; then everything heals and must
 * settle. Throws what is wrong.
 */
export function storm(seed: number, isWiping = seed % 4 >= 2): StormOutcome {
  const voters = seed % 3 === 0 ? 5 : 3;
  const cluster = new ZabCluster(voters, seed % 5 === 0 ? 1 : 0, seed);
  const { prng, servers } = cluster;
  let wipes = 0;
  for (let i = 0; i < EVENTS; i++) {
    const victim = prng.between(1, servers.length);
    const other = prng.between(1, servers.length);
    const isUp = cluster.server(victim).node !== undefined;
    if (prng.chance(0.01) && isUp) {
      cluster.crash(victim, { isSilent: isWiping && prng.chance(0.5) });
      const mayWipe = isWiping && lostCount(cluster, voters) < (voters - 1) / 2;
      if (mayWipe && prng.chance(0.4)) {
        cluster.wipe(victim);
        wipes++;
      }
    } else if (prng.chance(0.002)) losePower(cluster);
    else if (prng.chance(0.03) && !isUp) cluster.start(victim);
    else disturb(cluster, victim, other);
  }
  heal(cluster, seed, voters);
  return { leaderships: cluster.leaderOfEpoch.size, wipes };
}

function disturb(cluster: ZabCluster, victim: number, other: number): void {
  const choice = cluster.prng.between(1, 100);
  if (choice === 1) cluster.cut.add(`${victim}-${other}`);
  else if (choice <= 3) cluster.cut.clear();
  else if (choice === 4) cluster.trim(victim);
  else if (choice <= 14) cluster.propose();
  else cluster.step();
}

/** Everybody dies at once. */
function losePower(cluster: ZabCluster): void {
  for (const server of cluster.servers) if (server.node !== undefined) cluster.crash(server.id);
}

function heal(cluster: ZabCluster, seed: number, voters: number): void {
  const { servers } = cluster;
  cluster.cut.clear();
  for (const server of servers) if (server.node === undefined) cluster.start(server.id);
  const isSettled = cluster.runUntil(() => cluster.isSettled());
  assert(isSettled, `seed ${seed}: no progress after healing`);
  for (const server of servers) {
    assert.equal(server.applied.length, cluster.committed.length, `seed ${seed}`);
  }
  for (const entry of cluster.acknowledged) {
    assert(cluster.committed.includes(entry), `seed ${seed}: lost ${entry}`);
  }
  assert(lostCount(cluster, voters) === 0, `seed ${seed}: a server is not whole again`);
}

/** Voters whose disk does not hold all that they vouched for. */
function lostCount(cluster: ZabCluster, voters: number): number {
  const lost = cluster.servers.filter(
    ({ id, disk }) => id <= voters && disk.state.standing !== 'whole',
  );
  return lost.length;
}
