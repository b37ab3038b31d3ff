/**
 * The driver of one replica: feeds the consensus core with what comes from peers, disk and clock,
 * and carries out its effects in their order. The only loop of its kind; everything is handled to
 * the end within the turn in which it came.
 */

import { unreachable } from '../base/assert.ts';
import { type ServerId, type Zxid, zxidHex } from '../base/ids.ts';
import type { Effect, LinkId, Role, SyncReport } from '../consensus/effects.ts';
import type { ZabNode } from '../consensus/zab-node.ts';
import {
  type ClientMessage,
  ClientMessageType,
  isClientMessage,
  type PeerMessage,
} from '../peer/peer-message.ts';
import { type Runtime, RuntimeError, type Timer } from '../runtime/runtime.ts';
import { Checkpointer } from '../store/checkpointer.ts';
import type { DataTree } from '../store/data-tree.ts';
import type { QuotaExcess } from '../store/quota.ts';
import type { StateStore } from '../store/state-store.ts';
import { StoreError } from '../store/store-error.ts';
import type { Txn } from '../store/txn.ts';
import { Applier } from './applier.ts';
import type { CheckpointDriver } from './checkpoint-driver.ts';
import type { ServerConfig } from './config.ts';
import { createCore } from './create-core.ts';
import {
  createCheckpoints,
  createDiskWatch,
  createDivergence,
  createReceiver,
  createScrubber,
  createServing,
  type NodeContext,
  newTree,
} from './create-parts.ts';
import type { DiskWatch } from './disk-watch.ts';
import type { Divergence } from './divergence.ts';
import { asFatal, FatalError } from './fatal-error.ts';
import { LogWriter } from './log-writer.ts';
import type { Log } from './logger.ts';
import { NodeMetrics } from './node-metrics.ts';
import { nodeStatus } from './node-status.ts';
import type { OpenedStorage } from './open-storage.ts';
import { PeerSide } from './peer-side.ts';
import { PeerStandings } from './peer-standings.ts';
import { QuotaWarnings } from './quota-warnings.ts';
import { type NodeFacts, Replica, type ReplicaPeers } from './replica.ts';
import type { Scrubber } from './scrubber.ts';
import type { Serving } from './serving.ts';
import type { SnapshotReceiver } from './snapshot-transfer.ts';
import { Witness, witnessFile } from './witness.ts';

export interface EnsembleNodeOptions {
  readonly config: ServerConfig;
  readonly runtime: Runtime;
  readonly storage: OpenedStorage;
  readonly log: Log;
  /** Called for every tree this server ever has, so that watches follow it. */
  readonly onTree: (tree: DataTree) => void;
  readonly onFatal: (error: FatalError) => void;
}

/** Interval of the core's clock: fine while an election is on, coarse in quiet times. */
const TICK_LOOKING_MS = 10;
const TICK_SETTLED_MS = 50;
/** The process stood still for so long: deadlines may have passed unseen. */
const PAUSE_MS = 200;
export class EnsembleNode implements ReplicaPeers {
  readonly node: ZabNode;
  /** What clients are served from. */
  readonly replica: Replica;
  readonly #options: EnsembleNodeOptions;
  readonly #writer: LogWriter;
  readonly #applier: Applier;
  readonly #checkpoints: CheckpointDriver;
  /** undefined when this server stands alone. */
  readonly #peers: PeerSide | undefined;
  readonly #receiver: SnapshotReceiver;
  readonly #standings: PeerStandings;
  readonly #disk: DiskWatch;
  readonly #divergence: Divergence;
  readonly #scrubber: Scrubber;
  readonly #witness: Witness;
  readonly #metrics = new NodeMetrics();
  readonly #quotaWarnings: QuotaWarnings;
  readonly #serving: Serving;
  #state: StateStore;
  #tickedMs: number;
  #isDrainScheduled = false;
  #isDraining = false;
  #isStopped = false;
  #tickTimer: Timer | undefined;
  /** Settles when an aborted node has let go of its ports. */
  #closed: Promise<void> = Promise.resolve();

  private constructor(options: EnsembleNodeOptions, tree: DataTree, checkpointer: Checkpointer) {
    const { config, runtime, storage } = options;
    this.#options = options;
    this.#state = storage.state;
    this.#tickedMs = runtime.clock.monotonicMs();
    const failed = (error: unknown): void => this.#fail(error);
    this.node = createCore(config, runtime, storage);
    this.replica = new Replica(config, runtime, this);
    const context: NodeContext = {
      ...options,
      node: this.node,
      replica: this.replica,
      metrics: this.#metrics,
      state: () => this.#state,
      checkpoints: () => this.#checkpoints,
      peers: () => this.#peers,
      input: (handle) => this.#input(handle),
      fail: failed,
    };
    this.#divergence = createDivergence(context);
    this.#serving = createServing(context, this.#divergence);
    this.#standings = new PeerStandings(config, options.log);
    this.#disk = createDiskWatch(context);
    this.#scrubber = createScrubber(context);
    const file = witnessFile(config);
    this.#witness = new Witness(file, runtime, () => storage.log.meta, failed);
    this.#quotaWarnings = new QuotaWarnings(options.log, config.enforceQuota);
    this.#writer = new LogWriter(storage.log, {
      stagedGeneration: () => this.#receiver.generation,
      snapshotSwitched: () => this.#switchState(),
      writeBegan: () => {
        this.#metrics.writeBegan(this.#nowMs);
        runtime.reached?.('logWrite');
      },
      writeEnded: () => {
        this.#metrics.writeEnded(this.#nowMs);
        this.#witness.follow();
        runtime.reached?.('logWritten');
      },
      persisted: (id) => this.#guard(() => this.#persisted(id)),
      failed,
    });
    this.#applier = new Applier(tree, storage.log, {
      recent: (after, upTo, maxBytes) => this.node.history.entriesAfter(after, upTo, maxBytes),
      proposed: (zxid) => this.replica.proposed(zxid),
      isAwaited: (txn) => this.replica.isAwaited(txn),
      applied: (zxid, txn, result) => {
        this.#checkpoints.applied();
        this.#measure(txn);
        this.replica.applied(zxid, txn, result);
        runtime.reached?.('applied');
      },
      isTreeOutdated: () => storage.log.meta.generation !== this.#state.generation,
      caughtUp: () => this.#caughtUp(),
      failed,
    });
    this.#checkpoints = createCheckpoints(context, checkpointer);
    this.#receiver = createReceiver(context);
    if (!config.isStandalone) this.#peers = this.#createPeerSide(context);
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
    this.#input(() => this.node.start(this.#options.runtime.clock.monotonicMs()));
    this.#tick();
  }

  /** Hands over, writes what is to be written, and lets go of everything. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#input(() => this.node.stop());
    this.#drain();
    this.replica.retire();
    this.#isStopped = true;
    this.#disk.stop();
    this.#scrubber.stop();
    if (this.#tickTimer !== undefined) this.#options.runtime.timers.clear(this.#tickTimer);
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
    if (this.#isDrainScheduled || this.#isDraining) return;
    this.#isDrainScheduled = true;
    this.#options.runtime.timers.defer(() => {
      this.#isDrainScheduled = false;
      this.#guard(() => this.#drain());
    });
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

  #createPeerSide(context: NodeContext): PeerSide {
    return new PeerSide({
      ...context,
      wake: () => this.wake(),
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

  #input(handle: () => void): void {
    if (this.#isStopped) return;
    this.noticeTime();
    this.#guard(handle);
    this.wake();
  }

  /** A broken invariant anywhere below ends this server, loudly, before it can do harm. */
  #guard(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.#fail(error);
    }
  }

  noticeTime(): void {
    const nowMs = this.#options.runtime.clock.monotonicMs();
    if (nowMs - this.#tickedMs > PAUSE_MS) this.#passTime(nowMs);
  }

  #passTime(nowMs: number): void {
    const pauseMs = nowMs - this.#tickedMs;
    if (pauseMs > PAUSE_MS) this.#metrics.paused(pauseMs);
    this.#tickedMs = nowMs;
    this.#guard(() => {
      this.node.tick(nowMs);
      this.#drain();
      this.#checkpoints.tick(nowMs);
      this.#standings.tick(nowMs, this.#serving.role.name === 'looking', this.node);
      this.#serving.tick(nowMs);
    });
  }

  #tick(): void {
    if (this.#isStopped) return;
    this.#passTime(this.#options.runtime.clock.monotonicMs());
    // Here only: between two of these turns every socket was looked at.
    this.#guard(() => this.replica.tick());
    const delayMs = this.#serving.isSettled ? TICK_SETTLED_MS : TICK_LOOKING_MS;
    this.#tickTimer = this.#options.runtime.timers.set(delayMs, () => this.#tick());
  }

  /** `#input` without a closure: there is a message for each request that is forwarded. */
  #heard(link: LinkId, sid: ServerId | undefined, message: PeerMessage): void {
    if (this.#isStopped) return;
    this.noticeTime();
    try {
      this.#received(link, sid, message);
    } catch (error) {
      this.#fail(error);
    }
    this.wake();
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
    this.node.persisted(id);
    this.#drain();
  }

  // Effects -------------------------------------------------------------------------------------

  /** Carries out what the core wants, until it wants nothing more. */
  #drain(): void {
    if (this.#isDraining || this.#isStopped) return;
    this.#isDraining = true;
    try {
      for (;;) {
        const effects = this.node.takeEffects();
        if (effects.length === 0) break;
        for (const effect of effects) {
          this.#options.runtime.reached?.('effect');
          this.#carryOut(effect);
        }
      }
    } finally {
      this.#isDraining = false;
    }
    this.#writer.flush();
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        this.#writer.add(effect.request);
        return;
      case 'notify':
      case 'dial':
      case 'send':
      case 'broadcast':
      case 'close':
      case 'sendSnapshot':
      case 'readLog':
        this.#peers?.carryOut(effect);
        return;
      case 'stageBegin':
        this.#receiver.begin();
        return;
      case 'stageChunk':
        this.#receiver.add(effect.bytes);
        return;
      case 'stageEnd':
        this.#receiver.finish(effect.zxid, effect.summary);
        return;
      case 'stageAbort':
        this.#receiver.abort();
        return;
      case 'apply':
        this.#applier.applyUpTo(effect.upTo);
        return;
      case 'barrier':
        this.replica.barrier(effect.token, effect.zxid);
        return;
      case 'role':
        this.#roleChanged(effect.role);
        return;
      case 'learnerReady':
        this.#learnerReady(effect.report);
        return;
      case 'trace':
        this.#options.log.info(effect.event, printable(effect.fields));
        return;
      case 'fatal':
        throw new FatalError('DATA', `server ${this.#options.config.serverId}: ${effect.reason}`);
      default:
        unreachable(effect);
    }
  }

  #learnerReady(report: SyncReport): void {
    const { sid, mode, from, to } = report;
    this.#metrics.count(`${mode}_count`);
    const fields = { sid, mode: mode.toUpperCase(), from: zxidHex(from), to: zxidHex(to) };
    this.#options.log.info('learnerSynced', fields);
    if (this.replica.mode === 'leader') this.replica.comparison.show();
  }

  // Roles ---------------------------------------------------------------------------------------

  #roleChanged(role: Role): void {
    const before = this.#serving.role;
    if (before.name !== role.name) this.#divergence.roleChanged(role.name === 'leading');
    if (role.name === 'looking') this.#peers?.leaderLost();
    this.#serving.roleChanged(role);
    if (role.name === 'following' && role.isServing) this.#disk.introduce();
  }

  #caughtUp(): void {
    this.replica.caughtUp();
    this.#serving.caughtUp();
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
    const { config, runtime, storage } = this.#options;
    const { leaderUptimeMs } = this.#serving;
    const metrics = this.#metrics.values();
    for (const [name, count] of this.#quotaWarnings.refusals) {
      metrics.set(`${name}_quota_exceeded_error_per_namespace`, count);
    }
    metrics.set('log_groups', this.#writer.groupCount);
    metrics.set('log_entries', this.#writer.entryCount);
    metrics.set('scrub_passes', this.#scrubber.passCount);
    metrics.set('scrub_bytes', this.#scrubber.byteCount);
    metrics.set('scrub_damage_count', this.#scrubber.damageCount);
    metrics.set('disk_free_bytes', this.#disk.freeBytes);
    metrics.set('data_whole', this.node.standing === 'whole' ? 1 : 0);
    return nodeStatus(config, runtime, storage, this.node, { leaderUptimeMs, metrics });
  }

  // The end -------------------------------------------------------------------------------------

  /** Leaves everything as it is, at once: nothing more is said, promised or written. */
  abort(): void {
    this.#isStopped = true;
    this.#disk.stop();
    this.#scrubber.stop();
    if (this.#tickTimer !== undefined) this.#options.runtime.timers.clear(this.#tickTimer);
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
    if (this.#isStopped) return;
    this.abort();
    this.#options.onFatal(asFatal(error));
  }

  /** Only while clients are served: what is caught up with before is old. */
  #measure(txn: Txn): void {
    if (this.replica.mode === undefined) return;
    const wallMs = this.#options.runtime.clock.wallMs();
    this.#metrics.applied(txn, wallMs, this.#serving.role.name === 'leading');
  }

  get #nowMs(): number {
    return this.#options.runtime.clock.monotonicMs();
  }
}

/** Zxids in hex: as numbers nobody can read them. */
function printable(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { zxid } = fields;
  return typeof zxid === 'number' ? { ...fields, zxid: zxidHex(zxid as Zxid) } : { ...fields };
}
