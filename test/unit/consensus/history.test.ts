import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { EpochTable } from '../../../src/base/epoch-table.ts';
import { makeEpoch, makeZxid, ZXID_NONE, type Zxid } from '../../../src/base/ids.ts';
import type { PersistRequest } from '../../../src/consensus/effects.ts';
import { History } from '../../../src/consensus/history.ts';

const EPOCH = makeEpoch(1);
const NO_LIMIT = Number.POSITIVE_INFINITY;

function zxid(counter: number): Zxid {
  return makeZxid(EPOCH, counter);
}

class Bench {
  readonly history: History;
  #lastId = 0;

  constructor(isAlone = false) {
    this.history = new History(new EpochTable(), ZXID_NONE, ZXID_NONE, isAlone);
  }

  /** Asks for one write of these transactions; returns its id. */
  append(from: number, to: number, size = 1): number {
    const append = [];
    for (let counter = from; counter <= to; counter++) {
      append.push({ zxid: zxid(counter), bytes: new Uint8Array(size) });
    }
    return this.request({ append });
  }

  request(change: Partial<PersistRequest>): number {
    const id = ++this.#lastId;
    this.history.requested({ ...change, id, commitHint: ZXID_NONE });
    return id;
  }

  counters(after: number, upTo: number, maxBytes = NO_LIMIT): number[] | undefined {
    const entries = this.history.entriesAfter(
      after === 0 ? ZXID_NONE : zxid(after),
      zxid(upTo),
      maxBytes,
    );
    return entries?.map((entry) => entry.zxid - zxid(0));
  }
}

describe('History', () => {
  it('is durable as far as the completed writes reach', () => {
    const bench = new Bench();
    bench.append(1, 2);
    const second = bench.append(3, 4);
    bench.append(5, 6);
    bench.history.persisted(second);
    assert.equal(bench.history.durable, zxid(4));
    assert.equal(bench.history.last, zxid(6));
  });

  it('lets be applied only what is both committed and durable', () => {
    const bench = new Bench();
    const first = bench.append(1, 4);
    bench.history.commit(zxid(3));
    assert.equal(bench.history.applicable, ZXID_NONE);
    bench.history.persisted(first);
    assert.equal(bench.history.applicable, zxid(3));
  });

  it('hands out the entries after a zxid, and at least one however large', () => {
    const bench = new Bench();
    bench.append(1, 5, 100);
    assert.deepEqual(bench.counters(2, 4), [3, 4]);
    assert.deepEqual(bench.counters(0, 5, 250), [1, 2, 3]);
    assert.deepEqual(bench.counters(0, 5, 1), [1]);
    assert.deepEqual(bench.counters(5, 5), []);
  });

  it('keeps what is not durable and committed, however much it is', () => {
    const bench = new Bench();
    const id = bench.append(1, 30, 1024 * 1024);
    bench.history.shrinkWindow();
    assert.equal(bench.counters(0, 30)?.length, 30);
    bench.history.persisted(id);
    bench.history.commit(zxid(2));
    bench.history.shrinkWindow();
    assert.equal(bench.counters(0, 30), undefined);
    assert.equal(bench.counters(2, 30)?.length, 28);
  });

  it('keeps about 16 MiB of what is settled, and says what it no longer has', () => {
    const bench = new Bench();
    bench.history.persisted(bench.append(1, 40, 1024 * 1024));
    bench.history.commit(zxid(40));
    bench.history.shrinkWindow();
    assert.equal(bench.counters(23, 40), undefined);
    assert.equal(bench.counters(24, 40)?.length, 16);
  });

  it('of a server alone keeps what may be applied for one more turn, and no longer', () => {
    const bench = new Bench(true);
    bench.history.persisted(bench.append(1, 3));
    bench.append(4, 5);
    bench.history.commit(zxid(2));
    bench.history.shrinkWindow();
    assert.deepEqual(bench.counters(0, 5), [1, 2, 3, 4, 5]);
    bench.history.commit(zxid(3));
    bench.history.shrinkWindow();
    assert.equal(bench.counters(0, 5), undefined);
    assert.deepEqual(bench.counters(2, 5), [3, 4, 5]);
    bench.history.shrinkWindow();
    assert.deepEqual(bench.counters(3, 5), [4, 5]);
  });

  it('truncates what is in memory and what counts as durable', () => {
    const bench = new Bench();
    bench.history.persisted(bench.append(1, 5));
    bench.history.commit(zxid(2));
    bench.request({ truncateAfter: zxid(3) });
    assert.equal(bench.history.last, zxid(3));
    assert.equal(bench.history.durable, zxid(3));
    assert.deepEqual(bench.counters(0, 3), [1, 2, 3]);
    assert.throws(() => bench.request({ truncateAfter: zxid(1) }), { code: 'INVARIANT' });
  });

  it('begins anew at a snapshot, of which nothing is applied before it is durable', () => {
    const bench = new Bench();
    bench.history.persisted(bench.append(1, 5));
    bench.history.commit(zxid(2));
    const epochs = [{ epoch: EPOCH, last: zxid(90) }];
    const id = bench.request({ snapshot: { zxid: zxid(90), epochs } });
    assert.equal(bench.history.applicable, zxid(2));
    bench.history.persisted(id);
    assert.equal(bench.history.applicable, zxid(90));
    assert.equal(bench.history.retainedAfter, zxid(90));
    assert.equal(bench.counters(5, 90), undefined);
  });

  it('never takes a commit back, nor commits what it does not hold', () => {
    const bench = new Bench();
    bench.append(1, 5);
    bench.history.commit(zxid(3));
    assert.throws(() => bench.history.commit(zxid(2)), { code: 'INVARIANT' });
    assert.throws(() => bench.history.commit(zxid(6)), { code: 'INVARIANT' });
  });
});
