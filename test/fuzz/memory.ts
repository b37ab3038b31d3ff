/** What this process holds in memory, and whether that grows. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const MIB = 1024 * 1024;

let collect: (() => void) | undefined;

/** Bytes in use after a collection: heap and buffers together. */
export function liveBytes(): number {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export class MemoryWatch {
  readonly #startRss = process.memoryUsage.rss();
  #peakRss = this.#startRss;

  sample(): void {
    this.#peakRss = Math.max(this.#peakRss, process.memoryUsage.rss());
  }

  /** Resident memory at the start, at its peak and now. */
  toString(): string {
    this.sample();
    const mib = (bytes: number): string => (bytes / MIB).toFixed(0);
    const nowRss = process.memoryUsage.rss();
    return `resident ${mib(this.#startRss)} MiB at the start, ${mib(this.#peakRss)} at its peak, ${mib(nowRss)} at the end`;
  }
}
