/** Curator's framework and recipes on our servers; on the original first, to check the suite. */

import { after, before, describe, test } from 'node:test';
import { reportChecks } from './check-suite.ts';
import { compileJava, JAVA_SKIP, type JavaPrograms } from './java-program.ts';
import { configuredKinds } from './support.ts';

/** Nodes with a time to live are swept so often that a check can wait for it. */
const KINDS = configuredKinds(
  ['zookeeper.extendedTypesEnabled=true', 'znode.container.checkIntervalMs=500'],
  { extendedTypesEnabled: 'true', 'znode.container.checkIntervalMs': '500' },
);
const CHECK_COUNT_MIN = 45;

describe('Curator', { skip: JAVA_SKIP, concurrency: KINDS.length }, () => {
  let programs: JavaPrograms;

  before(async () => {
    programs = await compileJava();
  });

  after(() => programs.remove());

  for (const kind of KINDS) {
    test(`on ${kind.name}`, { skip: kind.skip }, async (t) => {
      const target = await kind.start();
      t.after(() => target.stop());
      const command = programs.command('CuratorSuite', [target.servers.join(',')]);
      await reportChecks(t, command, CHECK_COUNT_MIN);
    });
  }
});
