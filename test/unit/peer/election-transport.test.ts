import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeServerId } from '../../../src/base/ids.ts';
import { notification, PeerWorld } from '../../support/peer-world.ts';

const ONE = makeServerId(1);
const TWO = makeServerId(2);

describe('ElectionTransport', () => {
  it('brings notifications in the order in which they were sent', async () => {
    const peers = new PeerWorld(2);
    const one = await peers.electionPeer(1);
    const two = await peers.electionPeer(2);
    await peers.world.runUntil(() => one.reachability.get(TWO) === 'up', 1000);
    for (const round of [1, 2, 3]) one.transport.notify(TWO, notification(round));
    await peers.world.runFor(100);
    assert.deepEqual(
      two.heard,
      [1, 2, 3].map((round) => ({ from: ONE, round })),
    );
  });

  it('keeps only the newest notification for a peer that cannot be reached', async () => {
    const peers = new PeerWorld(2);
    const one = await peers.electionPeer(1);
    for (const round of [1, 2, 3]) one.transport.notify(TWO, notification(round));
    const two = await peers.electionPeer(2);
    await peers.world.runFor(2000);
    assert.deepEqual(two.heard, [{ from: ONE, round: 3 }]);
  });

  it('dials a peer at once when that peer says hello', async () => {
    const peers = new PeerWorld(2);
    const one = await peers.electionPeer(1);
    await peers.world.runFor(10_000);
    assert.equal(one.reachability.get(TWO), 'down');
    await peers.electionPeer(2);
    const inTime = await peers.world.runUntil(() => one.reachability.get(TWO) === 'up', 50);
    assert(inTime, 'it waited for its next attempt');
  });

  it('keeps an idle connection for as long as both sides show life', async () => {
    const peers = new PeerWorld(2);
    const one = await peers.electionPeer(1);
    await peers.electionPeer(2);
    await peers.world.runUntil(() => one.reachability.get(TWO) === 'up', 1000);
    one.reachability.clear();
    await peers.world.runFor(60_000);
    assert.deepEqual([...one.reachability], []);
  });

  it('finds out that a peer vanished without a word, and that it is back', async () => {
    const peers = new PeerWorld(2);
    const one = await peers.electionPeer(1);
    await peers.electionPeer(2);
    await peers.world.runUntil(() => one.reachability.get(TWO) === 'up', 1000);
    peers.world.network.cut('s1', 's2');
    const isLost = await peers.world.runUntil(() => one.reachability.get(TWO) === 'down', 5000);
    assert(isLost, 'the vanished peer still seems to be there');
    peers.world.network.heal();
    assert(await peers.world.runUntil(() => one.reachability.get(TWO) === 'up', 5000));
  });

  it('takes in the successor of a server that vanished, although its disk is new', async () => {
    const peers = new PeerWorld(2);
    const one = await peers.electionPeer(1);
    await peers.electionPeer(2);
    await peers.world.runUntil(() => one.reachability.get(TWO) === 'up', 1000);
    peers.world.crash('s2', { silent: true });
    const two = await peers.electionPeer(2, { incarnation: 'another' });
    const isIn = await peers.world.runUntil(() => two.reachability.get(ONE) === 'up', 300);
    assert(isIn, 'the successor waits until the old connection has been silent for long enough');
  });

  it('says on both sides why a second server with the same number is refused', async () => {
    const peers = new PeerWorld(3);
    const three = await peers.electionPeer(3);
    const two = await peers.electionPeer(2);
    await peers.world.runFor(100);
    two.reachability.clear();
    const twin = await peers.electionPeer(1, { sid: TWO, incarnation: 'twin' });
    await peers.world.runFor(1000);
    assert.match(three.refusals.join('\n'), /two servers have myid 2/);
    assert.match(twin.refusals.join('\n'), /two servers have myid 2/);
    assert.equal(twin.reachability.get(makeServerId(3)), 'down');
    assert.equal(two.reachability.get(makeServerId(3)), undefined, 'the first one was pushed out');
  });
});
