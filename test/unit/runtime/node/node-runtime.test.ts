import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { createNodeRuntime } from '../../../../src/runtime/node/node-runtime.ts';
import { type Address, RuntimeError } from '../../../../src/runtime/runtime.ts';

const runtime = createNodeRuntime();

describe('createNodeRuntime()', () => {
  it('set() calls once, every() until it is cleared', async () => {
    const calls: string[] = [];
    await new Promise<void>((resolve) => {
      runtime.timers.set(1, () => calls.push('once'));
      const cleared = runtime.timers.set(1, () => calls.push('never'));
      runtime.timers.clear(cleared);
      const periodic = runtime.timers.every(2, () => {
        calls.push('again');
        if (calls.filter((call) => call === 'again').length < 3) return;
        runtime.timers.clear(periodic);
        resolve();
      });
    });
    assert.deepEqual(calls.filter((call) => call === 'once').length, 1);
    assert.ok(!calls.includes('never'));
  });

  it('defer() calls after the turn', async () => {
    const calls: string[] = [];
    await new Promise<void>((resolve) => {
      runtime.timers.defer(() => {
        calls.push('deferred');
        resolve();
      });
      calls.push('turn');
    });
    assert.deepEqual(calls, ['turn', 'deferred']);
  });

  it('monotonicMs() does not go back', () => {
    const first = runtime.clock.monotonicMs();
    assert.ok(runtime.clock.monotonicMs() >= first);
  });

  it('randomBytes() are of the length asked for and differ', () => {
    const first = runtime.randomBytes(16);
    assert.equal(first.length, 16);
    assert.notDeepEqual(first, runtime.randomBytes(16));
  });
});

describe('NodeNetwork', () => {
  it('a listener on all interfaces is reached through loopback', async () => {
    const listener = await runtime.network.listen({ port: 0 }, (stream) => {
      stream.attach({ onData: () => undefined, onClose: () => undefined });
      stream.destroy();
    });
    await new Promise<void>((resolve) => {
      const address = { host: '127.0.0.1', port: listener.address.port };
      const stream = runtime.network.connect(address, 5000);
      stream.attach({
        onData: () => undefined,
        onEnd: () => stream.destroy(),
        onClose: () => resolve(),
      });
    });
    await listener.close();
  });

  it('connect() to a name that does not exist closes with CONNECT_FAILED and the name', async () => {
    const error = await new Promise<Error | undefined>((resolve) => {
      const stream = runtime.network.connect({ host: 'no-such-host.invalid', port: 1 }, 20_000);
      stream.attach({ onData: () => undefined, onClose: resolve });
    });
    assert.ok(error instanceof RuntimeError);
    assert.equal(error.code, 'CONNECT_FAILED');
    assert.match(error.message, /no-such-host\.invalid:1/);
  });

  it('connect() gives up with CONNECT_TIMEOUT where nobody answers', async () => {
    // A stopped process accepts nobody. Once its short queue is full, the system leaves further
    // connections unanswered.
    const program = `
      const server = require('node:net').createServer();
      server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
        process.stdout.write(String(server.address().port));
      });
    `;
    const child = spawn(process.execPath, ['-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [output] = await once(child.stdout, 'data');
      const address = { host: '127.0.0.1', port: Number(String(output)) };
      child.kill('SIGSTOP');
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => outcomeOf(address, 300)));
      const failures = outcomes.filter((outcome) => outcome !== 'open');
      assert.ok(failures.length > 0);
      for (const failure of failures) {
        assert.ok(failure instanceof RuntimeError);
        assert.equal(failure.code, 'CONNECT_TIMEOUT');
        assert.match(failure.message, new RegExp(`:${address.port}: no answer within 300 ms`));
      }
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});

/** How an attempt to connect ended. An open stream is closed again. */
function outcomeOf(address: Address, timeoutMs: number): Promise<'open' | Error | undefined> {
  return new Promise((resolve) => {
    const stream = runtime.network.connect(address, timeoutMs);
    stream.attach({
      onOpen: () => {
        resolve('open');
        stream.destroy();
      },
      onData: () => undefined,
      onClose: resolve,
    });
  });
}
