/** Schedules that broke others: each fails when the guard that it is about is taken away. */

import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import {
  type Epoch,
  makeEpoch,
  makeServerId,
  makeZxid,
  ZXID_NONE,
  type Zxid,
} from '../../../src/base/ids.ts';
import { Prng } from '../../../src/base/prng.ts';
import { Broadcast } from '../../../src/consensus/broadcast.ts';
import type { LinkId, PersistRequest } from '../../../src/consensus/effects.ts';
import { Followers } from '../../../src/consensus/followers.ts';
import { type LogEntry, MessageType, PeerState } from '../../../src/consensus/messages.ts';
import { DEFAULT_TIMINGS, ZabState } from '../../../src/consensus/zab-state.ts';
import { LoneNode, NOTHING_DURABLE } from '../../support/lone-node.ts';

const EPOCH = makeEpoch(3);
const OLD = makeEpoch(2);

function at(epoch: Epoch, counter: number): Zxid {
  return makeZxid(epoch, counter);
}

function entry(epoch: Epoch, counter: number): LogEntry {
  return { zxid: at(epoch, counter), bytes: Buffer.from(`${epoch}/${counter}`) };
}

/** Entries 1 to 3 of the old epoch, the last two perhaps committed. */
const HISTORY = {
  acceptedEpoch: OLD,
  currentEpoch: OLD,
  clusterId: 'cluster',
  epochs: [{ epoch: OLD, last: at(OLD, 3) }],
  committed: at(OLD, 1),
};

/** Server 1 behind the leader 3, up to the promise. */
function following(durable = {}): { lone: LoneNode; link: LinkId } {
  const lone = new LoneNode({ sid: 1, voters: [1, 2, 3], durable });
  const link = lone.followLeader(3, [2], EPOCH);
  lone.receive(link, { type: MessageType.leaderInfo, epoch: EPOCH });
  return { lone, link };
}

function writesOf(lone: LoneNode): PersistRequest[] {
  return lone.effects.filter((effect) => effect.kind === 'persist').map(({ request }) => request);
}

/** Server 3 of three, elected with a history, whose learners the test plays. */
function elected(durable = {}): LoneNode {
  const lone = new LoneNode({ sid: 3, voters: [1, 2, 3], durable });
  const zxid = lone.node.history.last;
  const peerEpoch = makeEpoch(lone.node.currentEpoch);
  for (const sid of [1, 2]) {
    const vote = { leader: makeServerId(3), zxid, peerEpoch, round: 1 };
    lone.node.notified(makeServerId(sid), { state: PeerState.looking, vote });
  }
  lone.settle();
  assert(lone.node.leader !== undefined);
  return lone;
}

describe('a learner', () => {
  it('has the epoch on its disk together with its whole history, or not at all (4643)', () => {
    const { lone, link } = following();
    lone.isDiskStalled = true;
    lone.receive(link, { type: MessageType.diff, zxid: ZXID_NONE });
    lone.receive(link, { type: MessageType.proposal, entries: [entry(OLD, 1), entry(OLD, 2)] });
    lone.receive(link, { type: MessageType.newLeader, epoch: EPOCH, clusterId: 'cluster' });
    let last = ZXID_NONE;
    for (const { append, currentEpoch } of writesOf(lone)) {
      last = append?.at(-1)?.zxid ?? last;
      assert(
        currentEpoch === undefined || last === at(OLD, 2),
        'a crash here leaves the epoch alone',
      );
    }
    assert.equal(last, at(OLD, 2));
  });

  it('acknowledges NEWLEADER before anything that came with or after it (4685)', () => {
    const { lone, link } = following();
    lone.isDiskStalled = true;
    lone.receive(link, { type: MessageType.diff, zxid: ZXID_NONE });
    lone.receive(link, { type: MessageType.newLeader, epoch: EPOCH, clusterId: 'cluster' });
    lone.receive(link, { type: MessageType.proposal, entries: [entry(EPOCH, 1)] });
    lone.isDiskStalled = false;
    lone.settle();
    const acks = lone.sent(link).flatMap((m) => (m.type === MessageType.ack ? [m.zxid] : []));
    assert.deepEqual(acks, [at(EPOCH, 0), at(EPOCH, 1)]);
  });

  it('keeps a COMMIT between NEWLEADER and UPTODATE for later (4394)', () => {
    const { lone, link } = following();
    lone.receive(link, { type: MessageType.diff, zxid: ZXID_NONE });
    lone.receive(link, { type: MessageType.proposal, entries: [entry(OLD, 1)] });
    lone.receive(link, { type: MessageType.commit, zxid: at(OLD, 1) });
    lone.receive(link, { type: MessageType.newLeader, epoch: EPOCH, clusterId: 'cluster' });
    lone.receive(link, { type: MessageType.proposal, entries: [entry(EPOCH, 1)] });
    lone.receive(link, { type: MessageType.commit, zxid: at(EPOCH, 1) });
    assert.equal(
      lone.node.history.committed,
      ZXID_NONE,
      'committed before the leader had a quorum',
    );
    lone.receive(link, { type: MessageType.upToDate });
    assert.equal(lone.node.history.committed, at(EPOCH, 1));
  });

  it('does not vote while a write of its last role is under way (4712)', () => {
    const { lone, link } = following(HISTORY);
    lone.receive(link, { type: MessageType.diff, zxid: at(OLD, 3) });
    lone.receive(link, { type: MessageType.newLeader, epoch: EPOCH, clusterId: 'cluster' });
    lone.receive(link, { type: MessageType.upToDate });
    lone.isDiskStalled = true;
    lone.receive(link, { type: MessageType.proposal, entries: [entry(EPOCH, 1)] });
    const before = lone.effects.length;
    lone.node.closed(link);
    lone.settle();
    const votes = () => lone.effects.slice(before).filter(({ kind }) => kind === 'notify');
    assert.equal(votes().length, 0, 'it speaks of a history that the disk may not have');
    lone.isDiskStalled = false;
    lone.settle();
    const [vote] = votes();
    assert(vote?.kind === 'notify');
    assert.equal(vote.notification.vote.zxid, at(EPOCH, 1));
  });

  it('does not take half a snapshot for a state (3642)', () => {
    const { lone, link } = following(HISTORY);
    const zxid = at(OLD, 9);
    lone.receive(link, { type: MessageType.snap, zxid, epochs: [{ epoch: OLD, last: zxid }] });
    lone.receive(link, { type: MessageType.snapChunk, bytes: Buffer.from('half') });
    lone.receive(link, { type: MessageType.newLeader, epoch: EPOCH, clusterId: 'cluster' });
    assert.equal(lone.node.currentEpoch, OLD, 'NEWLEADER was taken with a snapshot under way');
    lone.node.closed(link);
    lone.settle();
    assert(lone.effects.some(({ kind }) => kind === 'stageAbort'));
    assert.equal(lone.node.history.last, at(OLD, 3));
    assert.equal(lone.node.history.retainedAfter, ZXID_NONE);
  });

  it('has a log that begins where its snapshot ended, to lead with later (2099)', () => {
    const { lone, link } = following(HISTORY);
    const zxid = at(OLD, 9);
    lone.receive(link, { type: MessageType.snap, zxid, epochs: [{ epoch: OLD, last: zxid }] });
    lone.receive(link, { type: MessageType.snapEnd, summary: Buffer.from('') });
    lone.node.snapshotStaged();
    lone.receive(link, { type: MessageType.newLeader, epoch: EPOCH, clusterId: 'cluster' });
    lone.receive(link, { type: MessageType.upToDate });
    assert.equal(lone.node.history.last, zxid);
    assert.equal(lone.node.history.retainedAfter, zxid, 'it would send a DIFF out of nothing');
  });
});

describe('a leader', () => {
  it('sends what was committed while a snapshot was under way behind it (3104)', () => {
    const lone = elected({ ...HISTORY, retainedAfter: at(OLD, 1) });
    const link = lone.connectLearner(2, true, 0);
    lone.promise(link);
    lone.pong(link);
    assert(lone.effects.some(({ kind }) => kind === 'sendSnapshot'));
    lone.node.snapshotOpened(link, at(OLD, 1));
    lone.node.snapshotSent(link, Buffer.from(''));
    lone.settle();
    const read = lone.effects.findLast((effect) => effect.kind === 'readLog');
    assert.equal(read?.after, at(OLD, 1), 'what follows the snapshot is not sent');
    assert(!lone.sentTypes(link).includes(MessageType.newLeader));
    lone.node.logRead(link, [entry(OLD, 2), entry(OLD, 3)]);
    lone.settle();
    assert.equal(lone.sentTypes(link).at(-1), MessageType.newLeader);
  });

  it('leaves its epoch when a voter has promised a later one to nobody any more (E9)', () => {
    const lone = elected(HISTORY);
    lone.promise(lone.connectLearner(1, true, OLD));
    assert.equal(lone.node.acceptedEpoch, 3);
    const late = lone.connectLearner(2, true, 9);
    assert.equal(lone.closeReason(late), 'a voter has promised a later epoch');
    assert.equal(lone.node.leader, undefined);
  });

  it('claims a later epoch when a voter has promised this one to another', () => {
    const lone = elected(HISTORY);
    const link = lone.connectLearner(1, true, EPOCH - 1);
    lone.receive(link, {
      type: MessageType.ackEpoch,
      currentEpoch: undefined,
      lastZxid: at(OLD, 3),
      epochs: HISTORY.epochs,
    });
    lone.advanceWithPongs(DEFAULT_TIMINGS.finalizeMs - 100, link);
    assert(lone.node.leader !== undefined, 'others may promise it still');
    lone.advanceWithPongs(200, link);
    assert.match(lone.closeReason(link) ?? '', /promised this epoch to another/);
    assert.equal(lone.node.leader, undefined);
  });

  it('lets go of a learner that answers pings and acknowledges nothing (2201)', () => {
    const lone = elected();
    const quick = lone.joinLearner(1, true);
    const stuck = lone.joinLearner(2, true);
    const zxid = lone.propose(Buffer.from('a'));
    lone.settle();
    lone.receive(quick, { type: MessageType.ack, zxid });
    assert.equal(lone.node.history.committed, zxid, 'one that does not read holds the others up');
    for (let ms = 0; ms <= DEFAULT_TIMINGS.syncTimeoutMs; ms += 500) {
      lone.advance(500);
      for (const link of [quick, stuck]) lone.pong(link);
    }
    assert.equal(lone.closeReason(stuck), 'acknowledges nothing');
    assert.equal(lone.closeReason(quick), undefined);
  });

  it('gives up when its own disk no longer answers, though everybody hears it (2247)', () => {
    const lone = elected();
    const [a, b] = [lone.joinLearner(1, true), lone.joinLearner(2, true)];
    lone.isDiskStalled = true;
    lone.propose(Buffer.from('a'));
    lone.settle();
    for (let ms = 0; ms <= DEFAULT_TIMINGS.syncTimeoutMs && lone.node.canPropose; ms += 500) {
      for (const link of [a, b]) lone.pong(link);
      lone.advance(500);
    }
    assert(!lone.node.canPropose, 'it leads on without a disk');
  });

  it('starts a new epoch before its counter ends, though proposals are outstanding (1277)', () => {
    const near = (counter: number): Broadcast => {
      const last = at(EPOCH, counter);
      const state = new ZabState(
        {
          sid: makeServerId(1),
          voters: [makeServerId(1)],
          observers: [],
          timings: DEFAULT_TIMINGS,
          freshClusterId: 'cluster',
          prng: new Prng(1),
        },
        {
          ...NOTHING_DURABLE,
          acceptedEpoch: EPOCH,
          currentEpoch: EPOCH,
          epochs: [{ epoch: EPOCH, last }],
          committed: last,
        },
      );
      return new Broadcast(state, EPOCH, new Followers(state));
    };
    assert(!near(1000).isCounterUsedUp);
    const idle = near(0xf000_0000);
    assert(idle.isCounterUsedUp, 'an idle moment is not used');
    idle.propose(Buffer.from('a'));
    assert(!idle.isCounterUsedUp, 'what is outstanding would be lost for nothing');
    const last = near(0xfff0_0000);
    last.propose(Buffer.from('a'));
    assert(last.isCounterUsedUp, 'the counter would run over');
  });
});
