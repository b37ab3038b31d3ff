import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import { EventType } from '../../../src/base/watch-event.ts';
import { decodeAuthPacket } from '../../../src/protocol/records/auth.ts';
import { SpecialXid } from '../../../src/protocol/records/header.ts';
import { decodeSetWatches, decodeSetWatches2 } from '../../../src/protocol/records/watch.ts';
import { statBody } from '../../support/client-replies.ts';
import { ClientStage, SCRIPTED_PASSWORD, SCRIPTED_SESSION } from '../../support/scripted-server.ts';

test('Client asks for a new session, and takes what the server agrees to', async () => {
  const stage = await ClientStage.start();
  stage.greeter = (connection) => connection.greet({ timeoutMs: 4000 });
  const { client, connection } = await stage.connected({ sessionTimeoutMs: 9000 });
  const { password, ...rest } = connection.connectRequest ?? {};
  assert.deepEqual(rest, {
    protocolVersion: 0,
    lastZxidSeen: 0,
    timeoutMs: 9000,
    sessionId: 0n,
    readOnly: false,
  });
  assert.deepEqual([...(password ?? [])], new Array(16).fill(0));
  assert.equal(client.sessionId, SCRIPTED_SESSION);
  assert.equal(client.sessionTimeoutMs, 4000);
  assert.deepEqual(client.session.password, SCRIPTED_PASSWORD);
  assert.deepEqual(client.server, { host: 'zk1', port: 2181 });
  assert.equal(client.state, 'connected');
});

test('Client.connect rejects with the last reason when no server answers in time', async () => {
  const stage = await ClientStage.start([]);
  const client = stage.client({ hosts: 'nowhere', connectTimeoutMs: 1500 });
  const outcome = stage.outcome(client.connect());
  await stage.until(() => outcome.isSettled, 'the refusal');
  assert.equal(outcome.error?.code, 'CONNECTION_LOSS');
  assert.match(
    outcome.error?.message ?? '',
    /no session within 1500 ms: nowhere:2181: no such host/,
  );
  assert.equal(client.state, 'closed');
});

test('Client resumes a session it was given', async () => {
  const stage = await ClientStage.start();
  const session = { id: 77n, password: SCRIPTED_PASSWORD };
  const { client, connection } = await stage.connected({ session });
  assert.equal(connection.connectRequest?.sessionId, 77n);
  assert.deepEqual(connection.connectRequest?.password, Buffer.from(SCRIPTED_PASSWORD));
  assert.equal(client.sessionId, 77n);
});

test('Client sends credentials and watches before anything else on a new connection', async () => {
  const stage = await ClientStage.start();
  const auth = [{ scheme: 'digest', auth: 'bob:pw' }];
  const { client, connection } = await stage.connected({ auth });
  const [first] = await stage.requests(connection, 1);
  assert.equal(first?.xid, SpecialXid.auth);
  assert.equal(first?.type, OpCode.auth);
  assert.equal(decodeAuthPacket(first.body)?.scheme, 'digest');
  connection.reply(first);
  const read = stage.outcome(client.exists('/a', { watch: () => undefined }));
  const [, exists] = await stage.requests(connection, 2);
  connection.reply(exists, { zxid: 9, body: statBody });
  await stage.until(() => read.isSettled, 'the reply');
  connection.close();
  const next = await stage.reconnected(client, connection);
  const asked = stage.outcome(client.exists('/b'));
  const requests = await stage.requests(next, 3);
  assert.deepEqual(
    requests.map(({ type }) => type),
    [OpCode.auth, OpCode.setWatches, OpCode.exists],
  );
  const lists = decodeSetWatches((requests[1] ?? assert.fail()).body);
  assert.deepEqual(lists, { relativeZxid: 9, data: ['/a'], exist: [], child: [] });
  assert.equal(asked.isSettled, false);
});

test('Client goes on with its session on another server and says how far it has seen', async () => {
  const stage = await ClientStage.start(['zk1', 'zk2', 'zk3']);
  const { client, connection } = await stage.connected({ hosts: 'zk1,zk2,zk3' });
  const events: string[] = [];
  client.on('disconnected', ({ server }) => events.push(`disconnected ${server.host}`));
  client.on('connected', ({ isNewSession }) => events.push(`connected ${isNewSession}`));
  const read = stage.outcome(client.exists('/a'));
  const [request] = await stage.requests(connection, 1);
  connection.reply(request, { zxid: 0x1_0000_0005, error: ErrorCode.noNode });
  await stage.until(() => read.isSettled, 'the reply');
  stage.world.crash(connection.host);
  const next = await stage.reconnected(client, connection);
  await stage.settle();
  assert.notEqual(next.host, connection.host);
  assert.equal(next.connectRequest?.sessionId, SCRIPTED_SESSION);
  assert.deepEqual(next.connectRequest?.password, Buffer.from(SCRIPTED_PASSWORD));
  assert.equal(next.connectRequest?.lastZxidSeen, 0x1_0000_0005);
  assert.deepEqual(events, [`disconnected ${connection.host}`, 'connected false']);
});

test('Client does not take the zxid of an event or a ping for one it has seen', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  connection.event(EventType.nodeCreated, '/a', 500);
  connection.replyTo(SpecialXid.ping, { zxid: 600 });
  await stage.settle();
  assert.equal(client.lastZxid, 0);
});

test('Client tries every server, then longer and longer pauses', async () => {
  const stage = await ClientStage.start(['zk1', 'zk2']);
  const attempts: number[] = [];
  stage.greeter = (connection) => {
    attempts.push(stage.world.nowMs);
    connection.close();
  };
  const client = stage.client({
    hosts: 'zk1,zk2',
    connectTimeoutMs: 100_000,
    sessionTimeoutMs: 100_000,
    reconnectDelay: { minMs: 100, maxMs: 3200 },
  });
  const outcome = stage.outcome(client.connect());
  await stage.world.runFor(60_000);
  assert.deepEqual(new Set(stage.connections.slice(0, 2).map(({ host }) => host)).size, 2);
  const pauses = attempts.slice(1).map((at, i) => at - (attempts[i] ?? 0));
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
  assert(sum(pauses.slice(0, 2)) < 250, 'the first round is quick');
  assert(sum(pauses.slice(-6)) > 3200, 'later rounds are slow');
  assert(Math.max(...pauses) < 3300, 'a pause is bounded');
  assert.equal(outcome.isSettled, false);
});

test('Client pings when it said nothing for a third of the timeout', async () => {
  const stage = await ClientStage.start();
  const { connection } = await stage.connected();
  const since = stage.world.nowMs;
  await stage.world.runFor(9000);
  const gaps = connection.pings.map((at, i) => at - (connection.pings[i - 1] ?? since));
  assert.equal(connection.pings.length, 4);
  for (const gap of gaps) assert(gap > 1950 && gap < 2050, `a ping after ${gap} ms`);
});

test('Client gives a server up that is silent for two thirds of the timeout', async () => {
  const stage = await ClientStage.start(['zk1', 'zk2']);
  const { client, connection } = await stage.connected({ hosts: 'zk1,zk2' });
  connection.answersPings = false;
  const reasons: string[] = [];
  client.on('disconnected', ({ reason }) => reasons.push(reason.message));
  const since = stage.world.nowMs;
  await stage.until(() => !client.isConnected, 'the loss');
  assert(Math.abs(stage.world.nowMs - since - 4000) < 50, 'after two thirds of 6000 ms');
  const next = await stage.reconnected(client, connection);
  assert.notEqual(next.host, connection.host);
  assert.deepEqual(reasons, ['the server was silent for 4000 ms']);
});

test('Client that stood still looks for an answer before it gives a server up', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  await stage.world.runFor(1900);
  stage.world.pause('client');
  connection.event(EventType.nodeCreated, '/a');
  await stage.world.runFor(5000);
  stage.world.resume('client');
  await stage.world.runFor(500);
  assert.equal(client.isConnected, true);
  assert.equal(stage.connections.length, 1);
});

test('Client ends with its session: what waits fails, and so does what is asked later', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const states: string[] = [];
  client.on('state', (state) => states.push(state));
  stage.greeter = (next) => next.refuseSession();
  connection.close();
  await stage.until(() => !client.isConnected, 'the loss');
  const waiting = stage.outcome(client.set('/a', 'x'));
  await stage.until(() => waiting.isSettled, 'the end');
  assert.equal(waiting.error?.code, 'SESSION_EXPIRED');
  assert.equal(waiting.error?.outcomeUnknown, false);
  const later = stage.outcome(client.get('/a'));
  await stage.settle();
  assert.equal(later.error?.code, 'SESSION_EXPIRED');
  assert.deepEqual(states, ['connecting', 'expired']);
});

test('Client with renewSession begins a new session and keeps its watches', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected({ renewSession: true });
  const read = stage.outcome(client.children('/a', { watch: () => undefined }));
  const [request] = await stage.requests(connection, 1);
  connection.reply(request, { zxid: 3, body: (writer) => writer.writeStrings([]) });
  await stage.until(() => read.isSettled, 'the reply');
  const events: string[] = [];
  client.on('expired', () => events.push('expired'));
  client.on('connected', ({ isNewSession }) => events.push(`connected ${isNewSession}`));
  stage.greeter = (next) => {
    if (next.connectRequest?.sessionId === 0n) next.greet();
    else next.refuseSession();
  };
  connection.close();
  const next = await stage.reconnected(client, connection);
  const [setWatches] = await stage.requests(next, 1);
  assert.deepEqual(decodeSetWatches((setWatches ?? assert.fail()).body)?.child, ['/a']);
  await stage.settle();
  assert.deepEqual(events, ['expired', 'connected true']);
});

test('Client ends when its credentials are refused', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const refused = stage.outcome(client.addAuth('nonsense', 'x'));
  const waiting = stage.outcome(client.get('/a'));
  const [auth] = await stage.requests(connection, 2);
  connection.reply(auth, { zxid: 0, error: ErrorCode.authFailed });
  await stage.until(() => waiting.isSettled, 'the end');
  assert.equal(refused.error?.code, 'AUTH_FAILED');
  assert.equal(waiting.error?.code, 'AUTH_FAILED');
  assert.equal(client.state, 'authFailed');
});

test('Client takes an answer to credentials that overtakes others', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const read = stage.outcome(client.exists('/a'));
  const added = stage.outcome(client.addAuth('digest', 'a:b'));
  const [exists, auth] = await stage.requests(connection, 2);
  connection.reply(auth, { zxid: 0 });
  await stage.until(() => added.isSettled, 'the credentials');
  assert.equal(read.isSettled, false);
  connection.reply(exists, { error: ErrorCode.noNode });
  await stage.until(() => read.isSettled, 'the read');
  assert.equal(added.error, undefined);
});

test('Client drops a server that answers out of turn', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const first = stage.outcome(client.exists('/a'));
  const second = stage.outcome(client.exists('/b'));
  const requests = await stage.requests(connection, 2);
  const reasons: string[] = [];
  client.on('disconnected', ({ reason }) => reasons.push(reason.message));
  connection.reply(requests[1]);
  const next = await stage.reconnected(client, connection);
  for (const request of await stage.requests(next, 2)) next.reply(request, { body: statBody });
  await stage.until(() => first.isSettled && second.isSettled, 'the replies');
  assert.deepEqual(reasons, ['reply 2 is not the one that is due']);
});

for (const [what, bytes] of [
  ['a frame of negative length', [0xff, 0xff, 0xff, 0xff]],
  ['a frame longer than allowed', [0x7f, 0, 0, 0]],
  ['a frame without a header', [0, 0, 0, 2, 1, 1]],
] as const) {
  test(`Client drops a server that sends ${what}`, async () => {
    const stage = await ClientStage.start();
    const { client, connection } = await stage.connected();
    connection.raw(Uint8Array.from(bytes));
    await stage.until(() => connection.isClosed, 'the end of the connection');
    assert.notEqual(await stage.reconnected(client, connection), connection);
  });
}

test('Client splits its watches into requests that a server takes, lasting ones in newer requests', async () => {
  const stage = await ClientStage.start();
  stage.responder = (connection, request) => {
    const body = request.type === OpCode.exists ? statBody : undefined;
    connection.reply(request, body === undefined ? {} : { body });
  };
  const { client, connection } = await stage.connected({ requestBytesMax: 400 });
  const paths = Array.from({ length: 20 }, (_, i) => `/${'x'.repeat(40)}${i}`);
  for (const path of paths) await stage.world.finish(client.exists(path, { watch: () => {} }));
  await stage.world.finish(client.addWatch('/lasting', () => undefined));
  connection.close();
  const next = await stage.reconnected(client, connection);
  await stage.until(
    () => next.requests.some(({ type }) => type === OpCode.setWatches2),
    'the newer request',
  );
  const seen = next.requests.flatMap(({ type, body }) => {
    const lists = type === OpCode.setWatches2 ? decodeSetWatches2(body) : decodeSetWatches(body);
    return [
      ...(lists?.data ?? []),
      ...(lists && 'persistent' in lists ? (lists.persistent as string[]) : []),
    ];
  });
  assert.deepEqual(seen, [...paths, '/lasting']);
  assert(next.requests.length >= 3);
});

test('Client.close asks the server to end the session behind what was asked before', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const write = stage.outcome(client.delete('/a'));
  const closed = stage.outcome(client.close());
  const refused = stage.outcome(client.get('/a'));
  const requests = await stage.requests(connection, 2);
  assert.deepEqual(
    requests.map(({ type }) => type),
    [OpCode.delete, OpCode.closeSession],
  );
  connection.reply(requests[0]);
  connection.reply(requests[1]);
  await stage.until(() => closed.isSettled, 'the end');
  assert.equal(write.error, undefined);
  assert.equal(refused.error?.code, 'CLOSING');
  assert.equal(client.state, 'closed');
  await stage.until(() => connection.isClosed, 'the end of the connection');
});

test('Client.close ends at once without a connection, and may leave the session alone', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const closed = stage.outcome(client.close({ closeSession: false }));
  await stage.until(() => closed.isSettled && connection.isClosed, 'the end');
  assert.deepEqual(connection.requests, []);
  const idle = stage.client();
  await stage.world.finish(idle.close());
  assert.equal(idle.state, 'closed');
});

test('Client.close does not wait for ever for a server that says nothing', async () => {
  const stage = await ClientStage.start();
  const { client } = await stage.connected({ sessionTimeoutMs: 60_000 });
  await stage.world.finish(client.close(), 10_000);
  assert.equal(client.state, 'closed');
});

test('Client on a read-only server looks for one with a quorum and moves there', async () => {
  const stage = await ClientStage.start(['zk1', 'zk2']);
  const writable = new Set<string>();
  stage.isroAnswer = (host) => (writable.has(host) ? 'rw' : 'ro');
  stage.greeter = (connection) =>
    connection.greet({ readOnly: !writable.has(connection.host), sessionId: SCRIPTED_SESSION });
  const { client, connection } = await stage.connected({ hosts: 'zk1,zk2', readOnly: true });
  assert.equal(connection.connectRequest?.readOnly, true);
  assert.equal(client.state, 'connectedReadOnly');
  await stage.world.runFor(3000);
  assert.equal(client.state, 'connectedReadOnly');
  const other = connection.host === 'zk1' ? 'zk2' : 'zk1';
  writable.add(other);
  await stage.until(() => client.state === 'connected', 'the other server');
  assert.equal(stage.last().host, other);
  assert.equal(stage.last().connectRequest?.sessionId, 0n, 'the read-only session was not real');
});
