import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '../../../src/base/op-code.ts';
import {
  ClientKit,
  connectFrame,
  connectReply,
  createFrame,
  header,
  headerFrame,
  readFrame,
} from '../../support/client-kit.ts';

test('maxClientCnxns: one more from the same address is closed without a byte, others are not', async () => {
  const kit = await ClientKit.start({ service: { maxClientCnxns: 2 } });
  const first = await kit.session('client');
  await kit.session('client');
  const third = kit.dial('client');
  third.send(connectFrame());
  await third.closedByServer();
  assert.equal(third.bytes.length, 0);
  await kit.session('elsewhere');
  first.stream.destroy();
  await kit.until(() => kit.service.connectionCount === 2, 'the end of a connection');
  await kit.session('client');
  assert.equal(kit.service.stats.counters.connectionsRejected, 1);
});

test('maxCnxns: one more in all is closed without a byte, from whatever address', async () => {
  const kit = await ClientKit.start({ service: { maxCnxns: 2 } });
  const [first] = [await kit.session('one'), await kit.session('two')];
  const third = kit.dial('three');
  await third.closedByServer();
  assert.equal(third.bytes.length, 0);
  assert.match(await kit.command('ruok'), /^$/, 'commands count too');
  assert.equal(kit.service.stats.counters.connectionsRejected, 2);
  first.stream.destroy();
  await kit.settle();
  await kit.session('three');
});

test('maxClientCnxns 0 sets no limit', async () => {
  const kit = await ClientKit.start({ service: { maxClientCnxns: 0 } });
  for (let i = 0; i < 70; i++) kit.dial();
  await kit.until(() => kit.service.connectionCount === 70, '70 connections');
});

test('while nobody is served a handshake is closed as soon as its length is there', async () => {
  const kit = await ClientKit.start({ isServing: false });
  const client = kit.dial();
  client.send(connectFrame().slice(0, 8));
  await client.closedByServer();
  assert.equal(client.bytes.length, 0);
});

test('ClientService.startServing() lets clients in, stopServing() closes their connections', async () => {
  const kit = await ClientKit.start({ isServing: false });
  kit.service.startServing();
  const client = kit.dial();
  const { sessionId } = connectReply(await client.ask(connectFrame()));
  kit.service.stopServing();
  await client.closedByServer();
  assert.equal(client.frames.length, 1);
  assert.ok(kit.backend.tree.sessions.has(sessionId));
  const later = kit.dial();
  later.send(connectFrame());
  await later.closedByServer();
  assert.equal(later.bytes.length, 0);
});

test('ClientService.sessionClosed() ends the connection after its pending replies', async () => {
  const kit = await ClientKit.start();
  const client = kit.dial();
  const { sessionId } = connectReply(await client.ask(connectFrame()));
  client.forget();
  kit.backend.holds = true;
  client.send(createFrame(1, '/a'));
  await kit.settle();
  kit.backend.expire(sessionId);
  kit.backend.applyAll();
  await client.closedByServer();
  assert.deepEqual(client.frames.map(header), [{ xid: 1, zxid: 2, error: 0 }]);
});

test('an expired session is not told anything: its connection closes', async () => {
  const kit = await ClientKit.start();
  const client = kit.dial();
  const { sessionId, password } = connectReply(await client.ask(connectFrame()));
  client.forget();
  kit.backend.expire(sessionId);
  await client.closedByServer();
  assert.deepEqual(client.frames, []);
  const again = connectReply(await kit.dial().ask(connectFrame({ sessionId, password })));
  assert.equal(again.timeoutMs, 0);
});

test('ClientService.close() closes ports and connections', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  await kit.world.finish(kit.service.close());
  await client.closedByServer();
  assert.equal(kit.service.connectionCount, 0);
  const late = kit.dial();
  await kit.until(() => late.isClosed, 'the refusal');
});

test('ClientService.open() rejects when the port is taken', async () => {
  const kit = await ClientKit.start();
  await assert.rejects(kit.world.finish(kit.secondService().open()), {
    code: 'ADDRESS_IN_USE',
  });
});

test('a client that breaks off does not disturb the others', async () => {
  const kit = await ClientKit.start();
  const steady = await kit.session();
  const other = await kit.session('elsewhere');
  kit.backend.holds = true;
  other.send(createFrame(1, '/a'));
  await kit.settle();
  kit.world.network.breakConnections('elsewhere', 'server');
  await kit.until(() => kit.service.connectionCount === 1, 'the end of a connection');
  kit.backend.applyAll();
  assert.equal(header(await steady.ask(headerFrame(-2, OpCode.ping))).xid, -2);
});

test('what the tables held of a connection does not lead to it any more once it is closed', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  await client.ask(readFrame(1, OpCode.exists, '/', true));
  const [entry] = [...kit.service.deadlines.entries()];
  const [watcher] = [...kit.service.watches.dataWatchers.keys()];
  assert.ok(entry !== undefined && watcher === entry.value);
  const { connection } = entry.value;
  client.stream.destroy();
  await kit.until(() => connection.isClosed, 'the end of the connection');
  assert.ok(entry.value.isEmpty);
  assert.equal(kit.service.deadlines.count, 0);
  assert.equal(kit.service.watches.count, 0);
});
