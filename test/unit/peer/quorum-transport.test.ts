import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeServerId } from '../../../src/base/ids.ts';
import { MessageType } from '../../../src/consensus/messages.ts';
import { QUEUE_BYTES_MAX } from '../../../src/peer/quorum-transport.ts';
import { PeerWorld, type QuorumPeer } from '../../support/peer-world.ts';

const LEADER = makeServerId(1);
const LINK = 100;

async function connected(): Promise<{ peers: PeerWorld; leader: QuorumPeer; learner: QuorumPeer }> {
  const peers = new PeerWorld(2);
  const leader = await peers.quorumPeer(1);
  const learner = await peers.quorumPeer(2);
  learner.transport.dial(LEADER, LINK);
  assert(await peers.world.runUntil(() => learner.opened.length > 0, 1000));
  return { peers, leader, learner };
}

function chunk(size: number) {
  return { type: MessageType.snapChunk, bytes: new Uint8Array(size) };
}

describe('QuorumTransport', () => {
  it('opens a connection on both sides once each knows who the other is', async () => {
    const { leader, learner } = await connected();
    assert.deepEqual(leader.learners, [{ link: 1, sid: 2 }]);
    assert.deepEqual(learner.opened, [LINK]);
  });

  it('carries messages both ways', async () => {
    const { peers, leader, learner } = await connected();
    leader.transport.broadcast([1], { type: MessageType.ping, sequence: 7 });
    learner.transport.send(LINK, { type: MessageType.pong, sequence: 7 });
    await peers.world.runFor(100);
    const [pong] = leader.received;
    assert.deepEqual(pong, { link: 1, message: { type: MessageType.pong, sequence: 7 } });
    assert.deepEqual(learner.received[0]?.message, { type: MessageType.ping, sequence: 7 });
  });

  it('reports on both sides that a connection has ended', async () => {
    const { peers, leader, learner } = await connected();
    leader.transport.close(1, 'done');
    await peers.world.runFor(100);
    assert.deepEqual(leader.closed, [{ link: 1, reason: 'done' }]);
    assert.equal(learner.closed[0]?.link, LINK);
  });

  it('says on both sides why it refuses a server of another cluster', async () => {
    const peers = new PeerWorld(2);
    const leader = await peers.quorumPeer(1, { clusterId: 'aaaaaaaaaaaa' });
    const learner = await peers.quorumPeer(2, { clusterId: 'bbbbbbbbbbbb' });
    learner.transport.dial(LEADER, LINK);
    await peers.world.runUntil(() => learner.closed.length > 0, 1000);
    assert.match(leader.refusals.join(), /server 2 .* holds data of cluster bbbbbbbb/);
    assert.deepEqual(learner.refusals, leader.refusals);
    assert.deepEqual(leader.learners, []);
  });

  it('refuses a second server with the number of one that is connected, and keeps that one', async () => {
    const { peers, leader, learner } = await connected();
    const rival = await peers.quorumPeer(2, { incarnation: 'another-disk' }, 'rival');
    rival.transport.dial(LEADER, LINK);
    assert(await peers.world.runUntil(() => rival.closed.length > 0, 1000));
    assert.match(rival.refusals.join(), /two servers have myid 2, at s2:\d+ and at rival:\d+/);
    assert.deepEqual(learner.closed, []);
    assert.equal(leader.learners.length, 1);
  });

  it('lets the same server connect again while its old connection seems open', async () => {
    const { peers, leader } = await connected();
    const again = await peers.quorumPeer(2, {}, 'again');
    again.transport.dial(LEADER, LINK);
    assert(await peers.world.runUntil(() => leader.learners.length === 2, 1000));
  });

  it('gives up a connection on which nobody says hello', async () => {
    const peers = new PeerWorld(2);
    const learner = await peers.quorumPeer(2);
    // The leader's kernel accepts, its process stands still.
    await peers.quorumPeer(1);
    peers.world.pause('s1');
    learner.transport.dial(LEADER, LINK);
    await peers.world.runFor(10_000);
    assert.deepEqual(learner.closed, [{ link: LINK, reason: 'no hello in time' }]);
  });

  it('reports the room that a slow connection has again', async () => {
    const { peers, leader } = await connected();
    leader.transport.send(1, chunk(2 * 1024 * 1024));
    assert(leader.transport.queuedBytes(1) >= 2 * 1024 * 1024);
    assert(await peers.world.runUntil(() => leader.drained.includes(1), 10_000));
    assert.equal(leader.transport.queuedBytes(1), 0);
  });

  it('disconnects a peer that lets too much wait, and nobody else', async () => {
    const { peers, leader } = await connected();
    peers.world.pause('s2');
    const size = 8 * 1024 * 1024;
    for (
      let sent = 0;
      sent <= QUEUE_BYTES_MAX + 2 * size && leader.closed.length === 0;
      sent += size
    ) {
      leader.transport.send(1, chunk(size));
      await peers.world.runFor(1);
      assert(leader.transport.queuedBytes(1) <= QUEUE_BYTES_MAX + size + 1024);
    }
    assert.deepEqual(leader.closed, [{ link: 1, reason: 'the other side reads too slowly' }]);
    assert.equal(leader.transport.queuedBytes(1), 0);
  });

  it('sends one message of any size over an idle connection', async () => {
    const { peers, leader, learner } = await connected();
    leader.transport.send(1, chunk(QUEUE_BYTES_MAX + 1));
    await peers.world.runUntil(() => learner.received.length > 0, 60_000);
    assert.equal(leader.closed.length, 0);
    assert.equal(learner.received.length, 1);
  });
});
