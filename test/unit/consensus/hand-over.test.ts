import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { ZabCluster } from '../../support/zab-cluster.ts';

function settled(): ZabCluster {
  const cluster = new ZabCluster(3, 0, 1);
  assert(cluster.runUntil(() => cluster.isSettled()));
  return cluster;
}

describe('ZabNode.handOver()', () => {
  it('leaves leadership to another, and loses nothing', () => {
    const cluster = settled();
    cluster.propose();
    assert(cluster.runUntil(() => cluster.isSettled()));
    cluster.server(3).node?.handOver();
    assert(
      cluster.runUntil(() => cluster.leader()?.id === 2, 1000),
      'nobody else leads soon',
    );
    assert(cluster.runUntil(() => cluster.isSettled()));
    assert.equal(cluster.server(3).applied.length, 1);
  });

  it('leaves leadership to the only other server there is, with its own vote', () => {
    const cluster = settled();
    cluster.propose();
    assert(cluster.runUntil(() => cluster.isSettled()));
    cluster.crash(2);
    cluster.server(3).node?.handOver();
    assert(
      cluster.runUntil(() => cluster.leader()?.id === 1, 1000),
      'nobody leads soon, for want of a vote',
    );
    cluster.propose();
    assert(cluster.runUntil(() => cluster.server(3).applied.length === 2, 1000));
    assert.equal(cluster.leader()?.id, 1);
  });

  it('takes leadership back when the others elect nobody', () => {
    const cluster = settled();
    cluster.crash(2);
    for (const pair of ['1-3', '3-1']) cluster.links.cut.add(pair);
    cluster.server(3).node?.handOver();
    cluster.runUntil(() => cluster.leader() !== undefined, 1000);
    assert.equal(cluster.leader(), undefined);
    cluster.links.cut.clear();
    cluster.runUntil(() => cluster.leader() !== undefined, 10_000);
    assert(cluster.leader() !== undefined);
  });

  it('has no effect on a server that does not lead', () => {
    const cluster = settled();
    cluster.server(1).node?.handOver();
    assert(cluster.runUntil(() => cluster.isSettled(), 1000));
    assert.equal(cluster.leader()?.id, 3);
  });
});
