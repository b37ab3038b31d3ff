import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import { EventType } from '../../../src/base/watch-event.ts';
import type { Client } from '../../../src/client/client.ts';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import { dataBody, pathBody, SOME_STAT, statBody } from '../../support/client-replies.ts';
import {
  ClientStage,
  type Outcome,
  type ScriptedConnection,
} from '../../support/scripted-server.ts';

/** Loses the connection while these are under way, and returns what then goes to the next one. */
async function loseWith(
  ask: (client: Client, stage: ClientStage) => Outcome<unknown>[],
  options: Partial<ClientOptions> = {},
): Promise<{ outcomes: Outcome<unknown>[]; repeated: number[]; next: ScriptedConnection }> {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected(options);
  const outcomes = ask(client, stage);
  await stage.requests(connection, outcomes.length);
  connection.close();
  const next = await stage.reconnected(client, connection);
  await stage.settle();
  return { outcomes, repeated: next.requests.map(({ type }) => type), next };
}

test('A write whose reply is lost rejects with an unknown outcome', async () => {
  const { outcomes, repeated } = await loseWith((client, stage) => [
    stage.outcome(client.set('/a', 'x')),
  ]);
  const error = outcomes[0]?.error;
  assert.equal(error?.code, 'CONNECTION_LOSS');
  assert.equal(error?.outcomeUnknown, true);
  assert.equal(error?.operation, 'set');
  assert.equal(error?.path, '/a');
  assert(error?.cause instanceof Error);
  assert.deepEqual(repeated, []);
});

test('A read whose reply is lost is asked again on the next connection', async () => {
  const { outcomes, repeated, next } = await loseWith((client, stage) => [
    stage.outcome(client.get('/a')),
    stage.outcome(client.children('/a')),
  ]);
  assert.deepEqual(repeated, [OpCode.getData, OpCode.getChildren]);
  assert.deepEqual(
    outcomes.map(({ isSettled }) => isSettled),
    [false, false],
  );
  assert.equal(next.isClosed, false);
});

test('A read is not asked again when a write was under way: it might see what that did', async () => {
  const { outcomes, repeated } = await loseWith((client, stage) => [
    stage.outcome(client.get('/a')),
    stage.outcome(client.set('/a', 'x')),
    stage.outcome(client.get('/a')),
  ]);
  assert.deepEqual(repeated, []);
  assert.deepEqual(
    outcomes.map(({ error }) => error?.code),
    new Array(3).fill('CONNECTION_LOSS'),
  );
  assert.deepEqual(
    outcomes.map(({ error }) => error?.outcomeUnknown),
    [false, true, false],
  );
});

test('A read is not asked again when repeatReads is off', async () => {
  const ask = (client: Client, stage: ClientStage): Outcome<unknown>[] => [
    stage.outcome(client.get('/a')),
  ];
  const { outcomes, repeated } = await loseWith(ask, { repeatReads: false });
  assert.deepEqual(repeated, []);
  assert.equal(outcomes[0]?.error?.outcomeUnknown, false);
});

test('A read whose reply breaks connection after connection is given up', async () => {
  const stage = await ClientStage.start();
  stage.responder = (connection) => connection.raw(Uint8Array.from([0x7f, 0, 0, 0]));
  const { client } = await stage.connected();
  const read = stage.outcome(client.children('/huge'));
  await stage.until(() => read.isSettled, 'the end of patience');
  assert.equal(read.error?.code, 'CONNECTION_LOSS');
  assert.match(String(read.error?.cause), /longer than allowed/);
  assert.equal(stage.connections.length, 5);
});

test('What was not sent yet waits for the next connection, writes too', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  connection.close();
  await stage.until(() => !client.isConnected, 'the loss');
  const write = stage.outcome(client.set('/a', 'x'));
  const next = await stage.reconnected(client, connection);
  const [request] = await stage.requests(next, 1);
  next.reply(request, { body: statBody });
  await stage.until(() => write.isSettled, 'the reply');
  assert.deepEqual(write.value, SOME_STAT);
});

test('What is asked without a connection fails at once when the client is told not to wait', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected({ whileDisconnected: 'fail' });
  const underWay = stage.outcome(client.get('/a'));
  await stage.requests(connection, 1);
  connection.close();
  await stage.until(() => !client.isConnected, 'the loss');
  const write = stage.outcome(client.set('/a', 'x'));
  await stage.world.runFor(0);
  assert.equal(write.error?.code, 'CONNECTION_LOSS');
  assert.equal(write.error?.outcomeUnknown, false);
  assert.equal(underWay.error?.code, 'CONNECTION_LOSS');
});

test('What is asked before the first connection is sent when there is one', async () => {
  const stage = await ClientStage.start();
  const client = stage.client();
  const read = stage.outcome(client.get('/a'));
  await stage.world.finish(client.connect());
  const [request] = await stage.requests(stage.last(), 1);
  stage.last().reply(request, { body: dataBody('hello') });
  await stage.until(() => read.isSettled, 'the reply');
  assert.equal(read.value?.data?.toString(), 'hello');
});

test('Replies and events reach their owners in the order of the wire', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const seen: string[] = [];
  const note = async (name: string, promise: Promise<unknown>): Promise<void> => {
    await promise;
    seen.push(name);
  };
  const noted = [
    note('first', client.get('/a', { watch: ({ type }) => seen.push(`event ${type}`) })),
    note('second', client.exists('/a')),
    note('third', client.get('/a')),
  ];
  const requests = await stage.requests(connection, 3);
  connection.together(() => {
    connection.reply(requests[0], { body: dataBody('x') });
    connection.reply(requests[1], { body: statBody });
    connection.event(EventType.nodeDataChanged, '/a');
    connection.reply(requests[2], { body: dataBody('y') });
  });
  await stage.world.finish(Promise.all(noted));
  assert.deepEqual(seen, ['first', 'second', 'event dataChanged', 'third']);
});

test('What is asked in one turn leaves in one piece', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  for (let i = 0; i < 100; i++) stage.outcome(client.get(`/a${i}`));
  const requests = await stage.requests(connection, 100);
  assert.equal(new Set(requests.map(({ atMs }) => atMs)).size, 1);
  assert.deepEqual(
    requests.map(({ xid }) => xid),
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
});

test('A request longer than servers take is refused here, and the others go on', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected({ requestBytesMax: 1000 });
  const before = stage.outcome(client.get('/before'));
  const long = stage.outcome(client.set('/long', 'x'.repeat(1000)));
  const after = stage.outcome(client.get('/after'));
  const requests = await stage.requests(connection, 2);
  for (const request of requests) connection.reply(request, { body: dataBody('x') });
  await stage.until(() => before.isSettled && after.isSettled, 'the others');
  assert.equal(long.error?.code, 'BAD_ARGUMENTS');
  assert.match(long.error?.message ?? '', /set \/long: a request of 10\d\d bytes/);
});

test('A path that is none is refused here', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const outcomes = [
    stage.outcome(client.get('a')),
    stage.outcome(client.create('/a/', '')),
    stage.outcome(client.multi().check('/ok').delete('/a//b').commit()),
    stage.outcome(client.multiRead().get('').commit()),
    stage.outcome(client.create('/a', '', { ttlMs: 0 })),
  ];
  await stage.settle();
  assert.deepEqual(
    outcomes.map(({ error }) => error?.code),
    new Array(5).fill('BAD_ARGUMENTS'),
  );
  assert.deepEqual(connection.requests, []);
});

test('The prefix of a sequential node may end in a slash', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const created = stage.outcome(client.create('/queue/', '', { mode: 'persistentSequential' }));
  const [request] = await stage.requests(connection, 1);
  connection.reply(request, { body: pathBody('/queue/0000000000') });
  await stage.until(() => created.isSettled, 'the reply');
  assert.equal(created.value, '/queue/0000000000');
});

test('An operation the server does not know rejects with UNIMPLEMENTED, and the session goes on', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const asked = stage.outcome(client.whoAmI());
  const [request] = await stage.requests(connection, 1);
  connection.reply(request, { zxid: -1, error: ErrorCode.unimplemented });
  connection.close();
  const next = await stage.reconnected(client, connection);
  assert.equal(asked.error?.code, 'UNIMPLEMENTED');
  assert.equal(next.connectRequest?.sessionId, client.sessionId);
});

test('A code this client does not know is told by its number', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const asked = stage.outcome(client.get('/a'));
  const [request] = await stage.requests(connection, 1);
  connection.reply(request, { error: -999 });
  await stage.until(() => asked.isSettled, 'the reply');
  assert.equal(asked.error?.code, 'UNKNOWN');
  assert.equal(asked.error?.number, -999);
});

test('A reply that cannot be decoded rejects its operation and ends the connection', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const asked = stage.outcome(client.get('/a'));
  const [request] = await stage.requests(connection, 1);
  connection.reply(request, { body: (writer) => writer.writeInt(99) });
  await stage.reconnected(client, connection);
  assert.equal(asked.error?.code, 'MARSHALLING_ERROR');
});

test('A signal aborts what was not sent, for certain, and what was sent, with an unknown outcome', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const controller = new AbortController();
  const { signal } = controller;
  const sent = stage.outcome(client.set('/a', 'x', { signal }));
  const read = stage.outcome(client.get('/a', { signal }));
  const requests = await stage.requests(connection, 2);
  const unsent = stage.outcome(client.set('/b', 'x', { signal }));
  controller.abort(new Error('enough'));
  const late = stage.outcome(client.set('/c', 'x', { signal }));
  const other = stage.outcome(client.get('/d'));
  await stage.requests(connection, 3);
  for (const outcome of [sent, read, unsent, late]) {
    assert.equal(outcome.error?.code, 'ABORTED');
    assert.equal(outcome.error?.name, 'AbortError');
    assert.equal(String(outcome.error?.cause), 'Error: enough');
  }
  const doubts = [sent, read, unsent, late].map(({ error }) => error?.outcomeUnknown);
  assert.deepEqual(doubts, [true, false, false, false]);
  connection.reply(requests[0], { body: statBody });
  connection.reply(requests[1], { body: dataBody('x') });
  connection.reply(requests[2], { body: dataBody('y') });
  await stage.until(() => other.isSettled, 'the reply behind those nobody waits for');
  assert.equal(other.value?.data?.toString(), 'y');
});

test('Client stops sending while the connection takes no more, and goes on behind that', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  stage.world.network.clog('client', 'zk1', 2000);
  const data = 'x'.repeat(100_000);
  const writes = Array.from({ length: 40 }, () => stage.outcome(client.set('/a', data)));
  await stage.world.runFor(1000);
  assert(client.outstandingCount === 40);
  stage.responder = (server, request) => server.reply(request, { body: statBody });
  await stage.until(() => writes.every(({ isSettled }) => isSettled), 'the replies');
  assert.equal(connection.requests.length, 40);
  assert(writes.every(({ error }) => error === undefined));
});

test('A listener that throws is heard of outside, and the client goes on', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  client.on('disconnected', () => {
    throw new Error('a bug of the program');
  });
  connection.close();
  await assert.rejects(stage.reconnected(client, connection), /a bug of the program/);
  await stage.reconnected(client, connection);
});
