import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Pacer } from '../../../src/bench/pacer.ts';

/** Takes requests until it is full, and remembers when they were due. */
class Recorder {
  readonly dueMs: number[] = [];
  isFull = false;

  send(dueMs: number): boolean {
    if (!this.isFull) this.dueMs.push(dueMs);
    return !this.isFull;
  }
}

describe('Pacer', () => {
  test('sends what is due, in turn, with the time at which it was due', () => {
    const [a, b] = [new Recorder(), new Recorder()];
    const pacer = new Pacer(500, [a, b]);
    pacer.sendDue(7);
    assert.deepEqual(
      [a.dueMs, b.dueMs],
      [
        [0, 4],
        [2, 6],
      ],
    );
  });

  test('sends what nobody took later, as late as it is', () => {
    const only = new Recorder();
    const pacer = new Pacer(500, [only]);
    only.isFull = true;
    pacer.sendDue(5);
    only.isFull = false;
    pacer.sendDue(6);
    assert.deepEqual(only.dueMs, [0, 2, 4, 6]);
  });
});
