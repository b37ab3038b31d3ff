import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { listeningInodes, listeningPids } from '../../../src/bench/machine.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0885 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0
   1: 0100007F:0885 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0
`;

describe('listeningInodes()', () => {
  test('takes sockets that listen on one of the ports, and no connections', () => {
    assert.deepEqual(listeningInodes(TABLE, new Set([2181])), ['4711']);
    assert.deepEqual(listeningInodes(TABLE, new Set([22, 2181])), ['4711', '4713']);
    assert.deepEqual(listeningInodes(TABLE, new Set([80])), []);
  });
});

describe('listeningPids()', () => {
  test('finds this process by its port', { skip: !existsSync('/proc/net/tcp') }, async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    assert.deepEqual(listeningPids([address.port]), [process.pid]);
    server.close();
  });
});
