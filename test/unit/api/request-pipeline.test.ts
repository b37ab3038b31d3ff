import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import {
  ClientKit,
  createFrame,
  header,
  headerFrame,
  pathFrame,
  readFrame,
  setDataFrame,
} from '../../support/client-kit.ts';
import { buffer, frame, int, long, text, vector } from '../../support/hex.ts';

const NOTIFICATION = -1;

function xids(frames: readonly string[]): number[] {
  return frames.map((reply) => header(reply).xid);
}

/** The event record of a notification, as hex behind its header. */
function event(type: number, path: string): string {
  return int(type) + int(3) + text(path);
}

test('a read waits for the writes of its own session that were sent before it', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  kit.backend.holds = true;
  client.send(createFrame(1, '/a'), readFrame(2, OpCode.exists, '/a'));
  await kit.settle();
  assert.deepEqual(client.frames, []);
  kit.backend.applyAll();
  await client.receive(2);
  assert.deepEqual(xids(client.frames), [1, 2]);
  assert.equal(header(client.frames[1] ?? '').error, ErrorCode.ok);
});

test("a read does not wait for another session's writes", async () => {
  const kit = await ClientKit.start();
  const writer = await kit.session();
  const reader = await kit.session();
  kit.backend.holds = true;
  writer.send(createFrame(1, '/a'));
  await kit.settle();
  const reply = await reader.ask(readFrame(1, OpCode.exists, '/a'));
  assert.equal(header(reply).error, ErrorCode.noNode);
});

test('writes of one session are under way together', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  kit.backend.holds = true;
  client.send(createFrame(1, '/a'), readFrame(2, OpCode.getData, '/a'), createFrame(3, '/b'));
  await kit.settle();
  assert.equal(kit.backend.outstandingCount, 2);
});

test('a read between two writes sees the first and not the second', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  kit.backend.holds = true;
  client.send(
    createFrame(1, '/a'),
    readFrame(2, OpCode.exists, '/b'),
    createFrame(3, '/b'),
    readFrame(4, OpCode.exists, '/b'),
  );
  await kit.settle();
  kit.backend.applyAll();
  const replies = (await client.receive(4)).map(header);
  assert.deepEqual(
    replies.map(({ xid, error }) => [xid, error]),
    [
      [1, ErrorCode.ok],
      [2, ErrorCode.noNode],
      [3, ErrorCode.ok],
      [4, ErrorCode.ok],
    ],
  );
});

test('replies leave in the order of requests, pings among them', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  kit.backend.holds = true;
  client.send(
    createFrame(1, '/a'),
    headerFrame(-2, OpCode.ping),
    createFrame(2, '/b'),
    readFrame(3, OpCode.getChildren, '/'),
    headerFrame(-2, OpCode.ping),
  );
  await kit.settle();
  kit.backend.applyNext();
  await client.receive(2);
  assert.deepEqual(xids(client.frames), [1, -2]);
  kit.backend.applyNext();
  await client.receive(5);
  assert.deepEqual(xids(client.frames), [1, -2, 2, 3, -2]);
});

test('a write carries its own zxid, also when it failed, and a read the last applied', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  client.send(createFrame(1, '/a'), createFrame(2, '/a'), readFrame(3, OpCode.exists, '/a'));
  const replies = (await client.receive(3)).map(header);
  assert.deepEqual(replies, [
    { xid: 1, zxid: 2, error: ErrorCode.ok },
    { xid: 2, zxid: 3, error: ErrorCode.nodeExists },
    { xid: 3, zxid: 3, error: ErrorCode.ok },
  ]);
});

test('an event reaches a client before the reply in which it could see the cause', async () => {
  const kit = await ClientKit.start();
  const watcher = await kit.session();
  const writer = await kit.session();
  await writer.ask(createFrame(1, '/a'));
  await watcher.ask(readFrame(1, OpCode.getData, '/a', true));
  watcher.forget();
  kit.backend.holds = true;
  writer.send(setDataFrame(2, '/a', '01'));
  await kit.settle();
  kit.backend.applyAll();
  watcher.send(readFrame(2, OpCode.getData, '/a'));
  const [first = '', second = ''] = await watcher.receive(2);
  assert.deepEqual(header(first), { xid: NOTIFICATION, zxid: 4, error: 0 });
  assert.equal(first.slice(32), event(3, '/a'));
  assert.equal(header(second).xid, 2);
});

test("the event of a client's own write precedes the write's reply", async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  await client.ask(readFrame(1, OpCode.exists, '/a', true));
  client.forget();
  client.send(createFrame(2, '/a'));
  await client.receive(2);
  assert.deepEqual(xids(client.frames), [NOTIFICATION, 2]);
});

test('the reply of a read with a watch precedes every event of that watch', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  client.send(
    createFrame(1, '/a'),
    readFrame(2, OpCode.getChildren, '/a', true),
    createFrame(3, '/a/b'),
  );
  await client.receive(4);
  assert.deepEqual(xids(client.frames), [1, 2, NOTIFICATION, 3]);
});

test('closeSession: events of the ephemerals, then the reply, then the close', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  await client.ask(createFrame(1, '/e', 1));
  await client.ask(readFrame(2, OpCode.exists, '/e', true));
  client.forget();
  client.send(headerFrame(3, OpCode.closeSession));
  await client.closedByServer();
  assert.deepEqual(xids(client.frames), [NOTIFICATION, 3]);
  assert.equal(kit.backend.tree.find('/e'), undefined);
});

test('sync is answered with its path when the backend says so, and holds what follows', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  kit.backend.holds = true;
  client.send(
    pathFrame(1, OpCode.sync, 'no/such'),
    readFrame(2, OpCode.exists, '/a'),
    createFrame(3, '/a'),
  );
  await kit.settle();
  assert.equal(client.frames.length, 0);
  assert.equal(kit.backend.outstandingCount, 0, 'a write behind a sync must not overtake it');
  kit.backend.completeSync();
  await kit.settle();
  assert.equal(client.frames[0]?.slice(32), text('no/such'));
  assert.equal(header(client.frames[1] ?? '').error, ErrorCode.noNode);
  kit.backend.applyAll();
  await client.receive(3);
  assert.deepEqual(xids(client.frames), [1, 2, 3]);
});

test('a write between two syncs is submitted when the first is done', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  kit.backend.holds = true;
  client.send(
    pathFrame(1, OpCode.sync, '/'),
    createFrame(2, '/a'),
    pathFrame(3, OpCode.sync, '/'),
    createFrame(4, '/b'),
  );
  await kit.settle();
  kit.backend.completeSync();
  assert.equal(kit.backend.outstandingCount, 1);
  kit.backend.completeSync();
  assert.equal(kit.backend.outstandingCount, 2);
  kit.backend.applyAll();
  await client.receive(4);
  assert.deepEqual(xids(client.frames), [1, 2, 3, 4]);
});

test('auth is answered at once, in front of what is pending, and its xid echoed', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  kit.backend.holds = true;
  const credentials = frame(int(7), int(OpCode.auth), int(0), text('digest'), buffer('626f62'));
  client.send(createFrame(1, '/a'), credentials);
  const [reply = ''] = await client.receive(1);
  assert.deepEqual(header(reply), { xid: 7, zxid: 0, error: 0 });
});

test('auth with an unknown scheme is refused and the connection closed', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  client.send(frame(int(-4), int(OpCode.auth), int(0), text('bogus'), buffer('')));
  await client.closedByServer();
  assert.deepEqual(header(client.frames[0] ?? ''), {
    xid: -4,
    zxid: 0,
    error: ErrorCode.authFailed,
  });
});

test('an unknown operation is answered with -6 and zxid -1, after what came before, then closed', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  kit.backend.holds = true;
  client.send(createFrame(1, '/a'), headerFrame(2, 99), createFrame(3, '/b'));
  await kit.settle();
  kit.backend.applyAll();
  await client.closedByServer();
  assert.deepEqual(client.frames.map(header), [
    { xid: 1, zxid: 2, error: 0 },
    { xid: 2, zxid: -1, error: ErrorCode.unimplemented },
  ]);
  assert.equal(kit.backend.tree.find('/b'), undefined);
});

test('operations among servers are unknown to clients', async () => {
  const kit = await ClientKit.start();
  for (const op of [OpCode.notification, OpCode.error, OpCode.createSession, OpCode.check]) {
    const client = await kit.session();
    client.send(headerFrame(1, op));
    await client.closedByServer();
    const expected = { xid: 1, zxid: -1, error: ErrorCode.unimplemented };
    assert.deepEqual(client.frames.map(header), [expected], `operation ${op}`);
  }
});

test('a body that cannot be decoded is a marshalling error, and the connection stays', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  const empty = await client.ask(headerFrame(1, OpCode.getData));
  assert.equal(header(empty).error, ErrorCode.marshallingError);
  const nullPath = await client.ask(frame(int(2), int(OpCode.exists), text(null), '00'));
  assert.equal(header(nullPath).error, ErrorCode.marshallingError);
  const write = await client.ask(headerFrame(3, OpCode.setData));
  assert.equal(header(write).error, ErrorCode.marshallingError);
  const sync = await client.ask(headerFrame(4, OpCode.sync));
  assert.equal(header(sync).error, ErrorCode.marshallingError);
  assert.equal(header(await client.ask(readFrame(5, OpCode.exists, '/'))).error, 0);
});

test('setWatches tells what was missed with zxid -1, then answers, and arms the rest', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  await client.ask(createFrame(1, '/old'));
  await client.ask(createFrame(2, '/new'));
  client.forget();
  const lists = [vector([text('/old'), text('/gone')]), vector([text('/new')]), vector([])];
  client.send(frame(int(-8), int(OpCode.setWatches), long(2), ...lists));
  await client.receive(3);
  const events = client.frames.slice(0, 2);
  assert.deepEqual(events.map(header), [
    { xid: NOTIFICATION, zxid: -1, error: 0 },
    { xid: NOTIFICATION, zxid: -1, error: 0 },
  ]);
  assert.deepEqual(
    events.map((hex) => hex.slice(32)),
    [event(2, '/gone'), event(1, '/new')],
  );
  assert.equal(header(client.frames[2] ?? '').xid, -8);
  client.forget();
  client.send(setDataFrame(3, '/old', '00'));
  await client.receive(2);
  assert.deepEqual(xids(client.frames), [NOTIFICATION, 3]);
});

test('a request whose outcome nobody knows closes the connection without an answer', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  kit.backend.holds = true;
  client.send(createFrame(1, '/a'), createFrame(2, '/b'));
  await kit.settle();
  kit.backend.dropNext();
  await client.closedByServer();
  assert.deepEqual(client.frames, []);
  kit.backend.applyAll();
  assert.deepEqual(client.frames, [], 'what is settled later is not told');
});

test('a request of a session that moved away closes the connection without an answer', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  const [sessionId] = [...kit.backend.tree.sessions.entries()][0] ?? [];
  assert.ok(sessionId !== undefined);
  kit.backend.movedSessions.add(sessionId);
  client.send(headerFrame(-2, OpCode.ping));
  await client.closedByServer();
  assert.deepEqual(client.frames, []);
});

test('frames that come together are one sign of life of their session, later ones another', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  const before = kit.backend.touched.length;
  client.send(headerFrame(-2, OpCode.ping), readFrame(1, OpCode.getData, '/none'));
  await client.receive(2);
  assert.equal(kit.backend.touched.length, before + 1);
  client.send(headerFrame(-2, OpCode.ping));
  await client.receive(3);
  assert.equal(kit.backend.touched.length, before + 2);
});
