/** How many checkpoints servers have written, from what they say of themselves. */

import type { Address } from '../runtime/runtime.ts';
import { askWord } from './four-letter.ts';

export interface SnapshotCount {
  readonly count: number;
  /** Time for which one was being written, of all servers. */
  readonly seconds: number;
}

/** Since the servers started; zero for those that do not answer `mntr`. */
export async function snapshotCount(addresses: readonly Address[]): Promise<SnapshotCount> {
  let count = 0;
  let seconds = 0;
  for (const address of addresses) {
    const answer = await askWord(address, 'mntr');
    count += valueIn(answer, 'zk_cnt_snapshottime');
    seconds += valueIn(answer, 'zk_sum_snapshottime') / 1000;
  }
  return { count, seconds };
}

function valueIn(answer: string, key: string): number {
  return Number(new RegExp(`^${key}\\t([\\d.]+)`, 'm').exec(answer)?.[1] ?? 0);
}
