import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  makeEpoch,
  makeServerId,
  makeZxid,
  nextZxid,
  ZXID_NONE,
  type Zxid,
  zxidEpoch,
} from '../../src/base/ids.ts';
import { type LogEntry, TxnLog } from '../../src/store/txn-log.ts';
import { StoreHost } from '../support/store-host.ts';

const SERVER = makeServerId(1);

type Step =
  | { readonly do: 'append'; readonly count: number; readonly newEpoch: boolean }
  | { readonly do: 'truncate' | 'trim'; readonly part: number }
  | { readonly do: 'snapshot' | 'reopen' }
  | { readonly do: 'crash'; readonly fate: 'draw' | 'keep' | 'drop' };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 6 }),
      newEpoch: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('truncate' as const, 'trim' as const),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('snapshot' as const, 'reopen' as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      fate: fc.constantFrom('draw' as const, 'keep' as const, 'drop' as const),
    }),
  },
);

/** The log as a plain list; only how far it is trimmed is taken from the log itself. */
class Model {
  entries: LogEntry[] = [];
  base: Zxid = ZXID_NONE;
  generation = 1;

  get last(): Zxid {
    return this.entries.at(-1)?.zxid ?? this.base;
  }

  /** A retained entry's zxid, or the base, by its relative place. */
  pick(part: number): Zxid {
    const retained = this.entries.filter(({ zxid }) => zxid > this.base);
    return retained[Math.floor(part * retained.length) - 1]?.zxid ?? this.base;
  }

  next(newEpoch: boolean): Zxid {
    const epoch = zxidEpoch(this.last);
    if (newEpoch || epoch === 0) return makeZxid(makeEpoch(epoch + 1), 1);
    return nextZxid(this.last);
  }
}

async function open(host: StoreHost): Promise<TxnLog> {
  return await TxnLog.open(await host.open('log'), { serverId: SERVER });
}

async function perform(step: Step, host: StoreHost, log: TxnLog, model: Model): Promise<TxnLog> {
  switch (step.do) {
    case 'append': {
      const append: LogEntry[] = [];
      for (let i = 0; i < step.count; i++) {
        const zxid = model.next(step.newEpoch && i === 0);
        const made = { zxid, bytes: Uint8Array.from({ length: (zxid % 97) + 1 }, (_, n) => n + i) };
        append.push(made);
        model.entries.push(made);
      }
      const epoch = Math.max(log.meta.acceptedEpoch, zxidEpoch(model.last));
      await log.write({ append, acceptedEpoch: makeEpoch(epoch) });
      return log;
    }
    case 'truncate': {
      const last = model.pick(step.part);
      model.entries = model.entries.filter(({ zxid }) => zxid <= last);
      await log.write({ truncateAfter: last });
      return log;
    }
    case 'trim': {
      const last = model.pick(step.part);
      await log.trim(last);
      assert.ok(log.meta.baseZxid <= last);
      break;
    }
    case 'snapshot': {
      const { last } = model;
      if (last === ZXID_NONE) return log;
      model.generation += 1;
      model.entries = [];
      model.base = last;
      const epochs = [{ epoch: zxidEpoch(last), last }];
      await log.write({ snapshot: { generation: model.generation, zxid: last, epochs } });
      assert.equal(log.meta.baseZxid, last);
      break;
    }
    case 'reopen':
      await log.close();
      return await open(host);
    case 'crash':
      host.crash(step.fate);
      return await open(host);
  }
  return log;
}

/** Trims may be undone by a crash, so the model keeps all entries and follows the log's base. */
async function compare(log: TxnLog, model: Model): Promise<void> {
  const { baseZxid, lastZxid } = log.meta;
  assert.equal(lastZxid, model.last);
  model.base = baseZxid;
  const expected = model.entries.filter(({ zxid }) => zxid > baseZxid);
  assert.deepEqual(
    (await log.read(baseZxid, 1 << 30)).map(({ zxid, bytes }) => [zxid, [...bytes]]),
    expected.map(({ zxid, bytes }) => [zxid, [...bytes]]),
  );
  assert.equal(log.entryCount, expected.length);
}

test('TxnLog holds what a plain list holds, through any changes, reopenings and crashes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(STEP, { maxLength: 25 }), async (seed, steps) => {
      const host = new StoreHost(seed);
      const identity = { serverId: SERVER, incarnation: 'ab', standing: 'whole' } as const;
      let log = await TxnLog.create(await host.open('log'), identity);
      const model = new Model();
      for (const step of steps) {
        log = await perform(step, host, log, model);
        await compare(log, model);
      }
    }),
    { seed: 20_261_121, numRuns: 300 },
  );
});
