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

export interface SnapshotSenderOptions {
  readonly node: ZabNode;
  readonly transport: QuorumTransport;
  readonly state: () => StateStore;
  readonly wake: () => void;
  readonly failed: (error: unknown) => void;
}

export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  /** Links that wait for room, with what goes on when there is some. */
  readonly #paused = new Map<LinkId, () => void>();

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  start(link: LinkId): void {
    this.#send(link).catch((error: unknown) => this.#options.failed(error));
  }

  /** The link has room again, or is gone. */
  resume(link: LinkId): void {
    const go = this.#paused.get(link);
    this.#paused.delete(link);
    go?.();
  }

  async #send(link: LinkId): Promise<void> {
    const { node, transport, state, wake } = this.#options;
    const reader: SnapshotReader = state().openSnapshot();
    try {
      node.snapshotOpened(link, reader.zxid);
      wake();
      for (;;) {
        const bytes = await reader.next(CHUNK_BYTES);
        if (!transport.isOpen(link)) return;
        if (bytes === undefined) break;
        transport.send(link, { type: MessageType.snapChunk, bytes });
        if (transport.queuedBytes(link) > QUEUE_BYTES_MAX) {
          await new Promise<void>((resolve) => this.#paused.set(link, resolve));
        }
      }
      node.snapshotSent(link, encodeFacts(reader));
      wake();
    } finally {
      await reader.close();
    }
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

  constructor(options: SnapshotReceiverOptions) {
    this.#options = options;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get generation(): number {
    return this.#staged?.state.generation ?? 0;
  }

  begin(): void {
    this.#attempt++;
    this.#staged = undefined;
    this.#enqueue(async () => {
      const store = await StateStore.open(this.#options.store, this.#options.generation());
      this.#stage = await store.stageSnapshot(store.generation + 1);
    });
  }

  /** Takes the chunk over. */
  add(bytes: Uint8Array): void {
    this.#queuedBytes += bytes.length;
    this.#enqueue(
      async () => this.#stage?.add(bytes),
      () => {
        this.#queuedBytes -= bytes.length;
      },
    );
  }

  finish(zxid: Zxid, summary: Uint8Array): void {
    const facts = decodeFacts(summary);
    this.#enqueue(async () => {
      const stage = this.#stage;
      if (stage === undefined) return;
      if (facts === undefined || facts.zxid !== zxid) {
        this.#reject('the snapshot contradicts itself');
        return;
      }
      await stage.finish(facts);
      const attempt = this.#attempt;
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

function encodeFacts({ zxid, digest, nodeCount, sessionCount }: SnapshotFacts): Uint8Array {
  return Buffer.from(JSON.stringify([zxid, digest, nodeCount, sessionCount]));
}

function decodeFacts(summary: Uint8Array): SnapshotFacts | undefined {
  try {
    const fields: unknown = JSON.parse(Buffer.from(summary).toString());
    if (!Array.isArray(fields)) return undefined;
    const [zxid, digest, nodeCount, sessionCount] = fields;
    if (typeof digest !== 'string') return undefined;
    if (![zxid, nodeCount, sessionCount].every(Number.isSafeInteger)) return undefined;
    return { zxid, digest, nodeCount, sessionCount };
  } catch {
    return undefined;
  }
}
