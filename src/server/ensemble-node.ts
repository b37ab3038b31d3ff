/**
 * One replica: the consensus core with everything around it. Wires the parts, sees to it that each
 * message reaches the part it is for, and lets go of them all at the end. Everything is handled to the
 * end within the turn in which it came.
 */

import type { ServerId, Zxid } from '../base/ids.ts';
import type { LinkId, Role } from '../consensus/effects.ts';
import type { ZabNode } from '../consensus/zab-node.ts';
import {
  type ClientMessage,
  ClientMessageType,
  isClientMessage,
  type PeerMessage,
} from '../peer/peer-message.ts';
import { type Runtime, RuntimeError } from '../runtime/runtime.ts';
import { Checkpointer } from '../store/checkpointer.ts';
import type { DataTree } from '../store/data-tree.ts';
import type { QuotaExcess } from '../store/quota.ts';
import type { StateStore } from '../store/state-store.ts';
import { StoreError } from '../store/store-error.ts';
import type { Applier } from './applier.ts';
import type { CheckpointDriver } from './checkpoint-driver.ts';
import type { ServerConfig } from './config.ts';
import { CoreDriver } from './core-driver.ts';
import { createCore } from './create-core.ts';
import {
  createApplier,
  createCheckpoints,
  createDiskWatch,
  createDivergence,
  createLogWriter,
  createReceiver,
  createScrubber,
  createServing,
  createWitness,
  type NodeContext,
  newTree,
} from './create-parts.ts';
import type { DiskWatch } from './disk-watch.ts';
import type { Divergence } from './divergence.ts';
import { EffectRouter } from './effect-router.ts';
import { asFatal, FatalError } from './fatal-error.ts';
import type { LogWriter } from './log-writer.ts';
import type { Log } from './logger.ts';
import { NodeMetrics } from './node-metrics.ts';
import { nodeStatus } from './node-status.ts';
import type { OpenedStorage } from './open-storage.ts';
import { PeerSide } from './peer-side.ts';
import { PeerStandings } from './peer-standings.ts';
import { QuotaWarnings } from './quota-warnings.ts';
import { Replica } from './replica.ts';
import type { NodeFacts, ReplicaPeers } from './replica-peers.ts';
import type { Scrubber } from './scrubber.ts';
import type { Serving } from './serving.ts';
import type { SnapshotReceiver } from './snapshot-transfer.ts';
import type { Witness } from './witness.ts';

export interface EnsembleNodeOptions {
  readonly config: ServerConfig;
  readonly runtime: Runtime;
  readonly storage: OpenedStorage;
  readonly log: Log;
  /** Called for every tree this server ever has, so that watches follow it. */
  readonly onTree: (tree: DataTree) => void;
  readonly onFatal: (error: FatalError) => void;
}

export class EnsembleNode implements ReplicaPeers {
  readonly node: ZabNode;
  /** What clients are served from. */
  readonly replica: Replica;
  readonly #options: EnsembleNodeOptions;
  readonly #driver: CoreDriver;
  readonly #writer: LogWriter;
  readonly #applier: Applier;
  readonly #checkpoints: CheckpointDriver;
  /** undefined when this server stands alone. */
  readonly #peers: PeerSide | undefined;
  readonly #receiver: SnapshotReceiver;
  readonly #effects: EffectRouter;
  readonly #standings: PeerStandings;
  readonly #disk: DiskWatch;
  readonly #divergence: Divergence;
  readonly #scrubber: Scrubber;
  readonly #witness: Witness;
  readonly #metrics = new NodeMetrics();
  readonly #quotaWarnings: QuotaWarnings;
  readonly #serving: Serving;
  #state: StateStore;
  /** Settles when an aborted node has let go of its ports. */
  #closed: Promise<void> = Promise.resolve();

  private constructor(options: EnsembleNodeOptions, tree: DataTree, checkpointer: Checkpointer) {
    const { config, runtime, storage } = options;
    this.#options = options;
    this.#state = storage.state;
    const failed = (error: unknown): void => this.#fail(error);
    this.node = createCore(config, runtime, storage);
    this.#driver = this.#createDriver(failed);
    this.replica = new Replica(config, runtime, this);
    const context: NodeContext = {
      ...options,
      node: this.node,
      replica: this.replica,
      metrics: this.#metrics,
      state: () => this.#state,
      checkpoints: () => this.#checkpoints,
      peers: () => this.#peers,
      input: (handle) => this.#driver.input(handle),
      fail: failed,
    };
    this.#divergence = createDivergence(context);
    this.#serving = createServing(context, this.#divergence);
    this.#standings = new PeerStandings(config, options.log);
    this.#disk = createDiskWatch(context);
    this.#scrubber = createScrubber(context);
    this.#witness = createWitness(context);
    this.#quotaWarnings = new QuotaWarnings(options.log, config.enforceQuota);
    this.#writer = createLogWriter(context, this.#witness, {
      stagedGeneration: () => this.#receiver.generation,
      snapshotSwitched: () => this.#switchState(),
      persisted: (id) => this.#driver.guard(() => this.#persisted(id)),
    });
    this.#applier = createApplier(context, this.#serving, tree);
    this.#checkpoints = createCheckpoints(context, checkpointer);
    this.#receiver = createReceiver(context);
    if (!config.isStandalone) this.#peers = this.#createPeerSide(context);
    this.#effects = new EffectRouter({
      ...context,
      writer: this.#writer,
      applier: this.#applier,
      receiver: this.#receiver,
      peers: this.#peers,
      roleChanged: (role) => this.#roleChanged(role),
    });
  }

  /** Loads the state; rejects with a `FatalError` when it is damaged. */
  static async open(options: EnsembleNodeOptions): Promise<EnsembleNode> {
    const tree = newTree(options.config);
    try {
      const checkpointer = await Checkpointer.restore(options.storage.state, tree);
      options.onTree(tree);
      return new EnsembleNode(options, tree, checkpointer);
    } catch (error) {
      if (!(error instanceof StoreError) && !(error instanceof RuntimeError)) throw error;
      const { code, message } = asFatal(error);
      throw new FatalError(code, `server ${options.config.serverId}: ${message}`, { cause: error });
    }
  }

  get isDiskFull(): boolean {
    return this.#disk.isFull;
  }

  get tree(): DataTree {
    return this.#applier.tree;
  }

  /** Rejects with a `FatalError` of code `PORT` when a peer port cannot be bound. */
  async start(): Promise<void> {
    const { committed } = this.node.history;
    this.#applier.applyUpTo(committed);
    const { missing } = this.#options.storage;
    if (missing !== undefined) this.#options.log.error('dataMissing', { reason: missing });
    await this.#disk.start();
    this.#scrubber.start();
    await this.#peers?.start();
    this.#driver.start();
  }

  /** Hands over, writes what is to be written, and lets go of everything. */
  async stop(): Promise<void> {
    if (this.#driver.isStopped) return;
    this.#driver.input(() => this.node.stop());
    this.#driver.drain();
    this.replica.retire();
    this.#driver.stop();
    this.#disk.stop();
    this.#scrubber.stop();
    await this.#peers?.stop();
    try {
      await this.#writer.settled();
      await this.#checkpoints.stop();
      await this.#witness.stop(true);
    } catch (error) {
      throw asFatal(error);
    } finally {
      await this.#options.storage.close();
    }
  }

  // ReplicaPeers --------------------------------------------------------------------------------

  sendToLeader(message: ClientMessage): void {
    this.#peers?.sendToLeader(message);
  }

  sendToLearner(link: LinkId, message: ClientMessage): void {
    this.#peers?.sendToLearner(link, message);
  }

  broadcastToLearners(message: ClientMessage): void {
    this.#peers?.broadcastToLearners(message);
  }

  wake(): void {
    this.#driver.wake();
  }

  noticeTime(): void {
    this.#driver.noticeTime();
  }

  quotaExceeded(excess: QuotaExcess): void {
    this.#quotaWarnings.exceeded(excess, this.#nowMs);
  }

  digestRecorded(zxid: Zxid, digest: string): void {
    this.#divergence.recorded(zxid, digest);
  }

  diverged(zxid: Zxid, own: string, leaders: string): void {
    this.#divergence.differs(zxid, own, leaders);
  }

  // Start-up ------------------------------------------------------------------------------------

  #createDriver(failed: (error: unknown) => void): CoreDriver {
    const { config, runtime } = this.#options;
    return new CoreDriver(this.node, runtime, config, {
      carryOut: (effect) => this.#effects.carryOut(effect),
      drained: () => this.#writer.flush(),
      timePassed: (nowMs) => {
        this.#checkpoints.tick(nowMs);
        this.#standings.tick(nowMs, this.#serving.role.name === 'looking', this.node);
        this.#serving.tick(nowMs);
      },
      beat: () => this.replica.tick(),
      isSettled: () => this.#serving.isSettled,
      paused: (pauseMs) => this.#metrics.paused(pauseMs),
      failed,
    });
  }

  #createPeerSide(context: NodeContext): PeerSide {
    return new PeerSide({
      ...context,
      wake: () => this.#driver.wake(),
      received: (link, sid, message) => this.#heard(link, sid, message),
      standings: this.#standings,
      closed: (link) => this.#disk.forget(link),
      cutLog: () => this.#checkpoints.cut(),
      renewState: () => this.#checkpoints.renew(() => this.#turn()),
      failed: context.fail,
    });
  }

  /** Resolves in a later turn. */
  #turn(): Promise<void> {
    return new Promise((resolve) => this.#options.runtime.timers.defer(resolve));
  }

  // Inputs --------------------------------------------------------------------------------------

  /** `CoreDriver.input` without a closure: there is a message for each request that is forwarded. */
  #heard(link: LinkId, sid: ServerId | undefined, message: PeerMessage): void {
    if (this.#driver.isStopped) return;
    this.#driver.noticeTime();
    try {
      this.#received(link, sid, message);
    } catch (error) {
      this.#fail(error);
    }
    this.#driver.wake();
  }

  #received(link: LinkId, sid: ServerId | undefined, message: PeerMessage): void {
    if (!isClientMessage(message)) {
      this.node.receive(link, message);
      return;
    }
    if (message.type === ClientMessageType.room) {
      this.#disk.heard(link, message.hasRoom);
      return;
    }
    if (message.type === ClientMessageType.outvoted) {
      if (sid === undefined) this.#divergence.outvoted(message.zxid, message.digest);
      return;
    }
    if (message.type === ClientMessageType.digest && sid !== undefined) {
      this.#divergence.reported(sid, message.zxid, message.digest);
      return;
    }
    if (sid === undefined) this.replica.fromLeader(message);
    else this.#serving.fromLearner(link, sid, message);
  }

  #persisted(id: number): void {
    this.#driver.noticeTime();
    this.node.persisted(id);
    this.#driver.drain();
  }

  // Roles ---------------------------------------------------------------------------------------

  #roleChanged(role: Role): void {
    const before = this.#serving.role;
    if (before.name !== role.name) this.#divergence.roleChanged(role.name === 'leading');
    if (role.name === 'looking') this.#peers?.leaderLost();
    this.#serving.roleChanged(role);
    if (role.name === 'following' && role.isServing) this.#disk.introduce();
  }

  // Snapshots -----------------------------------------------------------------------------------

  /** The log names the staged state now: it becomes the state, and the old one is cleared away. */
  async #switchState(): Promise<void> {
    const { runtime } = this.#options;
    runtime.reached?.('snapshotNamed');
    const { state, tree, checkpointer } = this.#receiver.take();
    // Watches would not hear of what lies between the two trees.
    this.replica.retire();
    await this.#checkpoints.replace(checkpointer);
    this.#state = state;
    this.replica.comparison.history.clear();
    this.#applier.replaceTree(tree);
    this.#options.onTree(tree);
    runtime.reached?.('stateSwitched');
    await state.dropOtherGenerations();
  }

  // Facts ---------------------------------------------------------------------------------------

  status(): Promise<NodeFacts> {
    return nodeStatus({
      ...this.#options,
      node: this.node,
      metrics: this.#metrics,
      quotaWarnings: this.#quotaWarnings,
      writer: this.#writer,
      scrubber: this.#scrubber,
      disk: this.#disk,
      serving: this.#serving,
    });
  }

  // The end -------------------------------------------------------------------------------------

  /** Leaves everything as it is, at once: nothing more is said, promised or written. */
  abort(): void {
    this.#driver.stop();
    this.#disk.stop();
    this.#scrubber.stop();
    this.replica.retire();
    this.#closed = Promise.resolve(this.#peers?.stop()).then(
      () => undefined,
      (error: unknown) => {
        this.#options.log.warn('abortIncomplete', { reason: String(error) });
      },
    );
  }

  /** After the node has failed: lets go of its disk, so that another life can begin on it. */
  async release(): Promise<void> {
    await this.#closed;
    await this.#witness.stop(false);
    await this.#checkpoints.halt();
    await this.#writer.settled().catch(() => undefined);
    await this.#options.storage.close();
  }

  #fail(error: unknown): void {
    if (this.#driver.isStopped) return;
    this.abort();
    this.#options.onFatal(asFatal(error));
  }

  get #nowMs(): number {
    return this.#options.runtime.clock.monotonicMs();
  }
}
