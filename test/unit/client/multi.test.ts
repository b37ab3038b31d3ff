import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import { MultiError } from '../../../src/client/multi.ts';
import {
  decodeMultiRead,
  encodeMultiReadEnd,
  encodeReadError,
  encodeReadResultHeader,
} from '../../../src/protocol/records/multi-read.ts';
import { encodeMultiReply } from '../../../src/protocol/records/multi-reply.ts';
import {
  encodeGetChildrenReply,
  encodeGetDataReply,
} from '../../../src/protocol/records/read-reply.ts';
import { decodeWriteRequest } from '../../../src/protocol/records/write-request.ts';
import { SOME_STAT } from '../../support/client-replies.ts';
import { ClientStage } from '../../support/scripted-server.ts';

const DONE = { error: 0, path: null, stat: null };

test('Multi sends its operations as one and gives each its result', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected({ chroot: '/app' });
  const committed = stage.outcome(
    client
      .multi()
      .check('/a', { version: 3 })
      .create('/a/b-', 'x', { mode: 'ephemeralSequential' })
      .create('/a/ttl', null, { ttlMs: 5000 })
      .set('/a', 'y')
      .delete('/c', { version: 0 })
      .commit(),
  );
  const [request] = await stage.requests(connection, 1);
  const sent = decodeWriteRequest(OpCode.multi, (request ?? assert.fail()).body);
  assert.deepEqual(
    sent?.ops.map(({ op, path, flags, version, durationMs }) => [
      op,
      path,
      flags,
      version,
      durationMs,
    ]),
    [
      [OpCode.check, '/app/a', 0, 3, -1],
      [OpCode.create, '/app/a/b-', 3, -1, -1],
      [OpCode.createTtl, '/app/a/ttl', 5, -1, 5000],
      [OpCode.setData, '/app/a', 0, -1, -1],
      [OpCode.delete, '/app/c', 0, 0, -1],
    ],
  );
  connection.reply(request, {
    body: (writer) =>
      encodeMultiReply(writer, [
        { ...DONE, type: OpCode.check },
        { ...DONE, type: OpCode.create, path: '/app/a/b-0000000001' },
        { ...DONE, type: OpCode.create2, path: '/app/a/ttl', stat: SOME_STAT },
        { ...DONE, type: OpCode.setData, stat: SOME_STAT },
        { ...DONE, type: OpCode.delete },
      ]),
  });
  await stage.until(() => committed.isSettled, 'the reply');
  const [checked, created, lasting, set, deleted] = committed.value ?? assert.fail();
  assert.equal(checked.type, 'check');
  // These compile because the builder's type has counted along.
  assert.equal(created.path, '/a/b-0000000001');
  assert.deepEqual(lasting.stat, SOME_STAT);
  assert.equal(set.stat.version, SOME_STAT.version);
  assert.equal(deleted.type, 'delete');
});

test('Multi that the server refuses says which operation is to blame', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const committed = stage.outcome(client.multi().create('/a').check('/b').delete('/c').commit());
  const [request] = await stage.requests(connection, 1);
  connection.reply(request, {
    body: (writer) =>
      encodeMultiReply(writer, [
        { ...DONE, type: OpCode.error, error: 0 },
        { ...DONE, type: OpCode.error, error: ErrorCode.noNode },
        { ...DONE, type: OpCode.error, error: ErrorCode.runtimeInconsistency },
      ]),
  });
  await stage.until(() => committed.isSettled, 'the reply');
  const { error } = committed;
  assert(error instanceof MultiError);
  assert.equal(error.code, 'NO_NODE');
  assert.equal(error.path, '/b');
  assert.equal(error.failedIndex, 1);
  assert.equal(error.outcomeUnknown, false);
  assert.deepEqual(error.failures, [
    { type: 'create', path: '/a', code: 'OK' },
    { type: 'check', path: '/b', code: 'NO_NODE' },
    { type: 'delete', path: '/c', code: 'RUNTIME_INCONSISTENCY' },
  ]);
});

test('Multi and MultiRead without operations ask nothing', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  assert.deepEqual(await client.multi().commit(), []);
  assert.deepEqual(await client.multiRead().commit(), []);
  await stage.settle();
  assert.deepEqual(connection.requests, []);
});

test('Multi may be committed again', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const multi = client.multi().check('/a');
  stage.outcome(multi.commit());
  stage.outcome(multi.commit());
  const requests = await stage.requests(connection, 2);
  assert.deepEqual(
    requests.map(({ body }) => decodeWriteRequest(OpCode.multi, body)?.ops.length),
    [1, 1],
  );
});

test('Multi whose reply has another number of results is not believed', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const committed = stage.outcome(client.multi().check('/a').check('/b').commit());
  const [request] = await stage.requests(connection, 1);
  connection.reply(request, {
    body: (writer) => encodeMultiReply(writer, [{ ...DONE, type: OpCode.check }]),
  });
  await stage.until(() => committed.isSettled, 'the reply');
  assert.equal(committed.error?.code, 'MARSHALLING_ERROR');
});

test('MultiRead gives each read its value or its error', async () => {
  const stage = await ClientStage.start();
  const { client, connection } = await stage.connected();
  const read = stage.outcome(client.multiRead().get('/a').children('/b').get('/c').commit());
  const [request] = await stage.requests(connection, 1);
  assert.deepEqual(decodeMultiRead((request ?? assert.fail()).body), [
    { type: OpCode.getData, path: '/a' },
    { type: OpCode.getChildren, path: '/b' },
    { type: OpCode.getData, path: '/c' },
  ]);
  connection.reply(request, {
    body: (writer) => {
      encodeReadResultHeader(writer, OpCode.getData);
      encodeGetDataReply(writer, new TextEncoder().encode('x'), SOME_STAT);
      encodeReadResultHeader(writer, OpCode.getChildren);
      encodeGetChildrenReply(writer, ['y']);
      encodeReadError(writer, ErrorCode.noNode);
      encodeMultiReadEnd(writer);
    },
  });
  await stage.until(() => read.isSettled, 'the reply');
  const [a, b, c] = read.value ?? assert.fail();
  assert.equal(a.value?.data?.toString(), 'x');
  assert.deepEqual(b.value, ['y']);
  assert.equal(c.value, undefined);
  assert.equal(c.error?.code, 'NO_NODE');
  assert.equal(c.error?.path, '/c');
});
