import assert from 'node:assert/strict';
import { PerformanceObserver } from 'node:perf_hooks';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isMark, leaveRoomInHeap } from '../../../../src/runtime/node/old-space.ts';

const MB = 1024 * 1024;
const ROOM_BYTES = 256 * MB;
/** Of 64 KiB each. So many are alive at a time: they are taken for old before they are forgotten. */
const ARRAYS = 12_000;
const ARRAYS_KEPT = 640;
const ARRAY_LENGTH = 8192;

/** How often the heap is marked while 750 MB come and go. */
async function marksOfChurn(): Promise<number> {
  let marks = 0;
  const observer = new PerformanceObserver((list) => {
    marks += list.getEntries().filter(isMark).length;
  });
  observer.observe({ entryTypes: ['gc'] });
  const kept: number[][] = [];
  for (let i = 0; i < ARRAYS; i++) {
    kept[i % ARRAYS_KEPT] = new Array<number>(ARRAY_LENGTH).fill(i);
    await nextTurn();
  }
  observer.disconnect();
  return marks;
}

test('leaveRoomInHeap has the heap marked less often', async () => {
  const before = await marksOfChurn();
  leaveRoomInHeap(ROOM_BYTES);
  // The room counts from the next mark on.
  await marksOfChurn();
  const after = await marksOfChurn();
  assert.ok(before > 0 && after * 2 <= before, `${before} marks before, ${after} after`);
});
