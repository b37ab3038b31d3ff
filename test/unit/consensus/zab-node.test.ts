import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
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

describe('ZabNode', () => {
  it('leads at once when it is the only voter', () => {
    const cluster = settled(1);
    assert.equal(cluster.leader()?.id, 1);
  });

  it('elects the highest server id among equal histories', () => {
    assert.equal(settled(3).leader()?.id, 3);
    assert.equal(settled(5).leader()?.id, 5);
  });

  it('applies every proposal on voters and observers in one order', () => {
    const cluster = settled(3, 2);
    for (let i = 0; i < 50; i++) cluster.propose();
    assert(cluster.runUntil(() => cluster.isSettled()));
    assert.equal(cluster.committed.length, 50);
    for (const server of cluster.servers) assert.equal(server.applied.length, 50);
  });

  it('commits nothing without a quorum and steps down', () => {
    const cluster = settled(3);
    cluster.crash(1);
    cluster.crash(2);
    assert.equal(cluster.leader(), undefined);
    assert.equal(cluster.server(3).role.name, 'looking');
  });

  it('brings a server that missed writes back by DIFF', () => {
    const cluster = settled(3);
    cluster.crash(1);
    for (let i = 0; i < 10; i++) cluster.propose();
    cluster.runUntil(() => cluster.committed.length === 10);
    cluster.syncModes.clear();
    cluster.start(1);
    assert(cluster.runUntil(() => cluster.isSettled()));
    assert.deepEqual([...cluster.syncModes], ['diff']);
    assert.equal(cluster.server(1).applied.length, 10);
  });

  it('brings a server that the trimmed log cannot help back by SNAP', () => {
    const cluster = settled(3);
    cluster.crash(1);
    for (let i = 0; i < 10; i++) cluster.propose();
    cluster.runUntil(() => cluster.isSettled() || cluster.committed.length === 10);
    assert(cluster.runUntil(() => cluster.server(3).applied.length === 10));
    cluster.trim(3);
    cluster.syncModes.clear();
    cluster.start(1);
    assert(cluster.runUntil(() => cluster.isSettled()));
    assert.deepEqual([...cluster.syncModes], ['snap']);
    assert.equal(cluster.server(1).applied.length, 10);
  });

  it('takes an uncommitted tail away by TRUNC', () => {
    const cluster = settled(3);
    const leader = cluster.server(3);
    for (const other of [1, 2]) cluster.links.cut.add(`3-${other}`);
    cluster.propose();
    cluster.propose();
    cluster.runUntil(() => leader.disk.log.length === 2, 900);
    cluster.crash(3);
    assert(cluster.runUntil(() => cluster.leader() !== undefined));
    cluster.links.cut.clear();
    cluster.propose();
    cluster.runUntil(() => cluster.committed.length === 1);
    cluster.syncModes.clear();
    cluster.start(3);
    assert(cluster.runUntil(() => cluster.isSettled()));
    assert(cluster.syncModes.has('trunc'));
    assert.equal(leader.applied.length, 1);
  });

  it('keeps one committed history, every acknowledged write and one leader per epoch under crashes and cuts', () => {
    let leaderships = 0;
    for (let seed = 1; seed <= 300; seed++) leaderships += storm(seed, false).leaderships;
    assert(leaderships > 600, `only ${leaderships} leaderships were established`);
  });
});
