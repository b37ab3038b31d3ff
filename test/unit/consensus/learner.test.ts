import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeEpoch, makeZxid, ZXID_NONE } from '../../../src/base/ids.ts';
import { MessageType } from '../../../src/consensus/messages.ts';
import { DEFAULT_TIMINGS } from '../../../src/consensus/zab-state.ts';
import { LoneNode } from '../../support/lone-node.ts';

const EPOCH = makeEpoch(3);

function following(sid: number, durable = {}): { lone: LoneNode; link: number } {
  const lone = new LoneNode({ sid, voters: [1, 2, 3], observers: [4], durable });
  return { lone, link: lone.followLeader(3, [2], EPOCH) };
}

describe('Learner', () => {
  it('acknowledges NEWLEADER only when the history and the epoch are durable', () => {
    const { lone, link } = following(1);
    lone.receive(link, { type: MessageType.leaderInfo, epoch: EPOCH });
    lone.receive(link, { type: MessageType.diff, zxid: ZXID_NONE });
    lone.isDiskStalled = true;
    lone.receive(link, { type: MessageType.newLeader, epoch: EPOCH, clusterId: 'cluster' });
    assert(!lone.sentTypes(link).includes(MessageType.ack));
    lone.isDiskStalled = false;
    lone.settle();
    assert.deepEqual(lone.sent(link).at(-1), { type: MessageType.ack, zxid: makeZxid(EPOCH, 0) });
  });

  it('refuses a leader of an earlier epoch than the one it promised', () => {
    const { lone, link } = following(1, { acceptedEpoch: makeEpoch(5) });
    lone.receive(link, { type: MessageType.leaderInfo, epoch: EPOCH });
    assert.equal(lone.closeReason(link), 'a later epoch was already promised');
  });

  it('does not let a promise to somebody else count again', () => {
    const { lone, link } = following(1, { acceptedEpoch: EPOCH });
    lone.receive(link, { type: MessageType.leaderInfo, epoch: EPOCH });
    const ack = lone.sent(link).find((message) => message.type === MessageType.ackEpoch);
    assert(ack !== undefined);
    assert.equal(ack.currentEpoch, undefined);
  });

  it('follows a leader of an earlier epoch than it accepted as an observer, until a later one', () => {
    const { lone, link } = following(4, { acceptedEpoch: makeEpoch(5) });
    lone.receive(link, { type: MessageType.leaderInfo, epoch: EPOCH });
    assert.equal(lone.closeReason(link), undefined);
    lone.receive(link, { type: MessageType.diff, zxid: ZXID_NONE });
    lone.receive(link, { type: MessageType.newLeader, epoch: EPOCH, clusterId: 'cluster' });
    lone.receive(link, { type: MessageType.upToDate });
    assert.equal(lone.node.currentEpoch, EPOCH);
    assert.equal(lone.node.acceptedEpoch, 5);
    assert(lone.node.learner?.isServing);
  });

  it('never goes back to the leader of an earlier epoch as an observer', () => {
    const durable = { acceptedEpoch: makeEpoch(4), currentEpoch: makeEpoch(4) };
    const { lone, link } = following(4, durable);
    lone.receive(link, { type: MessageType.leaderInfo, epoch: EPOCH });
    assert.equal(lone.closeReason(link), 'a later leader was already followed');
  });

  it('takes more than initLimit for a snapshot that keeps coming', () => {
    const { lone, link } = following(1);
    lone.receive(link, { type: MessageType.leaderInfo, epoch: EPOCH });
    const zxid = makeZxid(makeEpoch(2), 9);
    const epochs = [{ epoch: makeEpoch(2), last: zxid }];
    lone.receive(link, { type: MessageType.snap, zxid, epochs });
    for (let ms = 0; ms < 2 * DEFAULT_TIMINGS.initTimeoutMs; ms += 500) {
      lone.advance(500);
      lone.receive(link, { type: MessageType.snapChunk, bytes: Buffer.from('x') });
    }
    assert.equal(lone.closeReason(link), undefined);
  });

  it('gives up a synchronisation that stands still for initLimit although the leader is heard', () => {
    const { lone, link } = following(1);
    lone.receive(link, { type: MessageType.leaderInfo, epoch: EPOCH });
    for (let ms = 0; ms <= DEFAULT_TIMINGS.initTimeoutMs; ms += 500) {
      lone.advance(500);
      if (lone.closeReason(link) !== undefined) break;
      lone.receive(link, { type: MessageType.ping, sequence: ms });
    }
    assert.match(lone.closeReason(link) ?? '', /stood still/);
  });
});
