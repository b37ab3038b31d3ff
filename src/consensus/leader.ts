/**
 * The leader: gathers promises for a new epoch, brings every learner's history in line with its
 * own, then broadcasts proposals and commits what a quorum has made durable.
 *
 * Numbers in comments are the steps of ZAB's establishment of a leader.
 */

import { invariant, unreachable } from '../base/assert.ts';
import { EpochTable } from '../base/epoch-table.ts';
import {
  type Epoch,
  makeZxid,
  type ServerId,
  ZXID_NONE,
  type Zxid,
  zxidEpoch,
} from '../base/ids.ts';
import { Broadcast } from './broadcast.ts';
import { CatchUp } from './catch-up.ts';
import { Discovery } from './discovery.ts';
import type { LinkId } from './effects.ts';
import { Followers } from './followers.ts';
import { LeaderPings } from './leader-pings.ts';
import { type LogEntry, MessageType, type QuorumMessage } from './messages.ts';
import type { Progress } from './progress.ts';
import { Readmission } from './readmission.ts';
import type { ZabState } from './zab-state.ts';

/** Why a leader gives up; shown in the log. */
export type SteppedDown = { readonly reason: string };

type Phase = 'discovery' | 'synchronization' | 'broadcast';

export class Leader {
  readonly #state: ZabState;
  readonly #startedMs: number;
  readonly #followers: Followers;
  readonly #discovery: Discovery;
  readonly #readmission: Readmission;
  #phase: Phase = 'discovery';
  /** When a learner's synchronisation last came a step further. */
  #progressMs: number;
  /** There is one once the initial history is committed, and only then. */
  #broadcast: Broadcast | undefined;
  readonly #pings: LeaderPings;
  readonly #catchUp: CatchUp;

  constructor(state: ZabState) {
    invariant(state.isCounted, 'only a voter that counts can lead');
    invariant(state.isDrained, 'leadership begins while writes are under way');
    this.#state = state;
    this.#startedMs = state.nowMs;
    this.#progressMs = state.nowMs;
    this.#followers = new Followers(state);
    this.#pings = new LeaderPings(state.config.timings.heartbeatMs, state.nowMs);
    this.#catchUp = new CatchUp(state, this);
    this.#readmission = new Readmission(state, this.#followers, this.#pings);
    this.#discovery = new Discovery(state, this.#followers, this.#pings);
  }

  get epoch(): Epoch | undefined {
    return this.#discovery.epoch;
  }

  /** Last zxid that COMMIT and INFORM announced. */
  get announced(): Zxid {
    return this.#broadcast?.announced ?? ZXID_NONE;
  }

  get isServing(): boolean {
    return this.#phase === 'broadcast';
  }

  get phaseName(): Phase {
    return this.#phase;
  }

  get learners(): Iterable<Progress> {
    return this.#followers.all;
  }

  /** The log after this zxid is still to be sent to learners that catch up; undefined when to none. */
  get awaitedAfter(): Zxid | undefined {
    return this.#followers.awaitedAfter;
  }

  /** Followers that have everything, so that leadership could go to them without a loss of time. */
  get heirs(): LinkId[] {
    const { last, committed } = this.#state.history;
    if (!this.isServing || committed < last) return [];
    const isHeir = (l: Progress): boolean => l.isCounted && l.hasAckedNewLeader;
    return [...this.learners].filter(isHeir).map(({ link }) => link);
  }

  /** The zxid of the next proposal; only while serving. */
  get nextZxid(): Zxid {
    return this.#established().nextZxid;
  }

  // Inputs --------------------------------------------------------------------------------------

  connected(link: LinkId, sid: ServerId, incarnation: string): void {
    this.#followers.connected(link, sid, incarnation);
  }

  disconnected(link: LinkId): SteppedDown | undefined {
    if (!this.#followers.byLink.delete(link)) return undefined;
    return this.#checkQuorum();
  }

  owns(link: LinkId): boolean {
    return this.#followers.byLink.has(link);
  }

  receive(link: LinkId, message: QuorumMessage): SteppedDown | undefined {
    const learner = this.#followers.byLink.get(link);
    invariant(learner !== undefined, 'message from a link that is not a learner');
    learner.lastHeardMs = this.#state.nowMs;
    switch (message.type) {
      case MessageType.ack:
        return this.#acked(learner, message.zxid);
      case MessageType.pong:
        this.#ponged(learner, message.sequence);
        return undefined;
      case MessageType.followerInfo:
      case MessageType.observerInfo:
        return this.#learnerInfo(learner, message.acceptedEpoch, message.isRecovering);
      case MessageType.ackEpoch:
        return this.#ackEpoch(learner, message);
      case MessageType.proposal:
      case MessageType.commit:
      case MessageType.ping:
      case MessageType.inform:
      case MessageType.newLeader:
      case MessageType.leaderInfo:
      case MessageType.diff:
      case MessageType.trunc:
      case MessageType.snap:
      case MessageType.snapChunk:
      case MessageType.snapEnd:
      case MessageType.recover:
      case MessageType.upToDate:
        this.#drop(learner, 'the learner sent what only leaders send');
        return undefined;
      default:
        return unreachable(message);
    }
  }

  /** Gives the transaction its zxid; it is sent and written with the others of this turn by `flush`. */
  propose(bytes: Uint8Array): Zxid {
    return this.#established().propose(bytes);
  }

  /** Asks whether this server still leads; answered by a `barrier` effect with the same token. */
  barrier(token: number): void {
    this.#pings.ask(token, this.#established().proposed);
  }

  logRead(link: LinkId, entries: readonly LogEntry[]): void {
    const learner = this.#followers.byLink.get(link);
    if (learner === undefined) return;
    this.#progressMs = this.#state.nowMs;
    if (this.#catchUp.logRead(learner, entries)) return;
    this.#followers.drop(learner, 'the log no longer reaches back to where the learner stands');
  }

  snapshotOpened(link: LinkId, zxid: Zxid): void {
    const learner = this.#followers.byLink.get(link);
    if (learner !== undefined) this.#catchUp.snapshotOpened(learner, zxid);
  }

  snapshotSent(link: LinkId, summary: Uint8Array): void {
    const learner = this.#followers.byLink.get(link);
    if (learner !== undefined) this.#catchUp.snapshotSent(learner, summary);
  }

  /** The learner has taken more of its snapshot: a large one may take as long as it likes. */
  snapshotTaken(link: LinkId): void {
    if (this.#followers.byLink.get(link)?.phase === 'snapshot') {
      this.#progressMs = this.#state.nowMs;
    }
  }

  persisted(): SteppedDown | undefined {
    if (this.#phase === 'discovery') {
      this.#discovery.persisted();
      if (this.#discovery.isDone) this.#claimed();
    }
    this.#broadcast?.persisted();
    this.#broadcast?.advanceCommit();
    return undefined;
  }

  tick(): SteppedDown | undefined {
    const { nowMs, config } = this.#state;
    const { timings } = config;
    this.#pings.tick(nowMs);
    this.#followers.dropSilent();
    if (this.#broadcast?.isWriteOverdue(timings.syncTimeoutMs)) {
      return { reason: 'own log write takes longer than syncLimit' };
    }
    if (this.#discovery.isRefused) {
      return { reason: 'a voter has promised this epoch to another: a later one is needed' };
    }
    if (this.#phase !== 'broadcast' && nowMs - this.#progressMs > timings.initTimeoutMs) {
      return { reason: 'no quorum followed within initLimit' };
    }
    if (this.#broadcast?.isCounterUsedUp) {
      return { reason: 'the zxid counter is used up: a new epoch is needed' };
    }
    return this.#checkQuorum();
  }

  /** End of a turn: one write and one message for everything proposed in it. */
  flush(): void {
    this.#broadcast?.flushProposals();
    this.#broadcast?.advanceCommit();
    this.#broadcast?.announceCommits();
    this.#ping();
  }

  /** Every connection goes; what was proposed and not committed is for the next leader to decide. */
  abandon(reason: string): void {
    this.#followers.dropAll(reason);
  }

  // Discovery (1 to 5) --------------------------------------------------------------------------

  #learnerInfo(
    learner: Progress,
    acceptedEpoch: Epoch,
    isRecovering: boolean,
  ): SteppedDown | undefined {
    if (learner.phase !== 'connected') {
      this.#drop(learner, 'FOLLOWERINFO twice');
      return undefined;
    }
    learner.isRecovering = isRecovering;
    if (isRecovering) this.#readmission.welcome(learner);
    else if (this.#readmission.isBehindItsWord(learner, { acceptedEpoch })) return undefined;
    learner.phase = 'informed';
    learner.acceptedEpoch = acceptedEpoch;
    const { epoch } = this;
    if (learner.isVoter && epoch !== undefined && acceptedEpoch > epoch) {
      // It promised a leader that never established itself. Only a newer epoch lets it in again.
      return { reason: 'a voter has promised a later epoch' };
    }
    this.#discovery.informed(learner);
    return undefined;
  }

  #ackEpoch(
    learner: Progress,
    message: Extract<QuorumMessage, { type: typeof MessageType.ackEpoch }>,
  ): SteppedDown | undefined {
    if (learner.phase !== 'informed' || this.epoch === undefined) {
      this.#drop(learner, 'ACKEPOCH out of order');
      return undefined;
    }
    if (this.#readmission.isBehindItsWord(learner, message)) return undefined;
    learner.phase = 'promised';
    learner.lastZxid = message.lastZxid;
    learner.epochs = new EpochTable(message.epochs);
    learner.currentEpoch = message.currentEpoch;
    learner.isPromiseCounted = learner.isCounted && message.currentEpoch !== undefined;
    if (this.#phase !== 'discovery') {
      if (this.#isReadyFor(learner)) this.#catchUp.begin(learner);
      return undefined;
    }
    if (this.#discovery.promised(learner)) return undefined;
    return { reason: 'a voter holds a newer history: it must lead' };
  }

  #claimed(): void {
    this.#phase = 'synchronization';
    this.#progressMs = this.#state.nowMs;
    for (const learner of this.#followers.all) {
      if (learner.phase === 'promised' && this.#isReadyFor(learner)) this.#catchUp.begin(learner);
    }
    this.#tryEstablish();
  }

  // Synchronisation (7 to 11) -------------------------------------------------------------------

  /**
   * An observer's log holds only what is committed, which is not known before the establishment;
   * nor is it a healing for a voter that lost its data to get what may not be committed.
   */
  #isReadyFor(learner: Progress): boolean {
    return this.#phase === 'broadcast' || (this.#phase === 'synchronization' && learner.isCounted);
  }

  #acked(learner: Progress, zxid: Zxid): SteppedDown | undefined {
    const { epoch } = this;
    if (learner.phase !== 'live' || epoch === undefined) {
      this.#drop(learner, 'ACK out of order');
      return undefined;
    }
    if (zxid === makeZxid(epoch, 0)) {
      learner.hasAckedNewLeader = true;
      this.#readmission.vouched(learner, epoch, learner.syncedZxid);
      this.#progressMs = this.#state.nowMs;
      if (this.#phase === 'synchronization') this.#tryEstablish();
      else if (this.#phase === 'broadcast') this.#bringUpToDate(learner);
    } else {
      if (!learner.hasAckedNewLeader || zxid > learner.sentZxid || zxidEpoch(zxid) !== epoch) {
        this.#drop(learner, 'ACK of a transaction never sent');
        return undefined;
      }
      learner.ackedZxid = zxid;
      this.#readmission.vouched(learner, epoch, zxid);
    }
    const isWaitedFor = this.#followers.isWaitedFor(learner, epoch);
    learner.waitingSinceMs = isWaitedFor ? this.#state.nowMs : undefined;
    this.#broadcast?.advanceCommit();
    return undefined;
  }

  /** (10) A quorum holds the initial history durably: it is committed, and service begins. */
  #tryEstablish(): void {
    if (!this.#followers.isQuorum((learner) => learner.hasAckedNewLeader)) return;
    const { history } = this.#state;
    const { epoch } = this;
    invariant(epoch !== undefined, 'established without an epoch');
    this.#phase = 'broadcast';
    history.commit(history.last);
    this.#broadcast = new Broadcast(this.#state, epoch, this.#followers);
    this.#state.apply();
    this.#state.emit({ kind: 'role', role: { name: 'leading', epoch, isServing: true } });
    for (const learner of [...this.#followers.all]) {
      if (learner.hasAckedNewLeader) this.#bringUpToDate(learner);
      else if (learner.phase === 'promised') this.#catchUp.begin(learner);
    }
  }

  #bringUpToDate(learner: Progress): void {
    const { link } = learner;
    if (learner.isUpToDate || !this.#readmission.mayComeIn(learner)) return;
    learner.isUpToDate = true;
    const zxid = this.announced;
    if (zxid > ZXID_NONE) this.#state.send(link, { type: MessageType.commit, zxid });
    this.#state.send(link, { type: MessageType.upToDate });
  }

  // Liveness ------------------------------------------------------------------------------------

  #ping(): void {
    const sequence = this.#pings.next();
    if (sequence === undefined) return;
    const links = [...this.#followers.byLink.keys()];
    if (links.length > 0) {
      const message = { type: MessageType.ping, sequence };
      this.#state.emit({ kind: 'broadcast', links, message });
    }
    this.#confirmBarriers();
  }

  #ponged(learner: Progress, sequence: number): void {
    if (sequence > learner.pongSequence) learner.pongSequence = sequence;
    if (this.#phase === 'discovery') this.#discovery.tryClaim();
    this.#confirmBarriers();
    if (this.#phase !== 'broadcast') return;
    for (const other of this.#followers.all) {
      if (other.isRecovering && other.hasAckedNewLeader) this.#bringUpToDate(other);
    }
  }

  #confirmBarriers(): void {
    if (this.#phase !== 'broadcast') return;
    const isAnswered = (sequence: number): boolean =>
      this.#followers.isQuorum((l) => l.hasAckedNewLeader && l.pongSequence >= sequence);
    for (const { token, zxid } of this.#pings.confirmed(isAnswered)) {
      this.#state.emit({ kind: 'barrier', token, zxid });
    }
  }

  /** A leader without a quorum of learners that were heard lately must not go on. */
  #checkQuorum(): SteppedDown | undefined {
    const { nowMs, config } = this.#state;
    if (
      this.#phase !== 'broadcast' &&
      nowMs - this.#startedMs <= 2 * config.timings.peerTimeoutMs
    ) {
      return undefined;
    }
    const isHere = (learner: Progress): boolean =>
      this.#phase !== 'broadcast' || learner.hasAckedNewLeader;
    return this.#followers.isQuorum(isHere) ? undefined : { reason: 'no quorum of followers' };
  }

  #established(): Broadcast {
    invariant(this.#broadcast !== undefined, 'the leader is not established');
    return this.#broadcast;
  }

  #drop(learner: Progress, reason: string): void {
    this.#followers.drop(learner, reason);
  }
}
