/** Clients that take more than their share of memory or places, beside one that behaves. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientLimits, ClientServiceOptions } from '../../../src/api/client-options.ts';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import {
  ClientKit,
  connectFrame,
  createFrame,
  header,
  headerFrame,
  type RawClient,
  readFrame,
  setDataFrame,
} from '../../support/client-kit.ts';
import { buffer, frame, int, long, text, vector } from '../../support/hex.ts';

const PING = headerFrame(-2, OpCode.ping);
const MIB = 1024 * 1024;

function kitWith(
  limits: Partial<ClientLimits>,
  service: Partial<ClientServiceOptions> = {},
): Promise<ClientKit> {
  const all = {
    handshakeTimeoutMs: 10_000,
    sessionlessMax: 1000,
    backlogBytesMax: 64 * MIB,
    bufferBytesMax: 256 * MIB,
    ...limits,
  };
  return ClientKit.start({ service: { limits: all, maxClientCnxns: 0, ...service } });
}

async function isServed(client: RawClient): Promise<boolean> {
  return header(await client.ask(PING)).xid === -2;
}

function isOpen(client: RawClient): boolean {
  return !client.isEnded && !client.isClosed;
}

test('silent connections beyond the limit push out the oldest of them, and nobody with a session', async () => {
  const kit = await kitWith({ sessionlessMax: 50 });
  const steady = await kit.session('steady');
  const old = Array.from({ length: 50 }, () => kit.dial('flood'));
  await kit.settle();
  assert.equal(old.filter(isOpen).length, 50);
  const young = Array.from({ length: 30 }, () => kit.dial('flood'));
  await kit.settle();
  assert.equal(old.filter(isOpen).length, 20);
  assert.equal(young.filter(isOpen).length, 30);
  assert.equal(kit.service.stats.counters.sessionlessDropped, 30);
  assert.ok(await isServed(steady));
});

test('whoever speaks at once gets a session while silent connections hold all places', async () => {
  const kit = await kitWith({ sessionlessMax: 20 });
  for (let i = 0; i < 100; i++) {
    kit.dial('flood');
    if (i % 10 === 0) assert.ok(await isServed(await kit.session(`client${i}`)));
  }
  await kit.settle();
  assert.equal(kit.service.connectionCount, 20 + 10);
});

test('answered commands whose clients do not close count among those without a session', async () => {
  const kit = await kitWith({ sessionlessMax: 5 });
  for (let i = 0; i < 20; i++) {
    const client = kit.dial('flood');
    client.sendBytes(Buffer.from('ruok'));
    await client.closedByServer();
    assert.equal(Buffer.from(client.bytes).toString(), 'imok');
  }
  assert.equal(kit.world.network.connectionCount('server'), 5);
});

test('half frames beyond the memory of all clients cost those their connection that sent most', async () => {
  const kit = await kitWith({ bufferBytesMax: 4 * MIB });
  const steady = await kit.session('steady');
  const half = `000fffff${'00'.repeat(900_000)}`;
  const greedy: RawClient[] = [];
  for (let i = 0; i < 8; i++) {
    const client = await kit.session(`greedy${i}`);
    client.send(half);
    await kit.settle();
    greedy.push(client);
    assert.ok(kit.service.buffers.heldBytes <= 4 * MIB);
  }
  assert.ok(greedy.filter(isOpen).length <= 4);
  assert.ok(kit.service.stats.counters.greedyDropped >= 4);
  assert.ok(kit.logged.some(({ event }) => event === 'connections dropped for their memory'));
  assert.ok(await isServed(steady));
  for (const client of greedy) client.stream.destroy();
  await kit.until(() => kit.service.connectionCount === 1, 'their end');
  assert.equal(kit.service.buffers.heldBytes, 0);
});

test('replies that nobody reads count, and go with the one who asked', async () => {
  const kit = await kitWith({ bufferBytesMax: 4 * MIB });
  const steady = await kit.session('steady');
  await steady.ask(createFrame(1, '/a'));
  await steady.ask(setDataFrame(2, '/a', '00'.repeat(500_000)));
  const deaf = await kit.session('deaf');
  deaf.stream.pause();
  const modest = await kit.session('modest');
  modest.stream.pause();
  deaf.send(...Array.from({ length: 20 }, (_, i) => readFrame(i, OpCode.getData, '/a')));
  modest.send(readFrame(1, OpCode.getData, '/a'));
  await kit.settle();
  assert.ok(kit.service.buffers.heldBytes > 0);
  const more = await kit.session('more');
  more.stream.pause();
  const path = text('/a');
  const many = `${int(OpCode.getData)}00${int(-1)}${path}00`.repeat(12);
  more.send(frame(int(1), int(OpCode.multiRead), `${many}${int(-1)}01${int(-1)}`));
  await kit.settle();
  assert.equal(kit.service.stats.counters.greedyDropped, 1);
  assert.ok(isOpen(modest));
  assert.ok(await isServed(steady));
});

test('requests that wait for the backend are read only up to their bytes, and all of them in the end', async () => {
  const kit = await kitWith({ bufferBytesMax: 8 * MIB });
  const steady = await kit.session('steady');
  const busy = await kit.session('busy');
  kit.backend.holds = true;
  const count = 40;
  const write = (i: number): string => createFrame2(i, `/n${i}`, 100_000);
  for (let i = 0; i < count; i++) busy.send(write(i));
  await kit.settle();
  assert.ok(kit.service.buffers.requestBytes >= MIB);
  assert.ok(kit.service.buffers.requestBytes < 1.2 * MIB);
  kit.backend.holds = false;
  while (busy.frames.length < count) {
    kit.backend.applyAll();
    await kit.settle();
  }
  assert.equal(kit.service.buffers.requestBytes, 0);
  assert.ok(await isServed(steady));
});

test('requests of a connection that is gone count until the backend has settled them', async () => {
  const kit = await kitWith({});
  const gone = await kit.session('gone');
  kit.backend.holds = true;
  const sync = frame(int(2), int(OpCode.sync), text('/'));
  gone.send(createFrame2(1, '/a', 5000), sync, createFrame2(3, '/b', 7000));
  await kit.settle();
  assert.ok(kit.service.buffers.requestBytes > 12_000);
  gone.stream.destroy();
  await kit.until(() => kit.service.connectionCount === 0, 'the end');
  const { requestBytes } = kit.service.buffers;
  assert.ok(requestBytes > 5000 && requestBytes < 6000, 'the held one is forgotten at once');
  kit.backend.applyAll();
  kit.backend.completeSync();
  assert.equal(kit.service.buffers.requestBytes, 0);
});

test('a client proves only as much as writes can carry to the leader', async () => {
  const kit = await kitWith({});
  const client = await kit.session();
  const auth = (i: number): string =>
    frame(int(-4), int(OpCode.auth), int(0), text('digest'), text(`${i}${'u'.repeat(3000)}:p`));
  for (let i = 0; i < 5; i++) assert.equal(header(await client.ask(auth(i))).error, 0);
  assert.equal(header(await client.ask(auth(5))).error, -115);
  await client.closedByServer();
});

test('a flood of connections writes no flood of lines', async () => {
  const kit = await ClientKit.start({ service: { maxClientCnxns: 1 } });
  const steady = await kit.session('steady');
  for (let i = 0; i < 500; i++) kit.dial('flood');
  await kit.settle();
  const lines = kit.logged.filter(({ event }) => event === 'connection rejected');
  assert.equal(kit.service.stats.counters.connectionsRejected, 499);
  assert.equal(lines.length, 20);
  await kit.world.runFor(15_000);
  assert.ok(await isServed(steady).catch(() => true));
  const summary = kit.logged.find(({ event }) => event === 'log lines left out');
  assert.deepEqual(summary?.fields, { about: 'connection rejected', count: 479 });
});

test('a connect request that comes byte by byte gets the time of one handshake, not more', async () => {
  const kit = await kitWith({ handshakeTimeoutMs: 3000 });
  const slow = kit.dial('slow');
  const bytes = Buffer.from(connectFrame(), 'hex');
  for (const byte of bytes) {
    if (!isOpen(slow)) break;
    slow.sendBytes(Uint8Array.of(byte));
    await kit.world.runFor(500);
  }
  assert.ok(!isOpen(slow));
  assert.ok(kit.world.nowMs < 3000 + 2 * 2000 + 500);
});

/** A create with so many bytes of data. */
function createFrame2(xid: number, path: string, bytes: number): string {
  const acl = '000000010000001f00000005776f726c6400000006616e796f6e65';
  return frame(int(xid), int(OpCode.create), text(path), buffer('00'.repeat(bytes)), acl, int(0));
}

test('a client dropped amid the missed events of its setWatches leaves no watch behind', async () => {
  const kit = await kitWith({ backlogBytesMax: MIB }, { replyBytesMax: MIB });
  const deaf = await kit.session('deaf');
  const writer = await kit.session();
  deaf.stream.pause();
  const there = Array.from({ length: 100_000 }, () => text('/'));
  const lists = [vector([]), vector([...there, text('/victim')]), vector([])];
  deaf.send(frame(int(-8), int(OpCode.setWatches), long(0), ...lists));
  await kit.until(() => kit.service.connectionCount === 1, 'the end of the connection');
  assert.ok(kit.logged.some(({ event }) => event === 'slow client dropped'));
  assert.equal(kit.service.watches.count, 0);
  assert.equal(header(await writer.ask(createFrame(1, '/victim'))).error, ErrorCode.ok);
});
