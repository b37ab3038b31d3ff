/**
 * How much memory the engine takes for young objects, whose collections hold up the event loop. It
 * doubles that space up to 2 x 16 MiB where many survive, as they do while a tree is loaded. But what a
 * server keeps lies outside the heap, and its requests leave little behind: half of it does as well.
 */

import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Both halves. */
const YOUNG_BYTES = 16 * 1024 * 1024;
/** By how much it grows when many survive: the engine's own choice. */
const GROWTH_FACTOR = 2;
const OWN_CHOICE = /--(max|min)[-_]semi[-_]space[-_]size/;

/**
 * Has the space stop growing at `bytes`, unless the process was started with a size of its own. The
 * engine takes its largest size at its start only, but asks before it grows by how much.
 */
export function limitYoungSpace(bytes: number = YOUNG_BYTES): void {
  const options = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''];
  if (options.some((option) => OWN_CHOICE.test(option))) return;
  let factor = GROWTH_FACTOR;
  const observer = new PerformanceObserver(() => {
    // It doubles, and headers of pages are not counted: from above half of it the next step goes beyond.
    const wanted = youngSpaceBytes() > bytes / 2 ? 1 : GROWTH_FACTOR;
    if (wanted === factor) return;
    factor = wanted;
    setFlagsFromString(`--semi-space-growth-factor=${wanted}`);
  });
  observer.observe({ entryTypes: ['gc'] });
}

/**
 * What both halves take once the one in use is full. Their size as the engine tells it counts pages
 * that it has touched, of which newer engines give back some after each collection.
 */
export function youngSpaceBytes(): number {
  const spaces = getHeapSpaceStatistics();
  const young = spaces.find(({ space_name: name }) => name === 'new_space');
  return young === undefined ? 0 : 2 * (young.space_used_size + young.space_available_size);
}
