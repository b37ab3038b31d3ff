/** What was ever committed, promised and led in an ensemble, against which every server is held. */

import { strict as assert } from 'node:assert';
import { EPOCH_NONE, type ServerId, ZXID_NONE, type Zxid, zxidHex } from '../../src/base/ids.ts';
import type { LogEntry } from '../../src/consensus/messages.ts';
import type { Disk } from './zab-disk.ts';

interface Claim {
  readonly claimant: ServerId;
  readonly history: readonly string[];
}

export class ZabChronicle {
  /** Committed transactions in their one true order, as first known anywhere. */
  readonly committed: string[] = [];
  readonly leaderOfEpoch = new Map<number, ServerId>();
  /** Of the last transaction that was committed anywhere. */
  committedZxid: Zxid = ZXID_NONE;
  /** Of each committed transaction the epoch of who first knew it: the one that committed it, or later. */
  readonly #committedIn: number[] = [];
  /** Who claimed an epoch with the promises of a quorum, and with which history. */
  readonly #claims = new Map<number, Claim>();

  /** A server knows which transaction is committed at a place of the history. */
  known(id: ServerId, epoch: number, index: number, entry: LogEntry): void {
    if (index === this.committed.length) {
      this.committed.push(label(entry));
      if (entry.zxid > this.committedZxid) this.committedZxid = entry.zxid;
      this.#committedIn.push(epoch);
      for (const claimed of this.#claims.keys()) this.#expectClaimed(claimed, index);
    }
    assert.equal(label(entry), this.committed[index], `server ${id} applies another history`);
  }

  /**
   * A voter promises an epoch to one leader only, so no two have a quorum's promises of it; and what
   * leaders of earlier epochs have committed, or ever will, one of those who promise holds.
   */
  claimed(id: ServerId, epoch: number, disk: Disk): void {
    const other = this.#claims.get(epoch)?.claimant ?? id;
    assert.equal(id, other, `servers ${other} and ${id} claim epoch ${epoch}`);
    this.#claims.set(epoch, { claimant: id, history: labels(disk) });
    for (let i = 0; i < this.committed.length; i++) this.#expectClaimed(epoch, i);
  }

  /**
   * A leader's history must hold everything committed in epochs before its own. It may hear of its
   * establishment late, when another leads a later epoch already.
   */
  established(id: ServerId, epoch: number, disk: Disk): void {
    const other = this.leaderOfEpoch.get(epoch);
    assert(other === undefined || other === id, `two leaders in epoch ${epoch}`);
    this.leaderOfEpoch.set(epoch, id);
    const history = labels(disk);
    const isComplete = this.committed.every(
      (entry, i) => history[i] === entry || (this.#committedIn[i] ?? EPOCH_NONE) >= epoch,
    );
    assert(isComplete, `leader ${id} of epoch ${epoch} lacks committed transactions`);
  }

  /** Whether a claim holds what is committed at a place of the history, as far as it must. */
  #expectClaimed(epoch: number, index: number): void {
    const claim = this.#claims.get(epoch);
    if (claim === undefined || (this.#committedIn[index] ?? EPOCH_NONE) >= epoch) return;
    const entry = this.committed[index];
    const isThere = claim.history[index] === entry;
    assert(isThere, `server ${claim.claimant} claims epoch ${epoch} without ${entry}`);
  }
}

export function label({ zxid, bytes }: LogEntry): string {
  return `${zxidHex(zxid)} ${Buffer.from(bytes).toString()}`;
}

function labels({ checkpoint, log }: Disk): string[] {
  return [...checkpoint, ...log].map(label);
}
