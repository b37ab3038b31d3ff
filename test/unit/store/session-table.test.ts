import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSessionId } from '../../../src/base/ids.ts';
import { SessionTable } from '../../../src/store/session-table.ts';

const A = makeSessionId(0x0100_0000_0000_0001n);
const B = makeSessionId(0x0200_0000_0000_0001n);

function tableOf(...sessions: readonly (readonly [typeof A, number])[]): SessionTable {
  const table = new SessionTable();
  for (const [sessionId, timeoutMs] of sessions) table.set(sessionId, timeoutMs);
  return table;
}

test('SessionTable has the same digest whatever the order in which the same sessions came and went', () => {
  const table = tableOf([B, 5000], [A, 4000], [B, 6000]);
  assert.equal(table.digestHex, tableOf([A, 4000], [B, 6000]).digestHex);
  table.delete(B);
  table.delete(B);
  assert.equal(table.digestHex, tableOf([A, 4000]).digestHex);
  table.delete(A);
  assert.equal(table.digestHex, new SessionTable().digestHex);
});

test('SessionTable has another digest with another session or another timeout', () => {
  const digests = [
    tableOf(),
    tableOf([A, 4000]),
    tableOf([B, 4000]),
    tableOf([A, 5000]),
    tableOf([A, 4000], [B, 4000]),
  ].map((table) => table.digestHex);
  assert.equal(new Set(digests).size, digests.length);
});
