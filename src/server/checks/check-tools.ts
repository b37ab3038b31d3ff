/** What checks reach the world through. */

import type { Machine } from '../../runtime/machine.ts';
import type { Address, Runtime } from '../../runtime/runtime.ts';

export interface CheckTools {
  readonly runtime: Runtime;
  readonly machine: Machine;
  /** The whole answer of a server to a four-letter word; undefined when there is none within the time. */
  readonly ask: (address: Address, word: string, timeoutMs: number) => Promise<string | undefined>;
}
