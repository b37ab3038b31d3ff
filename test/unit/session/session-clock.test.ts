import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SessionClock } from '../../../src/session/session-clock.ts';

describe('SessionClock', () => {
  it('goes as the clock does while turns are short', () => {
    const clock = new SessionClock(1000);
    for (let nowMs = 1050; nowMs <= 2000; nowMs += 50) assert.equal(clock.turned(nowMs), nowMs);
    assert.equal(clock.at(2030), 2030);
  });

  it('counts no more than a turn of a time in which nothing was heard', () => {
    const clock = new SessionClock(0);
    assert.equal(clock.at(60_000), 200);
    assert.equal(clock.turned(60_000), 200);
    assert.equal(clock.turned(60_050), 250);
  });

  it('counts longer turns where those are ordinary', () => {
    const clock = new SessionClock(0, 350);
    for (let nowMs = 250; nowMs <= 2000; nowMs += 250) assert.equal(clock.turned(nowMs), nowMs);
    assert.equal(clock.turned(60_000), 2350);
  });

  it('goes slower, and not slower than that, while every turn is long', () => {
    const clock = new SessionClock(0);
    let ms = 0;
    for (let nowMs = 400; nowMs <= 4000; nowMs += 400) ms = clock.turned(nowMs);
    assert.equal(ms, 2000);
  });

  it('never goes back, and never faster than the clock', () => {
    const clock = new SessionClock(0);
    let before = 0;
    let nowMs = 0;
    for (const stepMs of [10, 199, 200, 201, 3000, 1, 0, 50]) {
      nowMs += stepMs;
      const ms = clock.at(nowMs);
      assert(ms >= before && ms - before <= stepMs);
      assert.equal(clock.turned(nowMs), ms);
      before = ms;
    }
  });
});
