/** Clients of a follower: what the leader decides for them, in a simulated ensemble of three. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Acl, Perm } from '../../../src/base/acl.ts';
import { invariant } from '../../../src/base/assert.ts';
import { ErrorCode } from '../../../src/base/error-code.ts';
import { OpCode } from '../../../src/base/op-code.ts';
import { EventType } from '../../../src/base/watch-event.ts';
import { WatchMode } from '../../../src/base/watch-mode.ts';
import { encodeWatchedRead } from '../../../src/protocol/records/read-request.ts';
import { encodeAddWatch } from '../../../src/protocol/records/watch.ts';
import { SimEnsemble } from '../../support/sim-ensemble.ts';
import { bytes, create, remove, setData } from '../../support/store-kit.ts';
import { WireClient } from '../../support/wire-client.ts';

const { ok, marshallingError, quotaExceeded, noNode } = ErrorCode;

/** Three servers with these lines of configuration, and a client of a follower. */
async function follower(...lines: string[]): Promise<[SimEnsemble, WireClient]> {
  const ensemble = new SimEnsemble();
  const { world } = ensemble;
  const all = [...SimEnsemble.lines(3), ...lines];
  for (let id = 1; id <= 3; id++) await ensemble.start(`zk${id}`, id, all);
  await ensemble.settled(3);
  const found = [...ensemble.servers].find(([, server]) => server.view.mode === 'follower');
  invariant(found !== undefined, 'no follower');
  const address = { host: found[0], port: 2181 };
  const client = await world.finish(WireClient.connect(world.runtimeFor('client'), address));
  return [ensemble, client];
}

/** Lets everything that is under way arrive everywhere, and asks whether the servers agree. */
async function expectAgreement(ensemble: SimEnsemble): Promise<void> {
  await ensemble.world.runFor(1000);
  const views = [...ensemble.servers.values()].map(({ view }) => `${view.lastZxid} ${view.digest}`);
  assert.equal(new Set(views).size, 1, views.join(', '));
}

test('a follower’s client whose write cannot be read is told so, and no zxid is spent', async () => {
  const [{ world, servers }, client] = await follower();
  const run = <T>(promise: Promise<T>): Promise<T> => world.finish(promise);
  assert.equal(await run(client.write(create('/a'))), ok);
  const before = [...servers.values()].map(({ view }) => view.lastZxid);
  const reply = await run(client.call(OpCode.create, (writer) => writer.writeInt(1000)));
  assert.equal(reply.error, marshallingError);
  assert.equal(reply.zxid, Math.max(...before));
  assert.equal(await run(client.write(create('/b'))), ok);
});

test('the leader’s sweep reaches every server and the watches of a follower’s client', async () => {
  const [ensemble, client] = await follower('znode.container.checkIntervalMs=200');
  const run = <T>(promise: Promise<T>): Promise<T> => ensemble.world.finish(promise);
  const root = WatchMode.recursive;
  await run(client.call(OpCode.addWatch, (writer) => encodeAddWatch(writer, '/', root)));
  await run(client.write({ ...create('/c', { flags: 4 }), op: OpCode.createContainer }));
  await run(client.write(create('/c/x')));
  await run(client.write(remove('/c/x')));
  const events = client.events.length;
  const event = await run(client.event());
  assert.deepEqual([event.type, event.path], [EventType.nodeDeleted, '/c']);
  assert.equal(client.events.length, events + 1);
  const asked = await run(client.call(OpCode.exists, (w) => encodeWatchedRead(w, '/c', false)));
  assert.equal(asked.error, noNode);
  await expectAgreement(ensemble);
});

test('a quota set through a follower holds on every server, with the same usage', async () => {
  const [ensemble, client] = await follower('enforceQuota=true');
  const run = <T>(promise: Promise<T>): Promise<T> => ensemble.world.finish(promise);
  const quota = '/zookeeper/quota/q';
  const limits = { data: bytes('count=-1,bytes=-1=;countHardLimit=2') };
  for (const asked of [
    create('/q'),
    create(quota),
    create(`${quota}/zookeeper_limits`, limits),
    create(`${quota}/zookeeper_stats`),
    create('/q/a', { data: bytes('abc') }),
  ]) {
    assert.equal(await run(client.write(asked)), ok);
  }
  assert.equal(await run(client.write(create('/q/b'))), quotaExceeded);
  assert.equal(await run(client.write(setData('/q/a', 'x'))), ok);
  await expectAgreement(ensemble);
  for (const host of ensemble.servers.keys()) {
    const runtime = ensemble.world.runtimeFor('reader');
    const reader = await run(WireClient.connect(runtime, { host, port: 2181 }));
    const path = `${quota}/zookeeper_stats`;
    const reply = await run(reader.call(OpCode.getData, (w) => encodeWatchedRead(w, path, false)));
    const text = Buffer.from(reply.body.readBuffer() ?? []).toString();
    assert.equal(text, 'count=2,bytes=1');
  }
});

test('skipACL and ACLs are judged by the leader for a follower’s client', async () => {
  const nobody: readonly Acl[] = [{ perms: Perm.all, scheme: 'digest', id: 'x:y' }];
  for (const [line, expected] of [
    ['skipACL=yes', ok],
    ['skipACL=no', ErrorCode.noAuth],
  ] as const) {
    const [{ world }, client] = await follower(line);
    await world.finish(client.write(create('/s', { acl: nobody })));
    assert.equal(await world.finish(client.write(create('/s/t'))), expected);
  }
});
