import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseShellArguments } from '../../../../src/cli/shell/arguments.ts';
import { UsageError } from '../../../../src/cli/usage-error.ts';

describe('parseShellArguments', () => {
  test('has the defaults of the original', () => {
    assert.deepEqual(parseShellArguments([]), {
      server: 'localhost:2181',
      timeoutMs: 30_000,
      readOnly: false,
      waitsForConnection: false,
      json: false,
      help: false,
      command: [],
    });
  });

  test('leaves everything behind the command to the command', () => {
    const given = parseShellArguments(['-server', 'a:1,b:2/c', '-r', 'ls', '-s', '-server']);
    assert.equal(given.server, 'a:1,b:2/c');
    assert.ok(given.readOnly);
    assert.deepEqual(given.command, ['ls', '-s', '-server']);
  });

  test('takes two dashes, and a value behind an equals sign', () => {
    const given = parseShellArguments(['--server=a:1', '--timeout', '5000', '-waitforconnection']);
    assert.equal(given.server, 'a:1');
    assert.equal(given.timeoutMs, 5000);
    assert.ok(given.waitsForConnection);
  });

  test('takes --json in front of the command and behind it', () => {
    assert.ok(parseShellArguments(['--json', 'ls', '/']).json);
    const behind = parseShellArguments(['ls', '/', '--json']);
    assert.ok(behind.json);
    assert.deepEqual(behind.command, ['ls', '/']);
  });

  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [['-server'], /^Error: no argument found for option -server$/],
    [['-timeout', 'soon'], /expected milliseconds/],
    [['-foo'], /-foo is no option/],
    [['-client-configuration', 'f'], /no TLS/],
  ];
  for (const [args, message] of refused) {
    test(`refuses ${args.join(' ')}`, () => {
      assert.throws(
        () => parseShellArguments(args),
        (error) => {
          assert.ok(error instanceof UsageError);
          assert.match(error.message, message);
          assert.equal(error.exitCode, 2);
          return true;
        },
      );
    });
  }
});
