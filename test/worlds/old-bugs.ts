/**
 * Bugs of the original, and rules of ours left out, as patches of the core. Each is found by the same
 * exploration that finds nothing in the core as it is: that shows what the exploration can see.
 */

import type { Patch } from './open-core.ts';

export interface OldBug {
  /** The original's issue number, or the name of the rule that is left out. */
  readonly name: string;
  readonly story: string;
  /** What the exploration says of it. */
  readonly shows: RegExp;
  /** One write, one leader change and one crash show it. */
  readonly isFoundSoon: boolean;
  readonly patches: readonly Patch[];
}

export const OLD_BUGS: readonly OldBug[] = [
  {
    name: '4643',
    story: 'a follower makes the new epoch durable before the history that belongs to it',
    shows: /INV-6/,
    isFoundSoon: true,
    patches: [
      {
        file: 'consensus/learner',
        find: `this._awaitedWrite = this._state.persist({
          ...staging.changes,`,
        replace: `this._state.persist({ currentEpoch: epoch, clusterId });
          this._awaitedWrite = this._state.persist({
          ...staging.changes,`,
      },
    ],
  },
  {
    name: '4646',
    story: 'a follower acknowledges NEWLEADER before its history is durable',
    shows: /INV-4: ACK of an epoch/,
    isFoundSoon: true,
    patches: [
      {
        file: 'consensus/learner',
        find: `this._phase = 'persisting'; this._awaitedWrite = this._state.persist({`,
        replace: 'this._ackNewLeader(); this._state.persist({',
      },
    ],
  },
  {
    name: '4685',
    story: 'a follower acknowledges transactions before it acknowledges NEWLEADER',
    shows: /ACK of a transaction never sent/,
    isFoundSoon: true,
    patches: [
      {
        file: 'consensus/learner',
        find: `const isAcknowledging = this._phase === 'acked'`,
        replace: `const isAcknowledging = this._phase === 'persisting' || this._phase === 'acked'`,
      },
      {
        file: 'consensus/learner',
        find: `persisted() { const awaited = this._awaitedWrite;`,
        replace: `persisted() { this._ackDurable(); const awaited = this._awaitedWrite;`,
      },
    ],
  },
  {
    name: '4712',
    story: 'a server votes while a write of its last role is still under way',
    shows: /INV-4: a vote while/,
    isFoundSoon: true,
    patches: [
      {
        file: 'consensus/zab-node',
        find: 'this._isStopped || !this._state.isDrained)',
        replace: 'this._isStopped)',
      },
    ],
  },
  {
    name: '3023',
    story: 'a follower serves before it has applied what it knows to be committed',
    shows: /INV-3: serves/,
    isFoundSoon: true,
    patches: [
      {
        file: 'consensus/learner',
        find: 'if (this._committed > history.committed) history.commit(this._committed);',
        replace: '',
      },
    ],
  },
  {
    name: '4394',
    story: 'a follower expects no COMMIT between NEWLEADER and UPTODATE',
    shows: /a server stops/,
    isFoundSoon: true,
    patches: [
      {
        file: 'consensus/learner',
        find: 'const end = this._staging?.last ?? this._state.history.last;',
        replace: 'const end = this.isServing ? this._state.history.last : this._staging.last;',
      },
    ],
  },
  {
    name: 'E11',
    story: 'an elected server goes on when one that promised holds a newer history',
    shows: /lacks transactions/,
    isFoundSoon: true,
    patches: [
      {
        file: 'consensus/discovery',
        find: 'if (learner.isCounted && this._isNewer(learner))',
        replace: 'if (false)',
      },
    ],
  },
  {
    name: 'stale tail',
    story: 'a follower keeps what its leader tells it to forget',
    shows: /INV-13/,
    isFoundSoon: false,
    patches: [
      {
        file: 'consensus/staging',
        find: '...(truncateAfter !== undefined && { truncateAfter }),',
        replace: '',
      },
    ],
  },
  {
    name: 'own promise',
    story: 'an elected server asks for promises before its own is durable',
    shows: /INV-4: LEADERINFO/,
    isFoundSoon: true,
    patches: [
      {
        file: 'consensus/discovery',
        find: `this._awaitedWrite = this._state.persist({ acceptedEpoch: this._epoch });`,
        replace: `this._state.persist({ acceptedEpoch: this._epoch }); this._askForPromises();`,
      },
    ],
  },
];
