/**
 * The leader: gathers promises for a new epoch, brings every learner's history in line with its
 * own, then broadcasts proposals and commits what a quorum has made durable.
 *
 * Numbers in comments are the steps of ZAB's establishment of a leader.
 */

import { invariant, unreachable } from '../base/assert.ts';
import { EpochTable } from '../base/epoch-table.ts';
import {
  EPOCH_MAX,
  type Epoch,
  makeEpoch,
  makeZxid,
  type ServerId,
  ZXID_NONE,
  type Zxid,
  zxidEpoch,
} from '../base/ids.ts';
import { Broadcast } from './broadcast.ts';
import { CatchUp } from './catch-up.ts';
import type { LinkId } from './effects.ts';
import { LeaderPings } from './leader-pings.ts';
import { type LogEntry, MessageType, type QuorumMessage } from './messages.ts';
import { Progress } from './progress.ts';
import type { ZabState } from './zab-state.ts';

/** Why a leader gives up; shown in the log. */
export type SteppedDown = { readonly reason: string };

type Phase = 'discovery' | 'promising' | 'claiming' | 'synchronization' | 'broadcast';

export class Leader {
  readonly #state: ZabState;
  readonly #startedMs: number;
  readonly #learners = new Map<LinkId, Progress>();
  #phase: Phase = 'discovery';
  #epoch: Epoch | undefined;
  #awaitedWrite: number | undefined;
  /** There is one once the initial history is committed, and only then. */
  #broadcast: Broadcast | undefined;
  readonly #pings: LeaderPings;
  readonly #catchUp: CatchUp;

  constructor(state: ZabState) {
    invariant(state.isVoter, 'only a voter can lead');
    invariant(state.isDrained, 'leadership begins while writes are under way');
    this.#state = state;
    this.#startedMs = state.nowMs;
    this.#pings = new LeaderPings(state.config.timings.heartbeatMs, state.nowMs);
    this.#catchUp = new CatchUp(state, this);
    this.#tryNewEpoch();
  }

  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  /** Last zxid that COMMIT and INFORM announced. */
  get announced(): Zxid {
    return this.#broadcast?.announced ?? ZXID_NONE;
  }

  get isServing(): boolean {
    return this.#phase === 'broadcast';
  }

  get phaseName(): 'discovery' | 'synchronization' | 'broadcast' {
    if (this.#phase === 'broadcast') return 'broadcast';
    return this.#phase === 'synchronization' ? 'synchronization' : 'discovery';
  }

  get learners(): Iterable<Progress> {
    return this.#learners.values();
  }

  /** The log after this zxid is still to be sent to learners that catch up; undefined when to none. */
  get awaitedAfter(): Zxid | undefined {
    let after: Zxid | undefined;
    for (const { phase, sentZxid } of this.#learners.values()) {
      if (phase !== 'snapshot' && phase !== 'catchingUp') continue;
      if (after === undefined || sentZxid < after) after = sentZxid;
    }
    return after;
  }

  /** The zxid of the next proposal; only while serving. */
  get nextZxid(): Zxid {
    return this.#established().nextZxid;
  }

  // Inputs --------------------------------------------------------------------------------------

  connected(link: LinkId, sid: ServerId): void {
    for (const other of this.#learners.values()) {
      // A learner that comes back has given its old connection up, whatever TCP still believes.
      if (other.sid === sid) this.#drop(other, 'the learner connected again');
    }
    const isVoter = this.#state.quorum.isVoter(sid);
    this.#learners.set(link, new Progress(link, sid, isVoter, this.#state.nowMs));
  }

  disconnected(link: LinkId): SteppedDown | undefined {
    const learner = this.#learners.get(link);
    if (learner === undefined) return undefined;
    this.#learners.delete(link);
    return this.#checkQuorum();
  }

  owns(link: LinkId): boolean {
    return this.#learners.has(link);
  }

  receive(link: LinkId, message: QuorumMessage): SteppedDown | undefined {
    const learner = this.#learners.get(link);
    invariant(learner !== undefined, 'message from a link that is not a learner');
    learner.lastHeardMs = this.#state.nowMs;
    switch (message.type) {
      case MessageType.ack:
        return this.#acked(learner, message.zxid);
      case MessageType.pong:
        if (message.sequence > learner.pongSequence) learner.pongSequence = message.sequence;
        this.#confirmBarriers();
        return undefined;
      case MessageType.followerInfo:
      case MessageType.observerInfo:
        return this.#learnerInfo(learner, message.acceptedEpoch);
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
    const learner = this.#learners.get(link);
    if (learner === undefined || this.#catchUp.logRead(learner, entries)) return;
    this.#drop(learner, 'the log no longer reaches back to where the learner stands');
  }

  snapshotOpened(link: LinkId, zxid: Zxid): void {
    const learner = this.#learners.get(link);
    if (learner !== undefined) this.#catchUp.snapshotOpened(learner, zxid);
  }

  snapshotSent(link: LinkId, summary: Uint8Array): void {
    const learner = this.#learners.get(link);
    if (learner !== undefined) this.#catchUp.snapshotSent(learner, summary);
  }

  persisted(): SteppedDown | undefined {
    const awaited = this.#awaitedWrite;
    if (awaited !== undefined && this.#state.persistedId >= awaited) {
      this.#awaitedWrite = undefined;
      if (this.#phase === 'promising') this.#promised();
      else if (this.#phase === 'claiming') this.#claimed();
    }
    this.#broadcast?.persisted();
    this.#broadcast?.advanceCommit();
    return undefined;
  }

  tick(): SteppedDown | undefined {
    const { nowMs, config } = this.#state;
    const { timings } = config;
    this.#pings.tick(nowMs);
    for (const learner of [...this.#learners.values()]) {
      if (nowMs - learner.lastHeardMs > timings.peerTimeoutMs) this.#drop(learner, 'silent');
      else if (this.#isStuck(learner)) this.#drop(learner, 'acknowledges nothing');
    }
    if (this.#broadcast?.isWriteOverdue(timings.syncTimeoutMs)) {
      return { reason: 'own log write takes longer than syncLimit' };
    }
    if (this.#phase !== 'broadcast' && nowMs - this.#startedMs > timings.initTimeoutMs) {
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
    for (const learner of this.#learners.values()) this.#state.close(learner.link, reason);
    this.#learners.clear();
  }

  // Discovery (1 to 5) --------------------------------------------------------------------------

  #learnerInfo(learner: Progress, acceptedEpoch: Epoch): SteppedDown | undefined {
    if (learner.phase !== 'connected') {
      this.#drop(learner, 'FOLLOWERINFO twice');
      return undefined;
    }
    learner.phase = 'informed';
    learner.acceptedEpoch = acceptedEpoch;
    if (this.#phase === 'discovery') {
      this.#tryNewEpoch();
    } else if (learner.isVoter && this.#epoch !== undefined && acceptedEpoch > this.#epoch) {
      // It promised a leader that never established itself. Only a newer epoch lets it in again.
      return { reason: 'a voter has promised a later epoch' };
    } else if (this.#phase !== 'promising') {
      this.#sendLeaderInfo(learner);
    }
    return undefined;
  }

  /** (2) The new epoch is one more than any that a quorum has accepted. */
  #tryNewEpoch(): void {
    const informed = [...this.#learners.values()].filter((l) => l.acceptedEpoch !== undefined);
    const isIn = (sid: ServerId): boolean =>
      sid === this.#state.sid || informed.some((l) => l.sid === sid);
    if (!this.#state.quorum.contains(isIn)) return;
    let highest: number = this.#state.acceptedEpoch;
    for (const learner of informed) highest = Math.max(highest, learner.acceptedEpoch ?? 0);
    if (highest >= EPOCH_MAX) {
      this.#state.emit({ kind: 'fatal', reason: 'the ensemble has used up its epochs' });
      return;
    }
    this.#epoch = makeEpoch(highest + 1);
    this.#phase = 'promising';
    this.#awaitedWrite = this.#state.persist({ acceptedEpoch: this.#epoch });
  }

  /** (3) Our own promise is durable: others may be asked for theirs. */
  #promised(): void {
    this.#phase = 'claiming';
    this.#state.promisedTo = this.#state.sid;
    for (const learner of this.#learners.values()) {
      if (learner.phase === 'informed') this.#sendLeaderInfo(learner);
    }
    this.#tryClaim();
  }

  #sendLeaderInfo(learner: Progress): void {
    const epoch = this.#epoch;
    invariant(epoch !== undefined, 'LEADERINFO without an epoch');
    this.#state.send(learner.link, { type: MessageType.leaderInfo, epoch });
  }

  #ackEpoch(
    learner: Progress,
    message: Extract<QuorumMessage, { type: typeof MessageType.ackEpoch }>,
  ): SteppedDown | undefined {
    if (learner.phase !== 'informed' || this.#epoch === undefined) {
      this.#drop(learner, 'ACKEPOCH out of order');
      return undefined;
    }
    learner.phase = 'promised';
    learner.lastZxid = message.lastZxid;
    learner.epochs = new EpochTable(message.epochs);
    learner.currentEpoch = message.currentEpoch;
    learner.isPromiseCounted = message.currentEpoch !== undefined;
    if (this.#phase !== 'claiming') {
      if (this.#isReadyFor(learner)) this.#catchUp.begin(learner);
      return undefined;
    }
    if (learner.isVoter && this.#isBehind(learner)) {
      return { reason: 'a voter holds a newer history: it must lead' };
    }
    this.#tryClaim();
    return undefined;
  }

  #isBehind(learner: Progress): boolean {
    const { currentEpoch, history } = this.#state;
    if (learner.currentEpoch === undefined) return false;
    if (learner.currentEpoch !== currentEpoch) return learner.currentEpoch > currentEpoch;
    return learner.lastZxid > history.last;
  }

  /** (5, 6) A quorum has promised: our history is the initial history of the epoch. */
  #tryClaim(): void {
    if (this.#awaitedWrite !== undefined) return;
    const promised = [...this.#learners.values()].filter((l) => l.isPromiseCounted);
    const isIn = (sid: ServerId): boolean =>
      sid === this.#state.sid || promised.some((l) => l.sid === sid);
    if (!this.#state.quorum.contains(isIn)) return;
    const { clusterId, config } = this.#state;
    this.#awaitedWrite = this.#state.persist({
      currentEpoch: this.#epoch ?? makeEpoch(0),
      clusterId: clusterId === '' ? config.freshClusterId : clusterId,
    });
  }

  #claimed(): void {
    this.#phase = 'synchronization';
    for (const learner of this.#learners.values()) {
      if (learner.phase === 'promised' && this.#isReadyFor(learner)) this.#catchUp.begin(learner);
    }
    this.#tryEstablish();
  }

  // Synchronisation (7 to 11) -------------------------------------------------------------------

  /** An observer's log holds only what is committed, which is not known before the establishment. */
  #isReadyFor(learner: Progress): boolean {
    return this.#phase === 'broadcast' || (this.#phase === 'synchronization' && learner.isVoter);
  }

  #acked(learner: Progress, zxid: Zxid): SteppedDown | undefined {
    const epoch = this.#epoch;
    if (learner.phase !== 'live' || epoch === undefined) {
      this.#drop(learner, 'ACK out of order');
      return undefined;
    }
    if (zxid === makeZxid(epoch, 0)) {
      learner.hasAckedNewLeader = true;
      if (this.#phase === 'synchronization') this.#tryEstablish();
      else if (this.#phase === 'broadcast') this.#bringUpToDate(learner);
    } else {
      if (!learner.hasAckedNewLeader || zxid > learner.sentZxid || zxidEpoch(zxid) !== epoch) {
        this.#drop(learner, 'ACK of a transaction never sent');
        return undefined;
      }
      learner.ackedZxid = zxid;
    }
    learner.waitingSinceMs = this.#isWaitedFor(learner) ? this.#state.nowMs : undefined;
    this.#broadcast?.advanceCommit();
    return undefined;
  }

  /** (10) A quorum holds the initial history durably: it is committed, and service begins. */
  #tryEstablish(): void {
    const acked = [...this.#learners.values()].filter((l) => l.hasAckedNewLeader);
    const isIn = (sid: ServerId): boolean =>
      sid === this.#state.sid || acked.some((l) => l.sid === sid);
    if (!this.#state.quorum.contains(isIn)) return;
    const { history } = this.#state;
    const epoch = this.#epoch;
    invariant(epoch !== undefined, 'established without an epoch');
    this.#phase = 'broadcast';
    history.commit(history.last);
    this.#broadcast = new Broadcast(this.#state, epoch, this.#learners);
    this.#state.apply();
    this.#state.emit({ kind: 'role', role: { name: 'leading', epoch, isServing: true } });
    for (const learner of [...this.#learners.values()]) {
      if (learner.hasAckedNewLeader) this.#bringUpToDate(learner);
      else if (learner.phase === 'promised') this.#catchUp.begin(learner);
    }
  }

  #bringUpToDate(learner: Progress): void {
    const { link } = learner;
    const zxid = this.announced;
    if (zxid > ZXID_NONE) this.#state.send(link, { type: MessageType.commit, zxid });
    this.#state.send(link, { type: MessageType.upToDate });
  }

  // Liveness ------------------------------------------------------------------------------------

  #ping(): void {
    const sequence = this.#pings.next();
    if (sequence === undefined) return;
    const links = [...this.#learners.keys()];
    if (links.length > 0) {
      const message = { type: MessageType.ping, sequence };
      this.#state.emit({ kind: 'broadcast', links, message });
    }
    this.#confirmBarriers();
  }

  #confirmBarriers(): void {
    if (this.#phase !== 'broadcast') return;
    const { quorum, sid } = this.#state;
    const isAnswered = (sequence: number): boolean =>
      quorum.contains((voter) => voter === sid || this.#pongOf(voter) >= sequence);
    for (const { token, zxid } of this.#pings.confirmed(isAnswered)) {
      this.#state.emit({ kind: 'barrier', token, zxid });
    }
  }

  #pongOf(sid: ServerId): number {
    for (const learner of this.#learners.values()) {
      if (learner.sid === sid && learner.hasAckedNewLeader) return learner.pongSequence;
    }
    return 0;
  }

  #isWaitedFor(learner: Progress): boolean {
    if (!learner.hasAckedNewLeader) return true;
    return learner.isVoter && learner.ackedZxid < learner.sentZxid && this.#hasOutstanding(learner);
  }

  /** The initial history is acknowledged by NEWLEADER's ack; only this epoch's proposals count. */
  #hasOutstanding(learner: Progress): boolean {
    return zxidEpoch(learner.sentZxid) === this.#epoch;
  }

  #isStuck(learner: Progress): boolean {
    const { nowMs, config } = this.#state;
    const limitMs = learner.hasAckedNewLeader
      ? config.timings.syncTimeoutMs
      : config.timings.initTimeoutMs;
    return learner.waitingSinceMs !== undefined && nowMs - learner.waitingSinceMs > limitMs;
  }

  /** A leader without a quorum of learners that were heard lately must not go on. */
  #checkQuorum(): SteppedDown | undefined {
    const { nowMs, config, quorum, sid } = this.#state;
    if (
      this.#phase !== 'broadcast' &&
      nowMs - this.#startedMs <= 2 * config.timings.peerTimeoutMs
    ) {
      return undefined;
    }
    const heard = new Set<ServerId>([sid]);
    for (const learner of this.#learners.values()) {
      if (this.#phase !== 'broadcast' || learner.hasAckedNewLeader) heard.add(learner.sid);
    }
    return quorum.contains((voter) => heard.has(voter))
      ? undefined
      : { reason: 'no quorum of followers' };
  }

  #established(): Broadcast {
    invariant(this.#broadcast !== undefined, 'the leader is not established');
    return this.#broadcast;
  }

  #drop(learner: Progress, reason: string): void {
    this.#learners.delete(learner.link);
    this.#state.close(learner.link, reason);
  }
}
