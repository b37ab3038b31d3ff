/** The compatibility run as a test: the original and ours, asked the same, answer the same. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCompat } from '../compat/compat.ts';
import { APACHE } from './support.ts';

const RUNS = [
  { servers: 1, ops: 100_000 },
  { servers: 3, ops: 4_000 },
] as const;

for (const { servers, ops } of RUNS) {
  const name = `${ops} answers of Apache ZooKeeper and of ${servers} of ours do not differ unexplained`;
  test(name, { skip: APACHE.skip }, async (t) => {
    const options = { ops, seed: 1, serverCount: servers, failuresMax: 1, without: [] };
    let output = '';
    const result = await runCompat(options, (text) => {
      output += text;
    });
    for (const line of output.trim().split('\n')) t.diagnostic(line);
    assert.equal(result.failures, 0, output);
    assert.ok(result.count >= ops);
  });
}
