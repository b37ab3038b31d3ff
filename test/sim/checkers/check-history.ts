/** All that is demanded of what clients saw. */

import type { History, SessionRecord } from '../history.ts';
import { FENCES, REGISTERS } from '../workload.ts';
import { checkEphemerals } from './ephemerals.ts';
import { type Crashes, checkExpiry } from './expiry.ts';
import { checkFencing } from './fencing.ts';
import { checkLastingWatches } from './lasting-watches.ts';
import { checkLinearizability } from './linearizability.ts';
import { checkMultis } from './multis.ts';
import { checkNodes } from './nodes.ts';
import { checkReplies } from './replies.ts';
import { checkSequences } from './sequences.ts';
import { buildTimelines } from './timelines.ts';
import { checkWatches } from './watches.ts';

export interface Circumstances {
  /** The clients that read everything in the end; empty when it did not come to that. */
  readonly auditors: ReadonlySet<number>;
  /** Sessions that had ended, and run out, before that. */
  readonly ended: ReadonlySet<SessionRecord>;
  /** See `checkExpiry`. */
  readonly blindMs: number;
  readonly crashes: Crashes;
}

export function checkHistory(
  history: History,
  { auditors, ended, blindMs, crashes }: Circumstances,
  violations: string[],
): void {
  const timelines = buildTimelines(history);
  checkReplies(history, violations);
  checkNodes(history, timelines, violations);
  checkMultis(history, violations);
  checkSequences(history, violations);
  checkEphemerals(history, auditors, ended, violations);
  checkExpiry(history, blindMs, crashes, violations);
  checkWatches(history, timelines, violations);
  checkLastingWatches(history, timelines, violations);
  checkLinearizability(history, REGISTERS, violations);
  checkFencing(history, FENCES, violations);
}
