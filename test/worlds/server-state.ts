/**
 * One server of a small world: its core, its disk, what is on its way there. Numbers that only ever
 * grow (connections, writes) begin anew after each step, so that a state that comes again is
 * recognised.
 */

import { type ServerId, ZXID_NONE, type Zxid } from '../../src/base/ids.ts';
import type { LinkId, PersistRequest } from '../../src/consensus/effects.ts';
import type { LogEntry } from '../../src/consensus/messages.ts';
import type { ZabNode } from '../../src/consensus/zab-node.ts';
import type { Disk } from '../support/zab-disk.ts';

/** The opened core, as far as the exploration looks into it. */
export interface NodeFields {
  _state: {
    nowMs: number;
    _lastLink: LinkId;
    _lastPersistId: number;
    _persistedId: number;
    history: { _writes: { id: number; durable: Zxid }[] };
  };
  _reachability: Map<ServerId, string>;
  _election: { _reachability: (sid: ServerId) => string } | undefined;
  _leader:
    | {
        _followers: { byLink: Map<LinkId, { link: LinkId; sid: ServerId }> };
        _discovery: { _awaitedWrite: number | undefined };
      }
    | undefined;
  _learner: { _link: LinkId; _phase: string; _awaitedWrite: number | undefined } | undefined;
  _round: number;
}

/** Connections have these numbers between steps: the dialled one, and those accepted, by server. */
export const DIALLED = 1;
export const ACCEPTED = 10;
const FIRST_NEW_LINK = 100;

export class ServerState {
  readonly sid: ServerId;
  node: ZabNode | undefined;
  disk: Disk;
  /** Handed to the disk, not yet synced, in order. */
  writes: PersistRequest[] = [];
  /** Everything up to here was applied: clients may know of it. */
  applied: Zxid;
  /** Up to here a leader said, on this connection, that all is committed; 0 once it is applied. */
  told: Zxid = ZXID_NONE;
  /** A checkpoint received and not yet in place. */
  staged: LogEntry[] = [];

  constructor(sid: ServerId, disk: Disk) {
    this.sid = sid;
    this.disk = disk;
    this.applied = disk.state.committed;
  }

  get fields(): NodeFields | undefined {
    return this.node as unknown as NodeFields | undefined;
  }

  /** Gives counters and connections the numbers they have between steps. */
  normalise(): void {
    const { fields } = this;
    if (fields === undefined) return;
    renumberWrites(fields, this.writes);
    renumberLinks(fields);
  }

  /** What was lost with the text: an election asks its node whom it can reach. */
  revive(): void {
    const { fields } = this;
    if (fields?._election === undefined) return;
    const { _reachability } = fields;
    fields._election._reachability = (sid) => _reachability.get(sid) ?? 'unknown';
  }
}

function renumberWrites(fields: NodeFields, writes: PersistRequest[]): void {
  const { _state: state, _leader: leader, _learner: learner } = fields;
  const base = state._persistedId;
  if (base === 0) return;
  state._persistedId = 0;
  state._lastPersistId -= base;
  for (const pending of state.history._writes as { id: number }[]) pending.id -= base;
  for (const request of writes as { id: number }[]) request.id -= base;
  if (learner?._awaitedWrite !== undefined) learner._awaitedWrite -= base;
  const discovery = leader?._discovery;
  if (discovery?._awaitedWrite !== undefined) discovery._awaitedWrite -= base;
}

function renumberLinks(fields: NodeFields): void {
  fields._state._lastLink = FIRST_NEW_LINK;
  if (fields._learner !== undefined) fields._learner._link = DIALLED;
  const followers = fields._leader?._followers;
  if (followers === undefined) return;
  const learners = [...followers.byLink.values()];
  followers.byLink.clear();
  for (const learner of learners) {
    learner.link = ACCEPTED + learner.sid;
    followers.byLink.set(learner.link, learner);
  }
}
