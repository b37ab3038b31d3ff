import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { growthPercent } from '../../../../src/runtime/node/old-space.ts';

const MB = 1024 * 1024;

describe('growthPercent', () => {
  it('is the room as a share of what is alive', () => {
    assert.equal(growthPercent(16 * MB, 16 * MB), 100);
    assert.equal(growthPercent(32 * MB, 16 * MB), 50);
  });

  it('is no more than the engine itself would take', () => {
    assert.equal(growthPercent(2 * MB, 16 * MB), 300);
  });

  it('leaves a large heap to the engine', () => {
    assert.equal(growthPercent(100 * MB, 16 * MB), 0);
  });
});
