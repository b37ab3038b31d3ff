/**
 * The durable history of one server: hard state and transactions, each change one atomic batch.
 * Epochs, truncation and entries reach the disk together or not at all, so no crash can leave an
 * epoch without its history or a new snapshot beside an old log.
 */

import { invariant } from '../base/assert.ts';
import { type EpochEnd, EpochTable } from '../base/epoch-table.ts';
import type { ServerId } from '../base/ids.ts';
import { EPOCH_NONE, type Epoch, ZXID_NONE, type Zxid, zxidEpoch } from '../base/ids.ts';
import type { Standing } from '../base/standing.ts';
import type { Cursor, KeyRange, KeyValueStore } from '../runtime/runtime.ts';
import { GroupIndex } from './group-index.ts';
import { groupKey, metaKey } from './keyspace.ts';
import {
  isEmpty,
  logDamaged,
  logTrimmed,
  missingMeta,
  verifiedGroup,
  verifyGroups,
} from './log-check.ts';
import { type DecodedGroup, encodeGroups, type LogEntry } from './log-group.ts';
import { assertLogMeta, encodeLogMeta, type LogMeta, readLogMeta } from './log-meta.ts';
import { type LogMutation, type LogPlan, planAppend, planSnapshot } from './log-plan.ts';
import { StoreError } from './store-error.ts';

export type { LogEntry } from './log-group.ts';
export type { LogMeta } from './log-meta.ts';
export type { LogMutation } from './log-plan.ts';

/** A trim deletes so many groups per batch, so that a waiting write waits a millisecond or so. */
const TRIM_GROUPS_MAX = 1024;
/** Epochs that end before the log begins decide nothing; some stay for people who read the table. */
const TRIMMED_EPOCHS_MAX = 16;

export class TxnLog {
  readonly #store: KeyValueStore;
  readonly #index: GroupIndex;
  #meta: LogMeta;
  #isWriting = false;
  #hasFailed = false;
  /** What the first failure was: whoever comes later is told the same, and so is the operator. */
  #failure: unknown;
  /** Settles when the writes and trims asked for so far have ended. */
  #turn: Promise<void> = Promise.resolve();
  /** While a batch that drops groups is under way, the index still names groups that may be gone. */
  #shrinking: Promise<void> | undefined;

  private constructor(store: KeyValueStore, meta: LogMeta, index: GroupIndex) {
    this.#store = store;
    this.#meta = Object.freeze(meta);
    this.#index = index;
  }

  /**
   * Makes the log of a new server in an empty store: no history, epoch 0, generation 1; then, in the
   * same batch, `first` (a server whose history came from elsewhere begins behind it).
   * Rejects with a `StoreError` of code `LOG_EXISTS` when the store holds anything.
   */
  static async create(
    store: KeyValueStore,
    identity: {
      readonly serverId: ServerId;
      readonly incarnation: string;
      /** Default: whole. */
      readonly standing?: Standing;
    },
    first: LogMutation = {},
  ): Promise<TxnLog> {
    if (!(await isEmpty(store))) {
      throw new StoreError(
        'LOG_EXISTS',
        'log store',
        'it already holds data',
        'start the server without asking for a new store, or name an empty directory',
      );
    }
    const meta: LogMeta = {
      standing: 'whole',
      ...identity,
      clusterId: '',
      acceptedEpoch: EPOCH_NONE,
      currentEpoch: EPOCH_NONE,
      lastZxid: ZXID_NONE,
      lastChain: 0,
      baseZxid: ZXID_NONE,
      baseChain: 0,
      epochs: [],
      generation: 1,
      commitHint: ZXID_NONE,
    };
    const log = new TxnLog(store, meta, new GroupIndex());
    await log.write(first);
    return log;
  }

  /**
   * Opens the log and reads all of it once: checksums, order, and that it ends where it should.
   * Rejects with a `StoreError`: `LOG_MISSING`, `WRONG_SERVER`, `META_DAMAGED`, `FORMAT_UNKNOWN`,
   * or `LOG_DAMAGED`, after which the identity can still be had from `readLogMeta`.
   */
  static async open(
    store: KeyValueStore,
    expected: { readonly serverId: ServerId },
  ): Promise<TxnLog> {
    const meta = await readLogMeta(store);
    if (meta === undefined) throw await missingMeta(store);
    if (meta.serverId !== expected.serverId) {
      throw new StoreError(
        'WRONG_SERVER',
        'log store',
        `it belongs to server ${meta.serverId}, this is server ${expected.serverId}`,
        'correct myid or the directory in the configuration',
      );
    }
    return new TxnLog(store, meta, await verifyGroups(store, meta));
  }

  /** As of the last durable write. */
  get meta(): LogMeta {
    return this.#meta;
  }

  /** The first retained entry; undefined when there is none. */
  get firstZxid(): Zxid | undefined {
    return this.#index.length > 0 ? this.#index.first(0) : undefined;
  }

  get entryCount(): number {
    return this.#index.entryCount;
  }

  /** Bytes on disk of the entries after a zxid, up to one group too many. */
  bytesAfter(zxid: Zxid): number {
    return this.#index.bytesBetween(this.#index.firstAfter(zxid), this.#index.length);
  }

  /**
   * Makes the change durable. One write at a time; while one is under way the caller gathers the
   * next. After a rejection the process must stop: what reached the disk is unknown.
   */
  write(mutation: LogMutation): Promise<void> {
    if (this.#hasFailed) return Promise.reject(this.#failure);
    invariant(!this.#isWriting, 'two log writes at once');
    this.#isWriting = true;
    return this.#exclusively(async () => {
      const plan = await this.#plan(mutation);
      await this.#carryOut(plan);
      this.#isWriting = false;
    });
  }

  /**
   * Entries after a zxid in order, as many as fit `maxBytes` and at least one if there is one;
   * bytes belong to the caller. May run beside writes. Rejects with a `StoreError`: `LOG_TRIMMED`
   * when entries after the zxid are no longer retained, `LOG_DAMAGED` when what is read is wrong.
   */
  async read(after: Zxid, maxBytes: number): Promise<readonly LogEntry[]> {
    while (this.#shrinking !== undefined) await this.#shrinking;
    if (after < this.#meta.baseZxid) throw logTrimmed(after, this.#meta.baseZxid);
    const index = this.#index;
    const from = index.firstAfter(after);
    if (from === index.length) return [];
    let to = from + 1;
    while (to < index.length && index.bytesBetween(from, to + 1) <= maxBytes) to++;
    const entries: LogEntry[] = [];
    let bytes = 0;
    for (const group of await this.#readGroups(from, to)) {
      for (const entry of group.entries) {
        if (entry.zxid <= after) continue;
        bytes += entry.bytes.length;
        if (bytes > maxBytes && entries.length > 0) return entries;
        entries.push(entry);
      }
    }
    return entries;
  }

  /**
   * Drops the groups that end at or before a zxid, in bounded unsynced batches; a crash undoes any
   * number of the last of them. Takes turns with writes by itself. The caller has a durable
   * checkpoint at or after the zxid.
   */
  async trim(keepAfter: Zxid): Promise<void> {
    let isDone = false;
    while (!isDone) {
      await this.#exclusively(async () => {
        const dropped = Math.min(this.#index.firstAfter(keepAfter), TRIM_GROUPS_MAX);
        if (dropped > 0) await this.#dropOldest(dropped);
        isDone = dropped < TRIM_GROUPS_MAX;
      });
    }
  }

  /** A view of what is stored, for whoever checks it. */
  scan(range: KeyRange): Cursor {
    return this.#store.scan(range);
  }

  /** Waits for what is under way, then closes the store. */
  async close(): Promise<void> {
    await this.#turn;
    await this.#store.close();
  }

  #exclusively(task: () => Promise<void>): Promise<void> {
    const run = this.#turn.then(() => {
      if (this.#hasFailed) throw this.#failure;
      return task();
    });
    this.#turn = run.catch((error: unknown) => {
      if (!this.#hasFailed) this.#failure = error;
      this.#hasFailed = true;
    });
    return run;
  }

  async #plan(mutation: LogMutation): Promise<LogPlan> {
    const plan: LogPlan = { meta: this.#meta, keep: this.#index.length, added: [] };
    if (mutation.snapshot !== undefined) planSnapshot(plan, mutation.snapshot);
    if (mutation.truncateAfter !== undefined && mutation.truncateAfter !== plan.meta.lastZxid) {
      invariant(mutation.snapshot === undefined, 'truncation behind a snapshot');
      await this.#planTruncation(plan, mutation.truncateAfter);
    }
    if (mutation.append !== undefined && mutation.append.length > 0) {
      planAppend(plan, mutation.append);
    }
    const before = this.#meta;
    const hint = Math.max(plan.meta.commitHint, mutation.commitHint ?? ZXID_NONE);
    const meta: LogMeta = {
      ...plan.meta,
      acceptedEpoch: mutation.acceptedEpoch ?? before.acceptedEpoch,
      currentEpoch: mutation.currentEpoch ?? before.currentEpoch,
      clusterId: mutation.clusterId ?? before.clusterId,
      standing: mutation.standing ?? before.standing,
      commitHint: Math.min(hint, plan.meta.lastZxid) as Zxid,
    };
    invariant(meta.acceptedEpoch >= before.acceptedEpoch, 'accepted epoch would go back');
    invariant(meta.currentEpoch >= before.currentEpoch, 'current epoch would go back');
    plan.meta = meta;
    return plan;
  }

  /** A cut inside a group rewrites the part of it that stays. */
  async #planTruncation(plan: LogPlan, after: Zxid): Promise<void> {
    const { meta } = plan;
    const index = this.#index;
    invariant(after >= meta.baseZxid, 'truncation before the first retained entry');
    invariant(after >= meta.commitHint, 'truncation of committed entries');
    plan.keep = index.firstAfter(after);
    let last = plan.keep > 0 ? index.last(plan.keep - 1) : meta.baseZxid;
    let chain = plan.keep > 0 ? index.chain(plan.keep - 1) : meta.baseChain;
    if (plan.keep < index.length && index.first(plan.keep) <= after) {
      const [cut] = await this.#readGroups(plan.keep, plan.keep + 1);
      const entries = cut?.entries.filter((entry) => entry.zxid <= after) ?? [];
      for (const group of encodeGroups(entries, last, chain)) {
        plan.added.push(group);
        last = group.last;
        chain = group.chain;
      }
    }
    invariant(last === after, 'truncation point not in the log');
    const epochs = new EpochTable(meta.epochs).upTo(after).ends;
    plan.meta = { ...meta, lastZxid: after, lastChain: chain, epochs };
  }

  async #carryOut(plan: LogPlan): Promise<void> {
    const { meta, keep, added } = plan;
    const index = this.#index;
    assertLogMeta(meta);
    const batch = this.#store.batch();
    for (let i = keep; i < index.length; i++) batch.delete(groupKey(index.first(i)));
    for (const group of added) batch.put(group.key, group.value);
    batch.put(metaKey(), encodeLogMeta(meta));
    const isShrinking = keep < index.length;
    await this.#settle(batch.write({ sync: true }), isShrinking, () => {
      index.dropFrom(keep);
      for (const group of added) index.push(group, group.entryCount, group.value.length);
      this.#meta = Object.freeze(meta);
    });
  }

  async #dropOldest(count: number): Promise<void> {
    const index = this.#index;
    const meta: LogMeta = {
      ...this.#meta,
      baseZxid: index.last(count - 1),
      baseChain: index.chain(count - 1),
      epochs: withoutTrimmed(this.#meta.epochs, zxidEpoch(index.last(count - 1))),
    };
    assertLogMeta(meta);
    const batch = this.#store.batch();
    for (let i = 0; i < count; i++) batch.delete(groupKey(index.first(i)));
    batch.put(metaKey(), encodeLogMeta(meta));
    await this.#settle(batch.write({ sync: false }), true, () => {
      index.dropBefore(count);
      this.#meta = Object.freeze(meta);
    });
  }

  /** What memory knows changes in the same turn in which the write is known to have happened. */
  #settle(write: Promise<void>, isShrinking: boolean, adopt: () => void): Promise<void> {
    const settled = write.then(adopt);
    if (!isShrinking) return settled;
    const shrinking = settled.finally(() => {
      this.#shrinking = undefined;
    });
    this.#shrinking = shrinking;
    return shrinking;
  }

  /** The groups at these positions of the index, verified, also against what lies before them. */
  async #readGroups(from: number, to: number): Promise<DecodedGroup[]> {
    const index = this.#index;
    const firsts: Zxid[] = [];
    for (let i = from; i < to; i++) firsts.push(index.first(i));
    let last = from > 0 ? index.last(from - 1) : this.#meta.baseZxid;
    let chain = from > 0 ? index.chain(from - 1) : this.#meta.baseChain;
    const end = index.last(to - 1);
    const range = { gte: groupKey(index.first(from)), lte: groupKey(index.first(to - 1)) };
    const cursor = this.#store.scan(range);
    const pairs = await cursor.next(to - from).finally(() => cursor.close());
    const groups: DecodedGroup[] = [];
    for (const pair of pairs) {
      const group = verifiedGroup(pair, last, chain, end);
      if (group.first !== firsts[groups.length]) break;
      groups.push(group);
      last = group.last;
      chain = group.chain;
    }
    if (groups.length < firsts.length) throw logDamaged(last, end, 'entries are missing');
    return groups;
  }
}

/** Bounds the table: it stands in every write, and a cluster that elects often has many epochs. */
function withoutTrimmed(ends: readonly EpochEnd[], baseEpoch: Epoch): readonly EpochEnd[] {
  const older = ends.findIndex((end) => end.epoch >= baseEpoch);
  return older > TRIMMED_EPOCHS_MAX ? ends.slice(older - TRIMMED_EPOCHS_MAX) : ends;
}
