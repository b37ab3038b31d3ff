/**
 * One life of the storm's server: its stores, and what drives them in a real one, with the core's
 * part played by the storm. Whatever it does and holds is compared with the ledger.
 */

import { strict as assert } from 'node:assert';
import { makeServerId, ZXID_NONE, type Zxid, zxidHex } from '../../../src/base/ids.ts';
import type { Prng } from '../../../src/base/prng.ts';
import type { PersistRequest } from '../../../src/consensus/effects.ts';
import type { KeyValue, KeyValueStore, Runtime } from '../../../src/runtime/runtime.ts';
import { Applier } from '../../../src/server/applier.ts';
import { CheckpointDriver } from '../../../src/server/checkpoint-driver.ts';
import { LogWriter } from '../../../src/server/log-writer.ts';
import { Checkpointer } from '../../../src/store/checkpointer.ts';
import { type ApplyResult, DataTree } from '../../../src/store/data-tree.ts';
import { StateStore } from '../../../src/store/state-store.ts';
import { type Txn, TxnType } from '../../../src/store/txn.ts';
import { TxnLog } from '../../../src/store/txn-log.ts';
import { storedState } from '../stored-state.ts';
import { expectSameTree } from '../tree-check.ts';
import { expectSoundLog, type Promised } from './log-check.ts';
import type { StormEntry, StormLedger } from './storm-ledger.ts';

const SERVER = makeServerId(1);
const UNLIMITED = 2 ** 40;
const RECENT_MAX = 5;
const MARKED_AT_ONCE = 2;

/** What the seed decided once for all lives. */
export interface StormSettings {
  readonly chunkBytes: number;
  /** Transactions from one checkpoint to the next. */
  readonly intervalTxns: number;
  /** Transactions that the log keeps behind a checkpoint at least. */
  readonly retainTxns: number;
  /** Bytes of use to nobody that packs may hold. */
  readonly slackBytes: number;
  /** Entries, likewise; less than none, so that packs are cleaned although the trees are small. */
  readonly slackEntries: number;
}

/** Where a life's data are, and those of a learner that lives as long. */
export interface StormStores {
  readonly log: KeyValueStore;
  readonly state: KeyValueStore;
  readonly copy: KeyValueStore;
}

/** What a life left for certain on the disk, and what may be there beside it. */
export interface Legacy {
  /** What the log said last, and what it may say: the first is what it was told to be durable. */
  readonly promises: readonly Promised[];
  /** Of the last checkpoint that was complete. */
  readonly checkpointZxid: Zxid;
}

export const NO_LEGACY: Legacy = {
  promises: [{ last: ZXID_NONE, epoch: 0, commitHint: ZXID_NONE }],
  checkpointZxid: ZXID_NONE,
};

type Parts = {
  readonly runtime: Runtime;
  readonly ledger: StormLedger;
  readonly prng: Prng;
  readonly settings: StormSettings;
  readonly log: TxnLog;
  readonly state: StateStore;
  readonly copy: KeyValueStore;
  readonly tree: DataTree;
  readonly checkpointer: Checkpointer;
};

/** What is there once the stores are open. */
type Opened = 'log' | 'state' | 'copy' | 'tree' | 'checkpointer';

export class StormServer {
  readonly log: TxnLog;
  readonly tree: DataTree;
  readonly driver: CheckpointDriver;
  /** Called when the tree has applied a transaction. */
  onApplied: (zxid: Zxid) => void = () => undefined;
  /** Hands out a transaction that needs no decoding. */
  proposed: (zxid: Zxid) => Txn | undefined = () => undefined;
  /** What went wrong behind the storm's back. */
  problem: unknown;
  /** Truncations asked for so far. */
  truncations = 0;
  readonly #ledger: StormLedger;
  readonly #prng: Prng;
  readonly #settings: StormSettings;
  readonly #writer: LogWriter;
  readonly #applier: Applier;
  readonly #checkpointer: Checkpointer;
  readonly #runtime: Runtime;
  readonly #state: StateStore;
  readonly #copy: KeyValueStore;
  #isCopying = false;
  #isDead = false;
  /** What the log says, or may say as soon as a write under way is done; by id of the request. */
  #promises: (Promised & { readonly id: number })[];
  #lastId = 0;
  /** End of that part of the history that is durable here. */
  #durable: Zxid;
  /** End of that part of the history that this server was given. */
  #last: Zxid;
  /** Memory holds what comes behind. */
  #windowAfter: Zxid;
  /** So much is known here as committed. */
  #known: Zxid;
  #isAwaited = false;
  #checkpointZxid: Zxid;

  private constructor(parts: Parts) {
    const { runtime, ledger, prng, settings, log, tree, checkpointer } = parts;
    this.#runtime = runtime;
    this.#state = parts.state;
    this.#copy = parts.copy;
    this.#ledger = ledger;
    this.#prng = prng;
    this.#settings = settings;
    this.log = log;
    this.tree = tree;
    this.#checkpointer = checkpointer;
    const { lastZxid: last, currentEpoch: epoch, commitHint } = log.meta;
    this.#promises = [{ id: 0, last, epoch, commitHint }];
    this.#durable = last;
    this.#last = last;
    this.#windowAfter = last;
    this.#known = commitHint;
    this.#checkpointZxid = checkpointer.checkpoint.zxid;
    this.#writer = new LogWriter(log, runtime, {
      stagedGeneration: () => assert.fail('no snapshot was staged'),
      snapshotSwitched: () => assert.fail('no snapshot was staged'),
      writeBegan: () => undefined,
      writeEnded: () => undefined,
      persisted: (id) => this.#guard(() => this.#persisted(id)),
      failed: (error) => this.fail(error),
    });
    this.#applier = new Applier(tree, log, {
      recent: (after, upTo) => this.#recent(after, upTo),
      proposed: (zxid) => this.proposed(zxid),
      isAwaited: () => {
        this.#isAwaited = prng.chance(0.5);
        return this.#isAwaited;
      },
      applied: (zxid, txn, result) => this.#applied(zxid, txn, result),
      isTreeOutdated: () => false,
      caughtUp: () => undefined,
      failed: (error) => this.fail(error),
    });
    const policy = { intervalBytes: UNLIMITED, intervalMs: UNLIMITED, retainBytes: UNLIMITED };
    const { intervalTxns, retainTxns } = settings;
    this.driver = new CheckpointDriver(
      log,
      checkpointer,
      { ...policy, intervalTxns, retainTxns, isTrimming: true },
      {
        awaitedAfter: () => undefined,
        trimmed: (after) => this.#guard(() => this.#trimmed(after)),
        began: () => undefined,
        committed: (zxid) => {
          this.#checkpointZxid = zxid;
        },
        failed: (error) => this.fail(error),
      },
      0,
    );
  }

  /** Loads what an earlier life left, and compares it with the ledger; undefined: the first life. */
  static async open(
    stores: StormStores,
    parts: Omit<Parts, Opened>,
    legacy: Legacy | undefined,
  ): Promise<StormServer> {
    const { ledger, settings } = parts;
    if (legacy === undefined) {
      await StateStore.create(stores.state);
      await TxnLog.create(stores.log, { serverId: SERVER, incarnation: 'ab' });
    }
    const log = await TxnLog.open(stores.log, { serverId: SERVER });
    const { promises, checkpointZxid } = legacy ?? NO_LEGACY;
    await expectSoundLog(log, ledger, promises);
    const state = await StateStore.open(stores.state, log.meta.generation);
    const tree = new DataTree({ extendedTypes: ledger.knowsTtl });
    const { chunkBytes, slackBytes, slackEntries } = settings;
    const slack = { slackBytes, slackEntries };
    const options = { chunkBytes, markedAtOnce: MARKED_AT_ONCE, ...slack };
    const checkpointer = await Checkpointer.restore(state, tree, options);
    const { zxid } = state.checkpoint;
    assert(zxid >= checkpointZxid, `the checkpoint of ${zxidHex(checkpointZxid)} is gone`);
    const isWithin = zxid >= log.meta.baseZxid && zxid <= log.meta.lastZxid;
    assert(isWithin, `checkpoint ${zxidHex(zxid)} lies outside of the log`);
    expectSameTree(tree, ledger.modelAt(zxid));
    const server = new StormServer({ ...parts, ...stores, log, state, tree, checkpointer });
    server.applyUpTo(log.meta.commitHint);
    return server;
  }

  get durable(): Zxid {
    return this.#durable;
  }

  /** End of what it has, and on its way to the disk. */
  get last(): Zxid {
    return this.#last;
  }

  get isIdle(): boolean {
    return this.#writer.isIdle && !this.driver.isRunning;
  }

  /** Of the present process nothing but its disk is left. */
  die(): Legacy {
    this.#isDead = true;
    return { promises: this.#promises, checkpointZxid: this.#checkpointZxid };
  }

  fail(error: unknown): void {
    if (!this.#isDead) this.problem ??= error;
  }

  /** Hands the history on to the disk: what follows a place, where the log is cut if it goes on. */
  persist(behind: Zxid, entries: readonly StormEntry[]): void {
    const isCut = behind !== this.#last;
    const { epoch } = this.#ledger;
    // What is committed need not be known here yet.
    if (this.#prng.chance(0.7)) this.#known = this.#ledger.committed;
    const known = this.#known;
    const last = entries.at(-1)?.zxid ?? behind;
    const isSaid = this.#promises.at(-1)?.epoch === epoch && this.#prng.chance(0.8);
    const request: PersistRequest = {
      id: ++this.#lastId,
      ...(isCut && { truncateAfter: behind }),
      ...(entries.length > 0 && { append: entries }),
      ...(!isSaid && { acceptedEpoch: epoch, currentEpoch: epoch }),
      commitHint: known,
    };
    if (isCut) this.#cut(behind);
    this.#last = last;
    const before = this.#promises.at(-1)?.commitHint ?? ZXID_NONE;
    const hint = Math.max(before, Math.min(known, last)) as Zxid;
    this.#promises.push({ id: request.id, last, epoch, commitHint: hint });
    this.#writer.add(request);
  }

  flush(): void {
    this.#writer.flush();
  }

  /** Applies what is committed and durable here. */
  applyUpTo(committed: Zxid): void {
    const upTo = committed < this.#durable ? committed : this.#durable;
    this.#guard(() => this.#applier.applyUpTo(upTo));
  }

  /** Settled transactions leave memory; whoever needs them reads the log. */
  forget(): void {
    const settled = Math.min(this.#ledger.committed, this.#durable) as Zxid;
    if (settled > this.#windowAfter) this.#windowAfter = settled;
  }

  compare(): void {
    expectSameTree(this.tree, this.#ledger.modelAt(this.tree.lastZxid));
  }

  /** After a checkpoint without changes meanwhile: the store holds what that one counts, no more. */
  expectNothingObsolete(pairs: Iterable<KeyValue>): void {
    const { entryCount, sessionCount } = this.#checkpointer.checkpoint;
    const stored = storedState(pairs);
    assert.equal(stored.entryCount, entryCount, 'entries in the packs of the state store');
    assert.equal(stored.recordCount, 1 + sessionCount, 'records in the state store');
  }

  /** Reads the log as for a learner that has everything up to a place. */
  read(after: Zxid, maxBytes: number): void {
    const durableBefore = this.#durable;
    const { truncations } = this;
    this.log.read(after, maxBytes).then(
      (entries) => {
        this.#guard(() => {
          let last = after;
          for (const { zxid, bytes } of entries) {
            const entry = this.#ledger.entry(zxid);
            assert.equal(entry.previous, last, `a gap before ${zxidHex(zxid)}`);
            assert(Buffer.from(entry.bytes).equals(bytes), `other bytes at ${zxidHex(zxid)}`);
            last = zxid;
          }
          if (truncations !== this.truncations || durableBefore <= after) return;
          assert(entries.length > 0, `nothing is read behind ${zxidHex(after)}`);
          const isAll = maxBytes < UNLIMITED || last >= durableBefore;
          assert(isAll, `reading ends at ${zxidHex(last)} of ${zxidHex(durableBefore)}`);
        });
      },
      (error: unknown) => {
        if (after >= this.log.meta.baseZxid) this.fail(error);
      },
    );
  }

  /** Everything is written anew. */
  renew(): void {
    const pause = () => new Promise<void>((resolve) => this.#runtime.timers.set(0, resolve));
    // A disk that fails meanwhile has said so to the driver.
    this.driver.renew(pause).catch((error: unknown) => this.fail(error));
  }

  /** A learner fetches the last checkpoint, while others follow it. */
  sendSnapshot(): void {
    const { sequence, zxid } = this.#state.checkpoint;
    if (this.#isCopying || sequence === 0) return;
    this.#isCopying = true;
    this.#copyState().then(
      (tree) => {
        this.#isCopying = false;
        this.#guard(() => expectSameTree(tree, this.#ledger.modelAt(zxid)));
      },
      (error: unknown) => this.fail(error),
    );
  }

  async #copyState(): Promise<DataTree> {
    const reader = this.#state.openSnapshot();
    const home = await StateStore.open(this.#copy, 1).catch(() => StateStore.create(this.#copy));
    const stage = await home.stageSnapshot(2);
    for (;;) {
      const chunk = await reader.next(this.#prng.between(50, 600));
      if (chunk === undefined) break;
      await stage.add(chunk);
    }
    await reader.close();
    await stage.finish(reader);
    const tree = new DataTree({ extendedTypes: this.#ledger.knowsTtl });
    const { chunkBytes } = this.#settings;
    await Checkpointer.restore(await StateStore.open(this.#copy, 2), tree, { chunkBytes });
    return tree;
  }

  #cut(behind: Zxid): void {
    this.truncations++;
    if (this.#durable > behind) this.#durable = behind;
    if (this.#windowAfter > behind) this.#windowAfter = behind;
  }

  #persisted(id: number): void {
    while (this.#promises.length > 1 && (this.#promises[1]?.id ?? id + 1) <= id) {
      this.#promises.shift();
    }
    const [now] = this.#promises;
    assert(now !== undefined && now.id === id, `request ${id} is durable, and it is not known`);
    // A truncation under way takes away what became durable before it.
    const ends = this.#promises.map(({ last }) => last);
    this.#durable = ends.reduce((a, b) => (a < b ? a : b));
    this.applyUpTo(this.#ledger.committed);
  }

  #recent(after: Zxid, upTo: Zxid): readonly StormEntry[] | undefined {
    if (after < this.#windowAfter) return undefined;
    const entries = this.#ledger.between(after, upTo);
    return entries.slice(0, this.#prng.between(1, RECENT_MAX));
  }

  #applied(zxid: Zxid, { body }: Txn, result: ApplyResult): void {
    assert(this.#ledger.has(zxid), `${zxidHex(zxid)} is applied and not part of the history`);
    if (this.#isAwaited) {
      assert.equal(result.type, body.type, 'type of a result');
      assert.equal(result.error, body.type === TxnType.error ? body.error : 0, 'a result');
      assert.equal(result.path, 'path' in body ? body.path : null, 'path of a result');
    }
    this.driver.applied();
    this.onApplied(zxid);
  }

  #trimmed(after: Zxid): void {
    const { zxid } = this.#checkpointer.checkpoint;
    assert(after <= zxid, `trimmed up to ${zxidHex(after)}, checkpoint ${zxidHex(zxid)}`);
  }

  #guard(work: () => void): void {
    if (this.#isDead) return;
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }
}
