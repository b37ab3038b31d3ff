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

const ROOM_BYTES = 16 * 1024 * 1024;
/** From so much on the engine's own choice, which is a share of what is alive, leaves enough room. */
const LARGE_BYTES = 4 * ROOM_BYTES;
const OWN_CHOICE = /--heap[-_]growing[-_]percent/;

/**
 * Has the heap grow by so many bytes beyond what was alive when it was last marked, unless the process
 * was started with a share of its own.
 */
export function leaveRoomInHeap(roomBytes: number = ROOM_BYTES): void {
  const options = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''];
  if (options.some((option) => OWN_CHOICE.test(option))) return;
  setGrowth(roomBytes);
  const observer = new PerformanceObserver((list) => {
    if (list.getEntries().some(isMark)) setGrowth(roomBytes);
  });
  observer.observe({ entryTypes: ['gc'] });
}

/** Whether a collection was one of the whole heap. */
export function isMark(entry: PerformanceEntry): boolean {
  // Node's types leave out what it says of collections.
  const { kind } = (entry as PerformanceEntry & { detail: NodeGCPerformanceDetail }).detail;
  return kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}

/** The engine reads it when it has marked the heap; what is alive then changes little to the next time. */
function setGrowth(roomBytes: number): void {
  const aliveBytes = getHeapStatistics().used_heap_size;
  const percent = aliveBytes < LARGE_BYTES ? Math.ceil((100 * roomBytes) / aliveBytes) : 0;
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
