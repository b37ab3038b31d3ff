/**
 * Group commit: while one synced write is under way, what the core asks for next is gathered and
 * goes into the following one. The only place that writes to the log.
 */

import { ZXID_NONE } from '../base/ids.ts';
import type { PersistRequest } from '../consensus/effects.ts';
import type { LogEntry } from '../consensus/messages.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { LogMutation, TxnLog } from '../store/txn-log.ts';
import { GroupPace } from './group-pace.ts';

export interface LogWriterHooks {
  /** The generation into which the snapshot of this request was staged. */
  stagedGeneration(): number;
  /** A write that put another snapshot in place is durable; the state must be loaded before anything else. */
  snapshotSwitched(): Promise<void>;
  /** A synced write begins; `writeEnded` follows before the next one. */
  writeBegan(): void;
  writeEnded(): void;
  /** All requests up to this id are durable. */
  persisted(id: number): void;
  /** A write failed. Nothing may be written any more, by anybody. */
  failed(error: unknown): void;
}

/** What one group holds at most: it bounds the wait of whoever comes after it. */
const GROUP_BYTES_MAX = 4 * 1024 * 1024;
const GROUP_ENTRIES_MAX = 5000;

export class LogWriter {
  readonly #log: TxnLog;
  readonly #hooks: LogWriterHooks;
  readonly #pace: GroupPace;
  #queue: PersistRequest[] = [];
  /** Entries in the queue. */
  #waitingCount = 0;
  /** Something in the queue is more than entries, or somebody waits for the queue's end. */
  #isUrgent = false;
  #isWriting = false;
  #failure: unknown;
  #hasFailed = false;
  #settled: Promise<void> = Promise.resolve();
  /** Groups written and the entries in them, for the metrics. */
  groupCount = 0;
  entryCount = 0;

  constructor(log: TxnLog, runtime: Pick<Runtime, 'clock' | 'timers'>, hooks: LogWriterHooks) {
    this.#log = log;
    this.#hooks = hooks;
    this.#pace = new GroupPace(runtime, () => this.flush());
  }

  get isIdle(): boolean {
    return !this.#isWriting && this.#queue.length === 0;
  }

  /** Resolves when nothing that was added is on its way any more. Rejects with what a write failed of. */
  async settled(): Promise<void> {
    while (!this.#hasFailed && !this.isIdle) {
      this.#isUrgent = true;
      this.flush();
      await this.#settled;
    }
    if (this.#hasFailed) throw this.#failure;
  }

  add(request: PersistRequest): void {
    this.#queue.push(request);
    this.#waitingCount += request.append?.length ?? 0;
    if (!isPlain(request)) this.#isUrgent = true;
  }

  /** Starts to write what was added, or waits for more; a write that is under way goes on with it. */
  flush(): void {
    if (this.#isWriting || this.#hasFailed || this.#queue.length === 0) return;
    if (!this.#isUrgent && this.#pace.isEarly(this.#waitingCount)) return;
    this.#isWriting = true;
    this.#pace.began();
    this.#settled = this.#write(this.#takeGroup()).then(
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

  async #write(group: readonly PersistRequest[]): Promise<void> {
    const mutation = this.#mutation(group);
    const entryCount = mutation.append?.length ?? 0;
    this.#hooks.writeBegan();
    await this.#log.write(mutation);
    this.#hooks.writeEnded();
    this.groupCount++;
    this.entryCount += entryCount;
    if (mutation.snapshot !== undefined) await this.#hooks.snapshotSwitched();
    this.#hooks.persisted(group.at(-1)?.id ?? 0);
    this.#pace.ended(entryCount, this.#waitingCount);
  }

  /** The longest run of waiting requests that keeps its meaning as one mutation. */
  #takeGroup(): PersistRequest[] {
    let bytes = 0;
    let entries = 0;
    let count = 0;
    for (const request of this.#queue) {
      const isRewrite = request.snapshot !== undefined || request.truncateAfter !== undefined;
      // In a mutation truncation comes before appending, so it can only be the first of a group.
      if (count > 0 && (isRewrite || bytes > GROUP_BYTES_MAX || entries > GROUP_ENTRIES_MAX)) break;
      for (const entry of request.append ?? []) bytes += entry.bytes.length;
      entries += request.append?.length ?? 0;
      count++;
    }
    this.#waitingCount -= entries;
    const group = this.#queue.splice(0, count);
    if (this.#queue.length === 0) this.#isUrgent = false;
    return group;
  }

  #mutation(group: readonly PersistRequest[]): LogMutation {
    const only = group[0];
    const { snapshot, ...rest } = group.length === 1 && only !== undefined ? only : merge(group);
    if (snapshot === undefined) return rest;
    return { ...rest, snapshot: { ...snapshot, generation: this.#hooks.stagedGeneration() } };
  }
}

/** Entries and no more. */
function isPlain(request: PersistRequest): boolean {
  const { append, snapshot, truncateAfter, acceptedEpoch, currentEpoch, clusterId, standing } =
    request;
  const change =
    snapshot ?? truncateAfter ?? acceptedEpoch ?? currentEpoch ?? clusterId ?? standing;
  return append !== undefined && change === undefined;
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
