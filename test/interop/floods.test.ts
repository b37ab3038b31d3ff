/** Floods over loopback, against one real process, with a client beside them that must not notice. */

import { strict as assert } from 'node:assert';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpCode } from '../../src/base/op-code.ts';
import { connectFrame, createFrame, readFrame, setDataFrame } from '../support/client-kit.ts';
import { FloodSockets } from './flood-sockets.ts';
import { besides, FloodedServer } from './flooded-server.ts';
import { waitUntil } from './processes.ts';

const MIB = 1024 * 1024;
const SESSIONLESS_MAX = 500;
const HANDSHAKE_MS = 1000;
/** A whole handshake then takes many times as long as it may. */
const BYTE_EACH_MS = 250;
const TICK_MS = 500;
const BUFFER_MAX = 64 * MIB;
/** Bounded means: far below what a client gives its server, on a machine that does other work too. */
const SLOWEST_MS_MAX = 4000;
const HEADROOM = 250 * MIB;
const NOTHING = new Uint8Array(0);
const HANDSHAKE = Buffer.from(connectFrame(), 'hex');
const SETTLE_MS = 30_000;

let server: FloodedServer;
let startBytes = 0;
/** The most that was resident after any of the floods so far: what is given back, and when, differs. */
let afterBytesMax = 0;
let sockets: FloodSockets;

before(async () => {
  server = await FloodedServer.start({
    tickTime: String(TICK_MS),
    maxClientCnxns: '0',
    handshakeTimeoutMs: String(HANDSHAKE_MS),
    maxSessionlessCnxns: String(SESSIONLESS_MAX),
    maxClientBufferBytes: String(BUFFER_MAX),
  });
  startBytes = await server.residentBytes();
});
after(() => server?.stop());

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}

/** The flood, the client beside it, and the calm after it: nothing of it is left. */
async function survives(t: TestContext, flood: () => Promise<void>): Promise<void> {
  sockets = new FloodSockets(server.address.port);
  const { operations, slowestMs, peakBytes } = await besides(server, flood);
  sockets.hangUp();
  await waitUntil(async () => (await server.metric('num_alive_connections')) <= 1, SETTLE_MS);
  await waitUntil(async () => (await server.metric('client_held_bytes')) === 0, SETTLE_MS);
  assert.equal(await server.metric('client_request_bytes'), 0);
  assert.equal(await server.metric('watch_count'), 0);
  const endBytes = await server.residentBytes();
  afterBytesMax = Math.max(afterBytesMax, endBytes);
  t.diagnostic(
    `${operations} operations beside it, the slowest ${slowestMs.toFixed(0)} ms; resident ${mib(startBytes)} at the start, ${mib(peakBytes)} at its peak, ${mib(endBytes)} after it`,
  );
  assert(operations > 0);
  assert(slowestMs < SLOWEST_MS_MAX, `an operation took ${slowestMs} ms`);
  assert(peakBytes < startBytes + BUFFER_MAX + HEADROOM, `${mib(peakBytes)} resident`);
}

function frames(count: number, make: (i: number) => string): Buffer {
  return Buffer.from(Array.from({ length: count }, (_, i) => make(i)).join(''), 'hex');
}

/** A node whose data is as long as a node's may be. */
async function makeLargeNode(path: string): Promise<void> {
  const client = new FloodSockets(server.address.port);
  const [socket] = await client.openSessions(1);
  socket?.write(Buffer.from(createFrame(1, path), 'hex'));
  socket?.write(Buffer.from(setDataFrame(2, path, '55'.repeat(1_000_000)), 'hex'));
  await waitUntil(async () => (await server.metric('approximate_data_size')) > 900_000, SETTLE_MS);
  client.hangUp();
}

const FLOODS: readonly (readonly [what: string, flood: () => Promise<void>])[] = [
  [
    '4,000 connections that never speak',
    async () => {
      await sockets.open(4000, NOTHING);
      await sockets.closedBut(SESSIONLESS_MAX, SETTLE_MS);
      assert(sockets.openCount <= SESSIONLESS_MAX);
      await sockets.closedBut(0, SETTLE_MS);
      assert.equal(sockets.openCount, 0);
    },
  ],
  [
    '400 connections that stop in the middle of their handshake',
    async () => {
      await sockets.open(400, HANDSHAKE.subarray(0, 20));
      await sockets.closedBut(0, SETTLE_MS);
      assert.equal(sockets.openCount, 0);
    },
  ],
  [
    '200 connections whose handshake comes byte by byte',
    async () => {
      const slow = await sockets.open(200, NOTHING);
      for (let i = 0; i < 35 && sockets.openCount > 0; i++) {
        for (const socket of slow)
          if (!socket.destroyed) socket.write(HANDSHAKE.subarray(i, i + 1));
        await sleep(BYTE_EACH_MS);
      }
      assert.equal(sockets.openCount, 0);
    },
  ],
  [
    '1,500 sessions whose clients vanish',
    async () => {
      for (let i = 0; i < 6; i++) {
        await sockets.openSessions(250);
        sockets.hangUp();
      }
    },
  ],
  [
    '200 sessions with half of a frame of a megabyte',
    async () => {
      const half = Buffer.alloc(600_000);
      half.writeInt32BE(1_000_000, 0);
      for (const socket of await sockets.openSessions(200)) socket.write(half);
      await waitUntil(async () => (await server.metric('greedy_clients_dropped')) > 0, SETTLE_MS);
      assert((await server.metric('client_held_bytes')) <= BUFFER_MAX);
    },
  ],
  [
    '100 clients that ask for a hundred megabytes each and read nothing',
    async () => {
      await makeLargeNode('/large');
      const asked = frames(100, (i) => readFrame(i, OpCode.getData, '/large'));
      for (const socket of await sockets.openSessions(100, true)) socket.write(asked);
      await sleep(1000);
      assert((await server.metric('client_held_bytes')) <= BUFFER_MAX);
    },
  ],
  [
    '20 clients that let 10,000 watches fire each and read nothing',
    async () => {
      const watching = await sockets.openSessions(20, true);
      const watch = frames(10_000, (i) => readFrame(i, OpCode.exists, `/w${i}`, true));
      for (const socket of watching) socket.write(watch);
      const [writer] = await sockets.openSessions(1);
      await waitUntil(async () => (await server.metric('watch_count')) > 10_000, SETTLE_MS);
      writer?.write(frames(10_000, (i) => createFrame(i, `/w${i}`)));
      const created = async (): Promise<boolean> => (await server.metric('znode_count')) > 10_000;
      await waitUntil(created, SETTLE_MS);
    },
  ],
  [
    '3,000 four-letter words, half of whose answers nobody reads',
    async () => {
      const words = ['mntr', 'cons', 'wchp', 'dump', 'stat', 'conf'];
      for (let i = 0; i < 12; i++) {
        const word = Buffer.from(words[i % words.length] ?? 'ruok');
        await sockets.open(250, word, i % 2 === 0);
      }
      await sockets.closedBut(1500, SETTLE_MS);
    },
  ],
];

describe('a server flooded by', () => {
  for (const [what, flood] of FLOODS) it(what, (t) => survives(t, flood));
});

describe('all the floods', () => {
  it('cost no memory when they come again, and fill no log', async (t) => {
    const onceBytes = afterBytesMax;
    for (const index of [0, 3, 4, 7]) {
      const flood = FLOODS[index]?.[1];
      assert(flood !== undefined);
      await survives(t, flood);
    }
    const againBytes = await server.residentBytes();
    const lines = await server.logLines();
    t.diagnostic(`resident ${mib(onceBytes)}, then ${mib(againBytes)}; ${lines} lines logged`);
    assert(againBytes < onceBytes + 64 * MIB);
    assert(lines < 500, `${lines} lines logged`);
  });
});
