/**
 * Reads what one committed checkpoint says in records of their own: of sessions, and in the first
 * format of nodes. Of each subject the newest version counts that is not newer than the checkpoint.
 * Newer versions belong to a checkpoint that was never finished, older ones were about to be deleted;
 * both may lie there after a crash.
 */

import type { KeyValue, KeyValueStore } from '../runtime/runtime.ts';
import {
  besidePacks,
  haveSameSubject,
  keySequence,
  keySubject,
  RecordKind,
  stateKeyKind,
  subjectPath,
  subjectSession,
} from './keyspace.ts';
import {
  type CheckpointMeta,
  isAbsent,
  openValue,
  type Subject,
  stateDamaged,
} from './state-codec.ts';
import type { StoreError } from './store-error.ts';
import { ChunkReader } from './store-scan.ts';

/** What the checkpoint says about a subject that exists in it. Bytes belong to whoever reads. */
export class StateRecord {
  readonly key: Uint8Array;
  readonly kind: RecordKind;
  /** The checkpoint that wrote it. */
  readonly sequence: number;
  readonly payload: Uint8Array;
  readonly isDamaged: boolean;

  /** Without a payload: the checksum does not match. */
  constructor(key: Uint8Array, kind: RecordKind, payload: Uint8Array | undefined) {
    this.key = key;
    this.kind = kind;
    this.sequence = keySequence(key);
    this.payload = payload ?? NOTHING;
    this.isDamaged = payload === undefined;
  }

  /** The subject for people and for maps. */
  get subject(): Subject {
    const bytes = this.subjectBytes;
    return this.kind === RecordKind.node ? subjectPath(bytes) : subjectSession(bytes);
  }

  get subjectBytes(): Uint8Array {
    return keySubject(this.key);
  }
}

const NOTHING = new Uint8Array();

export class CheckpointScan {
  readonly #readers: ChunkReader[];
  readonly #sequence: number;
  readonly #hasPacks: boolean;
  readonly #leftovers: Uint8Array[] = [];
  #candidate: StateRecord | undefined;
  #isAtEnd = false;

  /** Opens the view at once: what is written later does not change what is read. */
  constructor(store: KeyValueStore, generation: number, checkpoint: CheckpointMeta) {
    this.#sequence = checkpoint.sequence;
    this.#hasPacks = checkpoint.hasPacks;
    this.#readers = besidePacks(generation).map((range) => new ChunkReader(store.scan(range)));
  }

  /** Keys met so far that are no part of the checkpoint, in an order in which they may be deleted. */
  get leftovers(): readonly Uint8Array[] {
    return this.#leftovers;
  }

  /**
   * The next records in key order, parents before children, nodes before sessions; may be none
   * although more follow. undefined at the end. Rejects with a `StoreError` of code `STATE_DAMAGED`.
   */
  async next(): Promise<readonly StateRecord[] | undefined> {
    if (this.#isAtEnd) return undefined;
    const pairs = await this.#readers[0]?.next();
    const found: StateRecord[] = [];
    if (pairs === undefined) {
      this.#readers.shift();
      this.#isAtEnd = this.#readers.length === 0;
      this.#settle(found);
      return found;
    }
    for (const pair of pairs) this.#look(pair, found);
    return found;
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) await reader.close();
  }

  #look(pair: KeyValue, found: StateRecord[]): void {
    const [key] = pair;
    const kind = stateKeyKind(key);
    if (kind === undefined || kind === 'pack') {
      throw stateDamaged(`state store, key ${Buffer.from(key).toString('hex')}`, 'not a known key');
    }
    if (kind === 'meta') return;
    if (this.#hasPacks && kind === RecordKind.node) {
      // Of the first format, and about to be deleted when the process ended.
      this.#leftovers.push(key);
      return;
    }
    const record = new StateRecord(key, kind, openValue(pair));
    if (record.sequence > this.#sequence) {
      this.#leftovers.push(key);
      return;
    }
    const candidate = this.#candidate;
    if (candidate !== undefined && haveSameSubject(candidate.key, key)) {
      this.#leftovers.push(candidate.key);
    } else {
      this.#settle(found);
    }
    this.#candidate = record;
  }

  /** No newer version of the candidate can come. An absence is a leftover behind what it hides. */
  #settle(found: StateRecord[]): void {
    const candidate = this.#candidate;
    this.#candidate = undefined;
    if (candidate === undefined) return;
    // A damaged version that a newer one replaced is of no concern: it was about to be deleted.
    if (candidate.isDamaged) throw recordDamaged(candidate, 'its checksum does not match');
    if (isAbsent(candidate.payload)) this.#leftovers.push(candidate.key);
    else found.push(candidate);
  }
}

/** Names the node or session a damaged record is about. */
export function recordDamaged(record: StateRecord, problem: string): StoreError {
  const { subject } = record;
  const name = typeof subject === 'string' ? `node ${subject}` : `session ${subject.toString(16)}`;
  return stateDamaged(`state store, ${name}, checkpoint ${record.sequence}`, problem);
}
