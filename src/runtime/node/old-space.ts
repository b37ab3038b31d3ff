/**
 * How much the heap may grow before the engine marks it, which takes the event loop 20 ms in many steps
 * and up to 10 at once. Left alone it does so whenever a heap as small as a server's has grown by 8 MiB:
 * beside 12,000 sets a second every 2 to 3 s, and each time one request in a hundred came late.
 */

import {
  constants,
  type NodeGCPerformanceDetail,
  type PerformanceEntry,
  PerformanceObserver,
} from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

const ROOM_BYTES = 24 * 1024 * 1024;
/** A server's heap is 12 to 35 MB after a mark, whatever its tree; of larger ones the engine knows more. */
const LARGE_BYTES = 40 * 1024 * 1024;
/** The engine's own limit: what is alive now may have become much more by the time that this counts. */
const PERCENT_MAX = 300;
const OWN_CHOICE = /--heap[-_]growing[-_]percent/;

/**
 * Has a small heap grow by about 24 MiB beyond what was alive when it was last marked, unless the process
 * was started with a share of its own (`--heap-growing-percent`).
 */
export function leaveRoomInHeap(): void {
  if (process.execArgv.some((option) => OWN_CHOICE.test(option))) return;
  const update = (): void => {
    const percent = growthPercent(getHeapStatistics().used_heap_size, ROOM_BYTES);
    // The engine reads it when it has marked the heap, so it counts from the next mark on.
    setFlagsFromString(`--heap-growing-percent=${percent}`);
  };
  update();
  const observer = new PerformanceObserver((list) => {
    if (list.getEntries().some(isMark)) update();
  });
  observer.observe({ entryTypes: ['gc'] });
}

/** By how much of what is alive the heap may grow; 0 leaves it to the engine. */
export function growthPercent(aliveBytes: number, roomBytes: number): number {
  if (aliveBytes > LARGE_BYTES) return 0;
  return Math.min(PERCENT_MAX, Math.ceil((100 * roomBytes) / aliveBytes));
}

/** Whether a collection was one of the whole heap. */
function isMark(entry: PerformanceEntry): boolean {
  // Node's types leave out what it says of collections.
  const { kind } = (entry as PerformanceEntry & { detail: NodeGCPerformanceDetail }).detail;
  return kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
