// Runs every *.test.js under the given directories, except those that need other programs or hours.
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

const LEFT_OUT = new Set(['interop', 'sim-long']);

function findTests(file) {
  if (!statSync(file).isDirectory()) return file.endsWith('.test.js') ? [file] : [];
  const names = readdirSync(file).filter((name) => !LEFT_OUT.has(name));
  return names.sort().flatMap((name) => findTests(path.join(file, name)));
}

// A directory named on the command line is run even if it is one of those left out below others.
const tests = process.argv.slice(2).flatMap(findTests);
if (tests.length === 0) {
  process.stderr.write('no *.test.js found: name directories with compiled tests\n');
  process.exit(1);
}
const concurrency = Math.max(2, availableParallelism());
const runner = spawn(
  process.execPath,
  ['--enable-source-maps', '--test', `--test-concurrency=${concurrency}`, ...tests],
  { stdio: 'inherit' },
);
runner.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
