/**
 * The other servers as the driver sees them: links to the leader and to learners, what is sent over
 * them, snapshots on their way, and log reads that wait until a link has room.
 */

import type { ServerId } from '../base/ids.ts';
import type { Effect, LinkId } from '../consensus/effects.ts';
import type { ZabNode } from '../consensus/zab-node.ts';
import { ElectionTransport } from '../peer/election-transport.ts';
import { type ClientMessage, ClientMessageType, type PeerMessage } from '../peer/peer-message.ts';
import { QuorumTransport } from '../peer/quorum-transport.ts';
import { type Runtime, RuntimeError } from '../runtime/runtime.ts';
import type { StateStore } from '../store/state-store.ts';
import { StoreError } from '../store/store-error.ts';
import type { ServerConfig } from './config.ts';
import { createPeerNetwork } from './create-core.ts';
import { FatalError, isDamage } from './fatal-error.ts';
import type { Log } from './logger.ts';
import type { OpenedStorage } from './open-storage.ts';
import type { PeerStandings } from './peer-standings.ts';
import { SnapshotSender } from './snapshot-transfer.ts';

type LogRead = Extract<Effect, { kind: 'readLog' }>;
export type PeerEffect = Extract<
  Effect,
  { kind: 'notify' | 'dial' | 'send' | 'broadcast' | 'close' | 'sendSnapshot' | 'readLog' }
>;

export interface PeerSideOptions {
  readonly config: ServerConfig;
  readonly runtime: Runtime;
  readonly storage: OpenedStorage;
  readonly log: Log;
  readonly node: ZabNode;
  /** The state as it is now. */
  readonly state: () => StateStore;
  /** Hands something to the core, in the driver's way. */
  readonly input: (handle: () => void) => void;
  readonly wake: () => void;
  /** As `input`, for messages. `sid`: the learner that sent it; undefined when the leader did. */
  readonly received: (link: LinkId, sid: ServerId | undefined, message: PeerMessage) => void;
  readonly standings: PeerStandings;
  readonly closed: (link: LinkId) => void;
  /** Begins the log anew behind a checkpoint; false when it cannot. */
  readonly cutLog: () => Promise<boolean>;
  /** Writes the state anew from memory; false when it cannot. */
  readonly renewState: () => Promise<boolean>;
  readonly failed: (error: unknown) => void;
}

/** A learner that has so much waiting is sent no more of the log. */
const LINK_QUEUE_BYTES_MAX = 8 * 1024 * 1024;

/** So often a damaged state is written anew before this server gives its disk up. */
const RENEWALS_MAX = 3;

export class PeerSide {
  readonly #options: PeerSideOptions;
  readonly #election: ElectionTransport;
  readonly #quorum: QuorumTransport;
  readonly #sender: SnapshotSender;
  readonly #learners = new Map<LinkId, ServerId>();
  readonly #pausedReads = new Map<LinkId, LogRead>();
  #leaderLink: LinkId | undefined;
  #renewalCount = 0;

  constructor(options: PeerSideOptions) {
    const { node, input, standings, state, wake, failed } = options;
    this.#options = options;
    const network = createPeerNetwork(options, node);
    this.#election = new ElectionTransport(network, {
      onNotification: (from, notification) => {
        standings.notified(from, notification);
        input(() => node.notified(from, notification));
      },
      onReachability: (sid, reachability) => {
        standings.reachability(sid, reachability);
        input(() => node.reachability(sid, reachability));
      },
      onMet: (identity) => {
        standings.met(identity);
        input(() => node.met(identity.sid, identity.isEmpty));
      },
    });
    this.#quorum = new QuorumTransport(network, {
      newLink: () => node.newLink(),
      onOpened: (link) => input(() => node.opened(link)),
      onLearner: (link, { sid, incarnation }) => {
        this.#learners.set(link, sid);
        input(() => node.learnerConnected(link, sid, incarnation));
      },
      onMessage: (link, message) => this.#received(link, message),
      onDrain: (link) => this.#drained(link),
      onClosed: (link, reason) => this.#closed(link, reason),
    });
    const damaged = (link: LinkId, error: StoreError): void => this.#stateDamaged(link, error);
    const transport = this.#quorum;
    this.#sender = new SnapshotSender({ node, transport, state, wake, damaged, failed });
  }

  /** Rejects with a `FatalError` of code `PORT` when a port cannot be bound. */
  async start(): Promise<void> {
    try {
      await this.#quorum.start();
      await this.#election.start();
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      throw new FatalError(
        'PORT',
        `server ${this.#options.config.serverId}: ${error.message}; is another server running with these ports?`,
        { cause: error },
      );
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.#election.stop(), this.#quorum.stop()]);
  }

  carryOut(effect: PeerEffect): void {
    switch (effect.kind) {
      case 'notify':
        this.#election.notify(effect.to, effect.notification);
        return;
      case 'dial':
        this.#leaderLink = effect.link;
        this.#quorum.dial(effect.leader, effect.link);
        return;
      case 'send':
        this.#quorum.send(effect.link, effect.message);
        return;
      case 'broadcast':
        this.#quorum.broadcast(effect.links, effect.message);
        return;
      case 'close':
        this.#quorum.close(effect.link, effect.reason);
        return;
      case 'sendSnapshot':
        this.#sender.start(effect.link);
        return;
      case 'readLog':
        this.#readLog(effect);
        return;
    }
  }

  sendToLeader(message: ClientMessage): void {
    if (this.#leaderLink !== undefined) this.#quorum.send(this.#leaderLink, message);
  }

  sendToLearner(link: LinkId, message: ClientMessage): void {
    this.#quorum.send(link, message);
  }

  /** Over every link that the server has as a learner. */
  tellLearner(sid: ServerId, message: ClientMessage): void {
    for (const [link, learner] of this.#learners) {
      if (learner === sid) this.#quorum.send(link, message);
    }
  }

  broadcastToLearners(message: ClientMessage): void {
    if (this.#learners.size > 0) this.#quorum.broadcast([...this.#learners.keys()], message);
  }

  leaderLost(): void {
    this.#leaderLink = undefined;
  }

  leaveLeader(reason: string): void {
    if (this.#leaderLink !== undefined) this.#quorum.close(this.#leaderLink, reason);
  }

  #readLog(read: LogRead): void {
    const { storage, node, input, failed } = this.#options;
    const { link, after, maxBytes } = read;
    if (this.#quorum.queuedBytes(link) > LINK_QUEUE_BYTES_MAX) {
      this.#pausedReads.set(link, read);
      return;
    }
    storage.log.read(after, maxBytes).then(
      (entries) => input(() => node.logRead(link, entries)),
      (error: unknown) => {
        // Trimmed meanwhile: the learner starts over and gets a snapshot.
        const isTrimmed = error instanceof StoreError && error.code === 'LOG_TRIMMED';
        if (isTrimmed) input(() => node.logRead(link, []));
        else if (isDamage(error)) this.#logDamaged(link, error);
        else failed(error);
      },
    );
  }

  /** The state is right, and so is what the log holds of it for the learners that come after. */
  #logDamaged(link: LinkId, error: Error): void {
    const { log, node, input, cutLog, failed } = this.#options;
    log.error('logDamaged', {
      reason: error.message,
      remedy: 'the log is cut behind a new checkpoint, learners get that; check the disk',
    });
    cutLog().then(
      (isCut) => {
        if (isCut) input(() => node.logRead(link, []));
        else failed(error);
      },
      (failure: unknown) => failed(failure),
    );
  }

  /**
   * The tree is right. To set everything aside would cost a voter just when another needs its data:
   * only a disk that damages what was written anew, and again, is given up.
   */
  #stateDamaged(link: LinkId, error: StoreError): void {
    const { log, renewState, failed } = this.#options;
    this.#renewalCount++;
    if (this.#renewalCount > RENEWALS_MAX) {
      failed(error);
      return;
    }
    log.error('stateDamaged', {
      reason: error.message,
      remedy: 'the state is written anew from memory, and sent again; check the disk',
    });
    renewState().then(
      (isRenewed) => {
        if (isRenewed) this.#quorum.close(link, 'the state is sent anew');
        else failed(error);
      },
      (failure: unknown) => failed(failure),
    );
  }

  #received(link: LinkId, message: PeerMessage): void {
    if (message.type === ClientMessageType.snapshotTaken) {
      this.#options.input(() => {
        this.#sender.taken(link, message.byteCount);
        this.#options.node.snapshotTaken(link);
      });
      return;
    }
    this.#options.received(link, this.#learners.get(link), message);
  }

  #drained(link: LinkId): void {
    this.#sender.resume(link);
    const read = this.#pausedReads.get(link);
    this.#pausedReads.delete(link);
    if (read !== undefined) this.#readLog(read);
  }

  #closed(link: LinkId, reason: string): void {
    const { log, node, input, closed } = this.#options;
    log.info('peerClosed', { link, sid: this.#learners.get(link), reason });
    this.#learners.delete(link);
    this.#pausedReads.delete(link);
    closed(link);
    this.#sender.resume(link);
    input(() => node.closed(link));
  }
}
