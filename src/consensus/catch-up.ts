/**
 * Synchronisation from the leader's side (step 7 of the establishment): bringing one learner's
 * history in line with the leader's, by DIFF, TRUNC or SNAP, and in the same step on to the live
 * stream, so that no transaction is skipped or sent twice.
 */

import { invariant } from '../base/assert.ts';
import { EpochTable } from '../base/epoch-table.ts';
import { type Epoch, follows, ZXID_NONE, type Zxid } from '../base/ids.ts';
import { type LogEntry, MessageType } from './messages.ts';
import type { Progress } from './progress.ts';
import type { ZabState } from './zab-state.ts';

/** One message to a learner that catches up, or to observers. */
export const SYNC_CHUNK_BYTES = 1024 * 1024;

/** What the catching up depends on in its leader. */
export interface CatchUpLeader {
  readonly epoch: Epoch | undefined;
  /** Last zxid that COMMIT and INFORM announced. */
  readonly announced: Zxid;
}

export class CatchUp {
  readonly #state: ZabState;
  readonly #leader: CatchUpLeader;

  constructor(state: ZabState, leader: CatchUpLeader) {
    this.#state = state;
    this.#leader = leader;
  }

  /**
   * Two histories that share an epoch are equal up to the smaller of their last zxids in it. So the
   * end of the highest common epoch is where they part, and no guess is needed.
   */
  begin(learner: Progress): void {
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
    this.#goOn(learner);
  }

  /** False when the log does not hold what comes next for the learner: it must start over. */
  logRead(learner: Progress, entries: readonly LogEntry[]): boolean {
    if (learner.phase !== 'catchingUp') return true;
    const first = entries[0];
    if (first === undefined || !follows(learner.sentZxid, first.zxid)) return false;
    this.#send(learner, entries);
    this.#goOn(learner);
    return true;
  }

  snapshotOpened(learner: Progress, zxid: Zxid): void {
    if (learner.phase !== 'snapshot') return;
    const { history } = this.#state;
    invariant(zxid >= history.retainedAfter, 'the log does not reach back to the checkpoint');
    learner.streamFrom = zxid;
    learner.sentZxid = zxid;
    const epochs = history.epochs.upTo(zxid).ends;
    this.#state.send(learner.link, { type: MessageType.snap, zxid, epochs });
  }

  snapshotSent(learner: Progress, summary: Uint8Array): void {
    if (learner.phase !== 'snapshot') return;
    this.#state.send(learner.link, { type: MessageType.snapEnd, summary });
    learner.phase = 'catchingUp';
    this.#goOn(learner);
  }

  /** Sends history until the learner has all of it; then, in the same step, it goes live. */
  #goOn(learner: Progress): void {
    const end = this.#endFor(learner);
    while (learner.sentZxid < end) {
      const { link, sentZxid: after } = learner;
      const entries = this.#state.history.entriesAfter(after, end, SYNC_CHUNK_BYTES);
      if (entries === undefined) {
        this.#state.emit({ kind: 'readLog', link, after, maxBytes: SYNC_CHUNK_BYTES });
        return;
      }
      this.#send(learner, entries);
    }
    this.#goLive(learner);
  }

  #goLive(learner: Progress): void {
    learner.phase = 'live';
    learner.syncedZxid = learner.sentZxid;
    const { link, sid, mode, streamFrom: from, sentZxid: to } = learner;
    const { epoch, announced } = this.#leader;
    if (announced > ZXID_NONE && learner.isVoter) {
      this.#state.send(link, { type: MessageType.commit, zxid: announced });
    }
    invariant(epoch !== undefined, 'NEWLEADER without an epoch');
    const { clusterId } = this.#state;
    this.#state.send(link, { type: MessageType.newLeader, epoch, clusterId });
    learner.waitingSinceMs = this.#state.nowMs;
    this.#state.emit({ kind: 'learnerReady', link, report: { sid, mode, from, to } });
  }

  #send(learner: Progress, entries: readonly LogEntry[]): void {
    const end = this.#endFor(learner);
    const wanted = entries.filter((entry) => entry.zxid <= end);
    const last = wanted.at(-1);
    if (last === undefined) return;
    // Before NEWLEADER an observer stages PROPOSALs like a follower; INFORM is for the live stream.
    this.#state.send(learner.link, { type: MessageType.proposal, entries: wanted });
    learner.sentZxid = last.zxid;
  }

  /** An observer's log holds only what is committed. */
  #endFor(learner: Progress): Zxid {
    return learner.isVoter ? this.#state.history.last : this.#leader.announced;
  }
}
