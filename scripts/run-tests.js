// Runs every *.test.js under the given directories, except those that need other programs or hours.
// What takes all processors by itself goes first, alone: beside others it would say nothing about speed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';

const LEFT_OUT = new Set(['interop', 'sim-long']);
const ALONE = new Set(['sim.test.js']);

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
const isAlone = (file) => ALONE.has(path.basename(file));
const runs = [tests.filter(isAlone), tests.filter((file) => !isAlone(file))];
const concurrency = Math.max(2, availableParallelism());
const directory = mkdtempSync(path.join(tmpdir(), 'vivarium-failures-'));
const failures = path.join(directory, 'failures');
const reporter = (name) => `--test-reporter=${new URL(name, import.meta.url).href}`;
const reporters = [
  process.stdout.isTTY ? '--test-reporter=spec' : reporter('tap-reporter.js'),
  '--test-reporter-destination=stdout',
  reporter('failures-reporter.js'),
  `--test-reporter-destination=${failures}`,
];
let failed = '';
for (const files of runs) {
  if (files.length === 0) continue;
  const options = [
    '--enable-source-maps',
    '--test',
    `--test-concurrency=${concurrency}`,
    ...reporters,
  ];
  const runner = spawn(process.execPath, [...options, ...files], { stdio: 'inherit' });
  const [code, signal] = await once(runner, 'exit');
  if (code !== 0 || signal !== null) process.exitCode = code || 1;
  if (existsSync(failures)) failed += readFileSync(failures, 'utf8');
}
process.stdout.write(failed);
rmSync(directory, { recursive: true });
