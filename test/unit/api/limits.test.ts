/** What a client meets at a limit: an error of its own or a closed connection, never silence. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONNECTION_PENDING_LISTS_MAX } from '../../../src/api/request-pipeline.ts';
import { OPEN_ACL } from '../../../src/base/acl.ts';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { SESSION_NONE, ZXID_NONE } from '../../../src/base/ids.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import type { DataTree } from '../../../src/store/data-tree.ts';
import {
  ClientKit,
  connectFrame,
  createFrame,
  header,
  headerFrame,
  pathFrame,
  type RawClient,
  readFrame,
  setDataFrame,
} from '../../support/client-kit.ts';
import { bool, frame, int, long, text, vector } from '../../support/hex.ts';

const { ok, marshallingError, quotaExceeded, throttledOp } = ErrorCode;
const WIDE = 100_000;
const SMALL_REPLY = 2000;

/** As from a checkpoint. */
function grow(tree: DataTree, path: string, data: Uint8Array | null = null): void {
  const zxids = { czxid: ZXID_NONE, mzxid: ZXID_NONE, pzxid: ZXID_NONE };
  const numbers = { ctimeMs: 0, mtimeMs: 0, version: 0, creates: 0, aversion: 0 };
  const fields = { data, acl: OPEN_ACL, ...zxids, ...numbers, storedOwner: SESSION_NONE };
  assert.ok(tree.restoreNode(path, fields));
}

function error(reply: string): number {
  return header(reply).error;
}

async function metric(kit: ClientKit, name: string): Promise<number> {
  return Number(new RegExp(`^zk_${name}\t(.*)$`, 'm').exec(await kit.command('mntr'))?.[1]);
}

/** A request of setWatches with the paths in its data list. */
function setWatchesFrame(xid: number, paths: readonly string[]): string {
  const none = vector([]);
  const list = vector(paths.map((path) => text(path)));
  return frame(int(xid), int(OpCode.setWatches), long(0), list, none, none);
}

function multiReadFrame(xid: number, count: number, path: string): string {
  const one = int(OpCode.getData) + bool(false) + int(-1) + text(path) + bool(false);
  return frame(int(xid), int(OpCode.multiRead), one.repeat(count), int(-1), bool(true), int(-1));
}

test('a frame longer than jute.maxbuffer closes the connection at its length, and is counted', async () => {
  const kit = await ClientKit.start({ service: { juteMaxBufferBytes: 2048 } });
  const client = await kit.session();
  client.send(int(2049));
  await client.closedByServer();
  assert.equal(client.frames.length, 0);
  assert.equal(await metric(kit, 'large_requests_rejected'), 1);
  const other = await kit.session();
  assert.equal(error(await other.ask(headerFrame(-2, OpCode.ping))), ok);
});

test('a hundred thousand names come in one reply, far above jute.maxbuffer', async () => {
  const kit = await ClientKit.start();
  grow(kit.backend.tree, '/w');
  for (let i = 0; i < WIDE; i++) grow(kit.backend.tree, `/w/item-${String(i).padStart(10, '0')}`);
  const client = await kit.session();
  const reply = await client.ask(readFrame(1, OpCode.getChildren, '/w'));
  assert.equal(error(reply), ok);
  assert.equal(Number.parseInt(reply.slice(32, 40), 16), WIDE);
  assert.equal(reply.length / 2, 20 + WIDE * 19);
});

test('getChildren, getEphemerals and multiRead beyond the longest reply are an error each', async () => {
  const kit = await ClientKit.start({ service: { replyBytesMax: SMALL_REPLY } });
  const client = await kit.session();
  grow(kit.backend.tree, '/w', new Uint8Array(900));
  for (let i = 0; i < 100; i++) await client.ask(createFrame(i, `/w/a-name-of-twenty-${i}`, 1));
  for (const ask of [
    readFrame(1, OpCode.getChildren, '/w', true),
    readFrame(2, OpCode.getChildren2, '/w', true),
    pathFrame(3, OpCode.getEphemerals, '/'),
    multiReadFrame(4, 3, '/w'),
  ]) {
    const reply = await client.ask(ask);
    assert.equal(error(reply), marshallingError);
    assert.equal(reply.length / 2, 16, 'a header and no body');
  }
  assert.equal(await metric(kit, 'large_replies_rejected'), 4);
  assert.equal(kit.logged.filter(({ event }) => event === 'limit met').length, 1);
  assert.equal(error(await client.ask(multiReadFrame(5, 2, '/w'))), ok);
  assert.equal(error(await client.ask(readFrame(6, OpCode.getData, '/w'))), ok);
});

test('a list too long is refused before it is written down, and leaves no watch', async () => {
  const kit = await ClientKit.start({ service: { replyBytesMax: SMALL_REPLY } });
  grow(kit.backend.tree, '/w');
  for (let i = 0; i < 1500; i++) grow(kit.backend.tree, `/w/${i}`);
  const client = await kit.session();
  assert.equal(
    error(await client.ask(readFrame(1, OpCode.getChildren, '/w', true))),
    marshallingError,
  );
  assert.equal(kit.service.watches.count, 0);
});

test('a list of few names that is too long leaves no watch either', async () => {
  const kit = await ClientKit.start({ service: { replyBytesMax: SMALL_REPLY } });
  grow(kit.backend.tree, '/w');
  for (let i = 0; i < 20; i++)
    grow(kit.backend.tree, `/w/${i}${'\u4e00'.repeat(SMALL_REPLY / 20)}`);
  const client = await kit.session();
  for (const op of [OpCode.getChildren, OpCode.getChildren2]) {
    assert.equal(error(await client.ask(readFrame(1, op, '/w', true))), marshallingError);
  }
  assert.equal(kit.service.watches.count, 0);
  assert.equal(await metric(kit, 'large_replies_rejected'), 2);
});

test('multiRead gives up at the longest reply and does not gather what a frame can ask for', async () => {
  const kit = await ClientKit.start({ service: { replyBytesMax: SMALL_REPLY } });
  grow(kit.backend.tree, '/w', new Uint8Array(1000));
  const client = await kit.session();
  assert.equal(error(await client.ask(multiReadFrame(1, 50_000, '/w'))), marshallingError);
  assert.ok(kit.service.stats.maxResponseBytes < 100);
});

test('a read with one watch too many is refused as a whole, and tells of it in metric and log', async () => {
  const kit = await ClientKit.start({ service: { watchLimits: { perWatcher: 2, inAll: 3 } } });
  const [amy, bob] = [await kit.session(), await kit.session()];
  const asked = (client: RawClient, op: OpCode, path: string): Promise<string> =>
    client.ask(readFrame(1, op, path, true));
  assert.equal(error(await asked(amy, OpCode.getData, '/')), ok);
  assert.equal(error(await asked(amy, OpCode.getChildren, '/')), ok);
  for (const op of [OpCode.exists, OpCode.getData, OpCode.getChildren, OpCode.getChildren2]) {
    const reply = await asked(amy, op, '/zookeeper');
    assert.equal(error(reply), quotaExceeded);
    assert.equal(reply.length / 2, 16);
  }
  const addWatch = frame(int(2), int(OpCode.addWatch), text('/x'), int(0));
  assert.equal(error(await amy.ask(addWatch)), quotaExceeded);
  assert.equal(error(await amy.ask(readFrame(3, OpCode.getData, '/zookeeper'))), ok);
  assert.equal(error(await asked(bob, OpCode.getData, '/')), ok);
  assert.equal(error(await asked(bob, OpCode.getData, '/zookeeper')), quotaExceeded);
  assert.equal(await metric(kit, 'watches_rejected'), 6);
  assert.equal(await metric(kit, 'watch_count'), 3);
  assert.equal(kit.logged.filter(({ event }) => event === 'limit met').length, 2);
});

test('setWatches beyond the limit ends the connection: its watches must not be lost unnoticed', async () => {
  const kit = await ClientKit.start({ service: { watchLimits: { perWatcher: 2, inAll: 100 } } });
  const client = await kit.session();
  client.send(setWatchesFrame(-8, ['/', '/zookeeper', '/zookeeper/quota']));
  await client.closedByServer();
  assert.equal(client.frames.length, 0);
  assert.equal(kit.service.watches.count, 0);
});

test('a hundred thousand watches come back in as many setWatches as a client splits them into', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  const perFrame = 5000;
  // Watches for nodes to come: none of them is an event yet.
  const paths = Array.from({ length: WIDE }, (_, i) => `/gone/${i}`);
  for (let at = 0; at < WIDE; at += perFrame) {
    const list = vector(paths.slice(at, at + perFrame).map((path) => text(path)));
    const none = vector([]);
    const sent = frame(int(-8), int(OpCode.setWatches), long(0), none, list, none);
    assert.equal(error(await client.ask(sent)), ok);
  }
  assert.equal(kit.service.watches.count, WIDE);
});

test('setWatches longer than jute.maxbuffer closes the connection, as the original does', async () => {
  const kit = await ClientKit.start({ service: { juteMaxBufferBytes: 4096 } });
  const client = await kit.session();
  client.send(
    setWatchesFrame(
      -8,
      Array.from({ length: 600 }, (_, i) => `/a/${i}`),
    ),
  );
  await client.closedByServer();
  assert.equal(client.frames.length, 0);
});

test('requests that had to wait too long are refused in their place; ping and close never are', async () => {
  const kit = await ClientKit.start({
    service: { globalOutstandingLimit: 1, throttledOpWaitMs: 500 },
  });
  const client = await kit.session();
  kit.backend.holds = true;
  client.send(createFrame(1, '/a'), createFrame(2, '/b'), readFrame(3, OpCode.exists, '/'));
  client.send(headerFrame(-2, OpCode.ping), headerFrame(5, OpCode.closeSession));
  await kit.world.runFor(800);
  kit.backend.holds = false;
  kit.backend.applyAll();
  await client.closedByServer();
  const outcome = client.frames.map((reply) => [header(reply).xid, error(reply)]);
  assert.deepEqual(outcome, [
    [1, ok],
    [2, throttledOp],
    [3, throttledOp],
    [-2, ok],
    [5, ok],
  ]);
  assert.equal(await metric(kit, 'throttled_ops'), 2);
  assert.equal(await metric(kit, 'request_throttle_wait_count'), 1);
});

test('requests that waited are carried out when no such time is set, and their wait is counted', async () => {
  const kit = await ClientKit.start({ service: { globalOutstandingLimit: 1 } });
  const client = await kit.session();
  kit.backend.holds = true;
  client.send(createFrame(1, '/a'), readFrame(2, OpCode.exists, '/a'));
  await kit.world.runFor(800);
  kit.backend.holds = false;
  kit.backend.applyAll();
  const replies = await client.receive(2);
  assert.deepEqual(replies.map(error), [ok, ok]);
  assert.ok(kit.service.stats.readLatency.percentile(0.999) >= 700);
});

test('a client that pipelines without reading is not read on, and costs no more than its bound', async () => {
  const kit = await ClientKit.start();
  const [greedy, other] = [await kit.session('greedy'), await kit.session()];
  await other.ask(createFrame(1, '/big'));
  await other.ask(setDataFrame(2, '/big', '00'.repeat(200_000)));
  greedy.stream.pause();
  for (let i = 0; i < 350; i++) greedy.send(readFrame(i, OpCode.getData, '/big'));
  await kit.settle();
  const [connection] = [...kit.service.connections()].filter((one) => one.replies.backlogBytes > 0);
  assert.ok(connection !== undefined && connection.replies.backlogBytes < 64 * 1024 * 1024);
  assert.equal(error(await other.ask(headerFrame(-2, OpCode.ping))), ok);
  greedy.stream.resume();
  await greedy.receive(350);
  assert.equal(await metric(kit, 'slow_clients_dropped'), 0);
});

test('a connect request longer than the limit is not read either', async () => {
  const kit = await ClientKit.start({ service: { juteMaxBufferBytes: 1024 } });
  const client = kit.dial();
  client.send(int(5000), connectFrame());
  await client.closedByServer();
  assert.equal(client.bytes.length, 0);
});

test('requests that take long leave others their turn, and are answered in their order', async () => {
  const kit = await ClientKit.start({ lookMs: 1 });
  const [greedy, other] = [await kit.session('greedy'), await kit.session()];
  const xids = Array.from({ length: 200 }, (_, at) => at + 1);
  greedy.send(...xids.map((xid) => readFrame(xid, OpCode.exists, '/')));
  const [connection] = [...kit.service.connections()];
  await kit.until(() => (connection?.stats.packetsReceived ?? 0) > 1, 'the first requests');
  assert.ok((connection?.stats.packetsReceived ?? 0) < 20);
  const replies = await greedy.receive(200);
  assert.deepEqual(
    replies.map((reply) => header(reply).xid),
    xids,
  );
  assert.equal(error(await other.ask(headerFrame(-2, OpCode.ping))), ok);
});

test('of requests that look at many nodes only a few wait for the write in front of them', async () => {
  const kit = await ClientKit.start();
  const client = await kit.session();
  kit.backend.holds = true;
  const lists = Array.from({ length: 40 }, (_, at) => readFrame(at + 2, OpCode.getChildren, '/'));
  client.send(createFrame(1, '/a'), ...lists);
  await kit.settle();
  const [connection] = [...kit.service.connections()];
  assert.equal(connection?.pendingCount, 1 + CONNECTION_PENDING_LISTS_MAX);
  kit.backend.applyAll();
  assert.deepEqual((await client.receive(41)).map(error), new Array(41).fill(ok));
});
