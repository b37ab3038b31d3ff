import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';
import { EventQueue, type SimEvent } from '../../../src/testing/event-queue.ts';

function drain(queue: EventQueue): SimEvent[] {
  const events: SimEvent[] = [];
  for (let event = queue.pop(); event !== undefined; event = queue.pop()) events.push(event);
  return events;
}

describe('EventQueue', () => {
  it('pop() yields events by time, and equal times in the order of push()', () => {
    const queue = new EventQueue();
    const prng = new Prng(1);
    for (let i = 0; i < 2000; i++) queue.push(prng.between(0, 50), () => undefined);
    const events = drain(queue);
    assert.equal(events.length, 2000);
    const sorted = [...events].sort((a, b) => a.dueUs - b.dueUs || a.sequence - b.sequence);
    assert.deepEqual(events, sorted);
  });

  it('pop() yields what is due at once behind all else that is due then, and before what comes later', () => {
    const queue = new EventQueue();
    const nothing = (): void => undefined;
    const late = queue.push(6, nothing);
    const early = queue.push(5, nothing);
    const atOnce = [queue.pushAtOnce(5, nothing), queue.pushAtOnce(5, nothing)];
    assert.deepEqual(drain(queue), [early, ...atOnce, late]);
  });

  it('cancel() takes out what is due at once', () => {
    const queue = new EventQueue();
    const first = queue.pushAtOnce(0, () => undefined);
    const second = queue.pushAtOnce(0, () => undefined);
    queue.cancel(first);
    assert.equal(queue.nextDueUs(), 0);
    assert.deepEqual(drain(queue), [second]);
    assert.equal(queue.nextDueUs(), undefined);
  });

  it('cancel() takes events out, however many', () => {
    const queue = new EventQueue();
    const prng = new Prng(2);
    const kept: number[] = [];
    for (let i = 0; i < 10_000; i++) {
      const event = queue.push(prng.between(0, 1000), () => undefined);
      if (prng.chance(0.9)) queue.cancel(event);
      else kept.push(event.sequence);
    }
    const found = drain(queue).map((event) => event.sequence);
    assert.deepEqual(
      found.sort((a, b) => a - b),
      kept,
    );
    assert.equal(queue.nextDueUs(), undefined);
  });

  it('nextDueUs() passes over what was cancelled', () => {
    const queue = new EventQueue();
    const first = queue.push(1, () => undefined);
    queue.push(2, () => undefined);
    queue.cancel(first);
    queue.cancel(first);
    assert.equal(queue.nextDueUs(), 2);
  });
});
