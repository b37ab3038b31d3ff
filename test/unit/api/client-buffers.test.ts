import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientBuffers } from '../../../src/api/client-buffers.ts';

class Owner {
  heldBytes = 0;
  droppedFor: string | undefined;
  readonly #buffers: ClientBuffers;

  constructor(buffers: ClientBuffers, bytes: number) {
    this.#buffers = buffers;
    this.set(bytes);
  }

  set(bytes: number): void {
    this.heldBytes = bytes;
    this.#buffers.hold(this, bytes);
  }

  drop(reason: string): void {
    this.droppedFor = reason;
    this.set(0);
  }
}

test('ClientBuffers drops whoever holds most, and no more of them than it must', () => {
  let overflows = 0;
  const buffers = new ClientBuffers(1000, () => {
    overflows += 1;
  });
  const owners = [300, 400, 200, 500].map((bytes) => new Owner(buffers, bytes));
  assert.equal(overflows, 1);
  assert.equal(buffers.relieve(), 1);
  assert.deepEqual(
    owners.map((owner) => owner.droppedFor !== undefined),
    [false, false, false, true],
  );
  assert.equal(buffers.heldBytes, 900);
});

test('ClientBuffers looks again before it drops: what was noted may have left meanwhile', () => {
  const buffers = new ClientBuffers(1000, () => undefined);
  const [gone, kept] = [new Owner(buffers, 900), new Owner(buffers, 200)];
  assert.ok(gone !== undefined && kept !== undefined);
  gone.heldBytes = 0;
  assert.equal(buffers.relieve(), 0);
  assert.equal(buffers.heldBytes, 200);
  assert.equal(kept.droppedFor, undefined);
});

test('ClientBuffers drops nobody while all fits', () => {
  const buffers = new ClientBuffers(1000, () => assert.fail('nothing overflows'));
  const owner = new Owner(buffers, 1000);
  assert.equal(buffers.relieve(), 0);
  assert.equal(owner.droppedFor, undefined);
});

test('ClientBuffers is full of requests at an eighth of what it holds, until they come back', () => {
  const buffers = new ClientBuffers(800, () => undefined);
  buffers.requested(99);
  assert.equal(buffers.areRequestsFull, false);
  buffers.requested(1);
  assert.equal(buffers.areRequestsFull, true);
  buffers.requested(-100);
  assert.equal(buffers.requestBytes, 0);
  assert.throws(() => buffers.requested(-1), /more requests came back/);
});
