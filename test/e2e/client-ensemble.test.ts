/** The client library on whole simulated ensembles whose servers, links and clients fail. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.ts';
import { Client } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import { isKeeperError } from '../../src/client/keeper-error.ts';
import { SimEnsemble } from '../support/sim-ensemble.ts';

const HOSTS = ['zk1', 'zk2', 'zk3'];
const LINES = SimEnsemble.lines(HOSTS.length);
const PATIENCE_MS = 120_000;
const SEED_COUNT = 12;

/** What the faults did to clients. */
interface Seen {
  lossCount: number;
  unknownCount: number;
  rearmedCount: number;
}

class Stage {
  readonly ensemble: SimEnsemble;

  constructor(seed: number) {
    this.ensemble = new SimEnsemble(seed);
  }

  static async start(seed = 1): Promise<Stage> {
    const stage = new Stage(seed);
    await stage.ensemble.startAll(HOSTS.length);
    return stage;
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.ensemble.world.finish(promise, PATIENCE_MS);
  }

  async client(host: string, options: Partial<ClientOptions> = {}): Promise<Client> {
    const runtime = this.ensemble.world.runtimeFor(host);
    const hosts = HOSTS.map((name) => `${name}:2181`);
    const client = new Client({ hosts, sessionTimeoutMs: 6000, runtime, ...options });
    await this.run(client.connect());
    return client;
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const isMet = await this.ensemble.world.runUntil(condition, PATIENCE_MS);
    assert(isMet, `waited in vain for ${what}`);
  }

  serverOf(client: Client): string {
    return client.server?.host ?? assert.fail('the client has no server');
  }

  async restart(host: string): Promise<void> {
    await this.ensemble.start(host, HOSTS.indexOf(host) + 1, LINES);
    await this.ensemble.settled(HOSTS.length);
  }
}

test('Client keeps its session and its ephemeral nodes when its server dies', async () => {
  const stage = await Stage.start();
  const client = await stage.client('alice');
  const { sessionId } = client;
  await stage.run(client.create('/mine', 'x', { mode: 'ephemeral' }));
  for (let round = 0; round < 3; round++) {
    const host = stage.serverOf(client);
    stage.ensemble.crash(host);
    await stage.until(() => !client.isConnected, 'the loss');
    const stat = await stage.run(client.exists('/mine'));
    assert.equal(stat?.ephemeralOwner, sessionId);
    assert.notEqual(stage.serverOf(client), host);
    await stage.restart(host);
  }
  assert.equal(client.sessionId, sessionId);
  await stage.run(client.close());
  const other = await stage.client('bob');
  await stage.run(other.sync());
  assert.equal(await stage.run(other.exists('/mine')), undefined);
});

test('Client is told once of a change made while it had no server', async () => {
  const stage = await Stage.start();
  const alice = await stage.client('alice');
  const bob = await stage.client('bob', { hosts: 'zk1,zk2,zk3' });
  await stage.run(alice.create('/data', 'old'));
  await stage.run(alice.create('/parent'));
  await stage.run(alice.create('/doomed'));
  const events: string[] = [];
  const note = ({ type, path }: { readonly type: string; readonly path: string }): void => {
    events.push(`${type} ${path}`);
  };
  await stage.run(alice.get('/data', { watch: note }));
  await stage.run(alice.children('/parent', { watch: note }));
  await stage.run(alice.exists('/new', { watch: note }));
  await stage.run(alice.get('/doomed', { watch: note }));
  await stage.run(alice.get('/parent', { watch: note }));
  await stage.run(alice.addWatch('/lasting', note));
  for (const host of HOSTS) stage.ensemble.world.network.cut('alice', host);
  await stage.run(
    bob.multi().set('/data', 'new').create('/parent/x').create('/new').delete('/doomed').commit(),
  );
  await stage.until(() => !alice.isConnected, 'the loss');
  stage.ensemble.world.network.heal();
  await stage.until(() => alice.isConnected, 'a server');
  await stage.ensemble.world.runFor(1000);
  assert.deepEqual(events.sort(), [
    'childrenChanged /parent',
    'created /new',
    'dataChanged /data',
    'deleted /doomed',
    'rearmed /lasting',
  ]);
  await stage.run(bob.set('/parent', 'still watched'));
  await stage.run(bob.create('/lasting', 'still watched'));
  await stage.ensemble.world.runFor(1000);
  assert.deepEqual(events.slice(5), ['dataChanged /parent', 'created /lasting']);
});

test('Client that was cut off for too long learns that its session has expired', async () => {
  const stage = await Stage.start();
  const alice = await stage.client('alice');
  const bob = await stage.client('bob');
  await stage.run(alice.create('/mine', '', { mode: 'ephemeral' }));
  for (const host of HOSTS) stage.ensemble.world.network.cut('alice', host);
  await stage.until(() => !alice.isConnected, 'the loss');
  const waiting = alice.set('/mine', 'x').catch((error: unknown) => error);
  const gone = new Promise<string>((resolve) => {
    const look = ({ type }: { readonly type: string }): void => resolve(type);
    bob.exists('/mine', { watch: look }).catch(() => undefined);
  });
  assert.equal(await stage.run(gone), 'deleted');
  assert.equal(alice.state, 'connecting', 'nobody could tell it yet');
  stage.ensemble.world.network.heal();
  assert(isKeeperError(await stage.run(waiting), 'SESSION_EXPIRED'));
  assert.equal(alice.state, 'expired');
});

test('Client waits for an ensemble that is down as a whole, and goes on with its session', async () => {
  const stage = await Stage.start();
  const client = await stage.client('alice', { sessionTimeoutMs: 30_000 });
  const { sessionId } = client;
  await stage.run(client.create('/a', '', { mode: 'ephemeral' }));
  for (const host of HOSTS) stage.ensemble.crash(host);
  await stage.until(() => !client.isConnected, 'the loss');
  const written = client.set('/a', 'while nobody was there');
  await stage.ensemble.world.runFor(20_000);
  for (const [index, host] of HOSTS.entries()) await stage.ensemble.start(host, index + 1, LINES);
  await stage.ensemble.settled(HOSTS.length);
  const stat = await stage.run(written);
  assert.equal(stat.version, 1);
  assert.equal(stat.ephemeralOwner, sessionId);
});

test('Clients whose connections break see every state in order, each watch once, and know what they wrote', async () => {
  const seen: Seen = { lossCount: 0, unknownCount: 0, rearmedCount: 0 };
  for (let seed = 1; seed <= SEED_COUNT; seed++) await watchUnderFaults(seed, seen);
  // Otherwise the faults missed what this test is about.
  assert(seen.lossCount > SEED_COUNT && seen.unknownCount > 0 && seen.rearmedCount > 0);
});

/**
 * Bob counts a node up, settling each unknown outcome by reading; Alice follows with one-shot
 * watches, Carol with an iterator. Meanwhile connections break and servers die.
 */
async function watchUnderFaults(seed: number, seen: Seen): Promise<void> {
  const last = 40;
  const stage = await Stage.start(seed);
  const { world } = stage.ensemble;
  const prng = new Prng(seed);
  const bob = await stage.client('bob');
  await stage.run(bob.create('/count', '0'));
  const alice = await stage.client('alice');
  const carol = await stage.client('carol');
  const followed = followByReads(alice, last);
  const iterated = followByIterator(carol, last, seen);
  const counted = countUp(bob, last, seen);
  for (const client of [alice, bob, carol]) {
    client.on('disconnected', () => {
      seen.lossCount += 1;
    });
  }
  let isDone = false;
  const done = Promise.all([counted, followed, iterated]).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await world.runFor(prng.between(5, 400));
    if (prng.chance(0.15)) {
      const host = HOSTS[prng.between(0, 2)] ?? assert.fail();
      stage.ensemble.crash(host);
      await world.runFor(prng.between(1, 2000));
      await stage.restart(host);
    } else {
      const client = ['alice', 'bob', 'carol'][prng.between(0, 2)] ?? assert.fail();
      for (const host of HOSTS) world.network.breakConnections(client, host);
    }
    assert(world.nowMs < PATIENCE_MS * 10, `seed ${seed}: the count is not done`);
  }
  await stage.run(done);
  const { stat } = await stage.run(bob.get('/count'));
  assert.equal(stat.version, last, `seed ${seed}: each step once`);
  for (const client of [alice, bob, carol]) await stage.run(client.close());
  for (const host of HOSTS) await stage.ensemble.stop(host);
}

async function countUp(client: Client, last: number, tally: Seen): Promise<void> {
  for (let next = 1; next <= last; ) {
    try {
      const { version } = await client.set('/count', `${next}`, { version: next - 1 });
      assert.equal(version, next);
      next += 1;
    } catch (error) {
      assert(isKeeperError(error, 'CONNECTION_LOSS'), String(error));
      const { data, stat } = await client.get('/count');
      assert.equal(stat.version, Number(data?.toString()));
      // What is not unknown has certainly not been done.
      if (error.outcomeUnknown) tally.unknownCount += 1;
      else assert.equal(stat.version, next - 1);
      next = stat.version + 1;
    }
  }
}

/** Reads, waits for the watch of that read, reads again: nothing is missed for good. */
async function followByReads(client: Client, last: number): Promise<void> {
  let seen = -1;
  while (seen < last) {
    let fired = 0;
    const changed = deferred();
    const { stat } = await client.get('/count', {
      watch: ({ type }) => {
        // The last one is still there when the client is closed.
        if (type === 'ended') return;
        fired += 1;
        assert.equal(type, 'dataChanged');
        assert.equal(fired, 1, 'a watch fires once');
        changed.resolve();
      },
    });
    assert(stat.version > seen, `version ${stat.version} behind an event for more than ${seen}`);
    seen = stat.version;
    if (seen < last) await changed.promise;
  }
}

async function followByIterator(client: Client, last: number, tally: Seen): Promise<void> {
  const events = client.watch('/count');
  await events.ready;
  let seen = (await client.get('/count')).stat.version;
  let zxid = 0;
  while (seen < last) {
    const { value } = await events.next();
    if (value?.type === 'rearmed') tally.rearmedCount += 1;
    if (value?.type === 'dataChanged' && value.zxid !== undefined) {
      assert(value.zxid > zxid, 'each change is told once, in order');
      zxid = value.zxid;
    }
    const { stat } = await client.get('/count');
    assert(stat.version >= seen, 'reads never go back');
    seen = stat.version;
  }
  await events.return();
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
