/**
 * What all roles of one server share: its configuration, its durable promises, its history, the
 * time of the current input and the effects of this turn. Plain state and small commands; the
 * decisions are in election.ts, leader.ts and learner.ts.
 */

import { invariant } from '../base/assert.ts';
import type { EpochEnd } from '../base/epoch-table.ts';
import { EpochTable } from '../base/epoch-table.ts';
import { EPOCH_NONE, type Epoch, type ServerId, ZXID_NONE, type Zxid } from '../base/ids.ts';
import type { Prng } from '../base/prng.ts';
import type { Standing } from '../base/standing.ts';
import type { Effect, LinkId, PersistRequest } from './effects.ts';
import { History } from './history.ts';
import type { LogEntry, QuorumMessage } from './messages.ts';
import { Quorum } from './quorum.ts';

export interface ZabTimings {
  /** Interval of the leader's pings. */
  readonly heartbeatMs: number;
  /** Silence after which the other side counts as gone. */
  readonly peerTimeoutMs: number;
  /** How long an elected leader and its learners try to agree on epoch and history. */
  readonly initTimeoutMs: number;
  /** How long a proposal may go without being durable at a learner, or at the leader itself. */
  readonly syncTimeoutMs: number;
  /** How long an election waits for a better vote once a quorum agrees but not everybody was heard. */
  readonly finalizeMs: number;
  /** First interval of the notification resend timer, doubling to the maximum. */
  readonly resendMinMs: number;
  readonly resendMaxMs: number;
  /** Pause between two attempts to reach an elected leader. */
  readonly redialMs: number;
}

export const DEFAULT_TIMINGS: ZabTimings = Object.freeze({
  heartbeatMs: 200,
  peerTimeoutMs: 1000,
  initTimeoutMs: 20_000,
  syncTimeoutMs: 10_000,
  finalizeMs: 200,
  resendMinMs: 100,
  resendMaxMs: 2000,
  redialMs: 20,
});

export interface ZabConfig {
  readonly sid: ServerId;
  readonly voters: readonly ServerId[];
  readonly observers: readonly ServerId[];
  readonly timings: ZabTimings;
  /** The last number of an epoch. Default: the last there is; simulated epochs may end sooner. */
  readonly counterMax?: number;
  /** Name for the ensemble in case this server founds it: 128 random bits in hex. */
  readonly freshClusterId: string;
  /** All randomness: jitter of the resend timer. */
  readonly prng: Prng;
}

/** What the log says at start. */
export interface DurableState {
  readonly acceptedEpoch: Epoch;
  readonly currentEpoch: Epoch;
  /** Empty until an ensemble was founded. */
  readonly clusterId: string;
  readonly epochs: readonly EpochEnd[];
  readonly retainedAfter: Zxid;
  /** A lower bound of what is committed; not below the checkpoint. */
  readonly committed: Zxid;
  readonly standing: Standing;
}

export class ZabState {
  readonly config: ZabConfig;
  readonly quorum: Quorum;
  readonly history: History;
  /** Promises as requested; the disk has them once `isDrained`. */
  acceptedEpoch: Epoch;
  currentEpoch: Epoch;
  clusterId: string;
  standing: Standing;
  /** The leader that `acceptedEpoch` was promised to, if this process made the promise. */
  promisedTo: ServerId | undefined;
  nowMs = 0;
  /** Until then this server would rather not lead: it votes for others. */
  abstainUntilMs = 0;
  #effects: Effect[] = [];
  #lastPersistId = 0;
  #persistedId = 0;
  #lastLink: LinkId = 0;
  #applyRequested: Zxid;

  constructor(config: ZabConfig, durable: DurableState) {
    this.config = config;
    this.quorum = new Quorum(config.voters);
    this.acceptedEpoch = durable.acceptedEpoch;
    this.currentEpoch = durable.currentEpoch;
    this.clusterId = durable.clusterId;
    this.standing = durable.standing;
    const epochs = new EpochTable(durable.epochs);
    const isAlone = config.voters.length + config.observers.length === 1;
    this.history = new History(epochs, durable.retainedAfter, durable.committed, isAlone);
    this.#applyRequested = durable.committed;
  }

  get sid(): ServerId {
    return this.config.sid;
  }

  get isVoter(): boolean {
    return this.quorum.isVoter(this.config.sid);
  }

  /** Whether this server's own vote, promise and acknowledgement may decide anything. */
  get isCounted(): boolean {
    return this.isVoter && this.standing === 'whole';
  }

  /** Whether this server votes for itself in an election. */
  get mayStand(): boolean {
    return this.isCounted && this.nowMs >= this.abstainUntilMs;
  }

  /** Nothing was ever promised or written here. */
  get isEmpty(): boolean {
    return this.acceptedEpoch === EPOCH_NONE && this.history.last === ZXID_NONE;
  }

  /**
   * The ensemble this server's data belongs to; empty while it has none. A name given by a leader
   * that never established itself binds nobody: only with transactions in the history does it.
   */
  get boundClusterId(): string {
    return this.history.last === ZXID_NONE ? '' : this.clusterId;
  }

  /** Nothing is on its way to the disk: what this server says about itself is what the disk holds. */
  get isDrained(): boolean {
    return this.#persistedId === this.#lastPersistId;
  }

  get persistedId(): number {
    return this.#persistedId;
  }

  emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  send(link: LinkId, message: QuorumMessage): void {
    this.emit({ kind: 'send', link, message });
  }

  close(link: LinkId, reason: string): void {
    this.emit({ kind: 'close', link, reason });
  }

  trace(event: string, fields: Readonly<Record<string, unknown>>): void {
    this.emit({ kind: 'trace', event, fields });
  }

  /** A number for a connection this server dials; the caller numbers the ones it accepts the same way. */
  newLink(): LinkId {
    return ++this.#lastLink;
  }

  /** Asks for one atomic durable change and returns its id. */
  persist(change: Omit<PersistRequest, 'id' | 'commitHint'>): number {
    const id = ++this.#lastPersistId;
    const request: PersistRequest = { ...change, id, commitHint: this.history.committed };
    if (change.acceptedEpoch !== undefined) {
      invariant(change.acceptedEpoch >= this.acceptedEpoch, 'acceptedEpoch goes backwards');
      this.acceptedEpoch = change.acceptedEpoch;
    }
    if (change.currentEpoch !== undefined) {
      invariant(change.currentEpoch >= this.currentEpoch, 'currentEpoch goes backwards');
      this.currentEpoch = change.currentEpoch;
    }
    if (change.clusterId !== undefined) this.clusterId = change.clusterId;
    if (change.standing !== undefined) this.standing = change.standing;
    this.#ask(request);
    return id;
  }

  /** As `persist`, of entries alone. A literal of one shape: spreading the change costs a microsecond. */
  append(entries: readonly LogEntry[]): void {
    const id = ++this.#lastPersistId;
    this.#ask({ id, append: entries, commitHint: this.history.committed });
  }

  #ask(request: PersistRequest): void {
    this.history.requested(request);
    this.emit({ kind: 'persist', request });
  }

  /** True when the durable end of the history moved forward. */
  persisted(id: number): boolean {
    invariant(id > this.#persistedId && id <= this.#lastPersistId, 'persisted an unknown request');
    this.#persistedId = id;
    return this.history.persisted(id);
  }

  /** Asks for everything that is committed and durable by now to be applied. */
  apply(): void {
    const upTo = this.history.applicable;
    if (upTo <= this.#applyRequested) return;
    this.#applyRequested = upTo;
    this.emit({ kind: 'apply', upTo });
  }

  takeEffects(): Effect[] {
    const effects = this.#effects;
    if (effects.length > 0) this.#effects = [];
    return effects;
  }

  check(): void {
    invariant(this.currentEpoch <= this.acceptedEpoch, 'currentEpoch above acceptedEpoch');
    this.history.check(this.acceptedEpoch);
  }
}
