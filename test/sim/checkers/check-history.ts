/** All that is demanded of what clients saw. */

import type { History } from '../history.ts';
import { checkEphemerals } from './ephemerals.ts';
import { checkMultis } from './multis.ts';
import { checkNodes } from './nodes.ts';
import { checkReplies } from './replies.ts';
import { checkSequences } from './sequences.ts';
import { buildTimelines } from './timelines.ts';
import { checkWatches } from './watches.ts';

/** `auditors`: the clients that read everything in the end; empty when it did not come to that. */
export function checkHistory(
  history: History,
  auditors: ReadonlySet<number>,
  violations: string[],
): void {
  const timelines = buildTimelines(history);
  checkReplies(history, violations);
  checkNodes(history, timelines, violations);
  checkMultis(history, violations);
  checkSequences(history, violations);
  checkEphemerals(history, auditors, violations);
  checkWatches(history, timelines, violations);
}
