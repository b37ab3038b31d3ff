import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeSessionId } from '../../../src/base/ids.ts';
import { LocalSessions } from '../../../src/session/local-sessions.ts';

const TICK_MS = 100;
const ID = makeSessionId(0x0100_0000_0000_0001n);
const OTHER = makeSessionId(0x0100_0000_0000_0002n);

/** Asks several times a second, as a server does, and returns who ran out when. */
function expiries(sessions: LocalSessions, fromMs: number, toMs: number): [number, bigint][] {
  const gone: [number, bigint][] = [];
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 50) {
    for (const sessionId of sessions.expired(nowMs)) gone.push([nowMs, sessionId]);
  }
  return gone;
}

describe('LocalSessions', () => {
  it('knows what began and was not removed', () => {
    const sessions = new LocalSessions(TICK_MS, 0);
    sessions.begin(ID, 1000, 0);
    assert.deepEqual([sessions.has(ID), sessions.has(OTHER), sessions.count], [true, false, 1]);
    assert.equal(sessions.timeoutMs(ID), 1000);
    sessions.remove(ID);
    sessions.remove(ID);
    assert.deepEqual([sessions.has(ID), sessions.count], [false, 0]);
    assert.equal(sessions.touch(ID, 1), false);
    assert.equal(sessions.renew(ID, 1000, 1), false);
  });

  it('lets a silent session run out once, not before its timeout, and forgets it', () => {
    const sessions = new LocalSessions(TICK_MS, 0);
    sessions.begin(ID, 1000, 0);
    assert.deepEqual(expiries(sessions, 0, 3000), [[1100, ID]]);
    assert.equal(sessions.count, 0);
  });

  it('counts from the last sign of life, with the timeout agreed last', () => {
    const sessions = new LocalSessions(TICK_MS, 0);
    sessions.begin(ID, 1000, 0);
    assert.deepEqual(expiries(sessions, 0, 900), []);
    assert.equal(sessions.touch(ID, 900), true);
    assert.equal(sessions.renew(ID, 2000, 1000), true);
    assert.deepEqual(expiries(sessions, 950, 4000), [[3100, ID]]);
  });

  it('counts a pause, in which nobody could be heard, against nobody', () => {
    const sessions = new LocalSessions(TICK_MS, 0);
    sessions.begin(ID, 1000, 0);
    assert.deepEqual(sessions.expired(500), []);
    assert.deepEqual(sessions.expired(5000), []);
    assert.deepEqual(expiries(sessions, 5050, 6000), [[5700, ID]]);
  });

  it('gives every session its whole timeout again when clients may come again', () => {
    const sessions = new LocalSessions(TICK_MS, 0);
    sessions.begin(ID, 1000, 0);
    sessions.renewAll(5000);
    assert.deepEqual(expiries(sessions, 5000, 7000), [[6100, ID]]);
  });

  it('ends temporary sessions together, and no others', () => {
    const sessions = new LocalSessions(TICK_MS, 0);
    sessions.begin(ID, 1000, 0);
    sessions.beginTemporary(OTHER, 1000, 0);
    assert.equal(sessions.count, 2);
    sessions.endTemporary();
    assert.deepEqual([sessions.has(ID), sessions.has(OTHER)], [true, false]);
  });

  it('tells how long each session has left', () => {
    const sessions = new LocalSessions(TICK_MS, 0);
    sessions.begin(ID, 1000, 0);
    assert.deepEqual(expiries(sessions, 0, 300), []);
    assert.deepEqual(sessions.deadlines(300), [[ID, 800]]);
  });
});
