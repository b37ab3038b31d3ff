import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeEpoch, makeServerId, makeZxid, ZXID_NONE } from '../../../src/base/ids.ts';
import { MessageType, PeerState } from '../../../src/consensus/messages.ts';
import { LoneNode } from '../../support/lone-node.ts';

/** Server 3 of three, elected. */
function elected(): LoneNode {
  const lone = new LoneNode({ sid: 3, voters: [1, 2, 3] });
  for (const sid of [1, 2]) {
    const vote = {
      leader: makeServerId(3),
      zxid: ZXID_NONE,
      peerEpoch: makeEpoch(0),
      round: 1,
    };
    lone.node.notified(makeServerId(sid), { state: PeerState.looking, vote });
  }
  lone.settle();
  assert(lone.node.leader !== undefined);
  return lone;
}

function types(lone: LoneNode, link: number): number[] {
  return lone.sentTypes(link);
}

describe('Discovery', () => {
  it('counts only promises whose givers are still there after the last one came', () => {
    const lone = elected();
    const link = lone.connectLearner(2, true, 0);
    lone.promise(link);
    assert.equal(lone.node.currentEpoch, 0, 'claimed on the word of a server that may be gone');
    lone.pong(link);
    assert.equal(lone.node.currentEpoch, 1);
  });

  it('counts no promise of a voter that lost its data', () => {
    const lone = elected();
    const link = lone.connectLearner(2, true, 0, true);
    lone.pong(link);
    assert.equal(lone.node.acceptedEpoch, 0);
  });
});

describe('Readmission', () => {
  it('lets a voter that lost its data in when a majority without it still follows', () => {
    const lone = elected();
    const follower = lone.joinLearner(2, true);
    lone.advanceWithPongs(300, follower);
    const lost = lone.connectLearner(1, true, 0, true);
    lone.receive(lost, {
      type: MessageType.ackEpoch,
      currentEpoch: undefined,
      lastZxid: ZXID_NONE,
      epochs: [],
    });
    lone.receive(lost, { type: MessageType.ack, zxid: makeZxid(lone.epoch, 0) });
    lone.pong(lost);
    assert(types(lone, lost).includes(MessageType.newLeader));
    assert(!types(lone, lost).includes(MessageType.upToDate), 'nobody else was asked');
    lone.pong(follower);
    assert(types(lone, lost).includes(MessageType.upToDate));
  });

  it('commits nothing on the acknowledgement of a voter that lost its data', () => {
    const lone = elected();
    const follower = lone.joinLearner(2, true);
    const lost = lone.connectLearner(1, true, 0, true);
    lone.promise(lost);
    lone.receive(lost, { type: MessageType.ack, zxid: makeZxid(lone.epoch, 0) });
    lone.pong(follower);
    const zxid = lone.propose(Buffer.from('a'));
    lone.settle();
    lone.receive(lost, { type: MessageType.ack, zxid });
    assert(lone.node.history.committed < zxid);
    lone.receive(follower, { type: MessageType.ack, zxid });
    assert.equal(lone.node.history.committed, zxid);
  });

  it('tells a voter that comes back with another disk and does not know it', () => {
    const lone = elected();
    lone.joinLearner(2, true);
    const again = lone.node.newLink();
    lone.node.learnerConnected(again, makeServerId(2), 'another disk');
    lone.receive(again, {
      type: MessageType.followerInfo,
      acceptedEpoch: makeEpoch(1),
      isRecovering: false,
    });
    assert.deepEqual(types(lone, again), [MessageType.recover]);
  });
});

describe('Leader', () => {
  it('takes more than initLimit for a quorum that needs a large snapshot', () => {
    const last = makeZxid(makeEpoch(1), 500);
    const lone = new LoneNode({
      sid: 3,
      voters: [1, 2, 3],
      durable: {
        acceptedEpoch: makeEpoch(1),
        currentEpoch: makeEpoch(1),
        clusterId: 'cluster',
        epochs: [{ epoch: makeEpoch(1), last }],
        retainedAfter: last,
        committed: last,
      },
    });
    for (const sid of [1, 2]) {
      const vote = { leader: makeServerId(3), zxid: last, peerEpoch: makeEpoch(1), round: 1 };
      lone.node.notified(makeServerId(sid), { state: PeerState.looking, vote });
    }
    lone.settle();
    const link = lone.connectLearner(2, true, 0);
    lone.promise(link);
    lone.pong(link);
    lone.node.snapshotOpened(link, last);
    for (let i = 0; i < 50; i++) {
      lone.advanceWithPongs(1000, link);
      lone.node.snapshotTaken(link);
    }
    assert.equal(lone.closeReason(link), undefined);
    for (let i = 0; i < 50; i++) lone.advanceWithPongs(1000, link);
    assert.match(lone.closeReason(link) ?? '', /initLimit/);
  });
});
