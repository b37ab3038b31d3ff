import { strict as assert } from 'node:assert';
import { describe, it } from 'node:test';
import { Prng } from '../../src/base/prng.ts';
import { Fingerprints } from './fingerprints.ts';
import { ROW_WIDTH } from './row.ts';

describe('Fingerprints', () => {
  it('knows every row again, and no other', () => {
    const prng = new Prng(1);
    const known = new Fingerprints();
    const rows = new Map<string, Int32Array<ArrayBuffer>>();
    for (let i = 0; i < 200_000; i++) {
      // Small numbers that differ in few places, as those of worlds do.
      const row = Int32Array.from({ length: ROW_WIDTH }, () => prng.between(0, 3));
      const isNew = !rows.has(row.join());
      assert.equal(known.add(row), isNew);
      rows.set(row.join(), row);
    }
    assert.equal(known.count, rows.size);
    for (const row of rows.values()) assert.equal(known.add(row), false);
  });
});
