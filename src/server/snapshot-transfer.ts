/** A checkpoint's way from a leader to a learner whose history the leader's log no longer meets. */

import type { Zxid } from '../base/ids.ts';
import type { LinkId } from '../consensus/effects.ts';
import { MessageType } from '../consensus/messages.ts';
import type { ZabNode } from '../consensus/zab-node.ts';
import type { QuorumTransport } from '../peer/quorum-transport.ts';
import type { KeyValueStore } from '../runtime/runtime.ts';
import { Checkpointer } from '../store/checkpointer.ts';
import type { DataTree } from '../store/data-tree.ts';
import type { SnapshotFacts, SnapshotReader, SnapshotStage } from '../store/state-snapshot.ts';
import { StateStore } from '../store/state-store.ts';
import { StoreError } from '../store/store-error.ts';

const CHUNK_BYTES = 256 * 1024;
/** More than this waiting for the network: read no further. */
const QUEUE_BYTES_MAX = 4 * 1024 * 1024;
/** More than this sent and not yet on the learner's disk: the learner holds it in memory. */
const UNTAKEN_BYTES_MAX = 16 * 1024 * 1024;
/** The learner says what it took when it is so much: far less than the sender waits for. */
const TAKEN_BYTES_REPORTED = 1024 * 1024;

/** A snapshot on its way to one learner. */
interface Transfer {
  /** Bytes of parts that were sent and not yet taken. */
  untakenBytes: number;
  /** Goes on, when it waits for room. */
  resume: (() => void) | undefined;
}

export interface SnapshotSenderOptions {
  readonly node: ZabNode;
  readonly transport: QuorumTransport;
  readonly state: () => StateStore;
  readonly wake: () => void;
  /** The checkpoint cannot be read as it was written: the learner has to start over. */
  readonly damaged: (link: LinkId, error: StoreError) => void;
  readonly failed: (error: unknown) => void;
}

export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #transfers = new Map<LinkId, Transfer>();

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  start(link: LinkId): void {
    const { damaged, failed } = this.#options;
    this.#send(link).catch((error: unknown) => {
      if (error instanceof StoreError && error.code === 'STATE_DAMAGED') damaged(link, error);
      else failed(error);
    });
  }

  /** The link has room again, or is gone. */
  resume(link: LinkId): void {
    const transfer = this.#transfers.get(link);
    const go = transfer?.resume;
    if (transfer !== undefined) transfer.resume = undefined;
    go?.();
  }

  /** The learner has written so much of what it was sent. */
  taken(link: LinkId, byteCount: number): void {
    const transfer = this.#transfers.get(link);
    if (transfer === undefined) return;
    transfer.untakenBytes -= byteCount;
    this.resume(link);
  }

  async #send(link: LinkId): Promise<void> {
    const { node, transport, state, wake } = this.#options;
    const reader: SnapshotReader = state().openSnapshot();
    const transfer: Transfer = { untakenBytes: 0, resume: undefined };
    this.#transfers.set(link, transfer);
    try {
      node.snapshotOpened(link, reader.zxid);
      wake();
      for (;;) {
        const bytes = await reader.next(CHUNK_BYTES);
        if (!transport.isOpen(link)) return;
        if (bytes === undefined) break;
        transport.send(link, { type: MessageType.snapChunk, bytes });
        transfer.untakenBytes += bytes.length;
        while (this.#mustWait(link, transfer)) {
          await new Promise<void>((resolve) => {
            transfer.resume = resolve;
          });
        }
      }
      node.snapshotSent(link, encodeFacts(reader));
      wake();
    } finally {
      this.#transfers.delete(link);
      await reader.close();
    }
  }

  #mustWait(link: LinkId, { untakenBytes }: Transfer): boolean {
    const { transport } = this.#options;
    if (!transport.isOpen(link)) return false;
    return untakenBytes > UNTAKEN_BYTES_MAX || transport.queuedBytes(link) > QUEUE_BYTES_MAX;
  }
}

/** A received snapshot that is durable, proven and loaded, and waits for the log to name it. */
export interface StagedState {
  readonly state: StateStore;
  readonly tree: DataTree;
  readonly checkpointer: Checkpointer;
}

export interface SnapshotReceiverOptions {
  readonly store: KeyValueStore;
  /** An empty tree, for the snapshot to be loaded into. */
  readonly newTree: () => DataTree;
  /** Generation in use. */
  readonly generation: () => number;
  readonly staged: () => void;
  /** So many more bytes of the snapshot are out of memory: the leader may send as many. */
  readonly taken: (byteCount: number) => void;
  /** What arrived is of no use: give the leader up and ask again. */
  readonly rejected: (reason: string) => void;
  readonly failed: (error: unknown) => void;
}

export class SnapshotReceiver {
  readonly #options: SnapshotReceiverOptions;
  /** Steps run one after another; those of an abandoned snapshot do nothing. */
  #queue: Promise<void> = Promise.resolve();
  #attempt = 0;
  #stage: SnapshotStage | undefined;
  #staged: StagedState | undefined;
  #queuedBytes = 0;
  #takenBytes = 0;

  constructor(options: SnapshotReceiverOptions) {
    this.#options = options;
  }

  /** Bytes that wait in memory to be written. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get generation(): number {
    return this.#staged?.state.generation ?? 0;
  }

  begin(): void {
    this.#attempt++;
    this.#staged = undefined;
    this.#takenBytes = 0;
    this.#enqueue(async () => {
      const store = await StateStore.open(this.#options.store, this.#options.generation());
      this.#stage = await store.stageSnapshot(store.generation + 1);
    });
  }

  /** Takes the chunk over. */
  add(bytes: Uint8Array): void {
    this.#queuedBytes += bytes.length;
    this.#enqueue(
      async () => {
        await this.#stage?.add(bytes);
        this.#took(bytes.length);
      },
      () => {
        this.#queuedBytes -= bytes.length;
      },
    );
  }

  #took(byteCount: number): void {
    this.#takenBytes += byteCount;
    if (this.#takenBytes < TAKEN_BYTES_REPORTED) return;
    this.#options.taken(this.#takenBytes);
    this.#takenBytes = 0;
  }

  finish(zxid: Zxid, summary: Uint8Array): void {
    const facts = decodeFacts(summary);
    const attempt = this.#attempt;
    this.#enqueue(async () => {
      const stage = this.#stage;
      if (stage === undefined) return;
      if (facts === undefined || facts.zxid !== zxid) {
        this.#reject('the snapshot contradicts itself');
        return;
      }
      await stage.finish(facts);
      const state = await StateStore.open(this.#options.store, stage.generation);
      const tree = this.#options.newTree();
      const checkpointer = await Checkpointer.restore(state, tree);
      if (attempt !== this.#attempt) return;
      this.#staged = { state, tree, checkpointer };
      this.#options.staged();
    });
  }

  abort(): void {
    this.#attempt++;
    this.#stage = undefined;
    this.#staged = undefined;
  }

  /** Hands the staged state over; the log names it now. */
  take(): StagedState {
    const staged = this.#staged;
    if (staged === undefined) throw new RangeError('no snapshot is staged');
    this.#staged = undefined;
    this.#stage = undefined;
    return staged;
  }

  /** What still comes of this snapshot means nothing. */
  #reject(reason: string): void {
    this.abort();
    this.#options.rejected(reason);
  }

  #enqueue(step: () => Promise<unknown>, done?: () => void): void {
    const attempt = this.#attempt;
    this.#queue = this.#queue.then(async () => {
      try {
        if (attempt === this.#attempt) await step();
      } catch (error) {
        if (!(error instanceof StoreError)) this.#options.failed(error);
        else if (attempt === this.#attempt) this.#reject(error.message);
      } finally {
        done?.();
      }
    });
  }
}

function encodeFacts(facts: SnapshotFacts): Uint8Array {
  const { zxid, digest, nodeCount, sessionCount, entryCount } = facts;
  return Buffer.from(JSON.stringify([zxid, digest, nodeCount, sessionCount, entryCount]));
}

function decodeFacts(summary: Uint8Array): SnapshotFacts | undefined {
  try {
    const fields: unknown = JSON.parse(Buffer.from(summary).toString());
    if (!Array.isArray(fields)) return undefined;
    const [zxid, digest, nodeCount, sessionCount, entryCount] = fields;
    if (typeof digest !== 'string') return undefined;
    const counts = { nodeCount, sessionCount, entryCount };
    if (![zxid, ...Object.values(counts)].every(Number.isSafeInteger)) return undefined;
    return { zxid, digest, ...counts };
  } catch {
    return undefined;
  }
}
