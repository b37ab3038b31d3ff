/** The parts of a node, each with what it needs of the node and of the other parts. */

import type { Zxid } from '../base/ids.ts';
import type { ZabNode } from '../consensus/zab-node.ts';
import { ClientMessageType } from '../peer/peer-message.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Checkpointer } from '../store/checkpointer.ts';
import { DataTree } from '../store/data-tree.ts';
import type { StateStore } from '../store/state-store.ts';
import { Applier } from './applier.ts';
import { CheckpointDriver } from './checkpoint-driver.ts';
import type { ServerConfig } from './config.ts';
import { DiskWatch } from './disk-watch.ts';
import { Divergence } from './divergence.ts';
import { LogWriter, type LogWriterHooks } from './log-writer.ts';
import type { Log } from './logger.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { OpenedStorage } from './open-storage.ts';
import type { PeerSide } from './peer-side.ts';
import type { Replica } from './replica.ts';
import { Scrubber } from './scrubber.ts';
import { Serving } from './serving.ts';
import { SnapshotReceiver } from './snapshot-transfer.ts';
import { Witness, witnessFile } from './witness.ts';

/** What parts may look at, and do. Functions where the answer changes, or comes later. */
export interface NodeContext {
  readonly config: ServerConfig;
  readonly runtime: Runtime;
  readonly storage: OpenedStorage;
  readonly log: Log;
  readonly node: ZabNode;
  readonly replica: Replica;
  readonly metrics: NodeMetrics;
  readonly state: () => StateStore;
  readonly checkpoints: () => CheckpointDriver;
  /** undefined when this server stands alone. */
  readonly peers: () => PeerSide | undefined;
  /** Hands something to the core, in the driver's way. */
  readonly input: (handle: () => void) => void;
  readonly fail: (error: unknown) => void;
}

const CHECKPOINT_INTERVAL_MS = 60_000;
const CHECKPOINT_INTERVAL_BYTES = 256 * 1024 * 1024;

export function newTree(config: ServerConfig): DataTree {
  return new DataTree({ extendedTypes: config.extendedTypesEnabled });
}

export function createServing(context: NodeContext, divergence: Divergence): Serving {
  const { runtime, replica } = context;
  return new Serving({
    ...context,
    tree: () => replica.tree,
    isRight: () => {
      replica.comparison.verify();
      return !divergence.isInDoubt;
    },
    nowMs: () => runtime.clock.monotonicMs(),
  });
}

export function createDivergence({ config, log, peers, replica, fail }: NodeContext): Divergence {
  return new Divergence(config, log, {
    tellLeader: (message) => peers()?.sendToLeader(message),
    tellLearner: (sid, message) => peers()?.tellLearner(sid, message),
    retire: () => replica.retire(),
    fail,
  });
}

/** Remembers beside the log how far that had come. */
export function createWitness({ config, runtime, storage, fail }: NodeContext): Witness {
  return new Witness(witnessFile(config), runtime, () => storage.log.meta, fail);
}

export function createLogWriter(
  { runtime, storage, metrics, fail }: NodeContext,
  witness: Witness,
  hooks: Pick<LogWriterHooks, 'stagedGeneration' | 'snapshotSwitched' | 'persisted'>,
): LogWriter {
  const nowMs = (): number => runtime.clock.monotonicMs();
  return new LogWriter(storage.log, runtime, {
    ...hooks,
    writeBegan: () => {
      metrics.writeBegan(nowMs());
      runtime.reached?.('logWrite');
    },
    writeEnded: () => {
      metrics.writeEnded(nowMs());
      witness.follow();
      runtime.reached?.('logWritten');
    },
    failed: fail,
  });
}

export function createApplier(context: NodeContext, serving: Serving, tree: DataTree): Applier {
  const { runtime, storage, node, replica, metrics, state, checkpoints, fail } = context;
  return new Applier(tree, storage.log, {
    recent: (after, upTo, maxBytes) => node.history.entriesAfter(after, upTo, maxBytes),
    proposed: (zxid) => replica.proposed(zxid),
    isAwaited: (txn) => replica.isAwaited(txn),
    applied: (zxid, txn, result) => {
      checkpoints().applied();
      // Only while clients are served: what is caught up with before is old.
      if (replica.mode !== undefined) {
        metrics.applied(txn, runtime.clock.wallMs(), serving.role.name === 'leading');
      }
      replica.applied(zxid, txn, result);
      runtime.reached?.('applied');
    },
    isTreeOutdated: () => storage.log.meta.generation !== state().generation,
    caughtUp: () => {
      replica.caughtUp();
      serving.caughtUp();
    },
    failed: fail,
  });
}

export function createScrubber(context: NodeContext): Scrubber {
  const { runtime, storage, log, checkpoints, fail } = context;
  return new Scrubber({
    logStore: storage.log,
    logEntries: () => storage.log.entryCount,
    stateStore: storage.stateStore,
    runtime,
    log,
    replaceState: async (damaged) => {
      const subjects = damaged.flatMap(({ subject }) => subject ?? []);
      for (const subject of subjects) checkpoints().rewrite(subject);
      // What holds many nodes is replaced together with all others.
      if (subjects.length < damaged.length) await checkpoints().renew(() => turn(runtime));
    },
    cutLog: () => checkpoints().cut(),
    failed: fail,
  });
}

/** Lets other work have its turn. */
function turn({ timers }: Runtime): Promise<void> {
  return new Promise((resolve) => timers.set(0, resolve));
}

export function createCheckpoints(
  { config, runtime, storage, node, metrics, fail }: NodeContext,
  checkpointer: Checkpointer,
): CheckpointDriver {
  const policy = {
    intervalTxns: config.checkpointIntervalTxns,
    intervalBytes: CHECKPOINT_INTERVAL_BYTES,
    intervalMs: CHECKPOINT_INTERVAL_MS,
    retainTxns: config.logRetainTxns,
    retainBytes: config.logRetainBytes,
    isTrimming: config.autopurgeIntervalMs > 0,
  };
  const nowMs = (): number => runtime.clock.monotonicMs();
  const hooks = {
    awaitedAfter: () => node.leader?.awaitedAfter,
    trimmed: (zxid: Zxid) => {
      runtime.reached?.('logTrimmed');
      node.trimmed(zxid);
    },
    began: () => {
      metrics.checkpointBegan(nowMs());
      runtime.reached?.('checkpointBegun');
    },
    committed: () => {
      metrics.checkpointEnded(nowMs());
      runtime.reached?.('checkpointCommitted');
    },
    failed: fail,
  };
  return new CheckpointDriver(storage.log, checkpointer, policy, hooks, nowMs());
}

export function createDiskWatch(context: NodeContext): DiskWatch {
  const { config, runtime, log, node, peers, input } = context;
  return new DiskWatch({
    directories: [...new Set([config.dataLogDir, config.dataDir])],
    reserveBytes: config.diskReserveBytes,
    runtime,
    log,
    tell: (hasRoom) => peers()?.sendToLeader({ type: ClientMessageType.room, hasRoom }),
    heirs: () => node.leader?.heirs ?? [],
    handOver: () => input(() => node.handOver()),
  });
}

export function createReceiver(context: NodeContext): SnapshotReceiver {
  const { config, runtime, storage, log, node, state, peers, input, fail } = context;
  return new SnapshotReceiver({
    store: storage.stateStore,
    newTree: () => newTree(config),
    generation: () => state().generation,
    staged: () => {
      runtime.reached?.('snapshotStaged');
      input(() => node.snapshotStaged());
    },
    taken: (byteCount) => {
      peers()?.sendToLeader({ type: ClientMessageType.snapshotTaken, byteCount });
    },
    rejected: (reason) => {
      log.warn('snapshotRejected', { reason });
      peers()?.leaveLeader(reason);
    },
    failed: fail,
  });
}
