import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../interop/support.ts';

/** As they are compiled, from here. */
const PROGRAMS = [
  '../../sim/main.js',
  '../../worlds/main.js',
  '../../mutants/main.js',
  '../../fuzz/main.js',
  '../../compat/main.js',
  '../../../cluster/chaos/main.js',
  '../../../bench/memory.js',
];

function run(program: string, ...options: string[]) {
  const file = fileURLToPath(new URL(program, import.meta.url));
  return runProgram([process.execPath, file, ...options]);
}

for (const program of PROGRAMS) {
  describe(program.replace(/^[./]+/, ''), () => {
    test('says how it is used when asked', async () => {
      const { exitCode, stdout } = await run(program, '--help');
      assert.equal(exitCode, 0);
      assert.match(stdout, /^npm run [a-z:]+ -- \[options\]\n/);
    });

    test('names an option that it does not have, and says how it is used', async () => {
      const { exitCode, stderr } = await run(program, '--sneeds=3');
      assert.equal(exitCode, 2);
      assert.match(stderr, /^[^\n]*'--sneeds'[^\n]*\n\nnpm run [a-z:]+ -- \[options\]\n/);
    });
  });
}

describe('ToolCommand', () => {
  test('names an option whose value is no whole number, and what it may be', async () => {
    const { exitCode, stderr } = await run('../../sim/main.js', '--seeds', '1e3');
    assert.equal(exitCode, 2);
    assert.match(stderr, /^--seeds is a whole number of at least 1, not '1e3'\n\nnpm run sim/);
  });

  test('names an option whose value is out of bounds, and the bounds', async () => {
    const { exitCode, stderr } = await run('../../worlds/main.js', '--writes', '99');
    assert.equal(exitCode, 2);
    assert.match(stderr, /^--writes is a whole number from 0 to \d+, not '99'\n/);
  });

  test('names an option whose value is not among those it may have', async () => {
    const { exitCode, stderr } = await run('../../../cluster/chaos/main.js', '--faults', 'rain');
    assert.equal(exitCode, 2);
    assert.match(stderr, /^--faults is one of kill, [A-Za-z, ]+, not 'rain'\n/);
  });
});
