/** Requests that the original reads in its connection code: what it cannot read there ends the connection. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OpCode } from '../../src/base/op-code.ts';
import { SocketClient } from '../compat/socket-client.ts';
import { buffer, frame, fromHex, int, long, text } from '../support/hex.ts';
import { type NodeServer, startNodeServer } from '../support/node-server.ts';

const PATIENCE_MS = 10_000;
const CONNECT = frame(int(0), long(0), int(10_000), long(0), buffer('00'.repeat(16)));

describe('auth and sasl requests that cannot be decoded', () => {
  let server: NodeServer;

  before(async () => {
    server = await startNodeServer({});
  });

  after(() => server.stop());

  const endings: readonly (readonly [string, string])[] = [
    ['auth cut short', frame(int(1), int(OpCode.auth), int(0), text('digest'), int(9))],
    ['sasl cut short', frame(int(1), int(OpCode.sasl), int(9))],
    ['sasl with a null token', frame(int(1), int(OpCode.sasl), buffer(null))],
  ];
  for (const [name, request] of endings) {
    test(`${name} ends the connection without an answer`, async () => {
      const client = await SocketClient.connect(`127.0.0.1:${server.port}`);
      client.send(fromHex(CONNECT + request));
      assert.ok((await client.next(PATIENCE_MS)) !== undefined, 'no session');
      assert.equal(await client.next(PATIENCE_MS), undefined);
      assert.ok(client.isClosed);
    });
  }

  test('sasl with a token is answered with none, where nothing is configured', async () => {
    const client = await SocketClient.connect(`127.0.0.1:${server.port}`);
    client.send(fromHex(CONNECT + frame(int(7), int(OpCode.sasl), buffer('01'))));
    await client.next(PATIENCE_MS);
    const reply = Buffer.from((await client.next(PATIENCE_MS)) ?? []).toString('hex');
    assert.equal(reply, int(7) + long(0) + int(0) + buffer(null));
    client.destroy();
  });
});
