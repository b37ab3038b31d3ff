/** Places of the store, and of what drives it, that are wrong in the way in which code is wrong. */

import { type Mutant, mutantAt } from './mutant.ts';

export const GENERIC_STORE: readonly Mutant[] = [
  mutantAt('store/log-plan', 'log-chain', 'the chain of the log starts again at each write', [
    'lastZxid: end.last, lastChain: end.chain, epochs };',
    'lastZxid: end.last, lastChain: meta.lastChain, epochs };',
  ]),
  mutantAt('store/txn-log', 'log-hint', 'the log says that everything in it is committed', [
    'commitHint: Math.min(hint, plan.meta.lastZxid),',
    'commitHint: plan.meta.lastZxid,',
  ]),
  mutantAt('store/txn-log', 'log-unsynced', 'the log is written and not synced', [
    'batch.write({ sync: true })',
    'batch.write({ sync: false })',
  ]),
  mutantAt('store/txn-log', 'log-epochs', 'a truncation leaves the table of epochs', [
    'const epochs = new EpochTable(meta.epochs).upTo(after).ends;',
    'const epochs = meta.epochs;',
  ]),
  mutantAt('store/txn-log', 'log-keeps-cut', 'a truncation leaves one group too many', [
    'for (let i = keep; i < index.length; i++)\n            batch',
    'for (let i = keep + 1; i < index.length; i++)\n            batch',
  ]),
  mutantAt('store/txn-log', 'log-base', 'a trimmed log forgets what its first group follows', [
    'baseChain: index.chain(count - 1),',
    '',
  ]),
  mutantAt(
    'store/txn-log',
    'log-trim-more',
    'one group more than the checkpoint holds is trimmed',
    [
      'Math.min(this.#index.firstAfter(keepAfter), TRIM_GROUPS_MAX)',
      'Math.min(this.#index.firstAfter(keepAfter) + 1, this.#index.length, TRIM_GROUPS_MAX)',
    ],
  ),
  mutantAt(
    'store/group-index',
    'index-off-by-one',
    'the group that ends at a zxid counts as after it',
    ['if (this.#lasts[middle] <= zxid)', 'if (this.#lasts[middle] < zxid)'],
  ),
  mutantAt(
    'server/log-writer',
    'group-merge',
    'a truncation is written behind what came after it',
    ['if (count > 0 && (isRewrite || bytes', 'if (count > 0 && (bytes'],
  ),
  mutantAt('server/log-writer', 'group-last', 'of requests written together the first counts', [
    'this.#hooks.persisted(group.at(-1)?.id ?? 0);',
    'this.#hooks.persisted(group[0]?.id ?? 0);',
  ]),
  mutantAt('server/group-pace', 'group-stuck', 'a group waits for those who never come', [
    'this.#go();',
    '',
  ]),
  mutantAt(
    'store/checkpointer',
    'checkpoint-fuzzy',
    'a node that changes meanwhile is written as it is then',
    ['if (!frozen?.pending.has(path) || frozen.captured.has(path))', 'if (true)'],
  ),
  mutantAt(
    'store/checkpointer',
    'checkpoint-session',
    'a session that ends meanwhile is written as it is then',
    ['frozen.captured.set(sessionId, new Uint8Array(this.#scratch.written()));', ''],
  ),
  mutantAt('store/checkpointer', 'checkpoint-deleted', 'a checkpoint forgets what was deleted', [
    'if (node.checkpointMark !== this.#sequence)\n            this.#dirty.set(path, node.checkpointMark);\n        // It',
    'if (node.checkpointMark !== this.#sequence)\n            this.#dirty.delete(path);\n        // It',
  ]),
  mutantAt(
    'store/checkpointer',
    'checkpoint-absence',
    'a node deleted again leaves its older version',
    [
      'if (!this.#dirty.has(path))\n            this.#dirty.set(path, 0);',
      'this.#dirty.set(path, 0);',
    ],
  ),
  mutantAt('store/pack-cleaner', 'pack-drops-live', 'what is alive in an old pack goes with it', [
    'this.#rewrite(path);',
    'continue;',
  ]),
  mutantAt('store/checkpoint-writer', 'pack-absence', 'a pack says nothing of what was deleted', [
    '// There is nothing for an absence to hide.\n        if (hasGone && previous === 0)',
    'if (hasGone)',
  ]),
  mutantAt('store/checkpointer', 'pack-renewal', 'a renewal forgets its first checkpoint', [
    'renewal.sequence <= frozen.meta.sequence',
    'renewal.sequence < frozen.meta.sequence',
  ]),
  mutantAt('store/state-store', 'pack-stale', 'packs of an unfinished checkpoint stay', [
    'await this.#dropRange(packsAfter(generation, sequence));',
    '',
  ]),
  mutantAt('store/state-load', 'pack-missing', 'packs may be missing', [
    'if (found !== entryCount)',
    'if (false)',
  ]),
  mutantAt('store/state-load', 'pack-order', 'older packs replace newer ones', [
    'state.scanPacks({ isReversed: true })',
    'state.scanPacks({ isReversed: false })',
  ]),
  mutantAt('store/pack-restore', 'pack-gone', 'an absence hides nothing', [
    'this.#gone.add(path);',
    '',
  ]),
  mutantAt('store/state-codec', 'pack-checksum', 'nobody looks at the checksum of a value', [
    'readU32(value, end) === crc32(payload, crc32(key)) ? payload : undefined',
    'payload',
  ]),
  mutantAt('store/znodes', 'tree-digest', 'the digest keeps what was deleted', [
    'this.digest.removed(node);',
    '',
  ]),
  mutantAt('store/znodes', 'tree-untracked', 'a change after a checkpoint is not noted', [
    'node.checkpointMark === changes.mark)',
    'node.checkpointMark >= changes.mark - 1)',
  ]),
  mutantAt('store/data-tree', 'tree-session', 'a session that is closed stays in the table', [
    'this.sessions.delete(sessionId);',
    '',
  ]),
  mutantAt('store/prepare', 'version-any', 'an older version is as good as the present one', [
    'expected === ANY_VERSION || expected === actual',
    'expected === ANY_VERSION || expected <= actual',
  ]),
  mutantAt('store/prepare', 'version-stays', 'data are set and the version stays', [
    'const version = (node.version + 1) | 0;\n        this.#outstanding.dataSet',
    'const version = node.version;\n        this.#outstanding.dataSet',
  ]),
  mutantAt('store/prepare', 'sequence-children', 'numbers of sequential nodes are given again', [
    'asked + sequenceText(parent.creates)',
    'asked + sequenceText(parent.numChildren)',
  ]),
  mutantAt('store/prepare', 'multi-half', 'a failed multi leaves traces', [
    'this.#outstanding.rollback(position);',
    '',
  ]),
  mutantAt('store/prepare', 'exists-applied', 'only applied nodes stand in the way of a create', [
    'if (this.#outstanding.find(path) !== undefined)\n            return failure(ErrorCode.nodeExists);',
    'if (this.#tree.find(path) !== undefined)\n            return failure(ErrorCode.nodeExists);',
  ]),
  mutantAt(
    'store/outstanding',
    'pending-newer',
    'what is applied takes newer changes of the node along',
    [
      'if (this.#byPath.get(record.path) === number)\n                this.#byPath.delete(record.path);',
      'this.#byPath.delete(record.path);',
    ],
  ),
  mutantAt('store/outstanding', 'pending-stays', 'what is applied stays pending', [
    'record.zxid <= zxid',
    'record.zxid < zxid',
  ]),
];
