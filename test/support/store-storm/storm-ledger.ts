/**
 * The truth about a storm's history: every transaction that was ever made, which of them are the
 * history now, how far it is committed, and the plain model's tree at any place in it.
 */

import { strict as assert } from 'node:assert';
import type { EpochEnd } from '../../../src/base/epoch-table.ts';
import {
  EPOCH_NONE,
  type Epoch,
  makeEpoch,
  makeZxid,
  nextZxid,
  SERVER_NONE,
  ZXID_NONE,
  type Zxid,
  zxidEpoch,
  zxidHex,
} from '../../../src/base/ids.ts';
import { DataTree } from '../../../src/store/data-tree.ts';
import type { Preparer } from '../../../src/store/prepare.ts';
import { type Txn, type TxnBody, TxnType } from '../../../src/store/txn.ts';
import { encodeDetaching } from '../../../src/store/txn-codec.ts';
import type { LogEntry } from '../../../src/store/txn-log.ts';
import { type ModelOutcome, TreeModel } from '../tree-model.ts';
import type { StormRequest } from './storm-requests.ts';

export interface StormEntry extends LogEntry {
  /** Zxid of the transaction before it, whatever becomes of either. */
  readonly previous: Zxid;
  readonly txn: Txn;
  readonly request: StormRequest;
}

interface Moment {
  readonly model: TreeModel;
  /** Of the last transaction in it. */
  zxid: Zxid;
}

const BASE_TIME_MS = 1_700_000_000_000;

export class StormLedger {
  readonly knowsTtl: boolean;
  /** The history now, oldest first. */
  entries: StormEntry[] = [];
  committed: Zxid = ZXID_NONE;
  epoch: Epoch = EPOCH_NONE;
  /** Also what was taken out of the history again: no zxid comes twice. */
  readonly #ever = new Map<Zxid, StormEntry>();
  #head: Moment;
  #past: Moment;
  #timeMs = BASE_TIME_MS;

  constructor(knowsTtl: boolean) {
    this.knowsTtl = knowsTtl;
    this.#head = this.#beginning();
    this.#past = this.#beginning();
  }

  get last(): Zxid {
    return this.entries.at(-1)?.zxid ?? ZXID_NONE;
  }

  /** The tree as it will be once everything is applied. */
  get headModel(): TreeModel {
    return this.#head.model;
  }

  entry(zxid: Zxid): StormEntry {
    const entry = this.#ever.get(zxid);
    assert(entry !== undefined, `nobody ever made ${zxidHex(zxid)}`);
    return entry;
  }

  has(zxid: Zxid): boolean {
    return zxid === ZXID_NONE || this.#at(zxid) !== -1;
  }

  /** Entries of the history behind one place up to another. */
  between(after: Zxid, upTo: Zxid): StormEntry[] {
    return this.entries.filter(({ zxid }) => zxid > after && zxid <= upTo);
  }

  /** Makes the request's transaction, as the leader's preparer sees it, the next one of the history. */
  propose(request: StormRequest, preparer: Preparer): StormEntry {
    const { asked, ...asker } = request;
    const previous = this.last;
    const zxid = zxidEpoch(previous) === this.epoch ? nextZxid(previous) : makeZxid(this.epoch, 1);
    const body = preparer.prepare(asked, { ...asker, zxid });
    this.#timeMs += 1;
    const timeMs = this.#timeMs;
    const expected = this.#expected(request, body, zxid, timeMs);
    assert.equal(describe(outcomesOf(body)), describe(expected), `prepared ${zxidHex(zxid)}`);
    const { sessionId } = request;
    const txn: Txn = { sessionId, cxid: 0, timeMs, origin: SERVER_NONE, requestId: 0, body };
    const entry = { zxid, bytes: encodeDetaching(txn), previous, txn, request };
    this.entries.push(entry);
    this.#ever.set(zxid, entry);
    this.#head.zxid = zxid;
    return entry;
  }

  /** A new leader goes on behind this place, which is not before what is committed. */
  beginEpoch(behind: Zxid): void {
    assert(this.has(behind) && behind >= this.committed, 'a place to go on from');
    this.epoch = makeEpoch(this.epoch + 1);
    if (behind === this.last) return;
    this.entries.length = this.#at(behind) + 1;
    this.#head = this.#beginning();
    this.#advance(this.#head, behind);
    if (this.#past.zxid > behind) this.#past = this.#beginning();
  }

  /** The plain model's tree behind a place of the history. Good until it is asked for again. */
  modelAt(zxid: Zxid): TreeModel {
    assert(this.has(zxid), `${zxidHex(zxid)} is not part of the history`);
    if (this.#past.zxid > zxid) this.#past = this.#beginning();
    this.#advance(this.#past, zxid);
    return this.#past.model;
  }

  /** A tree of the real kind that holds everything up to a place. */
  treeAt(upTo: Zxid): DataTree {
    const tree = new DataTree({ extendedTypes: this.knowsTtl });
    for (const { zxid, txn } of this.between(ZXID_NONE, upTo)) tree.apply(zxid, txn, false);
    return tree;
  }

  /** Where each epoch ends in the history that ends at a transaction, which need not be today's. */
  epochsUpTo(last: Zxid): readonly EpochEnd[] {
    const ends: EpochEnd[] = [];
    for (let zxid = last; zxid !== ZXID_NONE; zxid = this.entry(zxid).previous) {
      const epoch = zxidEpoch(zxid);
      if (ends.at(-1)?.epoch !== epoch) ends.push({ epoch, last: zxid });
    }
    return ends.reverse();
  }

  #beginning(): Moment {
    return { model: new TreeModel({ knowsTtl: this.knowsTtl }), zxid: ZXID_NONE };
  }

  #advance(moment: Moment, upTo: Zxid): void {
    for (const { zxid, txn, request } of this.between(moment.zxid, upTo)) {
      const { asked, ...asker } = request;
      moment.model.run(asked, { ...asker, zxid, timeMs: txn.timeMs });
      moment.zxid = zxid;
    }
  }

  /** What the plain model makes of the request; the paths of a session that ends are compared too. */
  #expected(
    { asked, ...asker }: StormRequest,
    body: TxnBody,
    zxid: Zxid,
    timeMs: number,
  ): ModelOutcome[] {
    const { model } = this.#head;
    if (body.type === TxnType.closeSession) {
      const owned = model.ephemerals(asker.sessionId).sort();
      assert.equal([...body.paths].sort().join(), owned.join(), 'ephemerals of a session');
    }
    return model.run(asked, { ...asker, zxid, timeMs });
  }

  /** Place of a transaction in the history; -1 when it is not part of it. */
  #at(zxid: Zxid): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.entries[middle]?.zxid ?? 0) < zxid) low = middle + 1;
      else high = middle;
    }
    return this.entries[low]?.zxid === zxid ? low : -1;
  }
}

function outcomesOf(body: TxnBody): ModelOutcome[] {
  return (body.type === TxnType.multi ? body.ops : [body]).map((op) => ({
    error: op.type === TxnType.error ? op.error : 0,
    path: 'path' in op ? op.path : null,
  }));
}

function describe(outcomes: readonly ModelOutcome[]): string {
  return outcomes.map(({ error, path }) => `${error} ${path}`).join();
}
