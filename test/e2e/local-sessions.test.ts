/** `localSessionsEnabled`: sessions that one server knows, in a simulated ensemble of three. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invariant } from '../../src/base/assert.ts';
import { ErrorCode } from '../../src/base/error-code.ts';
import { parseZxid, type SessionId, ZXID_NONE, zxidCounter } from '../../src/base/ids.ts';
import { CreateMode, OpCode } from '../../src/base/op-code.ts';
import type { WriteRequest } from '../../src/base/write-request.ts';
import { askFourLetter } from '../../src/cli/four-letter-client.ts';
import { encodeWatchedRead } from '../../src/protocol/records/read-request.ts';
import { encodeWriteRequest } from '../../src/protocol/records/write-request.ts';
import { sessionPassword } from '../../src/session/session-id.ts';
import { SimEnsemble } from '../support/sim-ensemble.ts';
import { create, multi, setData } from '../support/store-kit.ts';
import { WireClient } from '../support/wire-client.ts';

const { ok, noNode, nodeExists, ephemeralOnLocalSession } = ErrorCode;
const LOCAL = 'localSessionsEnabled=true';
const UPGRADING = 'localSessionsUpgradingEnabled=true';
const EPHEMERAL = { flags: CreateMode.ephemeral };

class Stage {
  readonly ensemble = new SimEnsemble();

  static async start(lines: readonly string[], count = 3): Promise<Stage> {
    const stage = new Stage();
    const all = [...SimEnsemble.lines(count), ...lines];
    for (let id = 1; id <= count; id++) await stage.ensemble.start(`zk${id}`, id, all);
    await stage.ensemble.settled(count);
    return stage;
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.ensemble.world.finish(promise);
  }

  host(mode: string, index = 0): string {
    const hosts = [...this.ensemble.servers].filter(([, server]) => server.view.mode === mode);
    const found = hosts[index];
    invariant(found !== undefined, 'no server of this mode');
    return found[0];
  }

  /** With a new session, or the one given. */
  client(host: string, sessionId?: SessionId, timeoutMs = 10_000): Promise<WireClient> {
    const { world } = this.ensemble;
    const old = sessionId === undefined ? {} : { sessionId, password: sessionPassword(sessionId) };
    const address = { host, port: 2181 };
    const request = { timeoutMs, ...old };
    return this.run(WireClient.greet(world.runtimeFor('client'), address, request));
  }

  async write(client: WireClient, request: WriteRequest): Promise<number> {
    return await this.run(client.write(request));
  }

  async exists(client: WireClient, path: string): Promise<boolean> {
    const encode = (w: Parameters<typeof encodeWatchedRead>[0]): void =>
      encodeWatchedRead(w, path, false);
    const { error } = await this.run(client.call(OpCode.exists, encode));
    invariant(error === ok || error === noNode, 'exists failed');
    return error === ok;
  }

  /** Transactions of this epoch so far, alike on all servers. */
  async zxid(): Promise<number> {
    await this.ensemble.world.runFor(500);
    const views = [...this.ensemble.servers.values()].map((server) => server.view);
    const zxids = new Set(views.map((view) => view.lastZxid));
    assert.equal(zxids.size, 1, 'the servers differ');
    assert.equal(new Set(views.map((view) => view.digest)).size, 1, 'the trees differ');
    const [zxid] = zxids;
    invariant(zxid !== undefined, 'no server');
    return zxidCounter(zxid);
  }

  async word(host: string, word: string): Promise<string> {
    const runtime = this.ensemble.world.runtimeFor('operator');
    return await this.run(askFourLetter(runtime, { host, port: 2181 }, word, 1000));
  }
}

for (const mode of ['leader', 'follower']) {
  test(`local session on a ${mode}: begins, reads, writes and ends with no zxid of its own`, async () => {
    const stage = await Stage.start([LOCAL]);
    const before = await stage.zxid();
    const client = await stage.client(stage.host(mode));
    assert.equal(client.greeting?.timeoutMs, 10_000);
    assert.equal(await stage.zxid(), before);
    assert.equal(await stage.write(client, create('/a')), ok);
    assert.equal(await stage.write(client, setData('/a', 'x')), ok);
    assert.equal(await stage.write(client, multi(create('/b'), setData('/a', 'y'))), ok);
    assert.equal(await stage.exists(client, '/b'), true);
    assert.equal(await stage.zxid(), before + 3);
    assert.equal((await stage.run(client.call(OpCode.closeSession))).error, ok);
    await stage.run(client.closed());
    assert.equal(await stage.zxid(), before + 3);
  });

  test(`local session on a ${mode}: resumes there and nowhere else, and not once it is closed`, async () => {
    const stage = await Stage.start([LOCAL]);
    const host = stage.host(mode);
    const { sessionId } = await stage.client(host);
    const elsewhere = await stage.client(stage.host('follower', 1), sessionId);
    assert.equal(elsewhere.greeting?.timeoutMs, 0);
    const resumed = await stage.client(host, sessionId);
    assert.equal(resumed.greeting?.sessionId, sessionId);
    await stage.run(resumed.call(OpCode.closeSession));
    assert.equal((await stage.client(host, sessionId)).greeting?.timeoutMs, 0);
  });

  test(`local session on a ${mode}: an ephemeral node makes it a replicated one, one zxid ahead`, async () => {
    const stage = await Stage.start([LOCAL, UPGRADING]);
    const client = await stage.client(stage.host(mode));
    const before = await stage.zxid();
    assert.equal(await stage.write(client, create('/e', EPHEMERAL)), ok);
    assert.equal(await stage.zxid(), before + 2);
    assert.equal(await stage.write(client, create('/e2', EPHEMERAL)), ok);
    assert.equal(await stage.zxid(), before + 3);
    const moved = await stage.client(stage.host('follower', 1), client.sessionId);
    assert.equal(moved.greeting?.sessionId, client.sessionId);
    await stage.run(moved.call(OpCode.closeSession));
    const other = await stage.client(stage.host('leader'));
    assert.equal(await stage.exists(other, '/e'), false);
    assert.equal(await stage.zxid(), before + 4);
  });

  test(`local session on a ${mode}: so does one in a multi, even one that fails`, async () => {
    const stage = await Stage.start([LOCAL, UPGRADING]);
    const client = await stage.client(stage.host(mode));
    const before = await stage.zxid();
    const request = multi(create('/a'), create('/e', EPHEMERAL));
    assert.equal(await stage.write(client, request), ok);
    assert.equal(await stage.zxid(), before + 2);
    const other = await stage.client(stage.host(mode));
    assert.equal(await stage.write(other, create('/a', EPHEMERAL)), nodeExists);
    assert.equal(await stage.zxid(), before + 4);
  });

  test(`local session on a ${mode}: without upgrading it is refused the node`, async () => {
    const stage = await Stage.start([LOCAL]);
    const client = await stage.client(stage.host(mode));
    const before = await stage.zxid();
    const sequential = { flags: CreateMode.ephemeralSequential };
    assert.equal(await stage.write(client, create('/e', EPHEMERAL)), ephemeralOnLocalSession);
    assert.equal(await stage.write(client, create('/e', sequential)), ephemeralOnLocalSession);
    const request = multi(create('/a'), create('/e', EPHEMERAL));
    assert.equal(await stage.write(client, request), ok);
    assert.equal(await stage.exists(client, '/a'), false);
    assert.equal(await stage.zxid(), before + 3);
  });

  test(`local session on a ${mode}: upgraded and closed in one breath it leaves nothing behind`, async () => {
    const stage = await Stage.start([LOCAL, UPGRADING]);
    const client = await stage.client(stage.host(mode));
    const before = await stage.zxid();
    const asked = [create('/a'), create('/e', EPHEMERAL), setData('/e', 'x')].map(
      (request) =>
        [
          request.op,
          (w: Parameters<typeof encodeWriteRequest>[0]) => encodeWriteRequest(w, request),
        ] as const,
    );
    const replies = await stage.run(
      client.pipeline([...asked, [OpCode.closeSession, () => undefined]]),
    );
    assert.deepEqual(
      replies.map(({ error }) => error),
      [ok, ok, ok, ok],
    );
    assert.deepEqual(
      replies.map(({ zxid }) => zxidCounter(parseZxid(zxid) ?? ZXID_NONE) - before),
      [1, 3, 4, 5],
    );
    const other = await stage.client(stage.host('follower', 1));
    assert.equal(await stage.exists(other, '/e'), false);
    assert.equal((await stage.client(stage.host(mode), client.sessionId)).greeting?.timeoutMs, 0);
  });

  test(`local session on a ${mode}: a silent client loses it, without a transaction`, async () => {
    const stage = await Stage.start([LOCAL]);
    const host = stage.host(mode);
    const client = await stage.client(host, undefined, 4000);
    const before = await stage.zxid();
    await stage.ensemble.world.runFor(3000);
    assert.equal(client.isClosed, false);
    await stage.run(client.closed());
    // Connection and session run out each by itself, up to a `tickTime` apart.
    await stage.ensemble.world.runFor(2000);
    assert.equal((await stage.client(host, client.sessionId)).greeting?.timeoutMs, 0);
    assert.equal(await stage.zxid(), before);
  });

  test(`dump on a ${mode} shows local sessions apart, and mntr counts them`, async () => {
    const stage = await Stage.start([LOCAL, UPGRADING]);
    const host = stage.host(mode);
    const local = await stage.client(host);
    const upgraded = await stage.client(host);
    await stage.write(upgraded, create('/e', EPHEMERAL));
    const hex = (id: SessionId): string => `0x${id.toString(16)}`;
    const dump = await stage.word(host, 'dump');
    assert.match(dump, /^SessionTracker dump:\nLocal Session Sets \(1\)\/\(1\):\n1 expire at /);
    const [locals = '', globals = ''] = dump.split(/Global Session/);
    assert.ok(locals.includes(hex(local.sessionId)) && !locals.includes(hex(upgraded.sessionId)));
    assert.ok(globals.includes(hex(upgraded.sessionId)));
    const mntr = await stage.word(host, 'mntr');
    assert.match(mntr, /^zk_local_sessions\t1$/m);
    assert.match(mntr, /^zk_global_sessions\t1$/m);
  });
}

test('a local session outlives a change of leader, which it may not notice but by its connection', async () => {
  const stage = await Stage.start([LOCAL, UPGRADING]);
  const host = stage.host('follower');
  const client = await stage.client(host);
  stage.ensemble.crash(stage.host('leader'));
  await stage.run(client.closed());
  await stage.ensemble.settled(2);
  const resumed = await stage.client(host, client.sessionId);
  assert.equal(resumed.greeting?.sessionId, client.sessionId);
  assert.equal(await stage.write(resumed, create('/e', EPHEMERAL)), ok);
});

test('a local session has its whole timeout again when its server serves again', async () => {
  const stage = await Stage.start([LOCAL]);
  const { world } = stage.ensemble;
  const host = stage.host('follower');
  const client = await stage.client(host, undefined, 4000);
  const others = ['zk1', 'zk2', 'zk3'].filter((other) => other !== host);
  world.network.partition([host], others);
  await world.runFor(20_000);
  assert.equal(client.isClosed, true);
  world.network.heal();
  await stage.ensemble.settled(3);
  const resumed = await stage.client(host, client.sessionId);
  assert.equal(resumed.greeting?.sessionId, client.sessionId);
});

test('localSessionsEnabled means nothing to a standalone server, as in the original', async () => {
  const stage = await Stage.start([LOCAL, UPGRADING], 1);
  const before = await stage.zxid();
  const client = await stage.client('zk1');
  assert.equal(await stage.zxid(), before + 1);
  assert.equal(await stage.write(client, create('/e', EPHEMERAL)), ok);
  assert.equal(await stage.zxid(), before + 2);
});

test('an ensemble of one has local sessions', async () => {
  const stage = await Stage.start([LOCAL, UPGRADING, 'standaloneEnabled=false'], 1);
  const before = await stage.zxid();
  const client = await stage.client('zk1');
  assert.equal(await stage.zxid(), before);
  assert.equal(await stage.write(client, create('/e', EPHEMERAL)), ok);
  assert.equal(await stage.zxid(), before + 2);
});
