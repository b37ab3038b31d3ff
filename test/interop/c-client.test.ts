/** The C library that half of the other clients stand on, on our servers; on the original first, to check the suite. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { reportChecks } from './check-suite.ts';
import { configuredKinds, runProgram } from './support.ts';

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
});
