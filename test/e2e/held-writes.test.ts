/** Writes behind a sync are held back until it is settled: all of them go on then, whatever becomes of the first. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '../../src/base/op-code.ts';
import { SocketClient } from '../compat/socket-client.ts';
import { buffer, frame, fromHex, int, long, text } from '../support/hex.ts';
import { startNodeServer } from '../support/node-server.ts';

const PATIENCE_MS = 10_000;

test('a write behind a sync is answered when one before it is refused at once', async (t) => {
  const server = await startNodeServer({});
  t.after(() => server.stop());
  const client = await SocketClient.connect(`127.0.0.1:${server.port}`);
  t.after(() => client.destroy());
  const requests = [
    frame(int(0), long(0), int(10_000), long(0), buffer('00'.repeat(16))),
    frame(int(1), int(OpCode.sync), text('/')),
    frame(int(2), int(OpCode.create), text('/a')),
    frame(int(3), int(OpCode.getAcl), text('/a')),
    frame(int(4), int(OpCode.setData), text('/a'), buffer(''), int(-1)),
  ];
  client.send(fromHex(requests.join('')));
  await client.next(PATIENCE_MS);
  const xids: number[] = [];
  while (xids.length < 4) {
    const reply = await client.next(PATIENCE_MS);
    assert.ok(reply !== undefined, `only ${xids.join(', ')} answered`);
    xids.push(Buffer.from(reply).readInt32BE());
  }
  assert.deepEqual(xids, [1, 2, 3, 4]);
});
