/** One server of a `ZabCluster`: its process, when there is one, and what outlives that. */

import { type ServerId, ZXID_NONE, type Zxid } from '../../src/base/ids.ts';
import type { Standing } from '../../src/base/standing.ts';
import type { PersistRequest, Role } from '../../src/consensus/effects.ts';
import type { LogEntry } from '../../src/consensus/messages.ts';
import type { ZabNode } from '../../src/consensus/zab-node.ts';
import { type Disk, emptyDisk } from './zab-disk.ts';

export interface OwnDisk extends Disk {
  /** Another one for every disk a server ever had. */
  incarnation: string;
}

export class ZabServer {
  readonly id: ServerId;
  node: ZabNode | undefined;
  life = 0;
  disk: OwnDisk;
  writes: PersistRequest[] = [];
  applied: LogEntry[] = [];
  role: Role = { name: 'looking' };
  /** What came of a checkpoint so far. */
  staged: LogEntry[] | undefined;
  staging: 'none' | 'arriving' | 'writing' | 'durable' = 'none';
  /** Its disk does not answer any more. */
  isHanging = false;

  constructor(id: ServerId, standing: Standing) {
    this.id = id;
    this.disk = { ...emptyDisk(standing), incarnation: `disk of ${id}` };
  }

  get lastApplied(): Zxid {
    return this.applied.at(-1)?.zxid ?? ZXID_NONE;
  }

  /** Applies what the disk has of it, a checkpoint first; returns how much of that was there before. */
  apply(upTo: Zxid): number {
    const { state, checkpoint, log } = this.disk;
    if (state.retainedAfter > this.lastApplied) this.applied = [...checkpoint];
    const from = this.lastApplied;
    const index = this.applied.length;
    this.applied.push(...log.filter(({ zxid }) => zxid > from && zxid <= upTo));
    return index;
  }
}
