/**
 * This server's transactions as the core sees them: how far they reach in memory, on disk, committed;
 * plus a window of the newest ones, so that neither sending nor applying them needs the disk.
 */

import { invariant } from '../base/assert.ts';
import { EpochTable } from '../base/epoch-table.ts';
import { ZXID_NONE, type Zxid, zxidEpoch } from '../base/ids.ts';
import type { PersistRequest } from './effects.ts';
import type { LogEntry } from './messages.ts';

/** The window keeps at least what is not yet durable and committed, and beyond that about so much. */
const WINDOW_BYTES = 16 * 1024 * 1024;
const WINDOW_ENTRIES = 20_000;

export class History {
  #epochs: EpochTable;
  /** Entries with a zxid after it are in the log, older ones may be trimmed. */
  #retainedAfter: Zxid;
  #durable: Zxid;
  #committed: Zxid;
  #window: (LogEntry | undefined)[] = [];
  /** Index of the first live entry of `#window`; the array is cut when half of it is dead. */
  #head = 0;
  readonly #isAlone: boolean;
  /** `applicable` as it was at the end of the last turn. */
  #handedOut: Zxid;
  /** The zxid before the window's first entry: whoever stands there or later needs no disk. */
  #windowAfter: Zxid;
  #windowBytes = 0;
  /** What each persist request still under way makes durable, in order. */
  #writes: { readonly id: number; readonly durable: Zxid }[] = [];

  /** `isAlone`: nobody else will ever ask for an entry, so the window keeps none that is applied. */
  constructor(epochs: EpochTable, retainedAfter: Zxid, committed: Zxid, isAlone = false) {
    this.#epochs = epochs;
    this.#retainedAfter = retainedAfter;
    this.#durable = epochs.last;
    this.#windowAfter = epochs.last;
    this.#committed = committed;
    this.#isAlone = isAlone;
    this.#handedOut = this.applicable;
    invariant(committed <= epochs.last, 'committed beyond the end of the history');
  }

  /** Last zxid, durable or not. */
  get last(): Zxid {
    return this.#epochs.last;
  }

  get durable(): Zxid {
    return this.#durable;
  }

  get committed(): Zxid {
    return this.#committed;
  }

  /** What may be applied: committed and durable here. */
  get applicable(): Zxid {
    return this.#committed < this.#durable ? this.#committed : this.#durable;
  }

  get epochs(): EpochTable {
    return this.#epochs;
  }

  get retainedAfter(): Zxid {
    return this.#retainedAfter;
  }

  /** Mirrors a persist request in memory, in the order of its fields. */
  requested(request: PersistRequest): void {
    if (request.snapshot !== undefined) this.#restart(request.snapshot);
    if (request.truncateAfter !== undefined) this.#truncateAfter(request.truncateAfter);
    if (request.append !== undefined) this.#append(request.append);
    this.#writes.push({ id: request.id, durable: this.last });
  }

  /** True when something became durable. */
  persisted(id: number): boolean {
    const before = this.#durable;
    while (this.#writes[0] !== undefined && this.#writes[0].id <= id) {
      this.#durable = this.#writes[0].durable;
      this.#writes.shift();
    }
    return this.#durable > before;
  }

  commit(zxid: Zxid): void {
    invariant(zxid >= this.#committed, 'commits go backwards');
    invariant(zxid <= this.last, 'commit beyond the end of the history');
    this.#committed = zxid;
  }

  trimmed(retainedAfter: Zxid): void {
    invariant(retainedAfter <= this.#committed, 'trimmed what is not committed');
    this.#retainedAfter = retainedAfter;
  }

  /** Entries after a zxid out of the window, about `maxBytes` of them; undefined when it does not reach back so far. */
  entriesAfter(zxid: Zxid, upTo: Zxid, maxBytes: number): LogEntry[] | undefined {
    if (zxid >= upTo) return [];
    if (zxid < this.#windowAfter) return undefined;
    const start = this.#indexAfter(zxid);
    const entries: LogEntry[] = [];
    let bytes = 0;
    for (let i = start; i < this.#window.length && bytes < maxBytes; i++) {
      const entry = this.#window[i];
      if (entry === undefined || entry.zxid > upTo) break;
      entries.push(entry);
      bytes += entry.bytes.length;
    }
    return entries;
  }

  /** Position of the first entry after `zxid`. */
  #indexAfter(zxid: Zxid): number {
    let low = this.#head;
    let high = this.#window.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#window[middle]?.zxid ?? 0) <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #append(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      this.#epochs.append(entry.zxid);
      this.#window.push(entry);
      this.#windowBytes += entry.bytes.length;
    }
  }

  #truncateAfter(zxid: Zxid): void {
    invariant(zxid >= this.#committed, 'truncation of committed transactions');
    invariant(zxid >= this.#retainedAfter, 'truncation below the log');
    this.#epochs.truncateAfter(zxid);
    while (this.#window.length > this.#head && (this.#window.at(-1)?.zxid ?? 0) > zxid) {
      this.#windowBytes -= this.#window.pop()?.bytes.length ?? 0;
    }
    if (this.#windowAfter > zxid) this.#windowAfter = zxid;
    if (this.#durable > zxid) this.#durable = zxid;
  }

  #restart(snapshot: NonNullable<PersistRequest['snapshot']>): void {
    this.#epochs = new EpochTable(snapshot.epochs);
    invariant(this.#epochs.last === snapshot.zxid, 'snapshot zxid differs from its history');
    this.#retainedAfter = snapshot.zxid;
    // Nothing more is applied until the new state is durable.
    if (this.#durable > this.#committed) this.#durable = this.#committed;
    if (this.#committed < snapshot.zxid) this.#committed = snapshot.zxid;
    this.#window = [];
    this.#head = 0;
    this.#windowAfter = snapshot.zxid;
    this.#windowBytes = 0;
  }

  /**
   * Lets go of the oldest entries that are beyond the window's size, durable and committed. For the
   * end of a turn, when what was committed in it has been sent to those who get it only then.
   */
  shrinkWindow(): void {
    // What this turn allows to be applied is applied when it has ended, so alone it goes a turn later.
    const needed = this.#isAlone ? this.#handedOut : this.applicable;
    this.#handedOut = this.applicable;
    for (;;) {
      const first = this.#window[this.#head];
      if (first === undefined || first.zxid > needed || !this.#isFull()) break;
      this.#windowBytes -= first.bytes.length;
      this.#windowAfter = first.zxid;
      this.#window[this.#head] = undefined;
      this.#head++;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#window.length) {
      this.#window.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #isFull(): boolean {
    if (this.#isAlone || this.#windowBytes > WINDOW_BYTES) return true;
    return this.#window.length - this.#head > WINDOW_ENTRIES;
  }

  /** Panics when the cursors contradict each other. */
  check(acceptedEpoch: number): void {
    invariant(this.#durable <= this.last, 'durable beyond the end of the history');
    invariant(this.#committed <= this.last, 'committed beyond the end of the history');
    invariant(zxidEpoch(this.last) <= acceptedEpoch, 'history of an epoch never accepted');
    invariant(
      this.#retainedAfter <= this.last || this.last === ZXID_NONE,
      'log starts past its end',
    );
  }
}
