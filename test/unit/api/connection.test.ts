import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSING_TIMEOUT_MS } from '../../../src/api/connection.ts';
import { CONNECTION_PENDING_MAX } from '../../../src/api/request-pipeline.ts';
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
import { frame, fromHex, int, text } from '../../support/hex.ts';

const KIB_100 = 'ab'.repeat(100 * 1024);

test('frames are understood however they are cut', async () => {
  const kit = await ClientKit.start({ network: { splitProbability: 0.9, mergeProbability: 0.5 } });
  const client = await kit.session();
  for (let xid = 1; xid <= 50; xid++) {
    for (const byte of fromHex(readFrame(xid, OpCode.exists, '/'))) {
      client.sendBytes(Uint8Array.of(byte));
    }
  }
  const replies = await client.receive(50);
  const expected = Array.from({ length: 50 }, (_, i) => i + 1);
  assert.deepEqual(
    replies.map((reply) => header(reply).xid),
    expected,
  );
});

test('a frame that is too long, before and after the handshake, closes the connection', async () => {
  const kit = await ClientKit.start({ service: { juteMaxBufferBytes: 1000 } });
  for (const client of [kit.dial(), await kit.session()]) {
    client.send(int(1001));
    await client.closedByServer();
    assert.deepEqual(client.frames, []);
  }
  assert.equal(kit.backend.tree.sessions.size, 1, 'the session lives on');
});

test('a frame of negative length closes the connection', async () => {
  const kit = await ClientKit.start();
  for (const client of [kit.dial(), await kit.session()]) {
    client.send(int(-1));
    await client.closedByServer();
    assert.deepEqual(client.frames, []);
  }
});

test('a frame too short for a header closes the connection', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  client.send(int(4), int(1));
  await client.closedByServer();
  assert.deepEqual(client.frames, []);
});

test('a four-letter word means nothing once there is a session', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  client.sendBytes(new TextEncoder().encode('ruok'));
  await client.closedByServer();
  assert.deepEqual(client.frames, []);
});

test('replies of one turn leave in one write', async () => {
  const kit = await ClientKit.start({ network: { splitProbability: 0, mergeProbability: 0 } });
  const client = await kit.session();
  let chunkCount = 0;
  const onData = client.onData.bind(client);
  client.onData = (chunk) => {
    chunkCount += 1;
    onData(chunk);
  };
  client.send(...Array.from({ length: 20 }, (_, i) => readFrame(i + 1, OpCode.exists, '/')));
  await client.receive(20);
  assert.equal(chunkCount, 1);
});

test('who says nothing in time is cut off: without a session, and with one', async () => {
  const kit = await ClientKit.start();
  const mute = kit.dial();
  const idle = await kit.session();
  const { handshakeTimeoutMs } = kit.service.options.limits;
  await kit.world.runFor(handshakeTimeoutMs - 100);
  assert.ok(!mute.isClosed && !idle.isClosed);
  await kit.until(() => mute.isEnded || mute.isClosed, 'the end of the mute connection');
  await idle.closedByServer();
  assert.ok(kit.world.nowMs < handshakeTimeoutMs + 5000);
  assert.equal(kit.service.connectionCount, 0);
});

test('pings keep a connection open', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  for (let i = 0; i < 10; i++) {
    await kit.world.runFor(5000);
    await client.ask(headerFrame(-2, OpCode.ping));
  }
  assert.ok(!client.isClosed);
});

test('a connection with too much pending is not read, and its session kept alive meanwhile', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  kit.backend.holds = true;
  const total = CONNECTION_PENDING_MAX + 200;
  for (let xid = 1; xid <= total; xid++) client.send(createFrame(xid, `/n${xid}`));
  await kit.settle();
  assert.equal(kit.backend.outstandingCount, CONNECTION_PENDING_MAX);
  const touches = kit.backend.touched.length;
  await kit.world.runFor(30_000);
  assert.ok(!client.isClosed, 'silence that the server imposes is not held against the client');
  assert.ok(kit.backend.touched.length > touches);
  kit.backend.holds = false;
  kit.backend.applyAll();
  await client.receive(total);
});

test('at the global limit only clients with nothing pending are read', async () => {
  const kit = await ClientKit.start({ service: { globalOutstandingLimit: 3 } });
  const busy = await kit.session();
  const calm = await kit.session();
  kit.backend.holds = true;
  for (let xid = 1; xid <= 10; xid++) busy.send(createFrame(xid, `/n${xid}`));
  await kit.settle();
  assert.equal(kit.backend.outstandingCount, 3);
  await calm.ask(headerFrame(-2, OpCode.ping));
  calm.send(createFrame(1, '/calm'));
  await kit.settle();
  assert.equal(kit.backend.outstandingCount, 4);
  while (kit.backend.outstandingCount > 0) {
    kit.backend.applyNext();
    await kit.settle();
  }
  await busy.receive(10);
});

/** A client that has asked for far more than it takes. */
async function greedyClient(kit: ClientKit, reads: number): Promise<RawClient> {
  const client = await kit.session();
  await client.ask(createFrame(1, '/big'));
  await client.ask(setDataFrame(2, '/big', KIB_100));
  client.forget();
  client.stream.pause();
  for (let i = 0; i < reads; i++) client.send(readFrame(i + 3, OpCode.getData, '/big'));
  return client;
}

test('a client that does not take its replies is no longer read, and later gets them all', async () => {
  const kit = await ClientKit.start();
  const client = await greedyClient(kit, 200);
  await kit.settle();
  const [connection] = [...kit.service.connections()];
  assert.ok(connection !== undefined);
  assert.ok(connection.replies.backlogBytes < 1024 * 1024, 'replies must not pile up');
  client.stream.resume();
  const replies = await client.receive(200);
  assert.deepEqual(
    replies.map((reply) => header(reply).xid),
    Array.from({ length: 200 }, (_, i) => i + 3),
  );
});

test('a client that never takes its replies is cut off when its session would be over', async () => {
  const kit = await ClientKit.start();
  await greedyClient(kit, 200);
  await kit.until(() => kit.service.connectionCount === 0, 'the end of the connection');
  assert.ok(kit.world.nowMs < 20_000);
});

test('a client for which too many events pile up is cut off, and the others go on', async () => {
  const kit = await ClientKit.start();
  const deaf = await kit.session('deaf');
  const writer = await kit.session();
  const path = `/${'p'.repeat(500_000)}`;
  await writer.ask(createFrame(1, path));
  const persistent = int(0);
  await deaf.ask(frame(int(1), int(OpCode.addWatch), text(path), persistent));
  deaf.stream.pause();
  const change = setDataFrame(2, path, '00');
  const events = Math.ceil(kit.service.options.limits.backlogBytesMax / path.length) + 2;
  for (let i = 0; i < events; i++) await writer.ask(change);
  assert.equal(kit.service.connectionCount, 1);
  assert.ok(kit.logged.some(({ event }) => event === 'slow client dropped'));
  assert.equal(header(await writer.ask(headerFrame(-2, OpCode.ping))).xid, -2);
});

test('a client that closes its sending side still gets its answers', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  kit.backend.holds = true;
  client.send(createFrame(1, '/a'), readFrame(2, OpCode.exists, '/a'));
  client.stream.end();
  await kit.settle();
  kit.backend.applyAll();
  await client.closedByServer();
  assert.deepEqual(
    client.frames.map((reply) => header(reply).xid),
    [1, 2],
  );
  await kit.until(() => kit.service.connectionCount === 0, 'the end of the connection');
});

test('a client that does not close after the server did is cut off', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  client.send(headerFrame(1, OpCode.closeSession));
  await client.closedByServer();
  assert.equal(kit.service.connectionCount, 0, 'it counts no more');
  const { network } = kit.world;
  assert.equal(network.connectionCount('server'), 1);
  await kit.until(() => network.connectionCount('server') === 0, 'the end of the connection');
  assert.ok(kit.world.nowMs < CLOSING_TIMEOUT_MS + 5000);
});

test('watches go with their connection', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  await client.ask(readFrame(1, OpCode.exists, '/a', true));
  await client.ask(readFrame(2, OpCode.getChildren, '/', true));
  assert.equal(kit.service.watches.count, 2);
  client.stream.destroy();
  await kit.until(() => kit.service.connectionCount === 0, 'the end of the connection');
  assert.equal(kit.service.watches.count, 0);
});

test('ten connections in their handshake do not disturb each other', async () => {
  const kit = await ClientKit.start();
  kit.backend.holds = true;
  const clients = Array.from({ length: 10 }, () => kit.dial());
  for (const client of clients) client.send(connectFrame(), headerFrame(-2, OpCode.ping));
  await kit.settle();
  kit.backend.applyAll();
  for (const client of clients) await client.receive(2);
});
