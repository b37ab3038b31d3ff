/**
 * The live stream of an established leader: zxids given out, one write and one PROPOSAL for all that
 * a turn proposed, one COMMIT (to observers INFORM) for all that it committed.
 */

import { invariant } from '../base/assert.ts';
import {
  COUNTER_MAX,
  type Epoch,
  makeZxid,
  nextZxid,
  type Zxid,
  zxidCounter,
  zxidEpoch,
} from '../base/ids.ts';
import { SYNC_CHUNK_BYTES } from './catch-up.ts';
import type { LinkId } from './effects.ts';
import type { Followers } from './followers.ts';
import { type LogEntry, MessageType } from './messages.ts';
import type { Progress } from './progress.ts';
import type { ZabState } from './zab-state.ts';

/** The counter's last 16th: from here on an idle moment is used to start a new epoch. */
const IDLE_SHIFT = 4;
/** In its last 4096th a new epoch is started, idle or not. */
const RESERVE_SHIFT = 12;
/** One PROPOSAL, and one write of the leader's own: a turn that brings more is cut, for frames are bounded. */
const PROPOSAL_BYTES_MAX = 16 * 1024 * 1024;

export class Broadcast {
  readonly #state: ZabState;
  readonly #epoch: Epoch;
  readonly #followers: Followers;
  /** Last zxid given to a proposal, in this turn's batch included. */
  #proposed: Zxid;
  /** Last zxid that COMMIT and INFORM announced. */
  #announced: Zxid;
  #batch: LogEntry[] = [];
  #batchBytes = 0;
  /** Since when this server's own oldest write is under way. */
  #writingSinceMs: number | undefined;

  /** Begins when the initial history is committed: all of it counts as announced. */
  constructor(state: ZabState, epoch: Epoch, followers: Followers) {
    invariant(state.history.committed === state.history.last, 'initial history not committed');
    this.#state = state;
    this.#epoch = epoch;
    this.#followers = followers;
    this.#proposed = state.history.last;
    this.#announced = state.history.last;
  }

  get proposed(): Zxid {
    return this.#proposed;
  }

  get announced(): Zxid {
    return this.#announced;
  }

  get nextZxid(): Zxid {
    const isFirst = zxidEpoch(this.#proposed) !== this.#epoch;
    return isFirst ? makeZxid(this.#epoch, 1) : nextZxid(this.#proposed);
  }

  /** A counter of an earlier epoch is of no concern: the first proposal of this one starts again. */
  get isCounterUsedUp(): boolean {
    const { counterMax: end = COUNTER_MAX } = this.#state.config;
    const counter = zxidCounter(this.#proposed);
    const isOfEpoch = zxidEpoch(this.#proposed) === this.#epoch;
    if (!isOfEpoch || counter < end - (end >>> IDLE_SHIFT)) return false;
    const isIdle = this.#state.history.committed === this.#proposed;
    return isIdle || counter >= end - (end >>> RESERVE_SHIFT);
  }

  /** True when this server's own disk has taken longer than that over a write. */
  isWriteOverdue(limitMs: number): boolean {
    const { nowMs } = this.#state;
    return this.#writingSinceMs !== undefined && nowMs - this.#writingSinceMs > limitMs;
  }

  propose(bytes: Uint8Array): Zxid {
    if (this.#batchBytes + bytes.length > PROPOSAL_BYTES_MAX) this.flushProposals();
    const zxid = this.nextZxid;
    this.#batchBytes += bytes.length;
    this.#proposed = zxid;
    this.#batch.push({ zxid, bytes });
    return zxid;
  }

  /** One write and one message for everything proposed since the last call. */
  flushProposals(): void {
    const entries = this.#batch;
    if (entries.length === 0) return;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#state.append(entries);
    this.#writingSinceMs ??= this.#state.nowMs;
    this.#sendProposal(entries);
  }

  persisted(): void {
    this.#writingSinceMs = this.#state.isDrained ? undefined : this.#state.nowMs;
  }

  /** Commits what a quorum has durably, of this epoch only: older ones went with the establishment. */
  advanceCommit(): void {
    const { history, quorum, sid } = this.#state;
    const reached = quorum.reached((voter) =>
      voter === sid ? history.durable : this.#followers.ackedBy(voter),
    );
    if (reached > history.committed && zxidEpoch(reached) === this.#epoch) history.commit(reached);
    this.#state.apply();
  }

  /** One message for all that was committed since the last call. */
  announceCommits(): void {
    const zxid = this.#state.history.committed;
    if (zxid <= this.#announced) return;
    const followers: LinkId[] = [];
    const observers: Progress[] = [];
    for (const learner of this.#followers.all) {
      if (learner.phase !== 'live') continue;
      if (learner.isVoter) followers.push(learner.link);
      else observers.push(learner);
    }
    if (followers.length > 0) {
      const message = { type: MessageType.commit, zxid };
      this.#state.emit({ kind: 'broadcast', links: followers, message });
    }
    if (observers.length > 0) this.#inform(observers, this.#announced, zxid);
    this.#announced = zxid;
  }

  #sendProposal(entries: readonly LogEntry[]): void {
    const links: LinkId[] = [];
    for (const learner of this.#followers.all) {
      if (learner.phase !== 'live' || !learner.isVoter) continue;
      links.push(learner.link);
      learner.sentZxid = this.#proposed;
      learner.waitingSinceMs ??= this.#state.nowMs;
    }
    if (links.length === 0) return;
    const message = { type: MessageType.proposal, entries };
    this.#state.emit({ kind: 'broadcast', links, message });
  }

  #inform(observers: readonly Progress[], after: Zxid, upTo: Zxid): void {
    const links = observers.map((observer) => observer.link);
    let sent = after;
    while (sent < upTo) {
      const entries = this.#state.history.entriesAfter(sent, upTo, SYNC_CHUNK_BYTES);
      const last = entries?.at(-1);
      invariant(entries !== undefined && last !== undefined, 'the window lost what was committed');
      const message = { type: MessageType.inform, entries };
      this.#state.emit({ kind: 'broadcast', links, message });
      sent = last.zxid;
    }
    for (const observer of observers) observer.sentZxid = upTo;
  }
}
