/** What a server that stood still itself holds against its clients: nothing. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { type NodeServer, startNodeServer } from '../support/node-server.ts';

const HANDSHAKE_MS = 500;

describe('a server that stood still', () => {
  let server: NodeServer;

  before(async () => {
    server = await startNodeServer({ tickTime: 100, handshakeTimeoutMs: HANDSHAKE_MS });
  });

  after(() => server.stop());

  test('reads what lies in its sockets before it calls a client silent', async () => {
    const early = connect(server.port, '127.0.0.1');
    await once(early, 'connect');
    const late = connect(server.port, '127.0.0.1');
    late.end('ruok');
    // Connections are accepted in their order.
    assert.equal(await text(late), 'imok');
    early.end('ruok');
    const resumesAt = performance.now() + 3 * HANDSHAKE_MS;
    while (performance.now() < resumesAt);
    assert.equal(await text(early), 'imok');
  });
});
