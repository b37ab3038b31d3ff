import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keyText } from '../../src/base/key-text.ts';
import type { KeyRange } from '../../src/runtime/runtime.ts';
import { SimTable, type TableChange } from '../../src/testing/sim-table.ts';

const SEED = 20_260_101;

const key = fc
  .uint8Array({ minLength: 1, maxLength: 2 })
  .map((bytes) => bytes.map((b) => b & 0x83));
const change = fc
  .tuple(key, fc.option(fc.uint8Array({ maxLength: 2 }), { nil: undefined }))
  .map(([bytes, value]): TableChange => ({ key: keyText(bytes), value }));
// Small batches move keys one by one, large ones rebuild the order: both ways are to be seen.
const batch = fc.oneof(
  fc.array(change, { maxLength: 5 }),
  fc.array(change, { minLength: 60, maxLength: 120 }),
);
const range = fc.record<KeyRange>({
  gte: fc.option(key, { nil: undefined }),
  gt: fc.option(key, { nil: undefined }),
  lt: fc.option(key, { nil: undefined }),
  lte: fc.option(key, { nil: undefined }),
  reverse: fc.boolean(),
});

type Model = Map<string, string>;

function applyToModel(model: Model, changes: readonly TableChange[]): Model {
  const next = new Map(model);
  for (const { key: name, value } of changes) {
    if (value === undefined) next.delete(name);
    else next.set(name, value.join());
  }
  return next;
}

function scanModel(model: Model, { gte, gt, lt, lte, reverse }: KeyRange): string[] {
  const names = [...model.keys()].sort().filter((name) => {
    const isBelow = (gte && name < keyText(gte)) || (gt && name <= keyText(gt));
    const isAbove = (lt && name >= keyText(lt)) || (lte && name > keyText(lte));
    return !isBelow && !isAbove;
  });
  if (reverse === true) names.reverse();
  return names.map((name) => `${name}=${model.get(name)}`);
}

function scanTable(table: SimTable, bounds: KeyRange): string[] {
  const view = table.view(bounds);
  const found = view.next(1000).map(([name, value]) => `${keyText(name)}=${value.join()}`);
  view.close();
  return found;
}

describe('SimTable', () => {
  it('reads like a sorted map, whatever was applied', () => {
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 6 }), range, (batches, bounds) => {
        const table = new SimTable();
        let model: Model = new Map();
        for (const changes of batches) {
          table.apply(changes);
          model = applyToModel(model, changes);
        }
        assert.equal(table.size, model.size);
        assert.deepEqual(scanTable(table, bounds), scanModel(model, bounds));
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('a view reads what was there when it was made', () => {
    fc.assert(
      fc.property(batch, range, fc.nat(20), batch, (before, bounds, readCount, after) => {
        const table = new SimTable();
        table.apply(before);
        const expected = scanTable(table, bounds);
        const view = table.view(bounds);
        const pairs = readCount === 0 ? [] : view.next(readCount);
        table.apply(after);
        pairs.push(...view.next(1000));
        assert.deepEqual(
          pairs.map(([name, value]) => `${keyText(name)}=${value.join()}`),
          expected,
        );
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('apply() returns the changes that take it back', () => {
    fc.assert(
      fc.property(batch, batch, (first, second) => {
        const table = new SimTable();
        table.apply(first);
        const before = scanTable(table, {});
        table.apply(table.apply(second));
        assert.deepEqual(scanTable(table, {}), before);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});
