/** Suites written in other languages: programs that print one line for each of their checks. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { runProgram } from './support.ts';

/** `ok NAME`, or `not ok NAME: REASON`, or `fail NAME: REASON`. */
const CHECK_LINE = /^(ok|not ok|fail) ([^:]*)(?:: .*)?$/;

/**
 * Runs a suite to its end and reports each of its checks as a test of its own. A suite that prints
 * fewer than `checkCountMin` lines has not run whole, whatever its exit code is.
 */
export async function reportChecks(
  t: TestContext,
  command: readonly string[],
  checkCountMin: number,
): Promise<void> {
  const { stdout, stderr, exitCode } = await runProgram(command);
  const lines = stdout.split('\n').filter((line) => CHECK_LINE.test(line));
  assert.ok(lines.length >= checkCountMin, `${lines.length} checks ran: ${stderr}`);
  for (const line of lines) {
    const name = CHECK_LINE.exec(line)?.[2] ?? line;
    await t.test(name, () => assert.ok(line.startsWith('ok '), `${line}\n${stderr}`));
  }
  assert.equal(exitCode, 0, stderr);
}
