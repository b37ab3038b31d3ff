/**
 * The contract with the caller. `ZabNode` takes inputs through its methods and leaves effects, which
 * the caller drains with `takeEffects()` after each turn and carries out **in their order**:
 *
 * 1. `persist` requests are written in the order of their ids, several in one synced batch if it
 *    likes; when a batch is durable the caller says `persisted(last id of the batch)`. A failed
 *    write or sync ends the process.
 * 2. `send`, `notify` and the like may be carried out at once: what vouches for the disk is never
 *    emitted before the `persisted` that proves it, so the caller cannot get this wrong.
 * 3. `apply` names a zxid up to which everything is both committed and durable here.
 * 4. After `fatal` nothing more is carried out: the process ends with the reason.
 */

import type { EpochEnd } from '../base/epoch-table.ts';
import type { Epoch, ServerId, Zxid } from '../base/ids.ts';
import type { Standing } from '../base/standing.ts';
import type { LogEntry, Notification, QuorumMessage } from './messages.ts';

/** A connection on a quorum port, numbered by the caller; a number is never used twice. */
export type LinkId = number;

/** One atomic change of the durable state, carried out in the order of the fields. */
export interface PersistRequest {
  /** Ascending, without gaps, from 1. */
  readonly id: number;
  /** The staged snapshot of this zxid becomes the state, the log becomes empty. */
  readonly snapshot?: { readonly zxid: Zxid; readonly epochs: readonly EpochEnd[] };
  readonly truncateAfter?: Zxid;
  readonly append?: readonly LogEntry[];
  readonly acceptedEpoch?: Epoch;
  readonly currentEpoch?: Epoch;
  readonly clusterId?: string;
  readonly standing?: Standing;
  /** Everything up to here was committed when the request was made. */
  readonly commitHint: Zxid;
}

export type Role =
  | { readonly name: 'looking' }
  | { readonly name: 'leading'; readonly epoch: Epoch; readonly isServing: boolean }
  | {
      readonly name: 'following' | 'observing';
      readonly leader: ServerId;
      readonly isServing: boolean;
    };

/** How the leader brought a learner up to date; for the log. */
export interface SyncReport {
  readonly sid: ServerId;
  readonly mode: 'diff' | 'trunc' | 'snap';
  readonly from: Zxid;
  readonly to: Zxid;
}

export type Effect =
  | { readonly kind: 'persist'; readonly request: PersistRequest }
  | { readonly kind: 'notify'; readonly to: ServerId; readonly notification: Notification }
  | { readonly kind: 'dial'; readonly leader: ServerId; readonly link: LinkId }
  | { readonly kind: 'send'; readonly link: LinkId; readonly message: QuorumMessage }
  /** The same message to several: encode it once. */
  | {
      readonly kind: 'broadcast';
      readonly links: readonly LinkId[];
      readonly message: QuorumMessage;
    }
  | { readonly kind: 'close'; readonly link: LinkId; readonly reason: string }
  /** Answer with `logRead` once the link has room: entries after `after`, about `maxBytes` of them. */
  | {
      readonly kind: 'readLog';
      readonly link: LinkId;
      readonly after: Zxid;
      readonly maxBytes: number;
    }
  /** Open the newest checkpoint, say `snapshotOpened`, send its chunks, say `snapshotSent`. */
  | { readonly kind: 'sendSnapshot'; readonly link: LinkId }
  | { readonly kind: 'stageBegin'; readonly zxid: Zxid }
  | { readonly kind: 'stageChunk'; readonly bytes: Uint8Array }
  /** Check the staged state against the summary, make it durable, say `snapshotStaged`. */
  | { readonly kind: 'stageEnd'; readonly zxid: Zxid; readonly summary: Uint8Array }
  | { readonly kind: 'stageAbort' }
  | { readonly kind: 'apply'; readonly upTo: Zxid }
  /** Leadership is confirmed after the barrier was asked for; the answer holds once `zxid` is applied. */
  | { readonly kind: 'barrier'; readonly token: number; readonly zxid: Zxid }
  | { readonly kind: 'role'; readonly role: Role }
  | { readonly kind: 'learnerReady'; readonly link: LinkId; readonly report: SyncReport }
  | {
      readonly kind: 'trace';
      readonly event: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'fatal'; readonly reason: string };
