/** What a leader sends before NEWLEADER: kept apart until all of it becomes durable in one write. */

import { type EpochEnd, EpochTable } from '../base/epoch-table.ts';
import type { Zxid } from '../base/ids.ts';
import type { LogEntry } from './messages.ts';

export interface Staging {
  truncateAfter: Zxid | undefined;
  snapshot: { readonly zxid: Zxid; readonly epochs: readonly EpochEnd[] } | undefined;
  isSnapshotDurable: boolean;
  readonly entries: LogEntry[];
  /** Where the staged history ends. */
  last: Zxid;
}

/**
 * Whether a complete staging is for certain a history without a transaction that is known to be
 * committed. DIFF and TRUNC keep everything up to where they begin, which the caller has checked.
 */
export function lacks({ snapshot, entries, last }: Staging, committed: Zxid): boolean {
  if (last < committed) return true;
  if (snapshot === undefined) return false;
  if (committed > snapshot.zxid) return !entries.some(({ zxid }) => zxid === committed);
  return !new EpochTable(snapshot.epochs).mayHold(committed);
}
