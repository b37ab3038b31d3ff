/**
 * The leader: gathers promises for a new epoch, brings every learner's history in line with its
 * own, then broadcasts proposals and commits what a quorum has made durable.
 *
 * Numbers in comments are the steps of ZAB's establishment of a leader.
 */

import { invariant, unreachable } from '../base/assert.ts';
import { EpochTable } from '../base/epoch-table.ts';
import {
  COUNTER_MAX,
  EPOCH_MAX,
  type Epoch,
  follows,
  makeEpoch,
  makeZxid,
  nextZxid,
  type ServerId,
  ZXID_NONE,
  type Zxid,
  zxidCounter,
  zxidEpoch,
} from '../base/ids.ts';
import type { LinkId } from './effects.ts';
import { type LogEntry, MessageType, type QuorumMessage } from './messages.ts';
import { Progress } from './progress.ts';
import type { ZabState } from './zab-state.ts';

/** Why a leader gives up; shown in the log. */
export type SteppedDown = { readonly reason: string };

/** The counter's last stretch: from here on an idle moment is used to start a new epoch. */
const COUNTER_LOW_WATER = 0xf000_0000;
/** One message to a learner that catches up. */
const SYNC_CHUNK_BYTES = 1024 * 1024;
/** One PROPOSAL, and one write of the leader's own: a turn that brings more is cut, for frames are bounded. */
const PROPOSAL_BYTES_MAX = 16 * 1024 * 1024;

type Phase = 'discovery' | 'promising' | 'claiming' | 'synchronization' | 'broadcast';

interface Barrier {
  readonly token: number;
  readonly zxid: Zxid;
  /** Confirmed by a quorum of answers to this ping or a later one. */
  readonly pingSequence: number;
}

export class Leader {
  readonly #state: ZabState;
  readonly #startedMs: number;
  readonly #learners = new Map<LinkId, Progress>();
  #phase: Phase = 'discovery';
  #epoch: Epoch | undefined;
  #awaitedWrite: number | undefined;
  /** Last zxid given to a proposal, in this turn's batch included. */
  #proposed: Zxid;
  #batch: LogEntry[] = [];
  #batchBytes = 0;
  /** Last zxid that COMMIT and INFORM announced. */
  #announced: Zxid = ZXID_NONE;
  #pingSequence = 0;
  #pingAtMs: number;
  #isPingDue = false;
  #barriers: Barrier[] = [];
  /** Since when this server's own oldest write is under way. */
  #writingSinceMs: number | undefined;

  constructor(state: ZabState) {
    invariant(state.isVoter, 'only a voter can lead');
    invariant(state.isDrained, 'leadership begins while writes are under way');
    this.#state = state;
    this.#startedMs = state.nowMs;
    this.#pingAtMs = state.nowMs;
    this.#proposed = state.history.last;
    this.#tryNewEpoch();
  }

  get epoch(): Epoch | undefined {
    return this.#epoch;
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

  /** Last zxid given out. */
  get proposed(): Zxid {
    return this.#proposed;
  }

  /** The zxid of the next proposal. */
  get nextZxid(): Zxid {
    const epoch = this.#epoch;
    invariant(epoch !== undefined, 'leader without an epoch');
    return zxidEpoch(this.#proposed) === epoch ? nextZxid(this.#proposed) : makeZxid(epoch, 1);
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
    invariant(this.#phase === 'broadcast', 'proposal by a leader that is not established');
    if (this.#batchBytes + bytes.length > PROPOSAL_BYTES_MAX) this.#flushBatch();
    const zxid = this.nextZxid;
    this.#batchBytes += bytes.length;
    this.#proposed = zxid;
    this.#batch.push({ zxid, bytes });
    return zxid;
  }

  /** Asks whether this server still leads; answered by a `barrier` effect with the same token. */
  barrier(token: number): void {
    invariant(this.#phase === 'broadcast', 'barrier at a leader that is not established');
    this.#isPingDue = true;
    this.#barriers.push({ token, zxid: this.#proposed, pingSequence: this.#pingSequence + 1 });
  }

  logRead(link: LinkId, entries: readonly LogEntry[]): void {
    const learner = this.#learners.get(link);
    if (learner?.phase !== 'catchingUp') return;
    const first = entries[0];
    if (first === undefined || !follows(learner.sentZxid, first.zxid)) {
      this.#drop(learner, 'the log no longer reaches back to where the learner stands');
      return;
    }
    this.#sendEntries(learner, entries);
    this.#catchUp(learner);
  }

  snapshotOpened(link: LinkId, zxid: Zxid): void {
    const learner = this.#learners.get(link);
    if (learner?.phase !== 'snapshot') return;
    const { history } = this.#state;
    invariant(zxid >= history.retainedAfter, 'the log does not reach back to the checkpoint');
    learner.streamFrom = zxid;
    learner.sentZxid = zxid;
    const epochs = history.epochs.upTo(zxid).ends;
    this.#state.send(link, { type: MessageType.snap, zxid, epochs });
  }

  snapshotSent(link: LinkId, summary: Uint8Array): void {
    const learner = this.#learners.get(link);
    if (learner?.phase !== 'snapshot') return;
    this.#state.send(link, { type: MessageType.snapEnd, summary });
    learner.phase = 'catchingUp';
    this.#catchUp(learner);
  }

  persisted(): SteppedDown | undefined {
    const awaited = this.#awaitedWrite;
    if (awaited !== undefined && this.#state.persistedId >= awaited) {
      this.#awaitedWrite = undefined;
      if (this.#phase === 'promising') this.#promised();
      else if (this.#phase === 'claiming') this.#claimed();
    }
    this.#writingSinceMs = this.#state.isDrained ? undefined : this.#state.nowMs;
    if (this.#phase === 'broadcast') this.#advanceCommit();
    return undefined;
  }

  tick(): SteppedDown | undefined {
    const { nowMs, config } = this.#state;
    const { timings } = config;
    if (nowMs >= this.#pingAtMs) {
      this.#isPingDue = true;
      this.#pingAtMs = nowMs + timings.heartbeatMs;
    }
    for (const learner of [...this.#learners.values()]) {
      if (nowMs - learner.lastHeardMs > timings.peerTimeoutMs) this.#drop(learner, 'silent');
      else if (this.#isStuck(learner)) this.#drop(learner, 'acknowledges nothing');
    }
    if (
      this.#writingSinceMs !== undefined &&
      nowMs - this.#writingSinceMs > timings.syncTimeoutMs
    ) {
      return { reason: 'own log write takes longer than syncLimit' };
    }
    if (this.#phase !== 'broadcast' && nowMs - this.#startedMs > timings.initTimeoutMs) {
      return { reason: 'no quorum followed within initLimit' };
    }
    if (this.#isCounterUsedUp()) {
      return { reason: 'the zxid counter is used up: a new epoch is needed' };
    }
    return this.#checkQuorum();
  }

  /** End of a turn: one write and one message for everything proposed in it. */
  flush(): void {
    this.#flushBatch();
    this.#announceCommits();
    if (this.#isPingDue) this.#ping();
  }

  #flushBatch(): void {
    const entries = this.#batch;
    if (entries.length === 0) return;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#state.persist({ append: entries });
    this.#writingSinceMs ??= this.#state.nowMs;
    this.#broadcastProposal(entries);
    this.#advanceCommit();
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
      if (this.#isReadyFor(learner)) this.#beginSync(learner);
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
      if (learner.phase === 'promised' && this.#isReadyFor(learner)) this.#beginSync(learner);
    }
    this.#tryEstablish();
  }

  // Synchronisation (7 to 11) -------------------------------------------------------------------

  /** An observer's log holds only what is committed, which is not known before the establishment. */
  #isReadyFor(learner: Progress): boolean {
    return this.#phase === 'broadcast' || (this.#phase === 'synchronization' && learner.isVoter);
  }

  /**
   * Two histories that share an epoch are equal up to the smaller of their last zxids in it. So the
   * end of the highest common epoch is where they part, and no guess is needed.
   */
  #beginSync(learner: Progress): void {
    const { history } = this.#state;
    const common = history.epochs.commonWith(learner.epochs ?? new EpochTable());
    if (common < history.retainedAfter) {
      learner.mode = 'snap';
      learner.phase = 'snapshot';
      this.#state.emit({ kind: 'sendSnapshot', link: learner.link });
      return;
    }
    learner.mode = learner.lastZxid > common ? 'trunc' : 'diff';
    const type = learner.mode === 'trunc' ? MessageType.trunc : MessageType.diff;
    this.#state.send(learner.link, { type, zxid: common });
    learner.phase = 'catchingUp';
    learner.streamFrom = common;
    learner.sentZxid = common;
    this.#catchUp(learner);
  }

  /** Sends history until the learner has all of it; then, in the same step, it goes live. */
  #catchUp(learner: Progress): void {
    const { history } = this.#state;
    const end = learner.isVoter ? history.last : this.#announced;
    while (learner.sentZxid < end) {
      const entries = history.entriesAfter(learner.sentZxid, end, SYNC_CHUNK_BYTES);
      if (entries === undefined) {
        const { link, sentZxid: after } = learner;
        this.#state.emit({ kind: 'readLog', link, after, maxBytes: SYNC_CHUNK_BYTES });
        return;
      }
      this.#sendEntries(learner, entries);
    }
    learner.phase = 'live';
    const { link } = learner;
    if (this.#announced > ZXID_NONE && learner.isVoter) {
      this.#state.send(link, { type: MessageType.commit, zxid: this.#announced });
    }
    const epoch = this.#epoch;
    invariant(epoch !== undefined, 'NEWLEADER without an epoch');
    const { clusterId } = this.#state;
    this.#state.send(link, { type: MessageType.newLeader, epoch, clusterId });
    learner.waitingSinceMs = this.#state.nowMs;
    const { sid, mode, streamFrom: from, sentZxid: to } = learner;
    this.#state.emit({ kind: 'learnerReady', link, report: { sid, mode, from, to } });
  }

  #sendEntries(learner: Progress, entries: readonly LogEntry[]): void {
    const end = learner.isVoter ? this.#state.history.last : this.#announced;
    const wanted = entries.filter((entry) => entry.zxid <= end);
    const last = wanted.at(-1);
    if (last === undefined) return;
    // Before NEWLEADER an observer stages PROPOSALs like a follower; INFORM is for the live stream.
    this.#state.send(learner.link, { type: MessageType.proposal, entries: wanted });
    learner.sentZxid = last.zxid;
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
    if (this.#phase === 'broadcast') this.#advanceCommit();
    return undefined;
  }

  /** (10) A quorum holds the initial history durably: it is committed, and service begins. */
  #tryEstablish(): void {
    const acked = [...this.#learners.values()].filter((l) => l.hasAckedNewLeader);
    const isIn = (sid: ServerId): boolean =>
      sid === this.#state.sid || acked.some((l) => l.sid === sid);
    if (!this.#state.quorum.contains(isIn)) return;
    const { history } = this.#state;
    this.#phase = 'broadcast';
    this.#proposed = history.last;
    history.commit(history.last);
    this.#announced = history.last;
    this.#state.apply();
    const epoch = this.#epoch;
    invariant(epoch !== undefined, 'established without an epoch');
    this.#state.emit({ kind: 'role', role: { name: 'leading', epoch, isServing: true } });
    for (const learner of [...this.#learners.values()]) {
      if (learner.hasAckedNewLeader) this.#bringUpToDate(learner);
      else if (learner.phase === 'promised') this.#beginSync(learner);
    }
  }

  #bringUpToDate(learner: Progress): void {
    const { link } = learner;
    const zxid = this.#announced;
    if (zxid > ZXID_NONE) this.#state.send(link, { type: MessageType.commit, zxid });
    this.#state.send(link, { type: MessageType.upToDate });
  }

  // Broadcast -----------------------------------------------------------------------------------

  #broadcastProposal(entries: readonly LogEntry[]): void {
    const links: LinkId[] = [];
    for (const learner of this.#learners.values()) {
      if (learner.phase !== 'live' || !learner.isVoter) continue;
      links.push(learner.link);
      learner.sentZxid = this.#proposed;
      learner.waitingSinceMs ??= this.#state.nowMs;
    }
    if (links.length === 0) return;
    const message = { type: MessageType.proposal, entries };
    this.#state.emit({ kind: 'broadcast', links, message });
  }

  /** Commits what a quorum has durably, of this epoch only: older ones went with the establishment. */
  #advanceCommit(): void {
    const { history, quorum, sid } = this.#state;
    const reached = quorum.reached((voter) =>
      voter === sid ? history.durable : this.#ackedBy(voter),
    );
    if (reached > history.committed && zxidEpoch(reached) === this.#epoch) history.commit(reached);
    this.#state.apply();
  }

  #ackedBy(sid: ServerId): Zxid {
    for (const learner of this.#learners.values()) {
      if (learner.sid === sid && learner.hasAckedNewLeader) return learner.ackedZxid;
    }
    return ZXID_NONE;
  }

  /** One COMMIT per turn for all that was committed in it. */
  #announceCommits(): void {
    const { history } = this.#state;
    const zxid = history.committed;
    if (this.#phase !== 'broadcast' || zxid <= this.#announced) return;
    const followers: LinkId[] = [];
    const observers: LinkId[] = [];
    for (const learner of this.#learners.values()) {
      if (learner.phase !== 'live') continue;
      if (learner.isVoter) followers.push(learner.link);
      else observers.push(learner.link);
    }
    if (followers.length > 0) {
      const message = { type: MessageType.commit, zxid };
      this.#state.emit({ kind: 'broadcast', links: followers, message });
    }
    const before = this.#announced;
    this.#announced = zxid;
    if (observers.length > 0) this.#inform(observers, before, zxid);
  }

  #inform(links: readonly LinkId[], after: Zxid, upTo: Zxid): void {
    let sent = after;
    while (sent < upTo) {
      const entries = this.#state.history.entriesAfter(sent, upTo, SYNC_CHUNK_BYTES);
      const last = entries?.at(-1);
      invariant(entries !== undefined && last !== undefined, 'the window lost what was committed');
      const message = { type: MessageType.inform, entries };
      this.#state.emit({ kind: 'broadcast', links, message });
      sent = last.zxid;
    }
    for (const link of links) {
      const learner = this.#learners.get(link);
      if (learner !== undefined) learner.sentZxid = upTo;
    }
  }

  // Liveness ------------------------------------------------------------------------------------

  #ping(): void {
    this.#isPingDue = false;
    const sequence = ++this.#pingSequence;
    const links = [...this.#learners.keys()];
    if (links.length > 0) {
      const message = { type: MessageType.ping, sequence };
      this.#state.emit({ kind: 'broadcast', links, message });
    }
    this.#confirmBarriers();
  }

  #confirmBarriers(): void {
    if (this.#barriers.length === 0 || this.#phase !== 'broadcast') return;
    const { quorum, sid } = this.#state;
    const answered = (sequence: number): boolean =>
      quorum.contains((voter) => voter === sid || this.#pongOf(voter) >= sequence);
    while (this.#barriers[0] !== undefined && answered(this.#barriers[0].pingSequence)) {
      if (this.#barriers[0].pingSequence > this.#pingSequence) break;
      const { token, zxid } = this.#barriers[0];
      this.#state.emit({ kind: 'barrier', token, zxid });
      this.#barriers.shift();
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

  /** A counter of an earlier epoch is of no concern: the first proposal of this one starts again. */
  #isCounterUsedUp(): boolean {
    const counter = zxidCounter(this.#proposed);
    if (zxidEpoch(this.#proposed) !== this.#epoch || counter < COUNTER_LOW_WATER) return false;
    const isIdle = this.#state.history.committed === this.#proposed;
    return isIdle || counter >= COUNTER_MAX - 0x10_0000;
  }

  #drop(learner: Progress, reason: string): void {
    this.#learners.delete(learner.link);
    this.#state.close(learner.link, reason);
  }
}
