/**
 * Places of the consensus core that are wrong in the way in which code is wrong.
 *
 * Left out is what costs time only, and no more than a timer's: votes that are not corrected, are not
 * cleared or keep their round (they are sent again), servers that elect a leader who is gone or keep a
 * connection they left (silence ends both), an epoch that others have promised before (they say so).
 * And what a second guard stands behind: promises that go back (a leader of an earlier epoch steps
 * down before it asks), gaps in what the log gives (its chain shows them first), a window that a
 * snapshot leaves in memory (the log begins behind the snapshot, so nobody asks for what is older).
 */

import { type Mutant, mutantAt } from './mutant.ts';

export const GENERIC_CORE: readonly Mutant[] = [
  mutantAt('consensus/quorum', 'quorum-half', 'half of the voters decide', [
    'return count * 2 > this.#voters.length;',
    'return count * 2 >= this.#voters.length - 1;',
  ]),
  mutantAt(
    'consensus/quorum',
    'quorum-reached',
    'a zxid counts as reached by those that are past it only',
    ['zxidOf(sid) >= zxid)', 'zxidOf(sid) > zxid)'],
  ),
  mutantAt('consensus/election', 'vote-epoch', 'votes ignore the epoch', [
    'if (candidate.peerEpoch !== than.peerEpoch)\n        return candidate.peerEpoch > than.peerEpoch;',
    '',
  ]),
  mutantAt('consensus/election', 'vote-epoch-swapped', 'the older epoch wins', [
    'return candidate.peerEpoch > than.peerEpoch;',
    'return candidate.peerEpoch < than.peerEpoch;',
  ]),
  mutantAt('consensus/election', 'vote-zxid', 'the shorter history wins', [
    'return candidate.zxid > than.zxid;',
    'return candidate.zxid < than.zxid;',
  ]),
  mutantAt('consensus/election', 'vote-kept', 'a better vote is not adopted', [
    'else if (isBetter(vote, this.#proposal)) {',
    'else if (false) {',
  ]),
  mutantAt(
    'consensus/election',
    'vote-own-round',
    'whoever hears of a later round stays in its own',
    ['const own = this.#ownVote(vote.round);', 'const own = this.#ownVote(this.#proposal.round);'],
  ),
  mutantAt('consensus/election', 'vote-settled', 'what settled servers say is forgotten', [
    'this.#settled.set(from, notification);',
    '',
  ]),
  mutantAt('consensus/election', 'vote-waits', 'an election waits for the last voter for ever', [
    'this.#finalizeAtMs ??= this.#state.nowMs',
    'this.#finalizeAtMs = this.#state.nowMs',
  ]),
  mutantAt('consensus/election', 'vote-no-resend', 'a vote is never sent again', [
    'if (now >= this.#resendAtMs) {',
    'if (false) {',
  ]),
  mutantAt('consensus/zab-node', 'found-some', 'one empty server is enough to begin anew', [
    'if (!quorum.voters.every((voter)',
    'if (!quorum.voters.some((voter)',
  ]),
  mutantAt('consensus/zab-node', 'persisted-learner', 'a learner does not hear of its writes', [
    'this.#orLook(this.#learner?.persisted());',
    '',
  ]),
  mutantAt(
    'consensus/discovery',
    'epoch-same',
    'a new leader takes the highest epoch, not one more',
    ['makeEpoch(highest + 1)', 'makeEpoch(Math.max(1, highest))'],
  ),
  mutantAt('consensus/discovery', 'claim-newer', 'a leader does not mind a newer history', [
    'if (learner.isCounted && this.#isNewer(learner))',
    'if (false)',
  ]),
  mutantAt('consensus/discovery', 'claim-alone', 'an epoch is claimed without promises', [
    'if (!this.#followers.isQuorum(isHere))\n            return;',
    '',
  ]),
  mutantAt('consensus/discovery', 'claim-stale', 'promises of those who have vanished count', [
    'learner.isPromiseCounted && learner.pongSequence >= this.#claimPing',
    'learner.isPromiseCounted',
  ]),
  mutantAt(
    'consensus/discovery',
    'claim-unasked',
    'a leader does not ask those who came before its promise was durable',
    ["if (learner.phase === 'informed')\n                this.#sendLeaderInfo(learner);", ''],
  ),
  mutantAt('consensus/leader', 'establish-alone', 'a leader serves without a quorum behind it', [
    'if (!this.#followers.isQuorum((learner) => learner.hasAckedNewLeader))\n            return;',
    '',
  ]),
  mutantAt('consensus/leader', 'ack-sent', 'what was sent counts as acknowledged', [
    'learner.ackedZxid = zxid;',
    'learner.ackedZxid = learner.sentZxid;',
  ]),
  mutantAt('consensus/leader', 'no-quorum', 'a leader without followers leads on', [
    "return this.#followers.isQuorum(isHere) ? undefined : { reason: 'no quorum of followers' };",
    'return undefined;',
  ]),
  mutantAt(
    'consensus/leader',
    'late-learner',
    'whoever comes late is never told that it is up to date',
    ["else if (this.#phase === 'broadcast')\n                this.#bringUpToDate(learner);", ''],
  ),
  mutantAt(
    'consensus/leader',
    'late-commit',
    'UPTODATE comes without what was committed meanwhile',
    [
      'const zxid = this.announced;\n        if (zxid > ZXID_NONE)\n            this.#state.send(link, { type: MessageType.commit, zxid });',
      '',
    ],
  ),
  mutantAt(
    'consensus/leader',
    'promised-late',
    'learners that promise after the claim are forgotten',
    [
      'if (this.#isReadyFor(learner))\n                this.#catchUp.begin(learner);\n            return undefined;',
      'return undefined;',
    ],
  ),
  mutantAt('consensus/leader', 'pong-lower', 'the last pong counts, not the highest', [
    'if (sequence > learner.pongSequence)',
    'if (false)',
  ]),
  mutantAt(
    'consensus/broadcast',
    'commit-own-memory',
    'a leader counts what its own disk does not have',
    ['voter === sid ? history.durable', 'voter === sid ? history.last'],
  ),
  mutantAt('consensus/broadcast', 'commit-unannounced', 'commits are announced again and again', [
    'this.#announced = zxid;',
    '',
  ]),
  mutantAt('consensus/broadcast', 'commit-not-told', 'followers are told of no commit', [
    "this.#state.emit({ kind: 'broadcast', links: followers, message });",
    '',
  ]),
  mutantAt('consensus/broadcast', 'inform-dropped', 'observers are told of no commit', [
    'if (observers.length > 0)\n            this.#inform(observers, this.#announced, zxid);',
    '',
  ]),
  mutantAt('consensus/broadcast', 'proposal-dropped', 'proposals are not sent', [
    'this.#sendProposal(entries);',
    '',
  ]),
  mutantAt(
    'consensus/broadcast',
    'proposal-early',
    'proposals go to learners that still catch up',
    ["if (learner.phase !== 'live' || !learner.isVoter)", 'if (!learner.isVoter)'],
  ),
  mutantAt('consensus/broadcast', 'counter-two', 'an epoch begins with its second number', [
    'makeZxid(this.#epoch, 1)',
    'makeZxid(this.#epoch, 2)',
  ]),
  mutantAt(
    'consensus/history',
    'apply-unwritten',
    'what is committed is applied before it is durable',
    [
      'return this.#committed < this.#durable ? this.#committed : this.#durable;',
      'return this.#committed;',
    ],
  ),
  mutantAt(
    'consensus/history',
    'durable-late',
    'a write that is durable counts with the next one',
    ['this.#writes[0].id <= id', 'this.#writes[0].id < id'],
  ),
  mutantAt(
    'consensus/history',
    'truncate-durable',
    'a truncation leaves the durable end where it was',
    ['if (this.#durable > zxid)\n            this.#durable = zxid;', ''],
  ),
  mutantAt('consensus/history', 'truncate-window', 'a truncation leaves what is in memory', [
    'while (this.#window.length > this.#head && (this.#window.at(-1)?.zxid ?? 0) > zxid) {',
    'while (false) {',
  ]),
  mutantAt('consensus/history', 'window-off-by-one', 'what was sent last is sent again', [
    '(this.#window[middle]?.zxid ?? 0) <= zxid',
    '(this.#window[middle]?.zxid ?? 0) < zxid',
  ]),
  mutantAt('consensus/history', 'trim-unnoted', 'what was trimmed is thought to be in the log', [
    'this.#retainedAfter = retainedAfter;\n    }\n    /** Entries after a zxid out',
    '}\n    /** Entries after a zxid out',
  ]),
  mutantAt(
    'consensus/catch-up',
    'snap-never',
    'a learner behind the log is sent what the log still has',
    ['if (common < history.retainedAfter) {', 'if (false) {'],
  ),
  mutantAt('consensus/catch-up', 'trunc-as-diff', 'a learner that is ahead is not cut', [
    "learner.mode = learner.lastZxid > common ? 'trunc' : 'diff';",
    "learner.mode = 'diff';",
  ]),
  mutantAt('consensus/catch-up', 'observer-ahead', 'an observer is sent what is not committed', [
    'return learner.isVoter ? this.#state.history.last : this.#leader.announced;',
    'return this.#state.history.last;',
  ]),
  mutantAt(
    'consensus/catch-up',
    'newleader-early',
    'NEWLEADER overtakes what the log has still to give',
    [
      'maxBytes: SYNC_CHUNK_BYTES });\n                return;',
      'maxBytes: SYNC_CHUNK_BYTES });\n                break;',
    ],
  ),
  mutantAt(
    'consensus/learner',
    'promise-twice',
    'a promise counts for everybody who claims the epoch',
    ['const isOurs = this.#state.promisedTo === this.leader;', 'const isOurs = true;'],
  ),
  mutantAt(
    'consensus/learner',
    'ack-unwritten',
    'a follower acknowledges what its disk does not have',
    [
      'const { durable } = this.#state.history;\n        if (durable',
      'const durable = this.#state.history.last;\n        if (durable',
    ],
  ),
  mutantAt('consensus/learner', 'silent-leader', 'a follower waits for a silent leader for ever', [
    "return { reason: 'leader is silent' };",
    'return undefined;',
  ]),
  mutantAt('consensus/learner', 'never-whole', 'a server that has healed does not say so', [
    "if (this.#state.standing === 'whole') {\n            this.#goLive();",
    'if (true) {\n            this.#goLive();',
  ]),
  mutantAt('consensus/learner', 'epoch-history', 'a follower tells less history than it has', [
    'lastZxid: durable,',
    'lastZxid: this.#state.history.committed,',
  ]),
  mutantAt('consensus/learner', 'commit-lost', 'a COMMIT before UPTODATE is forgotten', [
    'if (this.#committed > history.committed)\n            history.commit(this.#committed);',
    '',
  ]),
  mutantAt('consensus/followers', 'lost-counts', 'a server that lost its data helps to commit', [
    'if (learner.sid !== sid || !learner.isCounted)',
    'if (learner.sid !== sid)',
  ]),
  mutantAt(
    'consensus/followers',
    'lost-quorum',
    'a server that lost its data is part of a quorum',
    ['if (learner.isCounted && has(learner))', 'if (learner.isVoter && has(learner))'],
  ),
  mutantAt('consensus/followers', 'silent-learner', 'silent learners are waited for', [
    'if (nowMs - learner.lastHeardMs > config.timings.peerTimeoutMs)',
    'if (false)',
  ]),
  mutantAt('base/epoch-table', 'common-theirs', 'histories part where the learner ends', [
    'return mine.last < theirs.last ? mine.last : theirs.last;',
    'return theirs.last;',
  ]),
  mutantAt(
    'consensus/leader-pings',
    'barrier-early',
    'a sync is confirmed by an answer to an earlier ping',
    ['sequence: this.#sequence + 1 });', 'sequence: this.#sequence });'],
  ),
];
