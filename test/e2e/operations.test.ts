/** What the recorded conversations do not reach: switches, the sweep, and who hears of what. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Acl, Perm } from '../../src/base/acl.ts';
import { ErrorCode } from '../../src/base/error-code.ts';
import { OpCode } from '../../src/base/op-code.ts';
import { EventType } from '../../src/base/watch-event.ts';
import { WatcherType, WatchMode } from '../../src/base/watch-mode.ts';
import { decodeGetAclReply } from '../../src/protocol/records/acl.ts';
import { decodeWhoAmIReply } from '../../src/protocol/records/auth.ts';
import { decodeMultiReadReply, encodeMultiRead } from '../../src/protocol/records/multi-read.ts';
import {
  decodeGetAllChildrenNumberReply,
  decodeGetChildrenReply,
  decodeGetEphemeralsReply,
} from '../../src/protocol/records/read-reply.ts';
import { encodePathRequest, encodeWatchedRead } from '../../src/protocol/records/read-request.ts';
import {
  encodeAddWatch,
  encodeSetWatches2,
  encodeWatchesOfType,
} from '../../src/protocol/records/watch.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import type { ConfigOptions } from '../../src/server/load-config.ts';
import { startNodeServer } from '../support/node-server.ts';
import { bytes, create, multi, remove, request, setAcl, setData } from '../support/store-kit.ts';
import { WireClient } from '../support/wire-client.ts';

const { ok, noAuth, noNode, noWatcher, marshallingError } = ErrorCode;
const { nodeCreated, nodeDeleted, nodeDataChanged, nodeChildrenChanged } = EventType;
/** `digest` of `bob:pw`. */
const BOB = 'bob:ikIaKsbtGweaHnb/jKn7OHqbunM=';
const BOBS: readonly Acl[] = [{ perms: Perm.all, scheme: 'digest', id: BOB }];

/** A server with clients, all gone when the test ends. */
async function start(
  t: TestContext,
  options: ConfigOptions = {},
): Promise<() => Promise<WireClient>> {
  const server = await startNodeServer(options);
  const runtime = createNodeRuntime();
  const clients: WireClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await server.stop();
  });
  return async () => {
    const client = await WireClient.connect(runtime, { host: '127.0.0.1', port: server.port });
    clients.push(client);
    return client;
  };
}

function addWatch(client: WireClient, path: string, mode: number): Promise<{ error: number }> {
  return client.call(OpCode.addWatch, (writer) => encodeAddWatch(writer, path, mode));
}

function read(client: WireClient, op: number, path: string, watch = false) {
  return client.call(op, (writer) => encodeWatchedRead(writer, path, watch));
}

test('a container goes with its last child, and a node with a time to live when it is over', async (t) => {
  const connect = await start(t, { 'znode.container.checkIntervalMs': 20 });
  const client = await connect();
  assert.equal((await addWatch(client, '/', WatchMode.recursive)).error, ok);
  const container = { ...create('/c', { flags: 4 }), op: OpCode.createContainer };
  await client.write(container);
  await client.write(create('/c/x'));
  await client.write(remove('/c/x'));
  const ttl = { ...create('/t', { flags: 5, durationMs: 1 }), op: OpCode.createTtl };
  assert.equal(await client.write(ttl), ok);
  const gone = new Set<string | null>();
  const note = (event: { type: number; path: string | null }): void => {
    if (event.type === nodeDeleted) gone.add(event.path);
  };
  for (const event of client.events.splice(0)) note(event);
  while (!(gone.has('/c') && gone.has('/t'))) note(await client.event());
  assert.equal((await read(client, OpCode.exists, '/c')).error, noNode);
});

test('an event goes only to connections that may read, at the moment of the change', async (t) => {
  const connect = await start(t);
  const owner = await connect();
  const stranger = await connect();
  await owner.authenticate('bob:pw');
  for (const client of [owner, stranger]) await addWatch(client, '/s', WatchMode.persistent);
  await owner.write(create('/s', { acl: BOBS }));
  await owner.write(setData('/s', 'x'));
  await owner.write(create('/s/t', { acl: BOBS }));
  await owner.write(remove('/s/t'));
  const types = [nodeCreated, nodeDataChanged, nodeChildrenChanged, nodeChildrenChanged];
  assert.deepEqual(
    await owner.takeEvents(),
    types.map((type) => `${type} /s`),
  );
  assert.deepEqual(await stranger.takeEvents(), []);
  await owner.write(setAcl('/s', create('/').acl));
  await owner.write(setData('/s', 'y'));
  assert.deepEqual(await stranger.takeEvents(), [`${nodeDataChanged} /s`]);
  await stranger.authenticate('bob:pw');
  await owner.write(setAcl('/s', BOBS));
  await owner.write(remove('/s'));
  assert.deepEqual(await stranger.takeEvents(), [`${nodeDeleted} /s`]);
});

test('a multi tells its events in the order of its members, under its zxid, before its reply', async (t) => {
  const connect = await start(t);
  const client = await connect();
  await addWatch(client, '/', WatchMode.recursive);
  await read(client, OpCode.getChildren, '/', true);
  const members = multi(create('/a'), create('/a/b'), setData('/a', 'x'), remove('/a/b'));
  const before = client.events.length;
  assert.equal(await client.write(members), ok);
  const events = client.events.slice(before);
  const expected = [
    `${nodeCreated} /a`,
    `${nodeChildrenChanged} /`,
    `${nodeCreated} /a/b`,
    `${nodeDataChanged} /a`,
    `${nodeDeleted} /a/b`,
  ];
  assert.deepEqual(
    events.map(({ type, path }) => `${type} ${path}`),
    expected,
  );
  assert.equal(new Set(events.map(({ zxid }) => zxid)).size, 1);
});

test('a multi that fails tells nothing', async (t) => {
  const connect = await start(t);
  const client = await connect();
  await addWatch(client, '/', WatchMode.recursive);
  await client.write(multi(create('/a'), remove('/none')));
  assert.deepEqual(await client.takeEvents(), []);
});

test('setWatches2 brings back every kind of watch, and tells what one-shot ones missed', async (t) => {
  const connect = await start(t);
  const client = await connect();
  await client.write(create('/d'));
  const lists = {
    relativeZxid: 0,
    data: ['/d'],
    exist: ['/none'],
    child: ['/gone'],
    persistent: ['/p'],
    recursive: ['/r'],
  };
  const reply = await client.call(OpCode.setWatches2, (w) => encodeSetWatches2(w, lists));
  assert.equal(reply.error, ok);
  assert.ok(client.events.every(({ zxid }) => zxid === -1));
  const missed = [`${nodeDataChanged} /d`, `${nodeDeleted} /gone`];
  assert.deepEqual(await client.takeEvents(), missed);
  for (const path of ['/p', '/r', '/r/x', '/none']) await client.write(create(path));
  const expected = ['/p', '/r', '/r/x', '/none'].map((path) => `${nodeCreated} ${path}`);
  assert.deepEqual(await client.takeEvents(), expected);
});

test('setWatches2 with a null list is a marshalling error after the lists before it', async (t) => {
  const connect = await start(t);
  const client = await connect();
  const lists = { relativeZxid: 0, data: [], exist: ['/e'], child: [], persistent: ['/p'] };
  const reply = await client.call(OpCode.setWatches2, (writer) =>
    encodeSetWatches2(writer, { ...lists, recursive: null }),
  );
  assert.equal(reply.error, marshallingError);
  await client.write(create('/e'));
  await client.write(create('/p'));
  assert.deepEqual(await client.takeEvents(), [`${nodeCreated} /e`, `${nodeCreated} /p`]);
});

test('checkWatches and removeWatches take a null path for one that nobody watches', async (t) => {
  const connect = await start(t);
  const client = await connect();
  for (const op of [OpCode.checkWatches, OpCode.removeWatches]) {
    const ask = (type: number) =>
      client.call(op, (writer) => encodeWatchesOfType(writer, null, type));
    assert.equal((await ask(WatcherType.any)).error, noWatcher);
    assert.equal((await ask(0)).error, marshallingError);
    assert.equal((await ask(6)).error, marshallingError);
  }
  const nowhere = await client.call(OpCode.addWatch, (writer) => encodeAddWatch(writer, null, 0));
  assert.equal(nowhere.error, ok);
});

test('getEphemerals gives the own ones by a prefix of plain text', async (t) => {
  const connect = await start(t);
  const client = await connect();
  const other = await connect();
  for (const path of ['/a', '/ab', '/b']) await client.write(create(path, { flags: 1 }));
  await other.write(create('/abc', { flags: 1 }));
  const ask = async (prefix: string | null): Promise<readonly string[]> => {
    const reply = await client.call(OpCode.getEphemerals, (w) => encodePathRequest(w, prefix));
    return [...(decodeGetEphemeralsReply(reply.body)?.paths ?? [])].sort();
  };
  for (const all of [null, '', ' ', '/']) assert.deepEqual(await ask(all), ['/a', '/ab', '/b']);
  assert.deepEqual(await ask('/a'), ['/a', '/ab']);
  assert.deepEqual(await ask('/c'), []);
});

test('getAllChildrenNumber counts everything below, for those who may read the top', async (t) => {
  const connect = await start(t);
  const client = await connect();
  for (const path of ['/a', '/a/b', '/a/b/c', '/a/d']) await client.write(create(path));
  const ask = (path: string) =>
    client.call(OpCode.getAllChildrenNumber, (writer) => encodePathRequest(writer, path));
  const count = async (path: string) =>
    decodeGetAllChildrenNumberReply((await ask(path)).body)?.count;
  assert.equal(await count('/a'), 3);
  assert.equal(await count('/a/d'), 0);
  assert.equal(await count('/'), 7);
  assert.equal((await ask('/none')).error, noNode);
  await client.write(setAcl('/a', BOBS));
  assert.equal((await ask('/a')).error, noAuth);
});

test('multiRead answers each member for itself and keeps to the ACLs', async (t) => {
  const connect = await start(t);
  const client = await connect();
  await client.write(create('/a', { data: bytes('x') }));
  await client.write(create('/s', { acl: BOBS }));
  const ops = ['/a', '/s', '/none'].flatMap((path) => [
    { type: OpCode.getData, path },
    { type: OpCode.getChildren, path },
  ]);
  const reply = await client.call(OpCode.multiRead, (writer) => encodeMultiRead(writer, ops));
  const results = decodeMultiReadReply(reply.body) ?? [];
  assert.deepEqual(
    results.map(({ error }) => error),
    [ok, ok, noAuth, noAuth, noNode, noNode],
  );
  const bad = await client.call(OpCode.multiRead, (writer) =>
    encodeMultiRead(writer, [{ type: OpCode.getData, path: null }]),
  );
  assert.equal(bad.error, marshallingError);
});

test('enforced authentication turns away whoever has not proved an identity yet', async (t) => {
  const connect = await start(t, {
    'enforce.auth.enabled': true,
    'enforce.auth.schemes': 'digest',
  });
  const stranger = await connect();
  const refused = await stranger.call(OpCode.ping);
  assert.equal(refused.error, ErrorCode.sessionClosedRequireSaslAuth);
  assert.equal(refused.zxid, 0);
  await stranger.closed();
  const client = await connect();
  assert.equal(await client.authenticate('bob:pw'), ok);
  assert.equal(await client.write(create('/a')), ok);
});

test('the super user may do everything and is told so, ACLs included', async (t) => {
  const connect = await start(t, {
    'DigestAuthenticationProvider.superDigest': 'super:lK75jTNcA+U9vtVEw5vB51mj/w4=',
  });
  const bob = await connect();
  await bob.authenticate('bob:pw');
  await bob.write(create('/s', { acl: BOBS }));
  const client = await connect();
  assert.equal(await client.authenticate('super:wrong'), ok);
  assert.equal((await read(client, OpCode.getData, '/s')).error, noAuth);
  assert.equal(await client.authenticate('super:secret'), ok);
  assert.equal((await read(client, OpCode.getData, '/s')).error, ok);
  const { body } = await client.call(OpCode.getAcl, (writer) => encodePathRequest(writer, '/s'));
  assert.deepEqual(decodeGetAclReply(body)?.acl, BOBS);
  const who = decodeWhoAmIReply((await client.call(OpCode.whoAmI)).body) ?? [];
  const users = who.map(({ scheme, user }) => `${scheme} ${user}`).sort();
  assert.deepEqual(users, ['digest super', 'digest super', 'ip 127.0.0.1', 'super ']);
  assert.equal(await client.write(remove('/zookeeper/config')), ErrorCode.badArguments);
});

test('skipACL lets everybody do everything, and hear and see everything', async (t) => {
  const connect = await start(t, { skipACL: true });
  const bob = await connect();
  const other = await connect();
  await bob.authenticate('bob:pw');
  await bob.write(create('/s', { acl: BOBS }));
  assert.equal((await read(other, OpCode.getChildren, '/s', true)).error, ok);
  await bob.write(create('/s/t'));
  assert.deepEqual(await other.takeEvents(), [`${nodeChildrenChanged} /s`]);
  const { body } = await other.call(OpCode.getAcl, (writer) => encodePathRequest(writer, '/s'));
  assert.deepEqual(decodeGetAclReply(body)?.acl, BOBS);
  assert.equal(await other.write(remove('/s/t')), ok);
});

test('operations among servers are refused to clients', async (t) => {
  const connect = await start(t);
  const client = await connect();
  await client.write(create('/a'));
  const path = (writer: Parameters<typeof encodePathRequest>[0]): void =>
    encodePathRequest(writer, '/a');
  const swept = await client.call(OpCode.deleteContainer, path);
  assert.equal(swept.error, ErrorCode.unimplemented);
  const children = decodeGetChildrenReply((await read(client, OpCode.getChildren, '/')).body);
  assert.deepEqual([...(children?.names ?? [])].sort(), ['a', 'zookeeper']);
  const opening = await client.call(OpCode.createSession, (writer) => writer.writeInt(10_000));
  assert.equal(opening.error, ErrorCode.unimplemented);
  await client.closed();
});

test('a write that cannot be read takes no zxid, a multi that cannot be read takes one', async (t) => {
  const connect = await start(t);
  const client = await connect();
  const { zxid } = await client.call(OpCode.ping);
  for (const op of [OpCode.create, OpCode.delete, OpCode.setData, OpCode.setAcl]) {
    const reply = await client.call(op, (writer) => writer.writeInt(1000));
    assert.deepEqual([reply.error, reply.zxid], [marshallingError, zxid]);
  }
  const reply = await client.call(OpCode.multi, (writer) => writer.writeInt(1000));
  assert.deepEqual([reply.error, reply.zxid], [marshallingError, zxid + 1]);
});

test('reconfig is disabled, and a malformed one is a marshalling error', async (t) => {
  const connect = await start(t);
  const client = await connect();
  assert.equal((await client.call(OpCode.reconfig)).error, marshallingError);
  const whole = await client.call(OpCode.reconfig, (writer) => {
    for (let at = 0; at < 3; at++) writer.writeString(null);
    writer.writeLong(-1);
  });
  assert.equal(whole.error, ErrorCode.reconfigDisabled);
  assert.equal(await client.write(request(OpCode.closeSession)), ok);
});
