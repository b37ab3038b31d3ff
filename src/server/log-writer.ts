/**
 * Group commit: while one synced write is under way, what the core asks for next is gathered and
 * goes into the following one. When that is much, it begins as soon as the disk is free, and what the
 * last write made durable is applied and answered meanwhile. The only place that writes to the log.
 */

import { ZXID_NONE } from '../base/ids.ts';
import type { PersistRequest } from '../consensus/effects.ts';
import type { LogEntry } from '../consensus/messages.ts';
import type { LogMutation, TxnLog } from '../store/txn-log.ts';

export interface LogWriterHooks {
  /** The generation into which the snapshot of this request was staged. */
  stagedGeneration(): number;
  /** A write that put another snapshot in place is durable; the state must be loaded before anything else. */
  snapshotSwitched(): Promise<void>;
  /** A synced write begins; `writeEnded` follows before the next one. */
  writeBegan(): void;
  writeEnded(): void;
  /** All requests up to this id are durable; more may be, of which the next call tells. */
  persisted(id: number): void;
  /** Calls once at the end of the turn. */
  defer(callback: () => void): void;
  /** A write failed. Nothing may be written any more, by anybody. */
  failed(error: unknown): void;
}

/** What one group holds at most: it bounds the wait of whoever comes after it. */
const GROUP_BYTES_MAX = 4 * 1024 * 1024;
const GROUP_ENTRIES_MAX = 5000;

/**
 * So many waiting entries are worth a write that begins before the last one is reported. With fewer, the
 * disk would be kept busy with many small writes, each of which costs as much as some dozen entries.
 */
const EARLY_ENTRIES_MIN = 128;

export class LogWriter {
  readonly #log: TxnLog;
  readonly #hooks: LogWriterHooks;
  #queue: PersistRequest[] = [];
  #isWriting = false;
  /** Of the requests that are durable, the last one, and the last that was reported. */
  #durableId = 0;
  #reportedId = 0;
  #isReportDeferred = false;
  readonly #reportDeferred = (): void => {
    this.#isReportDeferred = false;
    this.#report();
  };
  #failure: unknown;
  #hasFailed = false;
  #settled: Promise<void> = Promise.resolve();
  /** Groups written and the entries in them, for the metrics. */
  groupCount = 0;
  entryCount = 0;

  constructor(log: TxnLog, hooks: LogWriterHooks) {
    this.#log = log;
    this.#hooks = hooks;
  }

  get isIdle(): boolean {
    return !this.#isWriting && this.#queue.length === 0;
  }

  /** Resolves when nothing that was added is on its way any more. Rejects with what a write failed of. */
  async settled(): Promise<void> {
    while (!this.#hasFailed && !this.isIdle) await this.#settled;
    if (this.#hasFailed) throw this.#failure;
  }

  add(request: PersistRequest): void {
    this.#queue.push(request);
  }

  /** Starts to write what was added, unless a write is under way that will go on with it. */
  flush(): void {
    if (this.#isWriting || this.#hasFailed || this.#queue.length === 0) return;
    this.#isWriting = true;
    this.#settled = this.#writeAll().then(
      () => {
        this.#isWriting = false;
        this.flush();
      },
      (error: unknown) => {
        this.#hasFailed = true;
        this.#failure = error;
        this.#hooks.failed(error);
      },
    );
  }

  async #writeAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      const mutation = this.#mutation(group);
      this.#hooks.writeBegan();
      await this.#log.write(mutation);
      this.#hooks.writeEnded();
      this.groupCount++;
      this.entryCount += mutation.append?.length ?? 0;
      if (mutation.snapshot !== undefined) await this.#hooks.snapshotSwitched();
      this.#durableId = group.at(-1)?.id ?? 0;
      if (!this.#mayGoOn()) this.#report();
      else if (!this.#isReportDeferred) {
        this.#isReportDeferred = true;
        this.#hooks.defer(this.#reportDeferred);
      }
    }
  }

  /**
   * Whether the next write begins before the last one is reported. Never one that changes what is there
   * already: what it takes away must not be reported behind its back.
   */
  #mayGoOn(): boolean {
    let entries = 0;
    for (const request of this.#queue) {
      if (isRewrite(request)) return false;
      entries += request.append?.length ?? 0;
      if (entries >= EARLY_ENTRIES_MIN) return true;
    }
    return false;
  }

  #report(): void {
    if (this.#hasFailed || this.#reportedId === this.#durableId) return;
    this.#reportedId = this.#durableId;
    this.#hooks.persisted(this.#durableId);
  }

  /** The longest run of waiting requests that keeps its meaning as one mutation. */
  #takeGroup(): PersistRequest[] {
    let bytes = 0;
    let entries = 0;
    let count = 0;
    for (const request of this.#queue) {
      // In a mutation truncation comes before appending, so it can only be the first of a group.
      if (
        count > 0 &&
        (isRewrite(request) || bytes > GROUP_BYTES_MAX || entries > GROUP_ENTRIES_MAX)
      )
        break;
      for (const entry of request.append ?? []) bytes += entry.bytes.length;
      entries += request.append?.length ?? 0;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  #mutation(group: readonly PersistRequest[]): LogMutation {
    const only = group[0];
    const { snapshot, ...rest } = group.length === 1 && only !== undefined ? only : merge(group);
    if (snapshot === undefined) return rest;
    return { ...rest, snapshot: { ...snapshot, generation: this.#hooks.stagedGeneration() } };
  }
}

function isRewrite(request: PersistRequest): boolean {
  return request.snapshot !== undefined || request.truncateAfter !== undefined;
}

function merge(group: readonly PersistRequest[]): Omit<PersistRequest, 'id'> {
  const append: LogEntry[] = [];
  let merged: Omit<PersistRequest, 'id'> = { commitHint: ZXID_NONE };
  for (const request of group) {
    for (const entry of request.append ?? []) append.push(entry);
    merged = { ...merged, ...request };
  }
  return { ...merged, append };
}
