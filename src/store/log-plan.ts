/** What a change of the log comes to: its metadata afterwards, the groups that stay and those that come. */

import { invariant } from '../base/assert.ts';
import { type EpochEnd, EpochTable } from '../base/epoch-table.ts';
import { type Epoch, ZXID_NONE, type Zxid, zxidEpoch } from '../base/ids.ts';
import type { Standing } from '../base/standing.ts';
import { type EncodedGroup, encodeGroups, type LogEntry } from './log-group.ts';
import type { LogMeta } from './log-meta.ts';

/** A change of the log. Its parts apply in the order in which they stand here, all in one batch. */
export interface LogMutation {
  /** Drops every entry: the history now ends at `zxid` and is held by that generation of the state store. */
  readonly snapshot?:
    | {
        readonly generation: number;
        readonly zxid: Zxid;
        readonly epochs: readonly EpochEnd[];
      }
    | undefined;
  /** Drops every entry after this one, which must be in the log or be where it begins. */
  readonly truncateAfter?: Zxid | undefined;
  /** Entries that follow the last and each other; their bytes stay untouched until the write settles. */
  readonly append?: readonly LogEntry[] | undefined;
  readonly acceptedEpoch?: Epoch | undefined;
  readonly currentEpoch?: Epoch | undefined;
  readonly clusterId?: string | undefined;
  readonly standing?: Standing | undefined;
  /** A lower bound of what is committed; what exceeds the history or falls behind an earlier hint is cut. */
  readonly commitHint?: Zxid | undefined;
}

/** A mutation worked out: `keep` groups stay, counted from the oldest, `added` follow them. */
export interface LogPlan {
  meta: LogMeta;
  keep: number;
  readonly added: EncodedGroup[];
}

export function planSnapshot(plan: LogPlan, snapshot: NonNullable<LogMutation['snapshot']>): void {
  const { generation, zxid, epochs } = snapshot;
  invariant(generation > plan.meta.generation, 'generation of the state store would go back');
  invariant(new EpochTable(epochs).last === zxid, 'epoch table of another history');
  plan.keep = 0;
  plan.meta = {
    ...plan.meta,
    generation,
    epochs: [...epochs],
    baseZxid: zxid,
    baseChain: 0,
    lastZxid: zxid,
    lastChain: 0,
    commitHint: zxid,
  };
}

export function planAppend(plan: LogPlan, entries: readonly LogEntry[]): void {
  const { meta } = plan;
  const groups = encodeGroups(entries, meta.lastZxid, meta.lastChain);
  const end = groups.at(-1);
  invariant(end !== undefined, 'an append makes at least one group');
  plan.added.push(...groups);
  const epochs = extended(meta.epochs, entries);
  plan.meta = { ...meta, lastZxid: end.last, lastChain: end.chain, epochs };
}

/** The table after an append whose order was checked: only the last entry of an epoch counts. */
function extended(ends: readonly EpochEnd[], entries: readonly LogEntry[]): EpochEnd[] {
  const table = [...ends];
  for (let i = 0; i < entries.length; i++) {
    const last = entries[i]?.zxid ?? ZXID_NONE;
    const epoch = zxidEpoch(last);
    const next = entries[i + 1];
    if (next !== undefined && zxidEpoch(next.zxid) === epoch) continue;
    if (table.at(-1)?.epoch === epoch) table.pop();
    table.push(Object.freeze({ epoch, last }));
  }
  return table;
}
