import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientSync } from '../../../src/api/backend.ts';
import { makeEpoch, makeSessionId, makeZxid, type Zxid } from '../../../src/base/ids.ts';
import { SyncDesk } from '../../../src/server/sync-desk.ts';

function at(counter: number): Zxid {
  return makeZxid(makeEpoch(1), counter);
}

function noted(told: string[], name: string): ClientSync {
  return {
    sessionId: makeSessionId(1n),
    completed: () => told.push(`${name} completed`),
    dropped: () => told.push(`${name} dropped`),
  };
}

describe('SyncDesk', () => {
  it('completes a sync at once when its zxid is applied already, else when it is', () => {
    const desk = new SyncDesk();
    const told: string[] = [];
    const first = desk.add(noted(told, 'first'));
    const second = desk.add(noted(told, 'second'));
    assert.equal(desk.confirmed(first, at(3), at(3)), undefined);
    assert.deepEqual(told, ['first completed']);
    assert.equal(desk.confirmed(second, at(5), at(3)), undefined);
    desk.applied(at(4));
    assert.deepEqual(told, ['first completed']);
    desk.applied(at(5));
    desk.applied(at(6));
    assert.deepEqual(told, ['first completed', 'second completed']);
  });

  it('hands a learner’s sync back, once', () => {
    const desk = new SyncDesk();
    const token = desk.add({ link: 7, token: 99 });
    assert.deepEqual(desk.confirmed(token, at(1), at(1)), { link: 7, token: 99 });
    assert.equal(desk.confirmed(token, at(1), at(1)), undefined);
  });

  it('returns what is under way of its own clients and forgets everything', () => {
    const desk = new SyncDesk();
    const told: string[] = [];
    const asked = desk.add(noted(told, 'asked'));
    const waiting = desk.add(noted(told, 'waiting'));
    desk.add({ link: 7, token: 99 });
    desk.confirmed(waiting, at(5), at(1));
    for (const sync of desk.takeAll()) sync.dropped();
    assert.deepEqual(told.sort(), ['asked dropped', 'waiting dropped']);
    desk.confirmed(asked, at(1), at(1));
    desk.applied(at(9));
    assert.equal(told.length, 2);
  });
});
