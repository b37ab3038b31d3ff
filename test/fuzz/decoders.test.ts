import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecoderFuzz } from './decoder-fuzz.ts';
import { liveBytes, MemoryWatch } from './memory.ts';
import { RecordFuzz } from './record-fuzz.ts';

const SEED = 20261121;
const STEP = 100_000;
const MIB = 1024 * 1024;

test('1,200,000 damaged frames: no decoder throws, reads too far, or keeps memory', (t) => {
  const fuzz = new DecoderFuzz(SEED);
  const memory = new MemoryWatch();
  fuzz.run(2 * STEP);
  const warmBytes = liveBytes();
  while (fuzz.totals.inputs < 12 * STEP) {
    fuzz.run(STEP);
    memory.sample();
  }
  t.diagnostic(`${fuzz.summary}; ${memory}`);
  assert.ok(liveBytes() < warmBytes + 8 * MIB);
  assert.ok(fuzz.totals.decoded > fuzz.totals.inputs / 4, 'most inputs do not reach the decoders');
});

test('250,000 damaged records of disks and peers: none is taken for what it is not', (t) => {
  const fuzz = new RecordFuzz(SEED);
  fuzz.run(250_000);
  t.diagnostic(fuzz.summary);
  assert.ok(fuzz.totals.decoded > 1000);
});
