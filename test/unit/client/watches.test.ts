import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import { EventType } from '../../../src/base/watch-event.ts';
import { WatcherType, WatchMode } from '../../../src/base/watch-mode.ts';
import type { Client } from '../../../src/client/client.ts';
import type { WatchEvent } from '../../../src/client/watch-event.ts';
import type { WatchedEvent, WatchIterator } from '../../../src/client/watch-iterator.ts';
import {
  decodeAddWatch,
  decodeSetWatches2,
  decodeWatchesOfType,
} from '../../../src/protocol/records/watch.ts';
import { dataBody, statBody } from '../../support/client-replies.ts';
import {
  ClientStage,
  type ScriptedConnection,
  type SeenRequest,
} from '../../support/scripted-server.ts';

const { nodeCreated, nodeDeleted, nodeDataChanged, nodeChildrenChanged } = EventType;

/** A server that answers everything well, and knows every node. */
function agree(connection: ScriptedConnection, request: SeenRequest): void {
  switch (request.type) {
    case OpCode.getData:
      connection.reply(request, { body: dataBody('x') });
      return;
    case OpCode.exists:
      connection.reply(request, { body: statBody });
      return;
    case OpCode.getChildren:
      connection.reply(request, { body: (writer) => writer.writeStrings([]) });
      return;
    case OpCode.addWatch:
      connection.reply(request, { body: (writer) => writer.writeInt(0) });
      return;
    default:
      connection.reply(request);
  }
}

async function start(): Promise<{
  stage: ClientStage;
  client: Client;
  connection: ScriptedConnection;
  seen: string[];
  note: (name: string) => (event: WatchEvent) => void;
}> {
  const stage = await ClientStage.start();
  stage.responder = agree;
  const seen: string[] = [];
  const note = (name: string) => (event: WatchEvent) => {
    seen.push(`${name}: ${event.type} ${event.path}`);
  };
  return { stage, ...(await stage.connected()), seen, note };
}

/** What an iterator has yielded; `isDone` when it is over. */
function drain(iterator: WatchIterator): {
  events: WatchedEvent[];
  isDone: boolean;
  error: unknown;
} {
  const drained = { events: [] as WatchedEvent[], isDone: false, error: undefined as unknown };
  const run = async (): Promise<void> => {
    for await (const event of iterator) drained.events.push(event);
  };
  run()
    .catch((error: unknown) => {
      drained.error = error;
    })
    .finally(() => {
      drained.isDone = true;
    });
  return drained;
}

test('A watch of a read fires once, for what was read', async () => {
  const { stage, client, connection, seen, note } = await start();
  await stage.world.finish(client.get('/a', { watch: note('data') }));
  await stage.world.finish(client.children('/a', { watch: note('children') }));
  connection.event(nodeChildrenChanged, '/a');
  connection.event(nodeChildrenChanged, '/a');
  connection.event(nodeDataChanged, '/a');
  connection.event(nodeDataChanged, '/a');
  await stage.settle();
  assert.deepEqual(seen, ['children: childrenChanged /a', 'data: dataChanged /a']);
  assert.equal(client.watchCount, 0);
});

test('A deletion fires the watches of data and of children, one listener once', async () => {
  const { stage, client, connection, seen, note } = await start();
  const both = note('both');
  await stage.world.finish(client.get('/a', { watch: both }));
  await stage.world.finish(client.children('/a', { watch: both }));
  await stage.world.finish(client.children('/a', { watch: note('children') }));
  connection.event(nodeDeleted, '/a');
  await stage.settle();
  assert.deepEqual(seen, ['both: deleted /a', 'children: deleted /a']);
});

test('exists waits for a node that is not there, get does not', async () => {
  const { stage, client, connection, seen, note } = await start();
  stage.responder = (server, request) => server.reply(request, { error: ErrorCode.noNode });
  const found = await stage.world.finish(client.exists('/a', { watch: note('exists') }));
  const got = stage.outcome(client.get('/a', { watch: note('get') }));
  await stage.settle();
  assert.equal(found, undefined);
  assert.equal(got.error?.code, 'NO_NODE');
  assert.equal(client.watchCount, 1);
  connection.event(nodeCreated, '/a', 7);
  await stage.settle();
  assert.deepEqual(seen, ['exists: created /a']);
});

test('An event says the zxid of its transaction where the server does', async () => {
  const { stage, client, connection } = await start();
  const zxids: unknown[] = [];
  await stage.world.finish(
    client.addWatch('/a', (event) => zxids.push('zxid' in event ? event.zxid : event.type)),
  );
  connection.event(nodeDataChanged, '/a', 0x2_0000_0001);
  connection.event(nodeDataChanged, '/a', -1);
  await stage.settle();
  assert.deepEqual(zxids, [0x2_0000_0001, undefined]);
});

test('A persistent watch fires for everything at its path, a recursive one for nodes below too', async () => {
  const { stage, client, connection, seen, note } = await start();
  await stage.world.finish(client.addWatch('/a', note('persistent')));
  await stage.world.finish(client.addWatch('/a', note('recursive'), { recursive: true }));
  assert.deepEqual(
    connection.requests.map(({ body }) => decodeAddWatch(body)?.mode),
    [WatchMode.persistent, WatchMode.recursive],
  );
  connection.event(nodeDataChanged, '/a');
  connection.event(nodeChildrenChanged, '/a');
  connection.event(nodeCreated, '/a/b/c');
  connection.event(nodeCreated, '/ab');
  await stage.settle();
  assert.deepEqual(seen, [
    'persistent: dataChanged /a',
    'recursive: dataChanged /a',
    'persistent: childrenChanged /a',
    'recursive: created /a/b/c',
  ]);
});

test('A recursive watch of the root sees every node', async () => {
  const { stage, client, connection, seen, note } = await start();
  await stage.world.finish(client.addWatch('/', note('root'), { recursive: true }));
  connection.event(nodeCreated, '/a');
  connection.event(nodeDeleted, '/a/b');
  connection.event(nodeDataChanged, '/');
  await stage.settle();
  assert.deepEqual(seen, ['root: created /a', 'root: deleted /a/b', 'root: dataChanged /']);
});

test('A persistent watch is there again on the next connection, and says that it was away', async () => {
  const { stage, client, connection, seen, note } = await start();
  await stage.world.finish(client.addWatch('/a', note('a')));
  await stage.world.finish(client.addWatch('/b', note('b'), { recursive: true }));
  connection.close();
  const next = await stage.reconnected(client, connection);
  await stage.settle();
  const lists = decodeSetWatches2((next.requests[0] ?? assert.fail()).body);
  assert.deepEqual(lists?.persistent, ['/a']);
  assert.deepEqual(lists?.recursive, ['/b']);
  next.event(nodeDataChanged, '/a');
  await stage.settle();
  assert.deepEqual(seen, ['a: rearmed /a', 'b: rearmed /b', 'a: dataChanged /a']);
});

test('A persistent watch ends on a server too old to know it, others stay', async () => {
  const { stage, client, connection, seen, note } = await start();
  await stage.world.finish(client.addWatch('/a', note('lasting')));
  await stage.world.finish(client.get('/a', { watch: note('once') }));
  stage.responder = (server, request) => {
    if (request.type !== OpCode.setWatches2) return agree(server, request);
    server.reply(request, { error: ErrorCode.unimplemented, zxid: -1 });
    server.close();
  };
  connection.close();
  await stage.until(() => stage.connections.length === 3 && client.isConnected, 'the third');
  await stage.settle();
  assert.deepEqual(seen, ['lasting: ended /a']);
  assert.equal(stage.last().requests[0]?.type, OpCode.setWatches);
});

test('An iterator yields events in order, also those that came before it was asked', async () => {
  const { stage, client, connection } = await start();
  const iterator = client.watch('/a', { recursive: true });
  await stage.world.finish(iterator.ready);
  connection.event(nodeCreated, '/a/1', 5);
  connection.event(nodeDeleted, '/a/1', 6);
  await stage.settle();
  assert.equal(iterator.waitingCount, 2);
  const drained = drain(iterator);
  await stage.settle();
  connection.event(nodeCreated, '/a/2', 7);
  await stage.settle();
  assert.deepEqual(drained.events, [
    { type: 'created', path: '/a/1', zxid: 5 },
    { type: 'deleted', path: '/a/1', zxid: 6 },
    { type: 'created', path: '/a/2', zxid: 7 },
  ]);
  assert.equal(drained.isDone, false);
});

test('Leaving the loop over an iterator removes its watch on the server', async () => {
  const { stage, client, connection } = await start();
  const leave = async (): Promise<void> => {
    for await (const event of client.watch('/a')) {
      assert.equal(event.type, 'dataChanged');
      return;
    }
  };
  const left = stage.outcome(leave());
  await stage.requests(connection, 1);
  await stage.settle();
  connection.event(nodeDataChanged, '/a');
  const requests = await stage.requests(connection, 2);
  await stage.until(() => left.isSettled, 'the end of the loop');
  assert.equal(requests[1]?.type, OpCode.removeWatches);
  assert.equal(decodeWatchesOfType(requests[1].body)?.type, WatcherType.persistent);
  assert.equal(client.watchCount, 0);
});

test('The server’s watch stays while another listener of the path wants it', async () => {
  const { stage, client, connection, seen, note } = await start();
  const first = await stage.world.finish(client.addWatch('/a', note('first')));
  const second = client.addWatch('/a', note('second'));
  // The second request is under way: the watch it asks for is the same to the server.
  first.remove();
  await stage.world.finish(second);
  await stage.settle();
  assert.deepEqual(
    connection.requests.map(({ type }) => type),
    [OpCode.addWatch, OpCode.addWatch],
  );
  connection.event(nodeDataChanged, '/a');
  await stage.settle();
  (await second).remove();
  await stage.requests(connection, 3);
  assert.equal(connection.requests[2]?.type, OpCode.removeWatches);
  assert.deepEqual(seen, ['second: dataChanged /a']);
});

test('A watch that is removed before the server has answered is removed behind the answer', async () => {
  const { stage, client, connection, seen } = await start();
  const iterator = client.watch('/a');
  iterator.stop();
  const requests = await stage.requests(connection, 2);
  assert.deepEqual(
    requests.map(({ type }) => type),
    [OpCode.addWatch, OpCode.removeWatches],
  );
  connection.event(nodeDataChanged, '/a');
  await stage.settle();
  assert.deepEqual(seen, []);
  assert.equal(client.watchCount, 0);
});

test('An iterator throws an AbortError when its signal aborts, behind what was there before', async () => {
  const { stage, client, connection } = await start();
  const controller = new AbortController();
  const iterator = client.watch('/a', { signal: controller.signal });
  await stage.world.finish(iterator.ready);
  connection.event(nodeDataChanged, '/a');
  await stage.settle();
  controller.abort('enough');
  const drained = drain(iterator);
  await stage.settle();
  assert.deepEqual(
    drained.events.map(({ type }) => type),
    ['dataChanged'],
  );
  assert.equal((drained.error as Error).name, 'AbortError');
  assert.equal((drained.error as Error).cause, 'enough');
  assert.equal(connection.requests[1]?.type, OpCode.removeWatches);
});

test('An iterator that nobody reads ends instead of growing for ever', async () => {
  const { stage, client, connection } = await start();
  const iterator = client.watch('/a', { waitingMax: 3 });
  await stage.world.finish(iterator.ready);
  for (let i = 0; i < 5; i++) connection.event(nodeDataChanged, '/a');
  await stage.settle();
  const drained = drain(iterator);
  await stage.settle();
  assert.equal(drained.events.length, 3);
  assert.equal((drained.error as { code: string }).code, 'WATCH_OVERFLOW');
});

test('An iterator throws when its session has expired, and simply ends when the client is closed', async () => {
  const { stage, client, connection } = await start();
  const drained = drain(client.watch('/a'));
  await stage.requests(connection, 1);
  await stage.settle();
  stage.greeter = (next) => next.refuseSession();
  connection.close();
  await stage.until(() => drained.isDone, 'the end');
  assert.equal((drained.error as { code: string }).code, 'SESSION_EXPIRED');

  stage.greeter = (next) => next.greet();
  const other = await stage.connected();
  const watched = drain(other.client.watch('/a'));
  await stage.settle();
  await stage.world.finish(other.client.close());
  await stage.settle();
  assert.equal(watched.isDone, true);
  assert.equal(watched.error, undefined);
});

test('An iterator throws what the server says when it will not watch', async () => {
  const { stage, client } = await start();
  stage.responder = (server, request) => {
    server.reply(request, { error: ErrorCode.unimplemented, zxid: -1 });
    server.close();
  };
  const drained = drain(client.watch('/a'));
  await stage.until(() => drained.isDone, 'the end');
  assert.equal((drained.error as { code: string }).code, 'UNIMPLEMENTED');
});

test('A one-shot watch is told when its session ends', async () => {
  const { stage, client, connection, seen, note } = await start();
  await stage.world.finish(client.get('/a', { watch: note('once') }));
  stage.greeter = (next) => next.refuseSession();
  connection.close();
  await stage.until(() => client.state === 'expired', 'the end');
  await stage.settle();
  assert.deepEqual(seen, ['once: ended /a']);
});

test('removeWatches tells the owners of the type it removes, and no others', async () => {
  const { stage, client, seen, note } = await start();
  await stage.world.finish(client.get('/a', { watch: note('data') }));
  await stage.world.finish(client.children('/a', { watch: note('children') }));
  const drained = drain(client.watch('/a'));
  await stage.settle();
  await stage.world.finish(client.removeWatches('/a', 'data'));
  await stage.settle();
  assert.deepEqual(seen, ['data: dataWatchRemoved /a']);
  await stage.world.finish(client.removeWatches('/a'));
  await stage.settle();
  assert.deepEqual(seen.slice(1), ['children: childWatchRemoved /a']);
  assert.equal(drained.isDone, true);
  assert.equal(client.watchCount, 0);
});

test('An event is one object for all watches that it concerns, so that owners of several can tell', async () => {
  const { stage, client, connection } = await start();
  const told: WatchEvent[] = [];
  const listener = (event: WatchEvent): void => void told.push(event);
  await stage.world.finish(client.get('/a', { watch: listener }));
  await stage.world.finish(client.addWatch('/a', listener));
  await stage.world.finish(client.addWatch('/', listener, { recursive: true }));
  await stage.world.finish(client.addWatch('/a', listener, { recursive: true }));
  connection.event(nodeDataChanged, '/a');
  await stage.settle();
  assert.deepEqual([told.length, new Set(told).size], [4, 1]);
  await stage.world.finish(client.removeWatches('/a'));
  await stage.settle();
  assert.deepEqual(
    told.slice(4).map(({ type }) => type),
    Array(2).fill('persistentWatchRemoved'),
  );
  assert.equal(new Set(told).size, 2);
});

test('removeWatches with local removes watches that no server can be asked about', async () => {
  const { stage, client, connection, seen, note } = await start();
  await stage.world.finish(client.get('/a', { watch: note('data') }));
  await stage.world.finish(client.get('/b', { watch: note('data') }));
  stage.responder = (server) => server.close();
  await stage.world.finish(client.removeWatches('/a', 'any', { local: true }));
  assert.equal(client.isConnected, false);
  await stage.world.finish(client.removeWatches('/b', 'any', { local: true }));
  const unknown = stage.outcome(client.removeWatches('/c', 'any', { local: true }));
  await stage.settle();
  assert.deepEqual(seen, ['data: dataWatchRemoved /a', 'data: dataWatchRemoved /b']);
  assert.equal(unknown.error?.code, 'NO_WATCHER');
  const next = await stage.reconnected(client, connection);
  await stage.settle();
  assert.deepEqual(next.requests, []);
});

test('removeWatches rejects where there is no watch, checkWatches says so', async () => {
  const { stage, client } = await start();
  assert.equal(await stage.world.finish(client.checkWatches('/a', 'data')), true);
  stage.responder = (server, request) => server.reply(request, { error: ErrorCode.noWatcher });
  assert.equal(await stage.world.finish(client.checkWatches('/a', 'data')), false);
  const removed = stage.outcome(client.removeWatches('/a', 'recursive'));
  await stage.settle();
  assert.equal(removed.error?.code, 'NO_WATCHER');
});
