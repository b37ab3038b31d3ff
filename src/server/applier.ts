/**
 * Brings committed transactions into the tree, in order, from the core's window while it reaches
 * back far enough and from the log otherwise.
 */

import { invariant } from '../base/assert.ts';
import { type Zxid, zxidHex } from '../base/ids.ts';
import type { LogEntry } from '../consensus/messages.ts';
import type { ApplyResult, DataTree } from '../store/data-tree.ts';
import { StoreError } from '../store/store-error.ts';
import type { Txn } from '../store/txn.ts';
import { decodeTxn, TxnDecodeError } from '../store/txn-codec.ts';
import type { TxnLog } from '../store/txn-log.ts';
import { FatalError } from './fatal-error.ts';

export interface ApplierHooks {
  /** Entries after a zxid out of memory; undefined when only the log has them. */
  recent(after: Zxid, upTo: Zxid, maxBytes: number): readonly LogEntry[] | undefined;
  /** The transaction as this server proposed it; undefined when it has to be decoded. */
  proposed(zxid: Zxid): Txn | undefined;
  /** Whether somebody here waits for the transaction's result. */
  isAwaited(txn: Txn): boolean;
  /** The tree has just applied the transaction. */
  applied(zxid: Zxid, txn: Txn, result: ApplyResult): void;
  /** Whether the log has begun anew at a snapshot whose tree is about to take this one's place. */
  isTreeOutdated(): boolean;
  /** Everything asked for so far is applied. */
  caughtUp(): void;
  failed(error: unknown): void;
}

const CHUNK_BYTES = 1024 * 1024;

export class Applier {
  readonly #log: TxnLog;
  readonly #hooks: ApplierHooks;
  #tree: DataTree;
  #target: Zxid;
  #isReading = false;

  constructor(tree: DataTree, log: TxnLog, hooks: ApplierHooks) {
    this.#tree = tree;
    this.#log = log;
    this.#hooks = hooks;
    this.#target = tree.lastZxid;
  }

  get tree(): DataTree {
    return this.#tree;
  }

  /** A snapshot took the place of everything before it. */
  replaceTree(tree: DataTree): void {
    this.#tree = tree;
    if (this.#target < tree.lastZxid) this.#target = tree.lastZxid;
  }

  applyUpTo(zxid: Zxid): void {
    if (zxid > this.#target) this.#target = zxid;
    if (!this.#isReading) this.#run();
  }

  #run(): void {
    while (this.#tree.lastZxid < this.#target) {
      const entries = this.#hooks.recent(this.#tree.lastZxid, this.#target, CHUNK_BYTES);
      if (entries === undefined) {
        this.#readOn();
        return;
      }
      invariant(entries.length > 0, 'committed transactions are missing');
      for (const entry of entries) this.#apply(entry);
    }
    this.#hooks.caughtUp();
  }

  #readOn(): void {
    this.#isReading = true;
    const tree = this.#tree;
    // What lies behind the target of now may be on its way out: a truncation that overtakes the read
    // takes it from the log, and a target of later says nothing about it.
    const target = this.#target;
    this.#log.read(tree.lastZxid, CHUNK_BYTES).then(
      (entries) => {
        this.#isReading = false;
        this.#goOn(() => {
          // A snapshot that took the tree's place meanwhile needs other entries.
          if (tree === this.#tree) this.#applyRead(entries, target);
          this.#run();
        });
      },
      (error: unknown) => {
        this.#isReading = false;
        if (tree !== this.#tree) this.#goOn(() => this.#run());
        // What this tree lacks went with the old log; the new tree does not need it.
        else if (!isTrimmed(error) || !this.#hooks.isTreeOutdated()) this.#hooks.failed(error);
      },
    );
  }

  #goOn(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#hooks.failed(error);
    }
  }

  #applyRead(entries: readonly LogEntry[], target: Zxid): void {
    const [first] = entries;
    const isThere = first !== undefined && first.zxid <= target;
    invariant(isThere, 'committed transactions are not in the log');
    for (const entry of entries) if (entry.zxid <= target) this.#apply(entry);
  }

  #apply(entry: LogEntry): void {
    const txn = this.#hooks.proposed(entry.zxid) ?? decodeTxn(entry.bytes);
    if (txn instanceof TxnDecodeError) {
      throw new FatalError(
        'DATA',
        `transaction ${zxidHex(entry.zxid)} cannot be read (${txn.message}): its bytes were changed ` +
          'after the leader wrote them, or a newer release wrote them',
        { cause: txn },
      );
    }
    const result = this.#tree.apply(entry.zxid, txn, this.#hooks.isAwaited(txn));
    this.#hooks.applied(entry.zxid, txn, result);
  }
}

function isTrimmed(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'LOG_TRIMMED';
}
