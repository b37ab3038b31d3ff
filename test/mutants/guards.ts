/**
 * The guards against the schedules that broke others, each taken away. The names are numbers of
 * Apache ZooKeeper's issues, or what the schedule is about.
 */

import type { DirectedTest, Mutant, Patch } from './mutant.ts';

const CORE = 'test/unit/consensus/schedules.test.js';
const FAULTS = 'test/sim/fault-schedules.test.js';

function guard(
  name: string,
  what: string,
  directed: readonly [file: string, name: string],
  ...patches: readonly Patch[]
): Mutant {
  const test: DirectedTest = { file: directed[0], name: directed[1] };
  return { name, what, directed: test, patches };
}

function at(file: string, find: string, replace: string): Patch {
  return { file: `src/${file}.js`, find, replace };
}

export const GUARDS: readonly Mutant[] = [
  guard(
    '4643',
    'the epoch is written before the history that belongs to it',
    [CORE, 'has the epoch on its disk together'],
    at(
      'consensus/learner',
      'this.#awaitedWrite = this.#state.persist({\n            ...staging.changes',
      'this.#state.persist({ currentEpoch: epoch });\n        this.#awaitedWrite = this.#state.persist({\n            ...staging.changes',
    ),
    at('server/log-writer', 'if (count > 0 && (isRewrite', 'if (count > 0 && (true || isRewrite'),
  ),
  guard(
    '4646',
    'NEWLEADER is acknowledged before the history is durable',
    ['test/unit/consensus/learner.test.js', 'acknowledges NEWLEADER only when'],
    at(
      'consensus/learner',
      'currentEpoch: epoch,\n            clusterId,\n        });',
      'currentEpoch: epoch,\n            clusterId,\n        });\n        this.#awaitedWrite = undefined;\n        this.#ackNewLeader();',
    ),
  ),
  guard(
    '3023',
    'clients are served before what was committed is applied',
    ['test/sim/schedules.test.js', 'serving: a leader that is still reading its log'],
    at(
      'server/serving',
      'if (this.#serveAt === undefined || tree().lastZxid < this.#serveAt)',
      'if (this.#serveAt === undefined)',
    ),
  ),
  guard(
    '4685',
    'a proposal may be acknowledged before NEWLEADER is',
    [CORE, 'acknowledges NEWLEADER before anything'],
    at(
      'consensus/learner',
      "this.#awaitedWrite = undefined;\n            if (this.#phase === 'promising')",
      "this.#awaitedWrite = undefined;\n            this.#ackDurable();\n            if (this.#phase === 'promising')",
    ),
    at(
      'consensus/learner',
      "const isAcknowledging = this.#phase === 'acked'",
      "const isAcknowledging = this.#phase === 'persisting' || this.#phase === 'acked'",
    ),
  ),
  guard(
    '4394',
    'a COMMIT before UPTODATE counts at once',
    [CORE, 'keeps a COMMIT between NEWLEADER'],
    at(
      'consensus/learner',
      'if (this.isServing) {\n            this.#state.history.commit(zxid);',
      'if (true) {\n            this.#state.history.commit(zxid);',
    ),
  ),
  guard(
    '4712',
    'a server votes while a write of its last role is under way',
    [CORE, 'does not vote while a write'],
    at('consensus/zab-node', ' || !this.#state.isDrained)', ')'),
  ),
  guard(
    '2845',
    'a tail is compared by its last zxid alone',
    ['test/unit/consensus/zab-node.test.js', 'takes an uncommitted tail away by TRUNC'],
    at(
      'consensus/catch-up',
      'const common = history.epochs.commonWith(learner.epochs ?? new EpochTable());',
      'const common = learner.lastZxid < history.last ? learner.lastZxid : history.last;',
    ),
  ),
  guard(
    '3642',
    'NEWLEADER is taken with a snapshot half there',
    [CORE, 'does not take half a snapshot'],
    at('consensus/learner', 'if (staging.isReady)', 'if (true)'),
  ),
  guard(
    '3104',
    'what was committed while a snapshot was sent is not sent behind it',
    [CORE, 'sends what was committed while a snapshot'],
    at(
      'consensus/catch-up',
      'learner.streamFrom = zxid;\n        learner.sentZxid = zxid;',
      'learner.streamFrom = zxid;\n        learner.sentZxid = this.#endFor(learner);',
    ),
  ),
  guard(
    '2099',
    'a log after a snapshot claims to reach back before it',
    [CORE, 'has a log that begins where its snapshot ended'],
    at('consensus/history', 'this.#retainedAfter = snapshot.zxid;', ''),
  ),
  guard(
    '5094',
    'a failed write does not end the process',
    ['test/sim/disk-schedules.test.js', 'disk: a leader with a failed write ends'],
    at('server/log-writer', 'this.#hooks.failed(error);', 'this.#isWriting = false;'),
  ),
  guard(
    '4352',
    'an empty window counts as reaching back to everything',
    ['test/unit/consensus/history.test.js', 'keeps about 16 MiB of what is settled'],
    at('consensus/history', 'if (zxid < this.#windowAfter)\n            return undefined;', ''),
  ),
  guard(
    '3526',
    'clients of read-only mode stay when the quorum is found',
    ['test/sim/session-schedules.test.js', 'read-only mode: a cut-off leader'],
    at(
      'server/serving',
      '// It found a quorum: clients of read-only mode are to come again.\n            replica.retire();',
      '',
    ),
  ),
  guard(
    '1154',
    'a tail that the leader cuts off stays in the log',
    ['test/unit/consensus/zab-node.test.js', 'takes an uncommitted tail away by TRUNC'],
    at('consensus/staging', '...(truncateAfter !== undefined && { truncateAfter }),', ''),
  ),
  guard(
    '2832',
    'what the log held stays in it behind a snapshot',
    ['test/unit/store/txn-log.test.js', 'TxnLog.write() ends the history at a snapshot'],
    at('store/log-plan', 'plan.keep = 0;', ''),
  ),
  guard(
    'gap',
    'nobody looks whether entries of the log follow each other',
    ['test/unit/store/txn-log.test.js', 'TxnLog.open() finds a missing group'],
    at('store/log-check', 'if (group.previous !== last)', 'if (false)'),
    at('store/log-check', 'if (group.chainBefore !== chain)', 'if (false)'),
  ),
  guard(
    '1653',
    'a first start that was cut short is taken for a loss of data',
    [FAULTS, 'restart: a server killed at stateMade'],
    at(
      'server/open-storage',
      'if (!(await isEmpty(logStore)))\n        return false;',
      'return false;',
    ),
  ),
  guard(
    '1277',
    'the counter of an epoch may run over',
    [CORE, 'starts a new epoch before its counter ends'],
    at(
      'consensus/broadcast',
      'return isIdle || counter >= end - (end >>> RESERVE_SHIFT);',
      'return false;',
    ),
  ),
  guard(
    '2247',
    'a leader whose disk hangs leads on',
    [FAULTS, 'disk: a leader whose disk hangs is replaced'],
    at(
      'consensus/broadcast',
      'return this.#writingSinceMs !== undefined && nowMs - this.#writingSinceMs > limitMs;',
      'return false;',
    ),
  ),
  guard(
    '2201',
    'a learner that reads nothing is waited for',
    [CORE, 'lets go of a learner that answers pings'],
    at(
      'consensus/quorum',
      'return count * 2 > this.#voters.length;',
      'return count === this.#voters.length;',
    ),
  ),
  guard(
    '1732',
    'settled servers do not tell a newcomer whom they follow',
    ['test/unit/consensus/zab-node.test.js', 'brings a server that missed writes back by DIFF'],
    at(
      'consensus/zab-node',
      "this.#state.emit({ kind: 'notify', to: from, notification: answer });",
      '',
    ),
  ),
  guard(
    '2355',
    'the end of a session forgets ephemeral nodes that are not applied yet',
    ['test/unit/store/prepare-pending.test.js', 'closeSession takes along applied ephemerals'],
    at(
      'store/outstanding',
      'if (pending === undefined)\n            return paths;',
      'return paths;',
    ),
    at('store/data-tree', 'if (this.ephemerals.countOf(sessionId) > 0) {', 'if (false) {'),
  ),
  guard(
    '1675',
    'a leader confirms a sync without asking a quorum',
    ['test/sim/schedules.test.js', 'sync: a deposed leader that has not noticed'],
    at('consensus/leader-pings', '|| !isAnswered(first.sequence))', ')'),
  ),
  guard(
    'wiped',
    'a server with an empty disk votes and is counted',
    ['test/sim/disk-schedules.test.js', 'wiped: a write that a wiped server acknowledged'],
    at('server/set-aside', "return 'new';", "return 'whole';"),
  ),
  guard(
    'E9',
    'a leader keeps its epoch though a voter has promised a later one',
    [CORE, 'leaves its epoch when a voter has promised'],
    at(
      'consensus/leader',
      'if (learner.isVoter && epoch !== undefined && acceptedEpoch > epoch) {',
      'if (false) {',
    ),
  ),
  guard(
    'time',
    'who is heard between two ticks counts as silent since the tick before',
    ['test/unit/server/core-driver.test.js', 'CoreDriver tells the core the time before'],
    at('server/core-driver', 'this.#node.noteTime(nowMs);', ''),
  ),
  guard(
    'generation',
    'the record of a checkpoint is deleted behind its packs',
    ['test/unit/store/state-store.test.js', 'StateStore.dropOtherGenerations() leaves none'],
    at('store/state-store', 'await deletion.delete(stateMetaKey(generation));', ''),
  ),
];
