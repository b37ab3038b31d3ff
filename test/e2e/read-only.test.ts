/** `readonlymode.enabled`: what a member of an ensemble does for clients while it knows no quorum. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../src/base/error-code.ts';
import { SESSION_NONE } from '../../src/base/ids.ts';
import { CreateMode, OpCode } from '../../src/base/op-code.ts';
import { askFourLetter } from '../../src/cli/four-letter-client.ts';
import type { JuteWriter } from '../../src/protocol/jute-writer.ts';
import type { ConnectRequest } from '../../src/protocol/records/connect.ts';
import { encodeWatchedRead } from '../../src/protocol/records/read-request.ts';
import { encodeWriteRequest } from '../../src/protocol/records/write-request.ts';
import { sessionPassword } from '../../src/session/session-id.ts';
import { SimEnsemble } from '../support/sim-ensemble.ts';
import { create } from '../support/store-kit.ts';
import { WireClient } from '../support/wire-client.ts';

const { ok, noNode, notReadOnly } = ErrorCode;
const READ_ONLY = 'readonlymode.enabled=true';
const LINES = [...SimEnsemble.lines(3), READ_ONLY];
const PATIENCE_MS = 20_000;

class Stage {
  readonly ensemble = new SimEnsemble();

  /** Three servers, a node `/a`, and then the first server alone, in read-only mode. */
  static async alone(): Promise<Stage> {
    const stage = new Stage();
    await stage.#startAll();
    const writer = await stage.greet('zk1', {});
    assert.equal(await stage.run(writer.write(create('/a'))), ok);
    await stage.ensemble.world.runFor(500);
    stage.ensemble.crash('zk2');
    stage.ensemble.crash('zk3');
    await stage.mode('zk1', 'read-only');
    return stage;
  }

  async #startAll(): Promise<void> {
    for (let id = 1; id <= 3; id++) await this.ensemble.start(`zk${id}`, id, LINES);
    await this.ensemble.settled(3);
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.ensemble.world.finish(promise);
  }

  greet(host: string, request: Partial<ConnectRequest>): Promise<WireClient> {
    const runtime = this.ensemble.world.runtimeFor('client');
    return this.run(WireClient.greet(runtime, { host, port: 2181 }, request));
  }

  reader(): Promise<WireClient> {
    return this.greet('zk1', { readOnly: true });
  }

  async mode(host: string, mode: string | undefined): Promise<void> {
    const isThere = (): boolean => this.ensemble.servers.get(host)?.view.mode === mode;
    assert.ok(await this.ensemble.world.runUntil(isThere, PATIENCE_MS), `${host} is not ${mode}`);
  }

  async exists(client: WireClient, path: string, isWatching = false): Promise<number> {
    const encode = (w: JuteWriter): void => encodeWatchedRead(w, path, isWatching);
    return (await this.run(client.call(OpCode.exists, encode))).error;
  }

  async word(host: string, word: string): Promise<string> {
    const runtime = this.ensemble.world.runtimeFor('operator');
    return await this.run(askFourLetter(runtime, { host, port: 2181 }, word, 1000));
  }
}

test('readonlymode.enabled: without a quorum clients that say readOnly read, two seconds later', async () => {
  const stage = await Stage.alone();
  stage.ensemble.crash('zk1');
  const beganMs = stage.ensemble.world.nowMs;
  await stage.ensemble.start('zk1', 1, LINES);
  await stage.mode('zk1', 'read-only');
  const passedMs = stage.ensemble.world.nowMs - beganMs;
  assert.ok(passedMs > 1900 && passedMs < 2200, `after ${passedMs} ms`);
  const client = await stage.reader();
  assert.equal(client.greeting?.readOnly, true);
  assert.notEqual(client.sessionId, SESSION_NONE);
  assert.equal(await stage.exists(client, '/zookeeper'), ok);
});

test('a server that never had a quorum, or lost what it had, has nothing to show', async () => {
  const stage = new Stage();
  await stage.ensemble.start('zk1', 1, LINES);
  await stage.ensemble.world.runFor(10_000);
  assert.equal((await stage.reader()).greeting, undefined);
});

test('without the key nobody is served without a quorum', async () => {
  const stage = new Stage();
  await stage.ensemble.start('zk1', 1, SimEnsemble.lines(3));
  await stage.ensemble.world.runFor(10_000);
  assert.equal((await stage.reader()).greeting, undefined);
  assert.equal(await stage.word('zk1', 'isro'), 'null');
});

test('read-only mode: a client that does not say readOnly is closed without a word', async () => {
  const stage = await Stage.alone();
  assert.equal((await stage.greet('zk1', { readOnly: false })).greeting, undefined);
  assert.equal((await stage.greet('zk1', { readOnly: undefined })).greeting, undefined);
  const ahead = { readOnly: true, lastZxidSeen: 2 ** 40 };
  assert.equal((await stage.greet('zk1', ahead)).greeting, undefined);
});

test('read-only mode: reads are answered, whatever would change something is refused, in order', async () => {
  const stage = await Stage.alone();
  const client = await stage.reader();
  const path = (w: JuteWriter): void => encodeWatchedRead(w, '/a', false);
  const write = (w: JuteWriter): void => encodeWriteRequest(w, create('/b'));
  const refused = [
    OpCode.create,
    OpCode.create2,
    OpCode.createContainer,
    OpCode.createTtl,
    OpCode.delete,
    OpCode.setData,
    OpCode.setAcl,
    OpCode.multi,
    OpCode.check,
    OpCode.reconfig,
    OpCode.sync,
    OpCode.deleteContainer,
  ];
  const replies = await stage.run(
    client.pipeline([
      [OpCode.getData, path],
      ...refused.map((op) => [op, write] as const),
      [OpCode.exists, path],
    ]),
  );
  const errors = replies.map(({ error }) => error);
  assert.deepEqual(errors, [ok, ...refused.map(() => notReadOnly), ok]);
  assert.equal((await stage.run(client.call(OpCode.ping))).error, ok);
  assert.equal(await stage.run(client.authenticate('a:b')), ok);
  assert.equal((await stage.run(client.call(OpCode.whoAmI))).error, ok);
  assert.equal((await stage.run(client.call(OpCode.closeSession))).error, ok);
  await stage.run(client.closed());
});

test('read-only mode: the words say so', async () => {
  const stage = await Stage.alone();
  assert.equal(await stage.word('zk1', 'isro'), 'ro');
  for (const word of ['srvr', 'stat']) {
    const answer = await stage.word('zk1', word);
    const [, second] = answer.split('\n');
    assert.equal(second, 'READ-ONLY mode; serving only read-only clients');
    assert.match(answer, /^Mode: read-only$/m);
  }
  assert.match(await stage.word('zk1', 'conf'), /\npeerType=0\n$/);
  const mntr = await stage.word('zk1', 'mntr');
  assert.match(mntr, /^zk_server_state\tread-only$/m);
  assert.doesNotMatch(mntr, /^zk_(peer_state|quorum_size)\t/m);
});

test('read-only mode: its sessions resume while it lasts and are over when they are closed', async () => {
  const stage = await Stage.alone();
  const { sessionId } = await stage.reader();
  const own = { readOnly: true, sessionId, password: sessionPassword(sessionId) };
  const resumed = await stage.greet('zk1', own);
  assert.equal(resumed.greeting?.sessionId, sessionId);
  assert.equal(resumed.greeting?.readOnly, true);
  const mistyped = await stage.greet('zk1', { ...own, password: new Uint8Array(16) });
  assert.deepEqual([mistyped.greeting?.timeoutMs, mistyped.greeting?.readOnly], [0, true]);
  const again = await stage.greet('zk1', own);
  await stage.run(again.call(OpCode.closeSession));
  assert.equal((await stage.greet('zk1', own)).greeting?.timeoutMs, 0);
});

test('read-only mode: no session is declared over that may live on where the quorum is', async () => {
  const stage = new Stage();
  for (let id = 1; id <= 3; id++) await stage.ensemble.start(`zk${id}`, id, LINES);
  await stage.ensemble.settled(3);
  const known = await stage.greet('zk1', {});
  await stage.ensemble.world.runFor(500);
  stage.ensemble.world.network.partition(['zk1'], ['zk2', 'zk3']);
  await stage.mode('zk1', 'read-only');
  await stage.ensemble.settled(3);
  const unknown = await stage.greet('zk2', {});
  for (const { sessionId } of [known, unknown]) {
    const own = { readOnly: true, sessionId, password: sessionPassword(sessionId) };
    assert.equal((await stage.greet('zk1', own)).greeting, undefined);
    assert.equal((await stage.greet('zk2', own)).greeting?.sessionId, sessionId);
  }
});

test('read-only mode ends with the first quorum: clients are to come again, with a new session', async () => {
  const stage = await Stage.alone();
  const client = await stage.reader();
  assert.equal(await stage.exists(client, '/b', true), noNode);
  await stage.ensemble.start('zk2', 2, LINES);
  await stage.run(client.closed());
  assert.deepEqual(client.events, []);
  await stage.ensemble.settled(2);
  const { sessionId } = client;
  const own = { readOnly: true, sessionId, password: sessionPassword(sessionId) };
  const back = await stage.greet('zk1', own);
  assert.deepEqual([back.greeting?.timeoutMs, back.greeting?.readOnly], [0, false]);
  const renewed = await stage.reader();
  assert.equal(renewed.greeting?.readOnly, false);
  assert.equal(await stage.run(renewed.write(create('/b'))), ok);
  assert.equal(await stage.word('zk1', 'isro'), 'rw');
  const flags = CreateMode.ephemeral;
  assert.equal(await stage.run(renewed.write(create('/e', { flags }))), ok);
});

test('read-only mode shows no write that was never committed', async () => {
  const stage = new Stage();
  const { ensemble } = stage;
  for (let id = 1; id <= 3; id++) await ensemble.start(`zk${id}`, id, LINES);
  await ensemble.settled(3);
  const found = [...ensemble.servers].find(([, { view }]) => view.mode === 'leader');
  assert.ok(found !== undefined);
  const [leader] = found;
  const others = ['zk1', 'zk2', 'zk3'].filter((host) => host !== leader);
  const writer = await stage.greet(leader, {});
  ensemble.world.network.partition([leader], others);
  // Durable on the leader, and on no quorum.
  const outcome = writer.write(create('/lost')).then(
    () => 'answered',
    () => 'closed',
  );
  assert.equal(await stage.run(outcome), 'closed');
  await stage.mode(leader, 'read-only');
  const reader = await stage.greet(leader, { readOnly: true });
  assert.equal(await stage.exists(reader, '/lost'), noNode);
});
