/** The writes that go on while something else is looked at. */

import { invariant } from '../src/base/assert.ts';
import { type LoadOptions, WORKLOADS, type Workload } from '../src/bench/workloads.ts';

export const DATA_BYTES = 100;

/** As many as are answered, for a minute. */
export const WRITE_LOAD: LoadOptions = {
  connections: 50,
  keys: 10_000,
  watchers: 0,
  rate: undefined,
  warmupSeconds: 2,
  seconds: 60,
};

/** How a tree is made: the server is not to be the slower for its clients. */
export const TREE_LOAD: LoadOptions = { ...WRITE_LOAD, connections: 16 };

/** The pipelined sets of the comparison with the original. */
export function pipelinedSets(): Workload {
  const sets = WORKLOADS.find(
    ({ operation, size, depth }) => operation === 'set' && size === DATA_BYTES && depth === 32,
  );
  invariant(sets !== undefined, 'the comparison has no pipelined sets');
  return sets;
}
