/** A thread that runs the seeds it is told to, one after the other. */

import { parentPort } from 'node:worker_threads';
import { invariant } from '../../src/base/assert.ts';
import { runSeed } from './run-seed.ts';

const port = parentPort;
invariant(port !== null, 'started as a program of its own');
port.on('message', (seed: number) => {
  runSeed(seed).then(
    (result) => port.postMessage(result),
    (error: unknown) => {
      throw error;
    },
  );
});
