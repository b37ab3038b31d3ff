import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { makeEpoch, makeServerId, ZXID_NONE } from '../../../src/base/ids.ts';
import { PeerState } from '../../../src/consensus/messages.ts';
import { LoneNode } from '../../support/lone-node.ts';

function looking(lone: LoneNode, from: number, leader: number, round: number): void {
  const vote = { leader: makeServerId(leader), zxid: ZXID_NONE, peerEpoch: makeEpoch(0), round };
  lone.node.notified(makeServerId(from), { state: PeerState.looking, vote });
  lone.settle();
}

function notifiedAfter(lone: LoneNode, cause: () => void): number[] {
  const before = lone.effects.length;
  cause();
  const fresh = lone.effects.slice(before).filter((effect) => effect.kind === 'notify');
  return fresh.map((effect) => effect.to);
}

describe('Election', () => {
  it('answers a worse vote of its round at once: the sender missed the better one', () => {
    const lone = new LoneNode({ sid: 3, voters: [1, 2, 3] });
    assert.deepEqual(
      notifiedAfter(lone, () => looking(lone, 1, 1, 1)),
      [1],
    );
  });

  it('answers a vote of an earlier round and leaves its own round as it is', () => {
    const lone = new LoneNode({ sid: 1, voters: [1, 2, 3] });
    looking(lone, 2, 2, 5);
    assert.deepEqual(
      notifiedAfter(lone, () => looking(lone, 3, 3, 1)),
      [3],
    );
    assert.equal(lone.node.leader, undefined);
  });

  it('elects at once when everybody agrees, and waits when one has not been heard', () => {
    const hasAll = new LoneNode({ sid: 3, voters: [1, 2, 3] });
    looking(hasAll, 1, 3, 1);
    assert.equal(hasAll.node.leader, undefined);
    looking(hasAll, 2, 3, 1);
    assert(hasAll.node.leader !== undefined);
    const lacksOne = new LoneNode({ sid: 3, voters: [1, 2, 3] });
    looking(lacksOne, 1, 3, 1);
    lacksOne.advance(100);
    assert.equal(lacksOne.node.leader, undefined);
    lacksOne.advance(200);
    assert(lacksOne.node.leader !== undefined);
  });

  it('does not wait for a voter that cannot be reached', () => {
    const lone = new LoneNode({ sid: 3, voters: [1, 2, 3] });
    lone.node.reachability(makeServerId(2), 'down');
    looking(lone, 1, 3, 1);
    assert(lone.node.leader !== undefined);
  });

  it('elects in spite of two voters of five that swallow everything', () => {
    const lone = new LoneNode({ sid: 5, voters: [1, 2, 3, 4, 5] });
    looking(lone, 3, 5, 1);
    looking(lone, 4, 5, 1);
    assert.equal(lone.node.leader, undefined);
    lone.advance(200);
    assert(lone.node.leader !== undefined);
  });

  it('does not join a leader that only its followers speak of', () => {
    const lone = new LoneNode({ sid: 1, voters: [1, 2, 3, 4, 5] });
    for (const sid of [2, 3, 4]) lone.hear(sid, PeerState.following, 5);
    assert.equal(lone.effects.filter((effect) => effect.kind === 'dial').length, 0);
    lone.hear(5, PeerState.leading, 5);
    assert.equal(lone.node.learner?.leader, 5);
  });

  it('counts neither observers nor votes for servers that do not vote', () => {
    const lone = new LoneNode({ sid: 2, voters: [1, 2, 3], observers: [4] });
    looking(lone, 4, 2, 1);
    looking(lone, 1, 4, 1);
    lone.advance(300);
    assert.equal(lone.node.leader, undefined);
  });
});
