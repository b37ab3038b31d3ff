import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSessionId } from '../../../src/base/ids.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import { sessionPassword } from '../../../src/session/session-id.ts';
import {
  ClientKit,
  connectFrame,
  connectReply,
  createFrame,
  header,
  headerFrame,
  readFrame,
} from '../../support/client-kit.ts';
import { buffer, frame, int, long, toHex } from '../../support/hex.ts';

const GONE = `${int(0)}${int(0)}${long(0)}${buffer('00'.repeat(16))}00`;

test('a new session gets an id, its password and the timeout it asked for', async () => {
  const kit = await ClientKit.start();
  const client = kit.dial();
  const reply = connectReply(await client.ask(connectFrame({ timeoutMs: 9000 })));
  assert.equal(reply.timeoutMs, 9000);
  assert.equal(reply.sessionId >> 56n, 1n);
  assert.equal(reply.password, toHex(sessionPassword(reply.sessionId)));
  assert.equal(kit.backend.tree.sessions.timeoutMs(reply.sessionId), 9000);
});

test('the timeout is kept between the minimum and the maximum', async () => {
  const kit = await ClientKit.start();
  const short = connectReply(await kit.dial().ask(connectFrame({ timeoutMs: 1 })));
  const long = connectReply(await kit.dial().ask(connectFrame({ timeoutMs: 999_999 })));
  assert.deepEqual([short.timeoutMs, long.timeoutMs], [4000, 40_000]);
});

test('a client that left the read-only byte out gets a response without it', async () => {
  const kit = await ClientKit.start();
  const old = frame(int(0), long(0), int(10_000), long(0), buffer('00'.repeat(16)));
  const reply = await kit.dial().ask(old);
  assert.equal(reply.length / 2, 36);
  assert.equal((await kit.dial().ask(connectFrame())).length / 2, 37);
});

test('frames behind the connect request are answered after the response', async () => {
  const kit = await ClientKit.start();
  kit.backend.holds = true;
  const client = kit.dial();
  client.send(connectFrame(), createFrame(1, '/a'), readFrame(2, OpCode.exists, '/a'));
  await kit.settle();
  assert.deepEqual(client.frames, []);
  assert.equal(kit.backend.outstandingCount, 1, 'only the session may be under way');
  kit.backend.applyNext();
  await kit.settle();
  assert.equal(client.frames.length, 1);
  kit.backend.applyAll();
  await client.receive(3);
  assert.deepEqual(
    client.frames.slice(1).map((reply) => header(reply).xid),
    [1, 2],
  );
});

test('a session is resumed with its password: same id, and the timeout of this request', async () => {
  const kit = await ClientKit.start();
  const first = kit.dial();
  const opened = connectReply(await first.ask(connectFrame()));
  const { sessionId, password } = opened;
  const second = kit.dial();
  const request = connectFrame({ sessionId, password, timeoutMs: 6000 });
  const resumed = connectReply(await second.ask(request));
  assert.deepEqual(resumed, { ...opened, timeoutMs: 6000 });
  await first.closedByServer();
  assert.equal(header(await second.ask(headerFrame(-2, OpCode.ping))).xid, -2);
});

test('a wrong password is refused, and closes the old connection too, but not the session', async () => {
  const kit = await ClientKit.start();
  const first = kit.dial();
  const { sessionId, password } = connectReply(await first.ask(connectFrame()));
  const thief = kit.dial();
  const reply = await thief.ask(connectFrame({ sessionId, password: '78'.repeat(16) }));
  assert.equal(reply, GONE);
  await thief.closedByServer();
  await first.closedByServer();
  const again = connectReply(await kit.dial().ask(connectFrame({ sessionId, password })));
  assert.equal(again.sessionId, sessionId);
});

test('a session that is gone is answered with zeros, then the connection is closed', async () => {
  const kit = await ClientKit.start();
  const sessionId = makeSessionId(0x0100_0000_0000_0042n);
  const password = toHex(sessionPassword(sessionId));
  const client = kit.dial();
  client.send(connectFrame({ sessionId, password }), readFrame(1, OpCode.exists, '/'));
  await client.closedByServer();
  assert.deepEqual(client.frames, [GONE]);
});

test('when nobody can say whether a session lives, the connection is closed without a word', async () => {
  const kit = await ClientKit.start();
  kit.backend.revalidation = undefined;
  const sessionId = makeSessionId(0x0100_0000_0000_0042n);
  const client = kit.dial();
  client.send(connectFrame({ sessionId, password: toHex(sessionPassword(sessionId)) }));
  await client.closedByServer();
  assert.deepEqual(client.frames, []);
});

test('a client that has seen a later zxid is sent away without a word', async () => {
  const kit = await ClientKit.start();
  const client = kit.dial();
  client.send(connectFrame({ lastZxidSeen: 1 }));
  await client.closedByServer();
  assert.deepEqual(client.frames, []);
  assert.equal(kit.backend.tree.sessions.size, 0);
});

test('a connect request too short for its fields closes the connection', async () => {
  const kit = await ClientKit.start();
  const client = kit.dial();
  client.send(frame(int(0), long(0), int(10_000)));
  await client.closedByServer();
  assert.deepEqual(client.frames, []);
});

test('a session that could not be created closes the connection', async () => {
  const kit = await ClientKit.start();
  kit.backend.holds = true;
  const client = kit.dial();
  client.send(connectFrame());
  await kit.settle();
  kit.backend.dropNext();
  await client.closedByServer();
  assert.deepEqual(client.frames, []);
});

test('a connection that closes during its handshake leaves nothing behind', async () => {
  const kit = await ClientKit.start();
  kit.backend.holds = true;
  const client = kit.dial();
  client.send(connectFrame());
  await kit.settle();
  client.stream.destroy();
  await kit.settle();
  kit.backend.applyAll();
  await kit.until(() => kit.service.connectionCount === 0, 'the end of the connection');
  assert.equal(kit.backend.tree.sessions.size, 1, 'the session lives until it expires');
});
