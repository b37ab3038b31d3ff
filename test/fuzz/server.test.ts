import assert from 'node:assert/strict';
import { test } from 'node:test';
import { liveBytes, MemoryWatch } from './memory.ts';
import { PeerFuzz } from './peer-fuzz.ts';
import { ServerFuzz } from './server-fuzz.ts';

const SEED = 20261121;
const ROUND = 40_000;
const MIB = 1024 * 1024;

test('560,000 frames of wild clients: the server stands, forgets them, and serves another as ever', async (t) => {
  const fuzz = new ServerFuzz(SEED);
  const memory = new MemoryWatch();
  let warmBytes = 0;
  for (let round = 1; round <= 14; round++) {
    await fuzz.round(ROUND);
    memory.sample();
    if (round === 4) warmBytes = liveBytes();
  }
  await fuzz.stop();
  t.diagnostic(`${fuzz.summary}; ${memory}`);
  assert.ok(liveBytes() < warmBytes + 16 * MIB);
  assert.ok(fuzz.totals.read > fuzz.totals.sent / 2, 'most frames are never read');
});

test('20,000 frames to the peer ports of three servers: strangers go unnoticed, impostors kill nobody', async (t) => {
  const fuzz = new PeerFuzz(SEED);
  while (fuzz.totals.sent < 20_000) await fuzz.round(4000);
  t.diagnostic(fuzz.summary);
});
