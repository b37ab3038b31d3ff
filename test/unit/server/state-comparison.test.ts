import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import {
  makeEpoch,
  makeSessionId,
  makeZxid,
  SERVER_NONE,
  type Zxid,
} from '../../../src/base/ids.ts';
import type { ClientMessage } from '../../../src/peer/peer-message.ts';
import { StateComparison } from '../../../src/server/state-comparison.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import { TxnType } from '../../../src/store/txn.ts';

/** A server that begins a session with each transaction. */
class Member {
  readonly tree = new DataTree();
  readonly shown: ClientMessage[] = [];
  readonly recorded: Zxid[] = [];
  readonly different: Zxid[] = [];
  readonly comparison: StateComparison;

  constructor() {
    this.comparison = new StateComparison({
      tree: () => this.tree,
      broadcastToLearners: (message) => this.shown.push(message),
      recorded: (zxid) => this.recorded.push(zxid),
      differs: (zxid) => this.different.push(zxid),
    });
  }

  apply(count: number, isLeading: boolean, timeoutMs = 4000): void {
    for (let i = 0; i < count; i++) {
      const counter = (this.tree.lastZxid % 2 ** 32) + 1;
      const zxid = makeZxid(makeEpoch(1), counter);
      const sessionId = makeSessionId(BigInt(counter));
      const body = { type: TxnType.createSession, timeoutMs } as const;
      const ids = { sessionId, cxid: 0, origin: SERVER_NONE, requestId: 0, timeMs: 0 };
      this.tree.apply(zxid, { ...ids, body }, false);
      if (this.comparison.isDue(zxid)) this.comparison.applied(zxid, isLeading);
    }
  }

  /** What a leader shows arrives at this server. */
  hear({ shown }: Member, isSettled = true): void {
    for (const message of shown.splice(0)) {
      if ('digest' in message) this.comparison.heard(message.zxid, message.digest, isSettled);
    }
  }
}

describe('StateComparison', () => {
  it('finds other sessions behind equal nodes, at every 128th transaction', () => {
    const [leader, learner] = [new Member(), new Member()];
    leader.apply(128, true);
    learner.apply(127, false);
    learner.apply(1, false, 5000);
    learner.hear(leader);
    assert.deepEqual(learner.different, [makeZxid(makeEpoch(1), 128)]);
    const [[, own] = []] = learner.comparison.nodeDigests();
    assert.equal(own, leader.tree.digestHex);
  });

  it('compares at once when a leader shows its state, if both have applied the same', () => {
    const [leader, learner] = [new Member(), new Member()];
    leader.apply(5, true);
    learner.apply(5, false, 5000);
    leader.comparison.show();
    learner.hear(leader);
    assert.equal(learner.different.length, 1);
  });

  it('compares when it has applied as much, and not before it is settled', () => {
    const [leader, behind, unsettled] = [new Member(), new Member(), new Member()];
    leader.apply(5, true);
    leader.comparison.show();
    const shown = [...leader.shown];
    behind.hear(leader);
    assert.equal(behind.different.length, 0);
    behind.apply(5, false, 5000);
    assert.equal(behind.different.length, 1);
    leader.shown.push(...shown);
    unsettled.apply(5, false, 5000);
    unsettled.hear(leader, false);
    assert.equal(unsettled.different.length, 0);
    unsettled.comparison.verify();
    assert.equal(unsettled.different.length, 1);
  });

  it('finds nothing where there is nothing, and reports what it compared', () => {
    const [leader, learner] = [new Member(), new Member()];
    leader.apply(5, true);
    learner.apply(5, false);
    leader.comparison.show();
    learner.hear(leader);
    assert.deepEqual(learner.different, []);
    assert.deepEqual(learner.recorded, leader.recorded);
  });
});
