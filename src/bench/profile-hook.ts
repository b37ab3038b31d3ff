/**
 * Loaded into a server in front of its program (`node --import`): SIGUSR2 begins a CPU profile, the
 * next one ends it and writes the file that the query of this module's address names. So a profile
 * covers a measured window and neither start nor set-up.
 */

import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { invariant } from '../base/assert.ts';

const SAMPLING_US = 200;

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.setSamplingInterval', { interval: SAMPLING_US });

const file = new URL(import.meta.url).searchParams.get('file') ?? 'server.cpuprofile';
let isProfiling = false;

process.on('SIGUSR2', () => {
  isProfiling = !isProfiling;
  if (isProfiling) session.post('Profiler.start');
  else session.post('Profiler.stop', (error, result) => write(error, result?.profile));
});

function write(error: Error | null, profile: object): void {
  invariant(error === null, 'the profiler was not running');
  // Whoever waits for the file must not see half of it.
  writeFileSync(`${file}.part`, JSON.stringify(profile));
  renameSync(`${file}.part`, file);
}
