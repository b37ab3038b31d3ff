/** What a state store holds, counted from its keys and values. */

import assert from 'node:assert/strict';
import type { KeyValue } from '../../src/runtime/runtime.ts';
import { stateKeyKind } from '../../src/store/keyspace.ts';
import { openValue } from '../../src/store/state-codec.ts';
import { PackReader } from '../../src/store/state-pack.ts';

export interface StoredState {
  /** In all packs. */
  readonly entryCount: number;
  /** Paths that the packs name, the oldest first. */
  readonly paths: readonly string[];
  /** Keys beside the packs, that of the checkpoint among them. */
  readonly recordCount: number;
}

export function storedState(pairs: Iterable<KeyValue>): StoredState {
  let recordCount = 0;
  const paths: string[] = [];
  for (const pair of pairs) {
    if (stateKeyKind(pair[0]) !== 'pack') {
      recordCount += 1;
      continue;
    }
    const value = openValue(pair);
    assert.ok(value !== undefined, 'a pack whose checksum does not match');
    const pack = new PackReader(value);
    while (pack.next()) paths.push(pack.path);
    assert.ok(pack.isIntact, 'a pack whose entries do not fit');
  }
  return { entryCount: paths.length, paths, recordCount };
}
