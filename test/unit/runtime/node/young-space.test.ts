import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { limitYoungSpace, youngSpaceBytes } from '../../../../src/runtime/node/young-space.ts';

const LIMIT_BYTES = 8 * 1024 * 1024;
const TURNS = 300;
const OBJECTS_PER_TURN = 10_000;
const OBJECTS_KEPT = 100_000;

test('limitYoungSpace lets the space for young objects grow to the limit and no further', async () => {
  limitYoungSpace(LIMIT_BYTES);
  let kept: object[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    for (let i = 0; i < OBJECTS_PER_TURN; i++) kept.push({ turn, at: [i] });
    if (kept.length > OBJECTS_KEPT) kept = [];
    await nextTurn();
  }
  assert.ok(youngSpaceBytes() > LIMIT_BYTES / 2, `${youngSpaceBytes()} bytes`);
  assert.ok(youngSpaceBytes() <= LIMIT_BYTES, `${youngSpaceBytes()} bytes`);
});
