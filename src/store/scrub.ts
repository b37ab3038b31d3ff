/**
 * Reads stored values only to see whether they are still those once written. A disk can lose bits of
 * what nobody reads for months; found early, others still have it, or memory does.
 */

import { zxidHex } from '../base/ids.ts';
import type { KeyValue } from '../runtime/runtime.ts';
import {
  isMetaKey,
  keySubject,
  packPlace,
  parseGroupKey,
  RecordKind,
  stateKeyKind,
  subjectPath,
  subjectSession,
} from './keyspace.ts';
import { decodeGroup } from './log-group.ts';
import { openValue, type Subject } from './state-codec.ts';

/** A value that is not what was once written. */
export interface DamagedValue {
  readonly store: 'log' | 'state';
  /** For people. */
  readonly place: string;
  /** Whose state it holds, where it is of one node or session. */
  readonly subject: Subject | undefined;
}

/** What is wrong with a value of the log; undefined when nothing is, or when it is the identity record. */
export function checkLogValue([key, value]: KeyValue): DamagedValue | undefined {
  // Every write replaces the identity record, so that it is never old.
  if (isMetaKey(key)) return undefined;
  const group = decodeGroup(key, value);
  if (typeof group !== 'string') return undefined;
  const first = parseGroupKey(key);
  const name = first === undefined ? Buffer.from(key).toString('hex') : zxidHex(first);
  return { store: 'log', place: `log store, group ${name}: ${group}`, subject: undefined };
}

/** What is wrong with a value of the state; undefined when nothing is, or when it is a checkpoint's summary. */
export function checkStateValue(pair: KeyValue): DamagedValue | undefined {
  const [key] = pair;
  const kind = stateKeyKind(key);
  if (kind === 'meta' || kind === undefined || openValue(pair) !== undefined) return undefined;
  if (kind === 'pack') {
    const { sequence, number } = packPlace(key);
    const place = `state store, pack ${number} of checkpoint ${sequence}: its checksum does not match`;
    return { store: 'state', place, subject: undefined };
  }
  const bytes = keySubject(key);
  const subject = kind === RecordKind.node ? subjectPath(bytes) : subjectSession(bytes);
  return {
    store: 'state',
    place: `state store, ${String(subject)}: its checksum does not match`,
    subject,
  };
}
