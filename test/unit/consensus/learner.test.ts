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

/** Zxid of a counter in an epoch. */
function at(epoch: number, counter: number): ReturnType<typeof makeZxid> {
  return makeZxid(makeEpoch(epoch), counter);
}

/** Ends of epochs, as the counters they reached. */
function ends(counters: Readonly<Record<number, number>>) {
  return Object.entries(counters).map(([epoch, counter]) => ({
    epoch: makeEpoch(Number(epoch)),
    last: at(Number(epoch), counter),
  }));
}

describe('Learner that knows of committed transactions', () => {
  const COMMITTED = {
    acceptedEpoch: makeEpoch(2),
    currentEpoch: makeEpoch(2),
    epochs: ends({ 1: 4, 2: 9 }),
    committed: at(2, 9),
    retainedAfter: at(2, 5),
  };

  function synchronising(): { lone: LoneNode; link: number } {
    const { lone, link } = following(1, COMMITTED);
    lone.receive(link, { type: MessageType.leaderInfo, epoch: EPOCH });
    return { lone, link };
  }

  /** A leader sends a state with this history, and then the end of the synchronisation. */
  function takeSnapshot(epochs: ReturnType<typeof ends>): { lone: LoneNode; link: number } {
    const { lone, link } = synchronising();
    const zxid = epochs.at(-1)?.last ?? ZXID_NONE;
    lone.receive(link, { type: MessageType.snap, zxid, epochs });
    lone.receive(link, { type: MessageType.snapEnd, summary: Buffer.from('') });
    lone.node.snapshotStaged();
    lone.receive(link, { type: MessageType.newLeader, epoch: EPOCH, clusterId: 'cluster' });
    return { lone, link };
  }

  it('stops rather than forget them, even when its own log does not reach back so far', () => {
    for (const counter of [3, 7]) {
      const { lone, link } = synchronising();
      const trunc = { type: MessageType.trunc, zxid: at(2, counter) } as const;
      assert.throws(() => lone.receive(link, trunc), /lacks transactions.*move its log and state/);
    }
  });

  it('stops rather than take a state that ends before them', () => {
    assert.throws(() => takeSnapshot(ends({ 1: 4, 2: 7 })), /lacks transactions/);
  });

  it('stops rather than take a state whose history went another way', () => {
    assert.throws(() => takeSnapshot(ends({ 1: 4, 3: 1 })), /lacks transactions/);
  });

  it('takes a state that goes on behind them, or whose beginnings nobody remembers', () => {
    for (const epochs of [ends({ 1: 4, 2: 9, 3: 1 }), ends({ 3: 1 })]) {
      const { lone, link } = takeSnapshot(epochs);
      const [ack] = lone.sent(link).filter(({ type }) => type === MessageType.ack);
      assert.deepEqual(ack, { type: MessageType.ack, zxid: at(3, 0) });
    }
  });

  it('takes a state that ends before them if the log behind it holds them', () => {
    const { lone, link } = synchronising();
    lone.receive(link, { type: MessageType.snap, zxid: at(2, 8), epochs: ends({ 1: 4, 2: 8 }) });
    const entries = [{ zxid: at(2, 9), bytes: Buffer.from('x') }];
    lone.receive(link, { type: MessageType.proposal, entries });
    lone.receive(link, { type: MessageType.snapEnd, summary: Buffer.from('') });
    lone.node.snapshotStaged();
    lone.receive(link, { type: MessageType.newLeader, epoch: EPOCH, clusterId: 'cluster' });
    assert.deepEqual(lone.sent(link).at(-1), { type: MessageType.ack, zxid: at(3, 0) });
  });
});

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
