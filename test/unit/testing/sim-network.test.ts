import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RuntimeError } from '../../../src/runtime/runtime.ts';
import type { SimNetworkOptions } from '../../../src/testing/sim-link.ts';
import { SimWorld } from '../../../src/testing/sim-world.ts';
import { Recorder } from '../../conformance/network-suite.ts';

const PORT = 2888;

interface Scene {
  readonly world: SimWorld;
  readonly dialler: Recorder;
  readonly acceptor: Recorder;
}

async function listen(world: SimWorld, host: string): Promise<Recorder[]> {
  const accepted: Recorder[] = [];
  const { network } = world.runtimeFor(host);
  await world.finish(
    network.listen({ port: PORT }, (stream) => void accepted.push(new Recorder(stream))),
  );
  return accepted;
}

function dial(world: SimWorld, from: string, to: string, timeoutMs = 1000): Recorder {
  return new Recorder(world.runtimeFor(from).network.connect({ host: to, port: PORT }, timeoutMs));
}

/** `a` has dialled `b`. */
async function connect(seed: number, options: Partial<SimNetworkOptions> = {}): Promise<Scene> {
  const world = new SimWorld(seed, { network: options });
  const accepted = await listen(world, 'b');
  const dialler = dial(world, 'a', 'b');
  await world.runUntil(() => dialler.saw('open') && accepted.length === 1, 1000);
  const acceptor = accepted[0];
  assert.ok(acceptor !== undefined);
  return { world, dialler, acceptor };
}

function codeOf(error: Error | undefined): string | undefined {
  return error instanceof RuntimeError ? error.code : undefined;
}

describe('SimNetwork', () => {
  it('keeps the order of bytes whatever the delays, cuts and joins', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { world, dialler, acceptor } = await connect(seed, {
        minDelayMs: 0,
        maxDelayMs: 50,
        splitProbability: 0.6,
        mergeProbability: 0.3,
        clogProbability: 0.05,
      });
      let expected = '';
      for (let i = 0; i < 200; i++) {
        dialler.send(`<${i}>`);
        expected += `<${i}>`;
        if (i % 10 === 0) await world.runFor(3);
      }
      await world.runFor(5000);
      assert.equal(acceptor.text, expected);
    }
  });

  it('cut() stops bytes without a word, heal() brings all of them', async () => {
    const { world, dialler, acceptor } = await connect(1);
    world.network.cut('a', 'b');
    dialler.send('into the void');
    acceptor.send('and back');
    await world.runFor(60_000);
    assert.deepEqual(dialler.events, ['open']);
    assert.deepEqual(acceptor.events, []);
    world.network.heal('b', 'a');
    await world.runFor(1000);
    assert.equal(acceptor.text, 'into the void');
    assert.equal(dialler.text, 'and back');
  });

  it('cut() one way leaves the other way alone', async () => {
    const { world, dialler, acceptor } = await connect(1);
    world.network.cut('a', 'b', { oneWay: true });
    dialler.send('lost for now');
    acceptor.send('still heard');
    await world.runFor(1000);
    assert.equal(dialler.text, 'still heard');
    assert.equal(acceptor.text, '');
  });

  it('a writer behind a cut that stops acknowledgements comes to a halt', async () => {
    const { world, dialler, acceptor } = await connect(1);
    world.network.cut('b', 'a', { oneWay: true });
    let writeCount = 0;
    while (writeCount < 100 && dialler.stream.write(new Uint8Array(16_384))) {
      writeCount++;
      await world.runFor(10);
    }
    assert.ok(writeCount < 20, 'the window stayed open');
    assert.ok(acceptor.receivedBytes > 0);
    world.network.heal();
    await world.runFor(1000);
    assert.equal(dialler.drainCount, 1);
    assert.equal(acceptor.receivedBytes, (writeCount + 1) * 16_384);
  });

  it('connect() across a cut times out, and succeeds when it heals in time', async () => {
    const world = new SimWorld(1);
    const accepted = await listen(world, 'b');
    world.network.cut('a', 'b');
    const hopeless = dial(world, 'a', 'b', 500);
    await world.runFor(600);
    assert.deepEqual(hopeless.events, ['close']);
    assert.equal(codeOf(hopeless.error), 'CONNECT_TIMEOUT');
    const patient = dial(world, 'a', 'b', 5000);
    await world.runFor(1000);
    world.network.heal();
    await world.runFor(1000);
    assert.deepEqual(patient.events, ['open']);
    assert.equal(accepted.length, 1, 'the connection that was given up does not appear');
  });

  it('connect() is refused where nobody listens or no process runs', async () => {
    const world = new SimWorld(1);
    await listen(world, 'b');
    world.crash('b');
    const refused = dial(world, 'a', 'b');
    await world.runFor(100);
    assert.equal(codeOf(refused.error), 'CONNECT_FAILED');
    world.runtimeFor('b');
    const stillRefused = dial(world, 'a', 'b');
    await world.runFor(100);
    assert.equal(codeOf(stillRefused.error), 'CONNECT_FAILED');
    const unknown = dial(world, 'a', 'nobody');
    await world.runFor(100);
    assert.equal(codeOf(unknown.error), 'CONNECT_FAILED');
  });

  it('a listener on loopback is not reached from outside', async () => {
    const world = new SimWorld(1);
    const { network } = world.runtimeFor('b');
    const accepted: Recorder[] = [];
    await world.finish(
      network.listen(
        { host: '127.0.0.1', port: PORT },
        (stream) => void accepted.push(new Recorder(stream)),
      ),
    );
    const outside = dial(world, 'a', 'b');
    await world.runFor(100);
    assert.equal(codeOf(outside.error), 'CONNECT_FAILED');
    const inside = new Recorder(network.connect({ host: 'localhost', port: PORT }, 1000));
    await world.runFor(100);
    assert.deepEqual(inside.events, ['open']);
    assert.equal(accepted[0]?.stream.remote.host, '127.0.0.1');
  });

  it('breakConnections() resets both ends, mid-stream', async () => {
    const { world, dialler, acceptor } = await connect(1);
    dialler.send('on its way');
    assert.equal(world.network.breakConnections('a', 'b'), 1);
    await world.runFor(100);
    assert.equal(codeOf(dialler.error), 'STREAM_BROKEN');
    assert.equal(codeOf(acceptor.error), 'STREAM_BROKEN');
    assert.equal(acceptor.text, '');
    assert.equal(world.network.connectionCount('a'), 0);
    assert.equal(world.network.connectionCount('b'), 0);
  });

  it('breakProbability breaks connections, and what arrives before is a prefix', async () => {
    const { world, dialler, acceptor } = await connect(3, { breakProbability: 0.01 });
    let sent = '';
    for (let i = 0; i < 1000 && !dialler.saw('close'); i++) {
      dialler.send(`<${i}>`);
      sent += `<${i}>`;
      await world.runFor(1);
    }
    await world.runFor(100);
    assert.equal(codeOf(dialler.error), 'STREAM_BROKEN');
    assert.equal(codeOf(acceptor.error), 'STREAM_BROKEN');
    assert.ok(acceptor.text.length > 0 && sent.startsWith(acceptor.text));
  });

  it('clog() delays what is under way', async () => {
    const { world, dialler, acceptor } = await connect(1);
    world.network.clog('a', 'b', 300);
    dialler.send('late');
    await world.runFor(299);
    assert.equal(acceptor.text, '');
    await world.runFor(10);
    assert.equal(acceptor.text, 'late');
  });

  it('heal() brings what stood still on a clogged link', async () => {
    const { world, dialler, acceptor } = await connect(1);
    world.network.clog('a', 'b', 60_000);
    dialler.send('late');
    await world.runFor(1000);
    assert.equal(acceptor.text, '');
    world.network.heal('a', 'b');
    await world.runFor(1000);
    assert.equal(acceptor.text, 'late');
  });

  it('clog() of a link that is cut ends when both have', async () => {
    const { world, dialler, acceptor } = await connect(1);
    world.network.clog('a', 'b', 300);
    world.network.cut('a', 'b');
    dialler.send('late');
    await world.runFor(1000);
    assert.equal(acceptor.text, '');
    world.network.heal('a', 'b');
    await world.runFor(1000);
    assert.equal(acceptor.text, 'late');
  });

  it('setDelay() makes one direction slow', async () => {
    const { world, dialler, acceptor } = await connect(1);
    world.network.setDelay('a', 'b', { minDelayMs: 100, maxDelayMs: 100 });
    dialler.send('slow');
    acceptor.send('fast');
    await world.runFor(50);
    assert.equal(dialler.text, 'fast');
    assert.equal(acceptor.text, '');
    await world.runFor(51);
    assert.equal(acceptor.text, 'slow');
  });

  it('partition() separates groups and leaves each whole', async () => {
    const world = new SimWorld(1);
    for (const host of ['a', 'b', 'c']) await listen(world, host);
    world.network.partition(['a'], ['b', 'c']);
    const across = [dial(world, 'a', 'b', 100), dial(world, 'c', 'a', 100)];
    const within = dial(world, 'b', 'c', 100);
    await world.runFor(200);
    assert.deepEqual(
      across.map((recorder) => codeOf(recorder.error)),
      ['CONNECT_TIMEOUT', 'CONNECT_TIMEOUT'],
    );
    assert.deepEqual(within.events, ['open']);
  });
});

describe('a crashed host', () => {
  it('is seen as gone by those it talked to: ended or reset, as the seed says', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 30; seed++) {
      const { world, dialler, acceptor } = await connect(seed);
      acceptor.send('last words');
      world.crash('b');
      await world.runFor(1000);
      assert.ok(dialler.saw('end') || dialler.saw('close'));
      assert.ok('last words'.startsWith(dialler.text));
      assert.deepEqual(acceptor.events, [], 'the dead hear nothing');
      if (dialler.saw('end')) {
        dialler.send('anybody there?');
        await world.runFor(1000);
      }
      assert.equal(codeOf(dialler.error), 'STREAM_BROKEN');
      seen.add(dialler.saw('end') ? 'ended' : `reset after "${dialler.text}"`);
    }
    assert.deepEqual([...seen].sort(), ['ended', 'reset after ""', 'reset after "last words"']);
  });

  it('leaves connections hanging when its machine is gone, until it is back', async () => {
    const { world, dialler } = await connect(1);
    world.crash('b', { silent: true });
    dialler.send('hello?');
    const another = dial(world, 'a', 'b', 500);
    await world.runFor(60_000);
    assert.deepEqual(dialler.events, ['open']);
    assert.equal(codeOf(another.error), 'CONNECT_TIMEOUT');
    await listen(world, 'b');
    await world.runFor(1000);
    assert.equal(codeOf(dialler.error), 'STREAM_BROKEN');
  });

  it('behind a cut leaves connections half open, until a write finds out', async () => {
    let silentCount = 0;
    for (let seed = 0; seed < 20; seed++) {
      const { world, dialler } = await connect(seed);
      world.network.cut('a', 'b');
      world.crash('b');
      await world.runFor(1000);
      assert.deepEqual(dialler.events, ['open']);
      world.network.heal();
      await world.runFor(1000);
      // A kernel sends an end again until it arrives, but a reset only once.
      if (!dialler.saw('end')) silentCount++;
      dialler.send('hello?');
      await world.runFor(1000);
      assert.equal(codeOf(dialler.error), 'STREAM_BROKEN');
    }
    assert.ok(silentCount > 0 && silentCount < 20);
  });
});

describe('a paused host', () => {
  it('lets its kernel accept and receive, and hears of it when it resumes', async () => {
    const world = new SimWorld(1);
    const accepted = await listen(world, 'b');
    world.pause('b');
    const dialler = dial(world, 'a', 'b');
    dialler.send('hello');
    await world.runFor(1000);
    assert.deepEqual(dialler.events, ['open']);
    assert.equal(accepted.length, 0);
    dialler.stream.end();
    world.resume('b');
    await world.runFor(10);
    assert.equal(accepted[0]?.text, 'hello');
    assert.deepEqual(accepted[0]?.events, ['data', 'end']);
  });

  it('lets writers run into back-pressure', async () => {
    const { world, dialler, acceptor } = await connect(1);
    world.pause('b');
    let writeCount = 0;
    while (writeCount < 100 && dialler.stream.write(new Uint8Array(16_384))) {
      writeCount++;
      await world.runFor(5);
    }
    assert.ok(writeCount < 20);
    world.resume('b');
    await world.runFor(1000);
    assert.equal(dialler.drainCount, 1);
    assert.equal(acceptor.receivedBytes, (writeCount + 1) * 16_384);
  });
});

describe('a simulated stream', () => {
  it('scribbles over a chunk once its reader has returned', async () => {
    const world = new SimWorld(1);
    const kept: Uint8Array[] = [];
    await world.finish(
      world.runtimeFor('b').network.listen({ port: PORT }, (stream) => {
        stream.attach({ onData: (chunk) => void kept.push(chunk), onClose: () => undefined });
      }),
    );
    dial(world, 'a', 'b').send('remember me');
    await world.runFor(100);
    assert.ok(kept.length > 0);
    for (const chunk of kept) assert.ok(chunk.every((byte) => byte === 0xdd));
  });
});
