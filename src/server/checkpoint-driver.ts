/**
 * Decides when a checkpoint is written and how much of the log is kept behind it. The writing itself
 * goes on in slices between other work; requests never wait for it.
 */

import type { Zxid } from '../base/ids.ts';
import type { Checkpointer } from '../store/checkpointer.ts';
import type { Subject } from '../store/state-codec.ts';
import type { TxnLog } from '../store/txn-log.ts';

export interface CheckpointPolicy {
  /** Transactions between two checkpoints. */
  readonly intervalTxns: number;
  /** Bytes of log behind a checkpoint, however few transactions: whoever starts reads all of them. */
  readonly intervalBytes: number;
  /** Milliseconds after which even a few changes are written. */
  readonly intervalMs: number;
  /** What the log keeps behind a checkpoint for learners that come back: the smaller of the two. */
  readonly retainTxns: number;
  readonly retainBytes: number;
  /** False: the log is never trimmed. */
  readonly isTrimming: boolean;
}

export interface CheckpointHooks {
  /** The log after this zxid is on its way to a learner; undefined when none catches up. */
  awaitedAfter(): Zxid | undefined;
  /** The log now begins after this zxid. */
  trimmed(retainedAfter: Zxid): void;
  began(): void;
  committed(zxid: Zxid): void;
  failed(error: unknown): void;
}

/** A learner that catches up may hold up to so many times the log that is kept otherwise. */
const AWAITED_SHARE_MAX = 16;

/** A checkpoint of the past, where the log may be cut. */
interface Mark {
  readonly zxid: Zxid;
  /** Transactions applied by this process when it was made. */
  readonly applied: number;
}

export class CheckpointDriver {
  readonly #log: TxnLog;
  readonly #policy: CheckpointPolicy;
  readonly #hooks: CheckpointHooks;
  #checkpointer: Checkpointer;
  #applied = 0;
  #appliedAtLast = 0;
  #lastMs: number;
  #marks: Mark[] = [];
  #running: Promise<void> | undefined;
  #renewing: Promise<boolean> | undefined;
  #isStopped = false;
  #isRewriteDue = false;

  constructor(
    log: TxnLog,
    checkpointer: Checkpointer,
    policy: CheckpointPolicy,
    hooks: CheckpointHooks,
    nowMs: number,
  ) {
    this.#log = log;
    this.#checkpointer = checkpointer;
    this.#policy = policy;
    this.#hooks = hooks;
    this.#lastMs = nowMs;
    this.#marks.push({ zxid: checkpointer.checkpoint.zxid, applied: 0 });
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Another state took the old one's place. Resolves when the old one's checkpoint has stopped. */
  async replace(checkpointer: Checkpointer): Promise<void> {
    const old = this.#checkpointer;
    this.#checkpointer = checkpointer;
    await this.#running;
    old.detach();
    this.#marks = [{ zxid: checkpointer.checkpoint.zxid, applied: this.#applied }];
    this.#appliedAtLast = this.#applied;
  }

  applied(): void {
    this.#applied++;
  }

  /** The stored version of a subject is damaged: a checkpoint replaces it soon. */
  rewrite(subject: Subject): void {
    this.#checkpointer.rewrite(subject);
    this.#isRewriteDue = true;
  }

  /** Begins a checkpoint if one is due. */
  tick(nowMs: number): void {
    if (this.#running !== undefined || this.#isStopped) return;
    const count = this.#applied - this.#appliedAtLast;
    const isDue =
      this.#isRewriteDue ||
      count >= this.#policy.intervalTxns ||
      (count > 0 && (this.#isLogLong || nowMs - this.#lastMs >= this.#policy.intervalMs));
    if (!isDue) return;
    this.#lastMs = nowMs;
    this.#begin();
  }

  get #isLogLong(): boolean {
    const { zxid } = this.#checkpointer.checkpoint;
    return this.#log.bytesAfter(zxid) >= this.#policy.intervalBytes;
  }

  #begin(): void {
    this.#isRewriteDue = false;
    this.#running = this.#run().then(
      () => {
        this.#running = undefined;
      },
      (error: unknown) => {
        this.#running = undefined;
        this.#isStopped = true;
        this.#hooks.failed(error);
      },
    );
  }

  /** Lets a running checkpoint end, and writes a last one, so that the next start is short. */
  async stop(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (this.#applied > this.#appliedAtLast) await this.#run();
  }

  /**
   * Writes a checkpoint now and drops the log up to it, for something in the log cannot be read any
   * more. Resolves to whether the log begins later than before.
   */
  async cut(): Promise<boolean> {
    const before = this.#log.meta.baseZxid;
    if (!(await this.#writeNow())) return false;
    const { zxid } = this.#checkpointer.checkpoint;
    this.#marks = this.#marks.filter((mark) => mark.zxid >= zxid);
    await this.#log.trim(zxid);
    const { baseZxid } = this.#log.meta;
    this.#hooks.trimmed(baseZxid);
    return baseZxid > before;
  }

  /**
   * Writes a checkpoint of everything from memory, for what is stored is damaged. `pause` lets other
   * work have its turn. Resolves to whether the damage is gone. Whoever asks meanwhile means the same.
   */
  renew(pause: () => Promise<void>): Promise<boolean> {
    this.#renewing ??= this.#renew(pause).finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(pause: () => Promise<void>): Promise<boolean> {
    const checkpointer = this.#checkpointer;
    await checkpointer.rewriteAll(pause);
    while (this.#running !== undefined) await this.#running;
    // Another state has taken the place of the damaged one.
    if (checkpointer !== this.#checkpointer) return true;
    return await this.#writeNow();
  }

  /** Whether one more checkpoint was written, behind the one under way. */
  async #writeNow(): Promise<boolean> {
    // Of several who wait for the same one, the first begins another.
    while (this.#running !== undefined) await this.#running;
    if (this.#isStopped) return false;
    this.#begin();
    await this.#running;
    return !this.#isStopped;
  }

  /** Writes no more; a checkpoint under way ends as it may. */
  async halt(): Promise<void> {
    this.#isStopped = true;
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    const checkpointer = this.#checkpointer;
    const applied = this.#applied;
    this.#appliedAtLast = applied;
    this.#hooks.began();
    checkpointer.begin();
    while (!(await checkpointer.step())) {
      // A snapshot took this state's place: its checkpoint is of no use any more.
      if (checkpointer !== this.#checkpointer) return;
    }
    const { zxid } = checkpointer.checkpoint;
    this.#hooks.committed(zxid);
    this.#marks.push({ zxid, applied });
    await this.#trim();
  }

  async #trim(): Promise<void> {
    const { retainTxns, retainBytes, isTrimming } = this.#policy;
    if (!isTrimming) return;
    const newest = this.#marks.at(-1)?.applied ?? 0;
    let cut: Mark | undefined;
    const held = this.#heldAfter();
    for (const mark of this.#marks) {
      if (held !== undefined && mark.zxid > held) break;
      const isFar = newest - mark.applied >= retainTxns;
      if (isFar || this.#log.bytesAfter(mark.zxid) > retainBytes) cut = mark;
    }
    if (cut === undefined || cut.zxid <= this.#log.meta.baseZxid) return;
    const { zxid } = cut;
    this.#marks = this.#marks.filter((mark) => mark.zxid >= zxid);
    await this.#log.trim(zxid);
    this.#hooks.trimmed(this.#log.meta.baseZxid);
  }

  /**
   * Under load the log outgrows what is kept while a snapshot is under way. Without what follows the
   * snapshot its receiver would have to begin again, and again.
   */
  #heldAfter(): Zxid | undefined {
    const after = this.#hooks.awaitedAfter();
    if (after === undefined) return undefined;
    const heldMax = AWAITED_SHARE_MAX * this.#policy.retainBytes;
    return this.#log.bytesAfter(after) > heldMax ? undefined : after;
  }
}
