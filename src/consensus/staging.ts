/**
 * What a leader sends from DIFF, TRUNC or SNAP to NEWLEADER: kept apart until all of it becomes
 * durable in one write.
 */

import { invariant } from '../base/assert.ts';
import { type EpochEnd, EpochTable } from '../base/epoch-table.ts';
import type { Zxid } from '../base/ids.ts';
import type { PersistRequest } from './effects.ts';
import type { History } from './history.ts';
import type { LogEntry } from './messages.ts';

/** The leader's choice of where to begin; of TRUNC and SNAP at most one. */
export interface SyncStart {
  readonly truncateAfter?: Zxid;
  readonly snapshot?: { readonly zxid: Zxid; readonly epochs: readonly EpochEnd[] };
  /** What follows is the history behind this. */
  readonly base: Zxid;
}

/** Why a synchronisation cannot begin so; `loss` when it would take away what is committed. */
export function faultOf(
  { truncateAfter, snapshot, base }: SyncStart,
  history: History,
): 'loss' | { readonly reason: string } | undefined {
  if (snapshot !== undefined) {
    if (new EpochTable(snapshot.epochs).last === base) return undefined;
    return { reason: 'SNAP contradicts itself' };
  }
  if (truncateAfter === undefined) {
    if (base === history.last) return undefined;
    return { reason: 'DIFF does not start where this history ends' };
  }
  if (base < history.committed) return 'loss';
  if (history.epochs.holds(base) && base >= history.retainedAfter) return undefined;
  return { reason: 'TRUNC to a transaction that is not in this log' };
}

export class Staging {
  readonly #start: SyncStart;
  readonly #entries: LogEntry[] = [];
  #last: Zxid;
  #isSnapshotDurable = false;

  constructor(start: SyncStart) {
    this.#start = start;
    this.#last = start.base;
  }

  get snapshot(): SyncStart['snapshot'] {
    return this.#start.snapshot;
  }

  /** Where the staged history ends. */
  get last(): Zxid {
    return this.#last;
  }

  /** A snapshot, if there is one, is on the disk. */
  get isReady(): boolean {
    return this.#start.snapshot === undefined || this.#isSnapshotDurable;
  }

  snapshotDurable(): void {
    invariant(this.snapshot !== undefined, 'a snapshot is durable that was never sent');
    this.#isSnapshotDurable = true;
  }

  /** The caller has checked that the entries follow the last one. */
  add(entries: readonly LogEntry[], last: Zxid): void {
    for (const entry of entries) this.#entries.push(entry);
    this.#last = last;
  }

  /**
   * Whether this, when it is complete, is for certain a history without a transaction that is known
   * to be committed. DIFF and TRUNC keep everything up to where they begin, which `faultOf` checks.
   */
  lacks(committed: Zxid): boolean {
    const { snapshot } = this.#start;
    if (this.#last < committed) return true;
    if (snapshot === undefined) return false;
    if (committed > snapshot.zxid) return !this.#entries.some(({ zxid }) => zxid === committed);
    return !new EpochTable(snapshot.epochs).mayHold(committed);
  }

  /** What has to become durable of it. */
  get changes(): Pick<PersistRequest, 'snapshot' | 'truncateAfter' | 'append'> {
    const { snapshot, truncateAfter } = this.#start;
    return {
      ...(snapshot !== undefined && { snapshot }),
      ...(truncateAfter !== undefined && { truncateAfter }),
      ...(this.#entries.length > 0 && { append: this.#entries }),
    };
  }
}
