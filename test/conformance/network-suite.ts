/**
 * What every implementation of `Network` must do. A factory makes a bench; the same tests then run
 * on the simulated network and on sockets of this machine.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Address,
  type ByteStream,
  type Listener,
  type Network,
  RuntimeError,
  type StreamHandler,
} from '../../src/runtime/runtime.ts';

export interface NetworkBench {
  readonly network: Network;
  /** A host name or address to listen on and connect to. */
  readonly host: string;
  /** Lets the network work until the condition holds; fails when it does not within seconds. */
  until(condition: () => boolean): Promise<void>;
  /** Waits for a promise of the network. */
  finish<T>(promise: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5000;

/** Records what a stream says; `events` has one word for each call. */
export class Recorder implements StreamHandler {
  readonly stream: ByteStream;
  readonly events: string[] = [];
  error: Error | undefined = undefined;
  drainCount = 0;
  receivedBytes = 0;
  readonly #chunks: Uint8Array[] = [];

  constructor(stream: ByteStream) {
    this.stream = stream;
    stream.attach(this);
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  saw(event: string): boolean {
    return this.events.includes(event);
  }

  send(text: string): boolean {
    return this.stream.write(new TextEncoder().encode(text));
  }

  onOpen(): void {
    this.events.push('open');
  }

  onData(chunk: Uint8Array): void {
    if (this.events.at(-1) !== 'data') this.events.push('data');
    this.receivedBytes += chunk.length;
    // A plain `slice` must be a copy, whatever kind of array the implementation hands out.
    this.#chunks.push(chunk.slice());
  }

  onDrain(): void {
    this.drainCount++;
  }

  onEnd(): void {
    this.events.push('end');
  }

  onClose(error: Error | undefined): void {
    this.events.push('close');
    this.error = error;
  }
}

interface Pair {
  readonly listener: Listener;
  readonly dialler: Recorder;
  readonly acceptor: Recorder;
}

type Define = (behaviour: string, run: (bench: NetworkBench) => Promise<void>) => void;

export function describeNetwork(name: string, makeBench: () => Promise<NetworkBench>): void {
  describe(`${name} network`, () => {
    const test: Define = (behaviour, run) => {
      it(behaviour, async () => {
        const bench = await makeBench();
        try {
          await run(bench);
        } finally {
          await bench.close();
        }
      });
    };
    listenTests(test);
    connectTests(test);
    dataTests(test);
    endingTests(test);
    pressureTests(test);
  });
}

function listenTests(test: Define): void {
  test('listen() on port 0 takes a free port and says which', async (bench) => {
    const first = await listen(bench);
    const second = await listen(bench);
    assert.ok(first.address.port > 0);
    assert.notEqual(first.address.port, second.address.port);
    await closeAll(bench, first, second);
  });

  test('listen() on a port in use is refused with the address', async (bench) => {
    const first = await listen(bench);
    const { port } = first.address;
    const second = bench.network.listen({ host: bench.host, port }, () => undefined);
    await assert.rejects(bench.finish(second), (error) => {
      assert.ok(error instanceof RuntimeError);
      assert.equal(error.code, 'ADDRESS_IN_USE');
      assert.match(error.message, new RegExp(`:${port}\\b`));
      return true;
    });
    await closeAll(bench, first);
  });

  test('listen() on an address of somebody else is refused', async (bench) => {
    const listening = bench.network.listen({ host: '192.0.2.1', port: 0 }, () => undefined);
    await assert.rejects(bench.finish(listening), (error) => {
      assert.ok(error instanceof RuntimeError);
      assert.equal(error.code, 'ADDRESS_UNAVAILABLE');
      assert.match(error.message, /192\.0\.2\.1/);
      return true;
    });
  });

  test('close() frees the port and leaves connections alone', async (bench) => {
    const { listener, dialler, acceptor } = await connectPair(bench);
    await bench.finish(listener.close());
    dialler.send('still here');
    await bench.until(() => acceptor.text === 'still here');
    const again = await bench.finish(
      bench.network.listen({ host: bench.host, port: listener.address.port }, () => undefined),
    );
    dialler.stream.destroy();
    acceptor.stream.destroy();
    await closeAll(bench, again);
  });
}

function connectTests(test: Define): void {
  test('connect() opens, and both ends know each other', async (bench) => {
    const { listener, dialler, acceptor } = await connectPair(bench);
    assert.deepEqual(dialler.events, ['open']);
    assert.deepEqual(acceptor.events, []);
    assert.equal(dialler.stream.remote.port, listener.address.port);
    assert.equal(acceptor.stream.local.port, listener.address.port);
    assert.equal(acceptor.stream.remote.port, dialler.stream.local.port);
    assert.ok(acceptor.stream.remote.host.length > 0);
    await hangUp(bench, { listener, dialler, acceptor });
  });

  test('connect() where nobody listens closes with CONNECT_FAILED', async (bench) => {
    const listener = await listen(bench);
    await bench.finish(listener.close());
    const dialler = new Recorder(bench.network.connect(listener.address, CONNECT_TIMEOUT_MS));
    assert.deepEqual(dialler.events, [], 'nothing is said from inside the call');
    await bench.until(() => dialler.saw('close'));
    assert.deepEqual(dialler.events, ['close']);
    assert.ok(dialler.error instanceof RuntimeError);
    assert.equal(dialler.error.code, 'CONNECT_FAILED');
    assert.match(dialler.error.message, new RegExp(`:${listener.address.port}\\b`));
  });

  test('what is written before the stream is open is sent', async (bench) => {
    const accepted: Recorder[] = [];
    const listener = await listen(bench, accepted);
    const dialler = new Recorder(bench.network.connect(listener.address, CONNECT_TIMEOUT_MS));
    dialler.send('early ');
    dialler.send('bird');
    await bench.until(() => accepted[0]?.text === 'early bird');
    dialler.stream.destroy();
    accepted[0]?.stream.destroy();
    await closeAll(bench, listener);
  });

  test('destroy() while connecting closes without an error', async (bench) => {
    const listener = await listen(bench, []);
    const dialler = new Recorder(bench.network.connect(listener.address, CONNECT_TIMEOUT_MS));
    dialler.stream.destroy();
    assert.deepEqual(dialler.events, [], 'nothing is said from inside the call');
    await bench.until(() => dialler.saw('close'));
    assert.deepEqual(dialler.events, ['close']);
    assert.equal(dialler.error, undefined);
    await closeAll(bench, listener);
  });
}

function dataTests(test: Define): void {
  test('bytes arrive in order, both ways', async (bench) => {
    const pair = await connectPair(bench);
    let expected = '';
    for (let i = 0; i < 200; i++) {
      expected += `${i},`;
      pair.dialler.send(`${i},`);
      pair.acceptor.send(`${i},`);
    }
    await bench.until(() => pair.acceptor.text === expected && pair.dialler.text === expected);
    await hangUp(bench, pair);
  });

  test('a transfer of megabytes arrives whole, at the pace of onDrain', async (bench) => {
    const pair = await connectPair(bench);
    const total = 4 * 1024 * 1024;
    const block = 50_000;
    let sent = 0;
    const pump = (): void => {
      while (sent < total) {
        const bytes = pattern(sent, Math.min(block, total - sent));
        sent += bytes.length;
        if (!pair.dialler.stream.write(bytes)) return;
      }
      pair.dialler.stream.end();
    };
    pair.dialler.onDrain = pump;
    pump();
    await bench.until(() => pair.acceptor.saw('end'));
    assert.equal(Buffer.compare(pair.acceptor.bytes, pattern(0, total)), 0);
    await hangUp(bench, pair);
  });
}

function endingTests(test: Define): void {
  test('end() closes one direction: the answer still comes', async (bench) => {
    const pair = await connectPair(bench);
    const { dialler, acceptor } = pair;
    dialler.send('ruok');
    dialler.stream.end();
    await bench.until(() => acceptor.saw('end'));
    assert.equal(acceptor.text, 'ruok');
    assert.deepEqual(acceptor.events, ['data', 'end']);
    acceptor.send('imok');
    acceptor.stream.end();
    await bench.until(() => dialler.saw('close') && acceptor.saw('close'));
    assert.equal(dialler.text, 'imok');
    assert.deepEqual(dialler.events, ['open', 'data', 'end', 'close']);
    assert.deepEqual(acceptor.events, ['data', 'end', 'close']);
    assert.equal(dialler.error, undefined);
    assert.equal(acceptor.error, undefined);
    await closeAll(bench, pair.listener);
  });

  test('end() sends first what was written before it', async (bench) => {
    const pair = await connectPair(bench);
    const bytes = pattern(0, 1024 * 1024);
    pair.dialler.stream.write(bytes);
    pair.dialler.stream.end();
    await bench.until(() => pair.acceptor.saw('end'));
    assert.equal(pair.acceptor.receivedBytes, bytes.length);
    await hangUp(bench, pair);
  });

  test('destroy() closes at once, and the other side finds out', async (bench) => {
    const pair = await connectPair(bench);
    pair.dialler.stream.destroy();
    assert.equal(pair.dialler.saw('close'), false, 'nothing is said from inside the call');
    await bench.until(() => pair.dialler.saw('close'));
    assert.equal(pair.dialler.error, undefined);
    await bench.until(() => pair.acceptor.saw('end') || pair.acceptor.saw('close'));
    await hangUp(bench, pair);
  });

  test('destroy() in the middle of a transfer breaks the writer off', async (bench) => {
    const pair = await connectPair(bench);
    const { dialler, acceptor } = pair;
    let written = 0;
    const pump = (): void => {
      if (dialler.saw('close')) return;
      written += 65_536;
      // Without end: only the other side's leaving can stop it.
      dialler.stream.write(pattern(0, 65_536));
    };
    dialler.onDrain = pump;
    while (dialler.stream.write(pattern(0, 65_536))) written += 65_536;
    await bench.until(() => acceptor.receivedBytes > 0);
    acceptor.stream.destroy();
    const received = acceptor.receivedBytes;
    await bench.until(() => dialler.saw('close') && acceptor.saw('close'));
    assert.ok(dialler.error instanceof RuntimeError);
    assert.equal(dialler.error.code, 'STREAM_BROKEN');
    assert.equal(acceptor.receivedBytes, received, 'a destroyed stream is silent');
    assert.equal(acceptor.events.filter((event) => event === 'close').length, 1);
    assert.ok(written > 0);
    await closeAll(bench, pair.listener);
  });

  test('write() after the stream closed is ignored', async (bench) => {
    const pair = await connectPair(bench);
    pair.dialler.stream.destroy();
    assert.equal(pair.dialler.send('too late'), true);
    await bench.until(() => pair.dialler.saw('close'));
    assert.equal(pair.dialler.send('later still'), true);
    pair.dialler.stream.end();
    pair.dialler.stream.destroy();
    await bench.until(() => pair.acceptor.saw('end') || pair.acceptor.saw('close'));
    assert.equal(pair.acceptor.text, '');
    await hangUp(bench, pair);
  });
}

function pressureTests(test: Define): void {
  test('write() says false while the other side does not read, onDrain when it does', async (bench) => {
    const pair = await connectPair(bench);
    const { dialler, acceptor } = pair;
    acceptor.stream.pause();
    let sent = 0;
    let hasRoom = true;
    // The operating system keeps some megabytes of its own before it pushes back.
    while (sent < 64 * 1024 * 1024 && hasRoom) {
      const count = 256 * 1024;
      sent += count;
      hasRoom = dialler.stream.write(pattern(0, count));
    }
    assert.equal(hasRoom, false);
    assert.ok(dialler.stream.bufferedBytes > 0);
    assert.equal(dialler.drainCount, 0);
    acceptor.stream.resume();
    await bench.until(() => dialler.drainCount > 0 && acceptor.receivedBytes === sent);
    assert.equal(dialler.stream.bufferedBytes, 0);
    await hangUp(bench, pair);
  });

  test('pause() holds data back and resume() lets it come', async (bench) => {
    const pair = await connectPair(bench);
    const { dialler, acceptor } = pair;
    acceptor.stream.pause();
    dialler.send('held');
    // The answer overtakes what is held: proof that time enough has passed for it to arrive.
    acceptor.send('ping');
    await bench.until(() => dialler.text === 'ping');
    assert.equal(acceptor.text, '');
    acceptor.stream.resume();
    await bench.until(() => acceptor.text === 'held');
    await hangUp(bench, pair);
  });
}

async function listen(bench: NetworkBench, accepted: Recorder[] = []): Promise<Listener> {
  const options = { host: bench.host, port: 0 };
  return await bench.finish(
    bench.network.listen(options, (stream) => {
      accepted.push(new Recorder(stream));
    }),
  );
}

async function connectPair(bench: NetworkBench): Promise<Pair> {
  const accepted: Recorder[] = [];
  const listener = await listen(bench, accepted);
  const address: Address = listener.address;
  const dialler = new Recorder(bench.network.connect(address, CONNECT_TIMEOUT_MS));
  await bench.until(() => dialler.saw('open') && accepted.length === 1);
  const acceptor = accepted[0];
  assert.ok(acceptor !== undefined);
  return { listener, dialler, acceptor };
}

async function hangUp(bench: NetworkBench, pair: Pair): Promise<void> {
  pair.dialler.stream.destroy();
  pair.acceptor.stream.destroy();
  await bench.until(() => pair.dialler.saw('close') && pair.acceptor.saw('close'));
  await closeAll(bench, pair.listener);
}

async function closeAll(bench: NetworkBench, ...listeners: Listener[]): Promise<void> {
  for (const listener of listeners) await bench.finish(listener.close());
}

/** Bytes that depend on their place, so that a swap or a loss shows. */
function pattern(offset: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const place = offset + i;
    bytes[i] = (place ^ (place >> 8) ^ (place >> 16)) & 0xff;
  }
  return bytes;
}
