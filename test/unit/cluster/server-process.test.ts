import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findFreePorts } from '../../../cluster/free-ports.ts';
import { signalProcess, startProcess, waitForEnd } from '../../../cluster/server-process.ts';
import { createNodeRuntime } from '../../../src/runtime/node/node-runtime.ts';
import { waitUntil } from '../../interop/processes.ts';

const ENOUGH_MS = 20_000;

/** Listens on a port and keeps four threads busy with syncs, as a server under load does. */
const SYNCING_SERVER = `
const { createServer } = require('node:net');
const fs = require('node:fs');
const [directory, port] = process.argv.slice(1);
const block = Buffer.alloc(1 << 20);
createServer().listen(Number(port), '127.0.0.1', () => {
  for (const name of ['a', 'b', 'c', 'd']) {
    const file = fs.openSync(directory + '/' + name, 'w');
    const next = () => fs.write(file, block, 0, block.length, 0, () => fs.fsync(file, next));
    next();
  }
  console.log('listening');
});
`;

describe('waitForEnd', () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'vivarium-process-'));
  });

  after(() => rm(directory, { recursive: true, force: true }));

  it('ends no sooner than a killed process has left its port', async () => {
    const [port = 0] = await findFreePorts(createNodeRuntime().network, 1);
    const output = path.join(directory, 'output');
    for (let round = 1; round <= 10; round++) {
      const command = [process.execPath, '-e', SYNCING_SERVER, directory, String(port)];
      const started = await startProcess(command, output);
      const isListening = (): boolean =>
        readFileSync(output, 'utf8').split('listening').length > round;
      await waitUntil(async () => isListening(), ENOUGH_MS);
      signalProcess(started.process, 'SIGKILL');
      assert(await waitForEnd(started.process, ENOUGH_MS));
      const listener = createServer().listen(port, '127.0.0.1');
      await once(listener, 'listening');
      listener.close();
      await once(listener, 'close');
    }
  });
});
