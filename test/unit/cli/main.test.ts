/** What the command line says of itself. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { flagName } from '../../../src/cli/config-flags.ts';
import { main } from '../../../src/cli/main.ts';
import { CONFIG_KEYS } from '../../../src/server/config-keys.ts';

const COMMANDS = ['server', 'ensemble', 'status', 'check', 'import', 'export', 'dump'];

/** Runs a command line, and returns what it printed, on either stream, and its exit code. */
async function run(t: TestContext, args: readonly string[]): Promise<[string, number]> {
  let text = '';
  const take = (piece: unknown): boolean => {
    text += `${String(piece)}\n`;
    return true;
  };
  const mocked = [
    t.mock.method(process.stderr, 'write', take),
    t.mock.method(console, 'log', take),
  ];
  const exitCode = await main(args);
  for (const { mock } of mocked) mock.restore();
  return [text, exitCode];
}

test('main lists every command', async (t) => {
  const [text, exitCode] = await run(t, ['--help']);
  for (const name of [...COMMANDS, 'cli']) assert.ok(text.includes(`vivarium ${name} `), name);
  assert.equal(exitCode, 0);
});

for (const name of COMMANDS) {
  test(`main: ${name} --help says what the exit status means`, async (t) => {
    const [text] = await run(t, [name, '--help']);
    assert.match(text, /^Exit status: 0 /m);
  });
}

test('main: server --help has a flag in one piece for every key', async (t) => {
  const [text] = await run(t, ['server', '--help']);
  for (const key of Object.keys(CONFIG_KEYS)) {
    assert.match(text, new RegExp(`^ +--${flagName(key)} `, 'm'), key);
  }
});

const MISTAKES: readonly (readonly [args: readonly string[], answer: RegExp])[] = [
  [['import', 'x'], /^vivarium: .*data-dir \(vivarium import --help shows what there is\)$/m],
  [['status', '--timout', '1'], /timout \(vivarium status --help shows what there is\)$/m],
  [['ensemble', 'frob'], /\(vivarium ensemble --help shows what there is\)$/m],
  [['frob'], /frob \(vivarium --help shows what there is\)$/m],
  [[], /^vivarium: name a command \(vivarium --help shows what there is\)$/m],
];

for (const [args, answer] of MISTAKES) {
  test(`main: "vivarium ${args.join(' ')}" names the help that helps`, async (t) => {
    const [text, exitCode] = await run(t, args);
    assert.match(text, answer);
    assert.equal(exitCode, 2);
  });
}
