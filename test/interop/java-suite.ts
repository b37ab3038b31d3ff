/** A suite in Java, run on each kind of server; on the original first, to check the suite. */

import { after, before, describe, test } from 'node:test';
import { reportChecks } from './check-suite.ts';
import { compileJava, JAVA_SKIP, type JavaPrograms } from './java-program.ts';
import type { TargetKind } from './support.ts';

/** `mainClass` prints a line for each of at least `checkCountMin` checks. */
export function describeJavaSuite(
  name: string,
  mainClass: string,
  kinds: readonly TargetKind[],
  checkCountMin: number,
): void {
  describe(name, { skip: JAVA_SKIP, concurrency: kinds.length }, () => {
    let programs: JavaPrograms;

    before(async () => {
      programs = await compileJava();
    });

    after(() => programs.remove());

    for (const kind of kinds) {
      test(`on ${kind.name}`, { skip: kind.skip }, async (t) => {
        const target = await kind.start();
        t.after(() => target.stop());
        const command = programs.command(mainClass, [target.servers.join(',')]);
        await reportChecks(t, command, checkCountMin);
      });
    }
  });
}
