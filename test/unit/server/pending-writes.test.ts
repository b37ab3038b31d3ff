import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ClientWrite } from '../../../src/api/backend.ts';
import { makeSessionId } from '../../../src/base/ids.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import { PendingWrites } from '../../../src/server/pending-writes.ts';

const SEED = 20_261_121;
const FIRST_ID = 2 ** 47;

function write(cxid: number): ClientWrite {
  return {
    sessionId: makeSessionId(1n),
    cxid,
    op: OpCode.setData,
    payload: new Uint8Array(0),
    identities: [],
    completed: () => undefined,
    dropped: () => undefined,
  };
}

test('PendingWrites numbers requests one after the other', () => {
  const pending = new PendingWrites(FIRST_ID);
  assert.equal(pending.add(write(1)), FIRST_ID);
  assert.equal(pending.add(write(2)), FIRST_ID + 1);
  assert.equal(pending.take(FIRST_ID)?.cxid, 1);
  assert.equal(pending.take(FIRST_ID + 1)?.cxid, 2);
  assert.equal(pending.add(write(3)), FIRST_ID + 2);
});

test('PendingWrites.take() hands out each request once, and knows no other number', () => {
  const pending = new PendingWrites(FIRST_ID);
  const id = pending.add(write(1));
  assert.equal(pending.has(id), true);
  assert.equal(pending.has(id - 1), false);
  assert.equal(pending.take(id + 1), undefined);
  assert.equal(pending.take(0), undefined);
  assert.equal(pending.take(id)?.cxid, 1);
  assert.equal(pending.take(id), undefined);
  assert.equal(pending.has(id), false);
});

test('PendingWrites.takeAll() hands out what is left in order, and numbers go on', () => {
  const pending = new PendingWrites(FIRST_ID);
  for (let cxid = 0; cxid < 100; cxid++) pending.add(write(cxid));
  for (let at = 0; at < 100; at++) if (at % 3 !== 0) pending.take(FIRST_ID + at);
  assert.deepEqual(
    pending.takeAll().map(({ cxid }) => cxid),
    Array.from({ length: 34 }, (_, at) => at * 3),
  );
  assert.equal(pending.size, 0);
  assert.equal(pending.add(write(1)), FIRST_ID + 100);
});

test('PendingWrites holds what a map would, in whatever order requests settle', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant(-1) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 300 }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 1000 }), (steps) => {
      const pending = new PendingWrites(FIRST_ID);
      const model = new Map<number, ClientWrite>();
      for (const at of steps) {
        if (at === -1) {
          const added = write(model.size);
          model.set(pending.add(added), added);
        } else {
          const id = FIRST_ID + at;
          assert.equal(pending.take(id), model.get(id));
          model.delete(id);
        }
        assert.equal(pending.size, model.size);
      }
      for (let id = FIRST_ID - 1; id < FIRST_ID + 700; id++) {
        assert.equal(pending.has(id), model.has(id));
      }
    }),
    { seed: SEED, numRuns: 50 },
  );
});
