import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeEpoch, makeZxid, ZXID_NONE, zxidCounter } from '../../../src/base/ids.ts';
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

  it('names where the log must be kept from while a learner is sent a snapshot and what follows', () => {
    const last = makeZxid(makeEpoch(1), 500);
    const lone = new LoneNode({
      sid: 1,
      voters: [1],
      observers: [2],
      durable: {
        acceptedEpoch: makeEpoch(1),
        currentEpoch: makeEpoch(1),
        clusterId: 'cluster',
        epochs: [{ epoch: makeEpoch(1), last }],
        retainedAfter: makeZxid(makeEpoch(1), 100),
        committed: last,
      },
    });
    assert.equal(lone.node.leader?.awaitedAfter, undefined);
    const link = lone.connectLearner(2, false, 0);
    lone.receive(link, {
      type: MessageType.ackEpoch,
      currentEpoch: undefined,
      lastZxid: ZXID_NONE,
      epochs: [],
    });
    const snapshotAt = makeZxid(makeEpoch(1), 300);
    lone.node.snapshotOpened(link, snapshotAt);
    assert.equal(lone.node.leader?.awaitedAfter, snapshotAt);
    lone.node.snapshotSent(link, Buffer.from(''));
    lone.settle();
    assert.equal(lone.node.leader?.awaitedAfter, snapshotAt);
    lone.node.logRead(
      link,
      Array.from({ length: 200 }, (_, i) => ({
        zxid: makeZxid(makeEpoch(1), 301 + i),
        bytes: Buffer.from('x'),
      })),
    );
    assert.equal(lone.node.leader?.awaitedAfter, undefined);
    assert(lone.sentTypes(link).includes(MessageType.snapEnd));
  });

  it('cuts what one turn proposes into messages and writes of bounded size', () => {
    const lone = new LoneNode({ sid: 1, voters: [1] });
    const megabyte = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 40; i++) lone.propose(megabyte);
    lone.settle();
    const writes: number[] = [];
    for (const effect of lone.effects) {
      if (effect.kind !== 'persist' || effect.request.append === undefined) continue;
      writes.push(effect.request.append.length);
    }
    assert.deepEqual(writes, [16, 16, 8]);
    assert.equal(zxidCounter(lone.node.history.durable), 40);
  });
});
