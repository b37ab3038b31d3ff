/** The C library that half of the other clients stand on, on our servers; on the original first, to check the suite. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startApacheEnsemble } from './apache-ensemble.ts';
import { reportChecks } from './check-suite.ts';
import { fourLetterWord, waitUntil } from './processes.ts';
import { APACHE, configuredKinds, ENSEMBLE, runProgram, startEnsemble } from './support.ts';

const COMPILER = '/usr/bin/gcc';
const SOURCES = path.resolve('test/interop/c');
const SKIP =
  existsSync('/usr/include/zookeeper/zookeeper.h') && existsSync(COMPILER)
    ? false
    : "Debian's packages libzookeeper-mt-dev and gcc are not installed";
const CHECK_COUNT_MIN = 46;

/** Lets the tests see containers and nodes with a time to live go. */
const KINDS = configuredKinds(
  ['zookeeper.extendedTypesEnabled=true', 'znode.container.checkIntervalMs=200'],
  { extendedTypesEnabled: 'true', 'znode.container.checkIntervalMs': '200' },
);

const READ_ONLY_WITHIN_MS = 20_000;
const READ_ONLY_MODE = 'readonlymode.enabled';
/** The original greets a client in this mode only where sessions are local; ours always does. */
const READ_ONLY_KINDS = [
  {
    kind: APACHE,
    start: () => startApacheEnsemble(['localSessionsEnabled=true'], [`${READ_ONLY_MODE}=true`]),
  },
  { kind: ENSEMBLE, start: () => startEnsemble({ [READ_ONLY_MODE]: 'true' }) },
];

describe('the C client', { skip: SKIP }, () => {
  let directory: string;
  let program: string;

  before(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'vivarium-c-'));
    program = path.join(directory, 'suite');
    const sources = readdirSync(SOURCES).filter((name) => name.endsWith('.c'));
    const { exitCode, stderr } = await runProgram([
      COMPILER,
      '-std=c11',
      '-D_GNU_SOURCE',
      '-DTHREADED',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-O1',
      '-o',
      program,
      ...sources.map((name) => path.join(SOURCES, name)),
      '-lzookeeper_mt',
      '-lpthread',
    ]);
    assert.equal(exitCode, 0, stderr);
  });

  after(() => rm(directory, { recursive: true, force: true }));

  for (const kind of KINDS) {
    test(`on ${kind.name}`, { skip: kind.skip }, async (t) => {
      const target = await kind.start();
      t.after(() => target.stop());
      await reportChecks(t, [program, target.servers.join(',')], CHECK_COUNT_MIN);
    });
  }

  for (const { kind, start } of READ_ONLY_KINDS) {
    test(`on one of three that the others have left, ${kind.name}`, {
      skip: kind.skip,
    }, async (t) => {
      const target = await start();
      t.after(() => target.stop());
      await target.stopServer(1);
      await target.stopServer(2);
      // A session begun before the last one knows that it is alone would end with that knowledge.
      const port = Number(target.servers[2]?.split(':')[1]);
      await waitUntil(async () => {
        return (await fourLetterWord(port, 'srvr')).includes('READ-ONLY mode');
      }, READ_ONLY_WITHIN_MS);
      await reportChecks(t, [program, target.servers.join(','), 'read-only'], 1);
    });
  }
});
