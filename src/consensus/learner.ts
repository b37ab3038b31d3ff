/**
 * A follower or an observer on its connection to one leader: discovery, synchronisation, broadcast.
 * What arrives during synchronisation is only staged; the moment NEWLEADER arrives, truncation,
 * transactions, snapshot and the new epoch become durable in one atomic write, and only then is
 * anything acknowledged. So no crash leaves a new epoch without its history, or the reverse.
 */

import { invariant, unreachable } from '../base/assert.ts';
import { type Epoch, follows, makeZxid, type ServerId, type Zxid, zxidEpoch } from '../base/ids.ts';
import type { LinkId } from './effects.ts';
import { type LogEntry, MessageType, type QuorumMessage } from './messages.ts';
import { faultOf, Staging, type SyncStart } from './staging.ts';
import type { ZabState } from './zab-state.ts';

/** Where the learner stands on its connection, in the order of passing. */
type Phase =
  | 'connecting'
  | 'discovery'
  | 'promising'
  | 'syncing'
  | 'persisting'
  | 'acked'
  /** All that was lost is back; that it is has to become durable. */
  | 'healing'
  | 'live';

/** Why a learner gives its leader up; shown in the log. */
export type Abandoned = { readonly reason: string };

export class Learner {
  readonly leader: ServerId;
  readonly #state: ZabState;
  readonly #startedMs: number;
  #phase: Phase = 'connecting';
  #link: LinkId;
  #redialAtMs: number | undefined;
  #lastHeardMs: number;
  /** When the synchronisation last came a step further. */
  #progressMs: number;
  #epoch: Epoch | undefined;
  /** The write whose completion the phases promising and persisting wait for. */
  #awaitedWrite: number | undefined;
  #staging: Staging | undefined;
  #pendingNewLeader: { readonly epoch: Epoch; readonly clusterId: string } | undefined;
  /** Largest COMMIT seen before UPTODATE. */
  #committed: Zxid;
  #ackedZxid: Zxid;

  constructor(state: ZabState, leader: ServerId) {
    this.leader = leader;
    this.#state = state;
    this.#startedMs = state.nowMs;
    this.#lastHeardMs = state.nowMs;
    this.#progressMs = state.nowMs;
    this.#committed = state.history.committed;
    this.#ackedZxid = state.history.durable;
    this.#link = state.newLink();
    state.emit({ kind: 'dial', leader, link: this.#link });
  }

  get isServing(): boolean {
    return this.#phase === 'live';
  }

  /** Epoch of the leadership followed, once known. */
  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  get phaseName(): 'discovery' | 'synchronization' | 'broadcast' {
    if (this.#phase === 'live') return 'broadcast';
    return this.#phase === 'connecting' ||
      this.#phase === 'discovery' ||
      this.#phase === 'promising'
      ? 'discovery'
      : 'synchronization';
  }

  owns(link: LinkId): boolean {
    return link === this.#link;
  }

  tick(): Abandoned | undefined {
    const { nowMs, config } = this.#state;
    if (this.#phase === 'connecting') {
      if (nowMs - this.#startedMs > config.timings.peerTimeoutMs) {
        return { reason: 'leader cannot be reached' };
      }
      if (this.#redialAtMs !== undefined && nowMs >= this.#redialAtMs) this.#dial();
      return undefined;
    }
    if (nowMs - this.#lastHeardMs > config.timings.peerTimeoutMs) {
      return { reason: 'leader is silent' };
    }
    // A large state may take as long as it likes: giving up would only mean to begin again.
    if (this.#phase !== 'live' && nowMs - this.#progressMs > config.timings.initTimeoutMs) {
      return { reason: 'synchronisation stood still for longer than initLimit' };
    }
    return undefined;
  }

  opened(link: LinkId): void {
    if (link !== this.#link || this.#phase !== 'connecting') return;
    this.#phase = 'discovery';
    this.#lastHeardMs = this.#state.nowMs;
    const type = this.#state.isVoter ? MessageType.followerInfo : MessageType.observerInfo;
    const { acceptedEpoch, standing } = this.#state;
    this.#state.send(link, { type, acceptedEpoch, isRecovering: standing !== 'whole' });
  }

  closed(link: LinkId): Abandoned | undefined {
    if (link !== this.#link) return undefined;
    // The elected leader may not have heard of its election yet: knock again before giving up.
    if (this.#phase === 'connecting' || this.#phase === 'discovery') {
      this.#phase = 'connecting';
      this.#redialAtMs = this.#state.nowMs + this.#state.config.timings.redialMs;
      return undefined;
    }
    return { reason: 'connection to the leader ended' };
  }

  /** Leaves nothing behind: the connection and half-staged data go. */
  abandon(reason: string): void {
    this.#state.close(this.#link, reason);
    if (this.#staging?.snapshot !== undefined) this.#state.emit({ kind: 'stageAbort' });
  }

  receive(message: QuorumMessage): Abandoned | undefined {
    this.#lastHeardMs = this.#state.nowMs;
    switch (message.type) {
      case MessageType.ping:
        this.#state.send(this.#link, { type: MessageType.pong, sequence: message.sequence });
        return undefined;
      case MessageType.proposal:
        return this.#proposed(message.entries);
      case MessageType.commit:
        return this.#commitUpTo(message.zxid);
      case MessageType.inform:
        return this.#informed(message.entries);
      case MessageType.leaderInfo:
        return this.#leaderInfo(message.epoch);
      case MessageType.diff:
        return this.#beginSync({ base: message.zxid });
      case MessageType.trunc:
        return this.#beginSync({ truncateAfter: message.zxid, base: message.zxid });
      case MessageType.snap:
        return this.#beginSync({
          snapshot: { zxid: message.zxid, epochs: message.epochs },
          base: message.zxid,
        });
      case MessageType.snapChunk:
        return this.#snapChunk(message.bytes);
      case MessageType.snapEnd:
        return this.#snapEnd(message.summary);
      case MessageType.newLeader:
        return this.#newLeader(message.epoch, message.clusterId);
      case MessageType.upToDate:
        return this.#upToDate();
      case MessageType.recover:
        this.#state.persist({ standing: 'lost' });
        return { reason: 'this server holds less than it vouched for: it fetches everything anew' };
      case MessageType.ack:
      case MessageType.pong:
      case MessageType.ackEpoch:
      case MessageType.followerInfo:
      case MessageType.observerInfo:
        return { reason: 'the leader sent what only learners send' };
      default:
        return unreachable(message);
    }
  }

  persisted(): Abandoned | undefined {
    const awaited = this.#awaitedWrite;
    if (awaited !== undefined && this.#state.persistedId >= awaited) {
      this.#awaitedWrite = undefined;
      if (this.#phase === 'promising') this.#sendAckEpoch(this.#state.currentEpoch);
      else if (this.#phase === 'persisting') this.#ackNewLeader();
      else if (this.#phase === 'healing') return this.#healed();
    }
    this.#ackDurable();
    this.#apply();
    return undefined;
  }

  snapshotStaged(): void {
    if (this.#staging?.snapshot === undefined) return;
    this.#progressMs = this.#state.nowMs;
    this.#staging.snapshotDurable();
    const pending = this.#pendingNewLeader;
    if (pending !== undefined) this.#persistSync(pending.epoch, pending.clusterId);
  }

  #dial(): void {
    this.#redialAtMs = undefined;
    this.#link = this.#state.newLink();
    this.#state.emit({ kind: 'dial', leader: this.leader, link: this.#link });
  }

  #leaderInfo(epoch: Epoch): Abandoned | undefined {
    if (this.#phase !== 'discovery') return { reason: 'LEADERINFO out of order' };
    this.#progressMs = this.#state.nowMs;
    const { acceptedEpoch, currentEpoch } = this.#state;
    if (!this.#state.isVoter) {
      // No quorum counts on an observer's promise, so it gives none and is bound by none.
      if (epoch < currentEpoch) return { reason: 'a later leader was already followed' };
      this.#epoch = epoch;
      this.#sendAckEpoch(undefined);
      return undefined;
    }
    if (epoch < acceptedEpoch) return { reason: 'a later epoch was already promised' };
    this.#epoch = epoch;
    if (epoch === acceptedEpoch) {
      // An epoch promised to somebody else may have two claimants: that promise counts for the first only.
      const isOurs = this.#state.promisedTo === this.leader;
      this.#sendAckEpoch(isOurs ? this.#state.currentEpoch : undefined);
      return undefined;
    }
    this.#phase = 'promising';
    this.#state.promisedTo = this.leader;
    this.#awaitedWrite = this.#state.persist({ acceptedEpoch: epoch });
    return undefined;
  }

  #sendAckEpoch(currentEpoch: Epoch | undefined): void {
    invariant(this.#state.isDrained, 'ACKEPOCH while writes are under way');
    this.#phase = 'syncing';
    const { durable, epochs } = this.#state.history;
    this.#state.send(this.#link, {
      type: MessageType.ackEpoch,
      currentEpoch: this.#state.isCounted ? currentEpoch : undefined,
      lastZxid: durable,
      epochs: epochs.ends,
    });
  }

  #beginSync(start: SyncStart): Abandoned | undefined {
    if (this.#phase !== 'syncing' || this.#staging !== undefined) {
      return { reason: 'DIFF, TRUNC or SNAP out of order' };
    }
    const fault = faultOf(start, this.#state.history);
    if (fault !== undefined) return fault === 'loss' ? this.#refuseLoss() : fault;
    if (start.snapshot !== undefined) this.#state.emit({ kind: 'stageBegin', zxid: start.base });
    this.#progressMs = this.#state.nowMs;
    this.#staging = new Staging(start);
    return undefined;
  }

  #snapChunk(bytes: Uint8Array): Abandoned | undefined {
    if (this.#staging?.snapshot === undefined) return { reason: 'snapshot data out of order' };
    this.#progressMs = this.#state.nowMs;
    this.#state.emit({ kind: 'stageChunk', bytes });
    return undefined;
  }

  #snapEnd(summary: Uint8Array): Abandoned | undefined {
    const snapshot = this.#staging?.snapshot;
    if (snapshot === undefined) return { reason: 'snapshot data out of order' };
    this.#state.emit({ kind: 'stageEnd', zxid: snapshot.zxid, summary });
    return undefined;
  }

  #proposed(entries: readonly LogEntry[]): Abandoned | undefined {
    const isLogging =
      this.#phase === 'persisting' ||
      this.#phase === 'acked' ||
      this.#phase === 'healing' ||
      this.isServing;
    const staging = this.#staging;
    let last = isLogging ? this.#state.history.last : staging?.last;
    if (last === undefined) return { reason: 'PROPOSAL out of order' };
    for (const entry of entries) {
      if (!follows(last, entry.zxid)) return { reason: 'PROPOSAL leaves a gap' };
      last = entry.zxid;
    }
    if (entries.length === 0) return undefined;
    if (isLogging) {
      if (zxidEpoch(last) !== this.#epoch) return { reason: 'PROPOSAL of another epoch' };
      this.#state.append(entries);
      return undefined;
    }
    if (staging === undefined) return { reason: 'PROPOSAL out of order' };
    this.#progressMs = this.#state.nowMs;
    staging.add(entries, last);
    return undefined;
  }

  #newLeader(epoch: Epoch, clusterId: string): Abandoned | undefined {
    const staging = this.#staging;
    if (
      this.#phase !== 'syncing' ||
      staging === undefined ||
      this.#pendingNewLeader !== undefined
    ) {
      return { reason: 'NEWLEADER out of order' };
    }
    if (epoch !== this.#epoch) return { reason: 'NEWLEADER of another epoch' };
    const { boundClusterId } = this.#state;
    if (boundClusterId !== '' && clusterId !== boundClusterId) {
      return { reason: 'the leader belongs to another cluster' };
    }
    if (staging.lacks(this.#state.history.committed)) return this.#refuseLoss();
    this.#pendingNewLeader = { epoch, clusterId };
    if (staging.isReady) this.#persistSync(epoch, clusterId);
    return undefined;
  }

  /** To follow would throw away what was acknowledged: only an operator may decide that. */
  #refuseLoss(): Abandoned {
    this.#state.emit({
      kind: 'fatal',
      reason:
        'the leader lacks transactions that this server knows to be committed: it or a majority ' +
        'lost data, or was restored from an old copy. Compare the servers before starting this one ' +
        'again; to give up what only this one holds, move its log and state directories away',
    });
    return { reason: 'leader lacks committed transactions' };
  }

  #persistSync(epoch: Epoch, clusterId: string): void {
    const staging = this.#staging;
    invariant(staging !== undefined, 'synchronisation ends that never began');
    this.#pendingNewLeader = undefined;
    this.#staging = undefined;
    this.#phase = 'persisting';
    this.#awaitedWrite = this.#state.persist({
      ...staging.changes,
      ...(epoch > this.#state.acceptedEpoch && { acceptedEpoch: epoch }),
      currentEpoch: epoch,
      clusterId,
    });
  }

  #ackNewLeader(): void {
    const epoch = this.#epoch;
    invariant(epoch !== undefined, 'NEWLEADER acknowledged without an epoch');
    this.#phase = 'acked';
    this.#state.send(this.#link, { type: MessageType.ack, zxid: makeZxid(epoch, 0) });
    // Of the staged transactions only those of this epoch still need an acknowledgement of their own.
    this.#ackedZxid = makeZxid(epoch, 0);
  }

  /** Acknowledges everything durable with one message; observers never acknowledge transactions. */
  #ackDurable(): void {
    const isAcknowledging = this.#phase === 'acked' || this.#phase === 'healing' || this.isServing;
    if (!this.#state.isVoter || !isAcknowledging) return;
    const { durable } = this.#state.history;
    if (durable <= this.#ackedZxid) return;
    this.#ackedZxid = durable;
    this.#state.send(this.#link, { type: MessageType.ack, zxid: durable });
  }

  #commitUpTo(zxid: Zxid): Abandoned | undefined {
    const end = this.#staging?.last ?? this.#state.history.last;
    if (zxid > end) return { reason: 'COMMIT of a transaction never proposed' };
    if (zxid <= this.#committed) return undefined;
    this.#committed = zxid;
    if (this.isServing) {
      this.#state.history.commit(zxid);
      this.#apply();
    }
    return undefined;
  }

  #informed(entries: readonly LogEntry[]): Abandoned | undefined {
    const abandoned = this.#proposed(entries);
    const last = entries.at(-1);
    return abandoned ?? (last === undefined ? undefined : this.#commitUpTo(last.zxid));
  }

  #upToDate(): Abandoned | undefined {
    if (this.#phase !== 'acked') return { reason: 'UPTODATE out of order' };
    if (this.#state.standing === 'whole') {
      this.#goLive();
    } else {
      this.#phase = 'healing';
      this.#awaitedWrite = this.#state.persist({ standing: 'whole' });
    }
    return undefined;
  }

  /** What the leader thinks of this voter was settled when it connected: it has to connect again. */
  #healed(): Abandoned | undefined {
    this.#state.trace('healed', { zxid: this.#state.history.durable });
    if (this.#state.isVoter)
      return { reason: 'all that was lost is back: this server votes again' };
    this.#goLive();
    return undefined;
  }

  #goLive(): void {
    const { history } = this.#state;
    this.#phase = 'live';
    if (this.#committed > history.committed) history.commit(this.#committed);
    this.#apply();
    const name = this.#state.isVoter ? 'following' : 'observing';
    const role = { name, leader: this.leader, isServing: true } as const;
    this.#state.emit({ kind: 'role', role });
  }

  #apply(): void {
    if (this.isServing) this.#state.apply();
  }
}
