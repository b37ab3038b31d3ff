/**
 * The door of the core: one server's part in ZAB. Inputs in through methods, effects out through
 * `takeEffects` (see effects.ts for the contract). Synchronous, deterministic, without any clock,
 * socket, file or randomness of its own; input from peers never makes it throw.
 */

import { invariant } from '../base/assert.ts';
import { EPOCH_NONE, SERVER_NONE, type ServerId, type Zxid } from '../base/ids.ts';
import type { Standing } from '../base/standing.ts';
import type { Effect, LinkId, Role } from './effects.ts';
import { Election, type Reachability } from './election.ts';
import type { History } from './history.ts';
import { Leader } from './leader.ts';
import { Learner } from './learner.ts';
import {
  type LogEntry,
  type Notification,
  PeerState,
  type QuorumMessage,
  type Vote,
} from './messages.ts';
import { type DurableState, type ZabConfig, ZabState } from './zab-state.ts';

/** An election without this server takes a fraction of it. */
const ABSTENTION_MS = 2000;

export class ZabNode {
  readonly #state: ZabState;
  readonly #reachability = new Map<ServerId, Reachability>();
  #election: Election | undefined;
  #leader: Leader | undefined;
  #learner: Learner | undefined;
  /** The vote this server settled on, for those who ask. */
  #settled: Vote | undefined;
  #round = 0;
  /** Voters that were seen to hold nothing since this process began. */
  readonly #emptyPeers = new Set<ServerId>();
  #isStopped = false;

  constructor(config: ZabConfig, durable: DurableState) {
    this.#state = new ZabState(config, durable);
  }

  // What the caller may look at -----------------------------------------------------------------

  get history(): Pick<
    History,
    'last' | 'durable' | 'committed' | 'applicable' | 'retainedAfter' | 'entriesAfter'
  > {
    return this.#state.history;
  }

  get leader(): Leader | undefined {
    return this.#leader;
  }

  get learner(): Learner | undefined {
    return this.#learner;
  }

  get currentEpoch(): number {
    return this.#state.currentEpoch;
  }

  get standing(): Standing {
    return this.#state.standing;
  }

  /** Nothing was ever promised or written by this server. */
  get isEmpty(): boolean {
    return this.#state.isEmpty;
  }

  get acceptedEpoch(): number {
    return this.#state.acceptedEpoch;
  }

  /** The ensemble this server's data belongs to; empty while it has none. */
  get clusterId(): string {
    return this.#state.boundClusterId;
  }

  /** The zxid that the next proposal will get; only while `canPropose`. */
  get nextZxid(): Zxid {
    invariant(this.#leader !== undefined, 'only a leader gives out zxids');
    return this.#leader.nextZxid;
  }

  /** True while `propose` and `barrier` may be called. */
  get canPropose(): boolean {
    return this.#leader?.isServing === true;
  }

  // Inputs --------------------------------------------------------------------------------------

  start(nowMs: number): void {
    this.#state.nowMs = nowMs;
    this.#look('start');
    this.#tryFound();
  }

  /** What time it is when something comes between two ticks: whoever is heard then, is heard now. */
  noteTime(nowMs: number): void {
    invariant(nowMs >= this.#state.nowMs, 'the monotonic clock goes backwards');
    this.#state.nowMs = nowMs;
  }

  /** Time has passed. Call it at least every few heartbeats, and first of all after the process was frozen. */
  tick(nowMs: number): void {
    this.noteTime(nowMs);
    if (this.#isStopped) return;
    const elected = this.#election?.tick();
    if (elected !== undefined) this.#settle(elected);
    this.#orLook(this.#leader?.tick() ?? this.#learner?.tick());
  }

  /** A peer's election port was reached, was lost, or refused. */
  reachability(sid: ServerId, reachability: Reachability): void {
    this.#reachability.set(sid, reachability);
    if (reachability === 'up') this.#election?.reached(sid);
  }

  /**
   * A peer said, on a connection made since this process began, whether there is anything at all on
   * its disk. A server with an empty disk may be new, or may have been emptied; only when all voters
   * have nothing is it certain that nothing was lost, and the ensemble begins.
   */
  met(sid: ServerId, isEmpty: boolean): void {
    if (isEmpty) this.#emptyPeers.add(sid);
    else this.#emptyPeers.delete(sid);
    this.#tryFound();
  }

  notified(from: ServerId, notification: Notification): void {
    if (this.#isStopped) return;
    if (this.#election !== undefined) {
      const elected = this.#election.receive(from, notification);
      if (elected !== undefined) this.#settle(elected);
      return;
    }
    // Settled servers only answer, so a server that is looking never disturbs a healthy ensemble.
    if (notification.state === PeerState.looking && this.#settled !== undefined) {
      const answer = { state: this.#peerState(), vote: this.#settledVote() };
      this.#state.emit({ kind: 'notify', to: from, notification: answer });
    }
  }

  /** A number for a connection that the caller accepted. */
  newLink(): LinkId {
    return this.#state.newLink();
  }

  /** A learner whose identity was checked has connected to the quorum port. */
  learnerConnected(link: LinkId, sid: ServerId, incarnation: string): void {
    if (this.#leader === undefined) this.#state.close(link, 'not leading');
    else this.#leader.connected(link, sid, incarnation);
  }

  /** The connection asked for by a `dial` effect is open. */
  opened(link: LinkId): void {
    if (this.#learner?.owns(link)) this.#learner.opened(link);
    else this.#state.close(link, 'no longer wanted');
  }

  /** A connection is gone, or a dialled one could not be opened. */
  closed(link: LinkId): void {
    this.#orLook(this.#leader?.disconnected(link) ?? this.#learner?.closed(link));
  }

  receive(link: LinkId, message: QuorumMessage): void {
    if (this.#leader?.owns(link)) this.#orLook(this.#leader.receive(link, message));
    else if (this.#learner?.owns(link)) this.#orLook(this.#learner.receive(message));
  }

  /** Every persist request up to this id is durable. */
  persisted(id: number): void {
    this.#state.persisted(id);
    this.#orLook(this.#leader?.persisted());
    this.#orLook(this.#learner?.persisted());
    this.#beginElection();
  }

  /** Answer to `readLog`: what the log holds after the zxid asked for; empty when it is trimmed. */
  logRead(link: LinkId, entries: readonly LogEntry[]): void {
    this.#leader?.logRead(link, entries);
  }

  snapshotOpened(link: LinkId, zxid: Zxid): void {
    this.#leader?.snapshotOpened(link, zxid);
  }

  snapshotSent(link: LinkId, summary: Uint8Array): void {
    this.#leader?.snapshotSent(link, summary);
  }

  /** The learner has written more of what it was sent of a snapshot. */
  snapshotTaken(link: LinkId): void {
    this.#leader?.snapshotTaken(link);
  }

  snapshotStaged(): void {
    this.#learner?.snapshotStaged();
  }

  /** The caller dropped log entries up to and including this zxid. */
  trimmed(retainedAfter: Zxid): void {
    this.#state.history.trimmed(retainedAfter);
  }

  /** Only while `canPropose`. The bytes belong to the core from now on. */
  propose(bytes: Uint8Array): Zxid {
    invariant(this.#leader !== undefined, 'proposal by a server that does not lead');
    return this.#leader.propose(bytes);
  }

  /** Only while `canPropose`. Unanswered when leadership ends first. */
  barrier(token: number): void {
    invariant(this.#leader !== undefined, 'barrier at a server that does not lead');
    this.#leader.barrier(token);
  }

  /**
   * Gives leadership up, and votes for others for a while; only when none of them is elected does
   * this server stand for election again. Without effect on a server that does not lead.
   */
  handOver(): void {
    if (this.#leader?.isServing !== true) return;
    this.#state.abstainUntilMs = this.#state.nowMs + ABSTENTION_MS;
    this.#look('leadership is handed over');
  }

  /** Orderly end: connections close, so that the others elect at once. */
  stop(): void {
    this.#leaveRole('the server is stopping');
    this.#isStopped = true;
  }

  /** What this turn's inputs lead to. Checks the invariants; call once at the end of each turn. */
  takeEffects(): Effect[] {
    this.#leader?.flush();
    this.#state.history.shrinkWindow();
    this.#state.check();
    return this.#state.takeEffects();
  }

  // Changes of role -----------------------------------------------------------------------------

  #orLook(ended: { readonly reason: string } | undefined): void {
    if (ended !== undefined && !this.#isStopped) this.#look(ended.reason);
  }

  #look(reason: string): void {
    this.#leaveRole(reason);
    this.#state.trace('looking', { reason });
    this.#emitRole({ name: 'looking' });
    this.#beginElection();
  }

  #leaveRole(reason: string): void {
    this.#leader?.abandon(reason);
    this.#learner?.abandon(reason);
    this.#leader = undefined;
    this.#learner = undefined;
    this.#election = undefined;
    this.#settled = undefined;
  }

  #tryFound(): void {
    const { standing, isEmpty, quorum, sid } = this.#state;
    if (standing !== 'new' || !isEmpty || this.#isStopped) return;
    if (this.#leader !== undefined || this.#learner !== undefined) return;
    if (!quorum.voters.every((voter) => voter === sid || this.#emptyPeers.has(voter))) return;
    this.#state.persist({ standing: 'whole' });
    this.#look('the whole ensemble is new');
  }

  /** A vote speaks of durable data, so the attempt waits until all writes under way have completed. */
  #beginElection(): void {
    const hasRole = this.#election ?? this.#leader ?? this.#learner;
    if (hasRole !== undefined || this.#isStopped || !this.#state.isDrained) return;
    this.#round++;
    const reachability = (sid: ServerId): Reachability => this.#reachability.get(sid) ?? 'unknown';
    this.#election = new Election(this.#state, this.#round, reachability);
    // A voter on its own has everybody's vote already.
    const elected = this.#election.tick();
    if (elected !== undefined) this.#settle(elected);
  }

  #settle(vote: Vote): void {
    this.#election = undefined;
    this.#round = vote.round;
    this.#settled = vote;
    this.#state.trace('elected', { leader: vote.leader, zxid: vote.zxid, round: vote.round });
    if (vote.leader === this.#state.sid) {
      this.#leader = new Leader(this.#state);
      this.#emitRole({ name: 'leading', epoch: EPOCH_NONE, isServing: false });
    } else {
      this.#learner = new Learner(this.#state, vote.leader);
      const name = this.#state.isVoter ? 'following' : 'observing';
      this.#emitRole({ name, leader: vote.leader, isServing: false });
    }
  }

  #emitRole(role: Role): void {
    this.#state.emit({ kind: 'role', role });
  }

  #peerState(): PeerState {
    if (this.#leader !== undefined) return PeerState.leading;
    if (this.#learner === undefined) return PeerState.looking;
    return this.#state.isCounted ? PeerState.following : PeerState.observing;
  }

  /** What late joiners hear: the leadership's own epoch, so that all answers match. */
  #settledVote(): Vote {
    const vote = this.#settled;
    invariant(vote !== undefined && vote.leader !== SERVER_NONE, 'settled on nobody');
    const epoch = this.#leader?.epoch ?? this.#learner?.epoch;
    return epoch === undefined ? vote : { ...vote, peerEpoch: epoch };
  }
}
