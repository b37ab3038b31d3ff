import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeEpoch, makeZxid, zxidCounter } from '../../../src/base/ids.ts';
import { MessageType } from '../../../src/consensus/messages.ts';
import { LoneNode } from '../../support/lone-node.ts';

describe('Leader', () => {
  it('goes on in the new epoch that a used-up zxid counter led to', () => {
    const last = makeZxid(makeEpoch(1), 0xf000_0001);
    const lone = new LoneNode({
      sid: 1,
      voters: [1],
      durable: {
        acceptedEpoch: makeEpoch(1),
        currentEpoch: makeEpoch(1),
        clusterId: 'cluster',
        epochs: [{ epoch: makeEpoch(1), last }],
        retainedAfter: last,
        committed: last,
      },
    });
    for (let i = 0; i < 20; i++) lone.advance(50);
    assert.equal(lone.node.currentEpoch, 2);
    assert(lone.node.canPropose);
    assert.equal(zxidCounter(lone.propose(Buffer.from('a'))), 1);
  });

  it('informs observers of more in one turn than the window of newest transactions holds', () => {
    const lone = new LoneNode({ sid: 1, voters: [1], observers: [2] });
    const observer = lone.joinLearner(2, false);
    const megabyte = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 40; i++) lone.propose(megabyte);
    lone.settle();
    const informed = lone.sent(observer).filter((message) => message.type === MessageType.inform);
    const entries = informed.flatMap((message) => message.entries);
    assert.deepEqual(
      entries.map(({ zxid }) => zxidCounter(zxid)),
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
  });

  it('takes in an observer that has accepted a later epoch, whose promise decides nothing', () => {
    const lone = new LoneNode({ sid: 1, voters: [1], observers: [2] });
    const link = lone.connectLearner(2, false, 9);
    assert.equal(lone.closeReason(link), undefined);
    assert(lone.sentTypes(link).includes(MessageType.leaderInfo));
    assert(lone.node.canPropose);
  });
});
