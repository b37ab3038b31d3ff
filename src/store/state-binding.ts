/**
 * Which log a state belongs to. The two lie in directories of their own, and may be mixed up: the
 * state of another cluster can fit a log by its zxid, and would be served without a word.
 */

import type { KeyValueStore } from '../runtime/runtime.ts';
import { ByteReader, ByteWriter } from './byte-cursor.ts';
import { bindingKey } from './keyspace.ts';
import { openValue, sealValue, stateDamaged } from './state-codec.ts';

/**
 * The incarnation of the log that the state was bound to, in hex; undefined when it was not yet, as
 * after an import. Rejects with a `StoreError` of code `STATE_DAMAGED`.
 */
export async function boundLog(stateStore: KeyValueStore): Promise<string | undefined> {
  const key = bindingKey();
  const value = await stateStore.get(key);
  if (value === undefined) return undefined;
  const payload = openValue([key, value]);
  if (payload === undefined) {
    throw stateDamaged('state store, name of its log', 'its checksum does not match');
  }
  return new ByteReader(payload).text();
}

/** Binds the state to a log, durably. */
export async function bindToLog(stateStore: KeyValueStore, incarnation: string): Promise<void> {
  const key = bindingKey();
  const writer = new ByteWriter(64);
  writer.text(incarnation);
  const batch = stateStore.batch();
  batch.put(key, sealValue(writer, 0, key));
  await batch.write({ sync: true });
}
