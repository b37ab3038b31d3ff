/**
 * What a server's log holds, as `TxnLog` keeps it: each mutation is there as a whole or not at all,
 * and later ones only after earlier ones.
 */

import { EpochTable } from '../../src/base/epoch-table.ts';
import { EPOCH_NONE, follows, ZXID_NONE, type Zxid, zxidEpoch } from '../../src/base/ids.ts';
import type { Standing } from '../../src/base/standing.ts';
import type { PersistRequest } from '../../src/consensus/effects.ts';
import type { LogEntry } from '../../src/consensus/messages.ts';
import type { DurableState } from '../../src/consensus/zab-state.ts';

export interface Disk {
  state: DurableState;
  /** Entries up to `state.retainedAfter`, which the checkpoint stands for. */
  checkpoint: LogEntry[];
  /** Entries after it. */
  log: LogEntry[];
}

export function emptyDisk(standing: Standing = 'whole'): Disk {
  return {
    state: {
      acceptedEpoch: EPOCH_NONE,
      currentEpoch: EPOCH_NONE,
      clusterId: '',
      standing,
      epochs: [],
      retainedAfter: ZXID_NONE,
      committed: ZXID_NONE,
    },
    checkpoint: [],
    log: [],
  };
}

/** Puts what was applied, which ends at `upTo`, in the place of the log up to there. */
export function trim(disk: Disk, applied: readonly LogEntry[], upTo: Zxid): void {
  const committed = disk.state.committed > upTo ? disk.state.committed : upTo;
  disk.checkpoint = [...applied];
  disk.log = disk.log.filter((entry) => entry.zxid > upTo);
  disk.state = { ...disk.state, retainedAfter: upTo, committed };
}

/** The checkpoint as one server sends it to another. */
export function checkpointBytes({ checkpoint }: Disk): Uint8Array {
  const pairs = checkpoint.map(({ zxid, bytes }) => [zxid, Buffer.from(bytes).toString()]);
  return Buffer.from(JSON.stringify(pairs));
}

export function checkpointOf(bytes: Uint8Array): LogEntry[] {
  const pairs: [Zxid, string][] = JSON.parse(Buffer.from(bytes).toString());
  return pairs.map(([zxid, payload]) => ({ zxid, bytes: Buffer.from(payload) }));
}

export function lastZxid({ state, log }: Disk): Zxid {
  return log.at(-1)?.zxid ?? state.retainedAfter;
}

/** `staged`: the checkpoint that a request with a snapshot puts in place. */
export function write(disk: Disk, request: PersistRequest, staged: readonly LogEntry[]): void {
  const { state } = disk;
  if (request.snapshot !== undefined) {
    disk.checkpoint = [...staged];
    disk.log = [];
  }
  const cutAt = request.truncateAfter;
  if (cutAt !== undefined) disk.log = disk.log.filter((entry) => entry.zxid <= cutAt);
  disk.log.push(...(request.append ?? []));
  const epochs = new EpochTable(request.snapshot?.epochs ?? state.epochs);
  if (cutAt !== undefined) epochs.truncateAfter(cutAt);
  for (const entry of request.append ?? []) epochs.append(entry.zxid);
  const retainedAfter = request.snapshot?.zxid ?? state.retainedAfter;
  const hint = request.commitHint < epochs.last ? request.commitHint : epochs.last;
  disk.state = {
    acceptedEpoch: request.acceptedEpoch ?? state.acceptedEpoch,
    currentEpoch: request.currentEpoch ?? state.currentEpoch,
    clusterId: request.clusterId ?? state.clusterId,
    standing: request.standing ?? state.standing,
    epochs: epochs.ends,
    retainedAfter,
    committed: [state.committed, hint, retainedAfter].reduce((a, b) => (a > b ? a : b)),
  };
}

/** What is wrong with a disk by itself; undefined when nothing is. */
export function flawOf(disk: Disk): string | undefined {
  const { state, log, checkpoint } = disk;
  if (state.currentEpoch > state.acceptedEpoch) return 'INV-1: currentEpoch above acceptedEpoch';
  if (zxidEpoch(lastZxid(disk)) > state.acceptedEpoch) return 'INV-2: history of no accepted epoch';
  let last = ZXID_NONE;
  for (const { zxid } of [...checkpoint, ...log]) {
    if (!follows(last, zxid)) return 'INV-5: a hole in the durable history';
    last = zxid;
  }
  const tableEnd = state.epochs.at(-1)?.last ?? ZXID_NONE;
  if (tableEnd !== lastZxid(disk)) return 'INV-5: the epoch table differs from the history';
  return undefined;
}
