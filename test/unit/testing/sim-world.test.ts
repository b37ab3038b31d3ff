import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ByteStream, KeyValueStore } from '../../../src/runtime/runtime.ts';
import { createMemoryRuntime } from '../../../src/testing/memory-runtime.ts';
import { WALL_START_MS } from '../../../src/testing/sim-clock.ts';
import { SimWorld } from '../../../src/testing/sim-world.ts';

/** Hosts that chatter, write and crash: enough of everything for two runs to differ in. */
async function liveliness(seed: number): Promise<{ hash: string; events: number; log: string }> {
  const world = new SimWorld(seed, {
    network: { breakProbability: 0.002, clogProbability: 0.01 },
    storage: { slowSyncProbability: 0.1 },
  });
  const log: string[] = [];
  const note = (text: string): void => {
    log.push(`${world.nowMs} ${text}`);
  };
  const echo = (stream: ByteStream): void => {
    stream.attach({
      onData: (chunk) => void stream.write(chunk.slice()),
      onEnd: () => stream.end(),
      onClose: () => note('server closed'),
    });
  };
  const serve = async (): Promise<void> => {
    const runtime = world.runtimeFor('server');
    await runtime.network.listen({ port: 2181 }, echo);
    const store = await runtime.storage.open('/data', { create: true });
    await writeForEver(store, note);
  };
  const dial = (name: string): void => {
    const { network, timers } = world.runtimeFor(name);
    const stream = network.connect({ host: 'server', port: 2181 }, 1000);
    const ticker = timers.every(5, () => stream.write(new TextEncoder().encode(`${name} ticks `)));
    stream.attach({
      onData: (chunk) => note(`${name} ${new TextDecoder().decode(chunk)}`),
      onEnd: () => stream.end(),
      onClose: () => {
        timers.clear(ticker);
        timers.set(10, () => dial(name));
      },
    });
  };
  void serve();
  for (const name of ['c1', 'c2', 'c3']) dial(name);
  await world.runFor(300);
  world.crash('server');
  await world.runFor(50);
  void serve();
  world.network.cut('c1', 'server');
  await world.runFor(100);
  world.network.heal();
  await world.runFor(300);
  return { hash: world.traceHash, events: world.eventCount, log: log.join('\n') };
}

async function writeForEver(store: KeyValueStore, note: (text: string) => void): Promise<void> {
  for (let i = 0; ; i++) {
    const batch = store.batch();
    batch.put(Uint8Array.of(i & 0xff), Uint8Array.of(i));
    await batch.write({ sync: true });
    note(`wrote ${i}`);
  }
}

describe('SimWorld', () => {
  it('does the same again with the same seed, event by event', async () => {
    const first = await liveliness(42);
    const second = await liveliness(42);
    assert.ok(first.events > 1000);
    assert.equal(first.log, second.log);
    assert.deepEqual(first, second);
  });

  it('does something else with another seed', async () => {
    const [first, second] = [await liveliness(1), await liveliness(2)];
    assert.notEqual(first.hash, second.hash);
  });

  it('runFor() moves time by exactly so much, events or none', async () => {
    const world = new SimWorld(1);
    await world.runFor(1234.5);
    assert.equal(world.nowMs, 1234.5);
    world.runtimeFor('a').timers.every(7, () => undefined);
    await world.runFor(1000);
    assert.equal(world.nowMs, 2234.5);
  });

  it('runUntil() stops right after the event that fulfils the condition', async () => {
    const world = new SimWorld(1);
    let count = 0;
    world.runtimeFor('a').timers.every(10, () => count++);
    assert.equal(await world.runUntil(() => count === 3, 1000), true);
    assert.equal(world.nowMs, 30);
    assert.equal(await world.runUntil(() => count === 30, 100), false);
    assert.equal(world.nowMs, 130);
  });

  it('timers fire in the order of their times, and of their making', async () => {
    const world = new SimWorld(1);
    const { timers } = world.runtimeFor('a');
    const calls: string[] = [];
    timers.set(2, () => calls.push('later'));
    timers.set(1, () => calls.push('first'));
    timers.set(1, () => calls.push('second'));
    timers.clear(timers.set(1, () => calls.push('cleared')));
    timers.defer(() => calls.push('deferred'));
    assert.deepEqual(calls, []);
    await world.runFor(5);
    assert.deepEqual(calls, ['deferred', 'first', 'second', 'later']);
  });

  it('a promise is followed up before the next event', async () => {
    const world = new SimWorld(1, { storage: { minReadMs: 1, maxReadMs: 1 } });
    const { timers, storage } = world.runtimeFor('a');
    const calls: string[] = [];
    const read = async (): Promise<void> => {
      await storage.readText('/none');
      for (let i = 0; i < 10; i++) await Promise.resolve();
      calls.push('read');
    };
    timers.set(1, () => calls.push('before'));
    void read();
    timers.set(1, () => calls.push('after'));
    await world.runFor(2);
    assert.deepEqual(calls, ['before', 'read', 'after']);
  });

  it('crash() silences timers and promises for ever', async () => {
    const world = new SimWorld(1);
    const { timers, storage } = world.runtimeFor('a');
    const calls: string[] = [];
    timers.every(1, () => calls.push('every'));
    timers.set(1, () => calls.push('set'));
    void storage.readText('/none').then(() => calls.push('read'));
    world.crash('a');
    assert.equal(world.isUp('a'), false);
    timers.set(1, () => calls.push('set by the dead'));
    void storage.writeText('/file', 'by the dead').then(() => calls.push('written by the dead'));
    await world.runFor(100);
    assert.deepEqual(calls, []);
    const next = world.runtimeFor('a');
    assert.equal(await world.finish(next.storage.readText('/file')), undefined);
  });

  it('pause() holds everything back, resume() delivers it in order', async () => {
    const world = new SimWorld(1);
    const { timers, storage } = world.runtimeFor('a');
    const calls: string[] = [];
    timers.set(1, () => calls.push('first'));
    timers.set(3, () => calls.push('third'));
    timers.set(2, () => calls.push('second'));
    timers.every(1.5, () => calls.push('every'));
    const cleared = timers.set(4, () => calls.push('cleared'));
    void storage.readText('/none').then(() => calls.push('read'));
    world.pause('a');
    await world.runFor(100);
    assert.deepEqual(calls, []);
    timers.clear(cleared);
    world.resume('a');
    await world.runUntil(() => calls.length === 5, 0);
    assert.deepEqual(calls, ['read', 'first', 'every', 'second', 'third']);
    await world.runFor(1.5);
    assert.deepEqual(calls.slice(5), ['every']);
  });

  it('setClockSkew() moves the wall clock of one host only', async () => {
    const world = new SimWorld(1);
    const [a, b] = [world.runtimeFor('a'), world.runtimeFor('b')];
    world.setClockSkew('a', -3_600_000);
    await world.runFor(10);
    assert.equal(a.clock.wallMs(), WALL_START_MS + 10 - 3_600_000);
    assert.equal(b.clock.wallMs(), WALL_START_MS + 10);
    const before = a.clock.monotonicMs();
    world.setClockSkew('a', 3_600_000);
    await world.runFor(5);
    assert.equal(Math.round((a.clock.monotonicMs() - before) * 1000), 5000);
  });

  it('setClockRate() makes clock and timers of one host fast, and never turns them back', async () => {
    const world = new SimWorld(1);
    const { clock, timers } = world.runtimeFor('a');
    await world.runFor(100);
    const before = clock.monotonicMs();
    world.setClockRate('a', 1.25);
    assert.equal(clock.monotonicMs(), before);
    let firedMs = 0;
    timers.set(100, () => {
      firedMs = world.nowMs;
    });
    await world.runFor(100);
    assert.equal(firedMs, 180);
    assert.equal(Math.round(clock.monotonicMs() - before), 125);
    world.setClockRate('a', 1);
    await world.runFor(100);
    assert.equal(Math.round(clock.monotonicMs() - before), 225);
  });

  it('onSite() hears where a living process is, and may kill it there', () => {
    const world = new SimWorld(1);
    const runtime = world.runtimeFor('a');
    const sites: string[] = [];
    world.onSite = (hostName, site) => {
      sites.push(`${hostName} ${site}`);
      if (site === 'logWritten') world.crash(hostName);
    };
    runtime.reached?.('logWrite');
    runtime.reached?.('logWritten');
    runtime.reached?.('applied');
    assert.deepEqual(sites, ['a logWrite', 'a logWritten']);
    assert.equal(world.isUp('a'), false);
  });

  it('randomBytes() come from the seed, and differ between hosts and lives', () => {
    const draw = (host: string): string => {
      const world = new SimWorld(9);
      world.runtimeFor('a');
      return Buffer.from(world.runtimeFor(host).randomBytes(16)).toString('hex');
    };
    assert.equal(draw('a'), draw('a'));
    assert.notEqual(draw('a'), draw('b'));
    const world = new SimWorld(9);
    const first = world.runtimeFor('a').randomBytes(16);
    world.crash('a');
    assert.notDeepEqual(world.runtimeFor('a').randomBytes(16), first);
  });
});

describe('createMemoryRuntime()', () => {
  it('answers storage calls without anybody running it', async () => {
    const { storage } = createMemoryRuntime();
    await storage.writeText('/conf/myid', '3');
    assert.equal(await storage.readText('/conf/myid'), '3');
    const [first, second] = await Promise.all([storage.list('/conf'), storage.size('/')]);
    assert.deepEqual(first, ['myid']);
    assert.equal(second, 1);
  });
});
