/** What must hold of a log that was written once, and the words for it when it does not. */

import { type Zxid, zxidHex } from '../base/ids.ts';
import type { KeyValue, KeyValueStore } from '../runtime/runtime.ts';
import { GroupIndex } from './group-index.ts';
import { isMetaKey } from './keyspace.ts';
import { type DecodedGroup, decodeGroup } from './log-group.ts';
import type { LogMeta } from './log-meta.ts';
import { StoreError } from './store-error.ts';
import { ChunkReader } from './store-scan.ts';

export async function isEmpty(store: KeyValueStore): Promise<boolean> {
  const cursor = store.scan({});
  const pairs = await cursor.next(1).finally(() => cursor.close());
  return pairs.length === 0;
}

/** Why there is no identity record: nothing was ever here, or it was lost. */
export async function missingMeta(store: KeyValueStore): Promise<StoreError> {
  if (await isEmpty(store)) {
    return new StoreError(
      'LOG_MISSING',
      'log store',
      'it is empty',
      'if this server is new, create its store; if it is not, its data was lost and it must join anew',
    );
  }
  return new StoreError(
    'META_DAMAGED',
    'log store, identity record',
    'it is missing although there is other data',
    'this server no longer knows what it promised: remove its data and let it join anew',
  );
}

/** Reads the whole log once; rejects with a `StoreError` of code `LOG_DAMAGED`. */
export async function verifyGroups(store: KeyValueStore, meta: LogMeta): Promise<GroupIndex> {
  const index = new GroupIndex();
  let last = meta.baseZxid;
  let chain = meta.baseChain;
  const reader = new ChunkReader(store.scan({}));
  try {
    for (let pairs = await reader.next(); pairs !== undefined; pairs = await reader.next()) {
      for (const pair of pairs) {
        if (isMetaKey(pair[0])) continue;
        const group = verifiedGroup(pair, last, chain, meta.lastZxid);
        index.push(group, group.entries.length, pair[1].length);
        last = group.last;
        chain = group.chain;
      }
    }
  } finally {
    await reader.close();
  }
  if (last !== meta.lastZxid) throw logDamaged(last, meta.lastZxid, 'entries are missing');
  if (chain !== meta.lastChain)
    throw logDamaged(meta.baseZxid, last, 'not the entries once written');
  return index;
}

/** A group that follows the given place in the history, or a `StoreError` that names the range to doubt. */
export function verifiedGroup(pair: KeyValue, last: Zxid, chain: number, end: Zxid): DecodedGroup {
  const [key, value] = pair;
  const group = decodeGroup(key, value);
  if (typeof group === 'string') throw logDamaged(last, end, group);
  if (group.previous !== last) throw logDamaged(last, end, 'entries are missing');
  if (group.chainBefore !== chain)
    throw logDamaged(last, end, 'entries do not continue those before');
  return group;
}

export function logDamaged(after: Zxid, end: Zxid, problem: string): StoreError {
  return new StoreError(
    'LOG_DAMAGED',
    `log store, entries after ${zxidHex(after)} up to ${zxidHex(end)}`,
    problem,
    'restore both data directories from one backup, or remove them and let the server join anew while the others run',
  );
}

export function logTrimmed(after: Zxid, base: Zxid): StoreError {
  return new StoreError(
    'LOG_TRIMMED',
    `log store, entries after ${zxidHex(after)}`,
    `entries up to ${zxidHex(base)} are no longer retained`,
    'read from there on, or send a snapshot',
  );
}
