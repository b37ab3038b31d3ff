import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import type { Standing } from '../../../src/base/standing.ts';
import { ZabCluster } from '../../support/zab-cluster.ts';
import { storm } from '../../support/zab-storm.ts';

function settled(voters: number, observers = 0, seed = 1): ZabCluster {
  const cluster = new ZabCluster(voters, observers, seed);
  assert(
    cluster.runUntil(() => cluster.isSettled()),
    'no leader with all followers',
  );
  return cluster;
}

/** Zk1 and zk3 commit without zk2; then all stop. */
function committedWithoutTwo(seed: number): ZabCluster {
  const cluster = settled(3, 0, seed);
  cluster.crash(2);
  cluster.propose();
  assert(cluster.runUntil(() => cluster.committed.length === 1));
  cluster.crash(1);
  cluster.crash(3);
  return cluster;
}

function standings(cluster: ZabCluster): (Standing | undefined)[] {
  return cluster.servers.map((server) => server.node?.standing);
}

describe('an ensemble that starts for the first time', () => {
  it('begins when all voters were seen to have nothing', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const cluster = new ZabCluster(3, 1, seed, { standing: 'new' });
      for (const id of [1, 2, 4]) cluster.start(id);
      cluster.runUntil(() => cluster.leader() !== undefined, 3000);
      assert.equal(cluster.leader(), undefined, 'two of three founded it');
      cluster.start(3);
      assert(cluster.runUntil(() => cluster.isSettled()));
      assert.deepEqual(standings(cluster), Array(4).fill('whole'));
    }
  });

  it('begins at once when there is one voter', () => {
    const cluster = new ZabCluster(1, 0, 1, { standing: 'new' });
    cluster.start(1);
    assert(cluster.runUntil(() => cluster.isSettled()));
  });

  it('does not begin when all data of all voters was lost', () => {
    const cluster = new ZabCluster(3, 0, 1, { standing: 'lost' });
    for (const id of [1, 2, 3]) cluster.start(id);
    cluster.runUntil(() => cluster.leader() !== undefined, 10_000);
    assert.equal(cluster.leader(), undefined);
  });
});

describe('a voter whose disk was emptied', () => {
  it('does not help a server elect that lacks what was acknowledged', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const cluster = committedWithoutTwo(seed);
      cluster.wipe(1);
      cluster.start(1);
      cluster.start(2);
      cluster.runUntil(() => cluster.leader() !== undefined, 5000);
      assert.equal(cluster.leader(), undefined, 'a majority that never had the write elected');
      cluster.start(3);
      assert(cluster.runUntil(() => cluster.isSettled()));
      assert.deepEqual(standings(cluster), Array(3).fill('whole'));
      for (const server of cluster.servers) assert.equal(server.applied.length, 1);
    }
  });

  it('votes again by itself, and is counted, once it has caught up', () => {
    const cluster = settled(3);
    cluster.propose();
    assert(cluster.runUntil(() => cluster.isSettled()));
    cluster.crash(1);
    cluster.wipe(1);
    cluster.start(1);
    assert(cluster.runUntil(() => cluster.isSettled()));
    assert.equal(cluster.server(1).disk.state.standing, 'whole');
    cluster.crash(2);
    cluster.propose();
    assert(cluster.runUntil(() => cluster.committed.length === 2));
  });

  it('is no part of a quorum while it catches up', () => {
    const cluster = settled(3);
    cluster.crash(1);
    cluster.wipe(1);
    cluster.start(1);
    // What it acknowledges arrives at nobody, so it goes on catching up.
    cluster.links.cut.add('1-3');
    cluster.runUntil(() => false, 500);
    cluster.crash(2);
    assert.equal(cluster.leader(), undefined, 'leads with an empty server alone');
  });

  it('heals as an observer, too', () => {
    const cluster = settled(3, 1);
    cluster.propose();
    assert(cluster.runUntil(() => cluster.isSettled()));
    cluster.crash(4);
    cluster.wipe(4);
    cluster.start(4);
    assert(cluster.runUntil(() => cluster.isSettled()));
    assert.equal(cluster.server(4).applied.length, 1);
    assert.equal(cluster.server(4).disk.state.standing, 'whole');
  });

  it('comes back while the others go on, whatever it promised before', () => {
    const cluster = settled(3);
    for (let i = 0; i < 5; i++) {
      cluster.crash(1, { isSilent: true });
      cluster.wipe(1);
      cluster.start(1);
      cluster.propose();
      assert(cluster.runUntil(() => cluster.isSettled()));
    }
    assert.equal(cluster.committed.length, 5);
  });
});

describe('a voter whose disk went back in time', () => {
  it('is told by its leader, and heals', () => {
    const cluster = settled(3);
    cluster.propose();
    assert(cluster.runUntil(() => cluster.isSettled()));
    const image = cluster.image(1);
    cluster.propose();
    assert(cluster.runUntil(() => cluster.isSettled()));
    cluster.crash(1);
    cluster.restore(1, image);
    cluster.start(1);
    const told = (): boolean => cluster.server(1).disk.state.standing === 'lost';
    assert(cluster.runUntil(told, 5000), 'nobody noticed');
    assert(cluster.runUntil(() => cluster.isSettled()));
    assert.equal(cluster.server(1).disk.state.standing, 'whole');
    assert.equal(cluster.server(1).applied.length, 2);
  });

  it('is told when it has forgotten its promise', () => {
    const cluster = settled(3);
    const image = cluster.image(1);
    cluster.crash(3);
    assert(cluster.runUntil(() => cluster.leader() !== undefined));
    cluster.start(3);
    assert(cluster.runUntil(() => cluster.isSettled()));
    const leader = cluster.leader();
    assert(leader !== undefined);
    cluster.crash(1);
    cluster.restore(1, image);
    cluster.start(1);
    if (leader.id !== 1) {
      const told = (): boolean => cluster.server(1).disk.state.standing === 'lost';
      assert(cluster.runUntil(told, 5000), 'nobody noticed');
    }
    assert(cluster.runUntil(() => cluster.isSettled()));
  });
});

describe('disks that are emptied in a storm', () => {
  it('lose no acknowledged write, and no server for good', () => {
    let wipes = 0;
    for (let seed = 1; seed <= 300; seed++) wipes += storm(seed, true).wipes;
    assert(wipes > 300, `only ${wipes} disks were emptied`);
  });
});
