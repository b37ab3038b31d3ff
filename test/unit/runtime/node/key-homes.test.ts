import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keyText } from '../../../../src/base/key-text.ts';
import { KeyHomes } from '../../../../src/runtime/node/key-homes.ts';
import type { KeyRange } from '../../../../src/runtime/runtime.ts';

type Change = readonly [key: number, home: number | undefined];

const KEYS = 40;
const key = fc.integer({ min: 0, max: KEYS });
const CHANGE: fc.Arbitrary<Change> = fc.tuple(key, fc.option(fc.nat(3), { nil: undefined }));
const bound = fc.option(
  key.map((number) => Uint8Array.of(number)),
  { nil: undefined },
);
const RANGE: fc.Arbitrary<KeyRange> = fc.record({ gte: bound, gt: bound, lt: bound, lte: bound });

function name(number: number): string {
  return keyText(Uint8Array.of(number));
}

function isWithin(number: number, { gte, gt, lt, lte }: KeyRange): boolean {
  const [least, above, below, most] = [gte, gt, lt, lte].map((bytes) => bytes?.[0]);
  return (
    (least === undefined || number >= least) &&
    (above === undefined || number > above) &&
    (below === undefined || number < below) &&
    (most === undefined || number <= most)
  );
}

describe('KeyHomes', () => {
  it('knows what a sorted map knows', () => {
    fc.assert(
      fc.property(fc.array(CHANGE, { maxLength: 120 }), RANGE, (changes, range) => {
        const homes = new KeyHomes<number>();
        const model = new Map<number, number>();
        for (const [number, home] of changes) {
          if (home === undefined) {
            homes.delete(name(number));
            model.delete(number);
          } else {
            homes.set(name(number), home);
            model.set(number, home);
          }
          assert.equal(homes.get(name(number)), home);
        }
        const expected = [...model]
          .filter(([number]) => isWithin(number, range))
          .sort(([a], [b]) => a - b);
        assert.deepEqual(homes.view(range), {
          names: expected.map(([number]) => name(number)),
          homes: expected.map(([, home]) => home),
        });
      }),
      { seed: 20_261_121, numRuns: 300 },
    );
  });

  it('forgets thousands of keys from the first on, and keeps the others', () => {
    const homes = new KeyHomes<number>();
    const names = Array.from({ length: 5000 }, (_, i) => String(i).padStart(6, '0'));
    for (const [at, each] of names.entries()) homes.set(each, at);
    for (const each of names.slice(0, 4500)) homes.delete(each);
    assert.deepEqual(homes.view({}).names, names.slice(4500));
    assert.equal(homes.get('004999'), 4999);
    assert.equal(homes.get('000000'), undefined);
  });

  it('leaves a view as it was', () => {
    const homes = new KeyHomes<number>();
    homes.set('a', 1);
    homes.set('b', 1);
    const view = homes.view({});
    homes.set('a', 2);
    homes.delete('b');
    assert.deepEqual(view, { names: ['a', 'b'], homes: [1, 1] });
  });
});
