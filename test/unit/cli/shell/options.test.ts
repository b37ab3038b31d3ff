import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CommandError } from '../../../../src/cli/shell/command-error.ts';
import { type OptionSpec, parseOptions } from '../../../../src/cli/shell/options.ts';

const SPEC: OptionSpec = { flags: ['s', 'w'], values: ['v', 'file'] };
const GROUP: OptionSpec = {
  values: ['n', 'b'],
  oneOf: { names: { n: 'nodes', b: 'bytes' }, isRequired: true },
};

function complaint(words: readonly string[], spec = SPEC): string {
  try {
    parseOptions(words, spec);
  } catch (error) {
    assert.ok(error instanceof CommandError);
    assert.equal(error.exitCode, 1);
    return error.message.replace('org.apache.commons.cli.', '');
  }
  return 'none';
}

describe('parseOptions', () => {
  test('finds options anywhere among the words', () => {
    const options = parseOptions(['/a', '-s', 'data', '-v', '3'], SPEC);
    assert.deepEqual(options.words, ['/a', 'data']);
    assert.ok(options.has('s') && !options.has('w'));
    assert.equal(options.value('v'), '3');
  });

  const values: readonly (readonly [readonly string[], string, string])[] = [
    [['-v', '-1'], 'v', '-1'],
    [['-v3'], 'v', '3'],
    [['-v=3'], 'v', '3'],
    [['-sv', '3'], 'v', '3'],
    [['-sv3'], 'v', '3'],
    [['-file', 'zoo.cfg'], 'file', 'zoo.cfg'],
    [['-v', '1', '-v', '2'], 'v', '1'],
    [['-v', '-x'], 'v', '-x'],
  ];
  for (const [words, name, value] of values) {
    test(`takes the value of ${words.join(' ')}`, () => {
      assert.equal(parseOptions(words, SPEC).value(name), value);
    });
  }

  test('takes letters together', () => {
    const options = parseOptions(['-sw', '/a'], SPEC);
    assert.ok(options.has('s') && options.has('w'));
  });

  test('takes a dash alone, and everything behind two, for words', () => {
    assert.deepEqual(parseOptions(['-', '--', '-s', '--'], SPEC).words, ['-', '-s', '--']);
  });

  test('complains of options it does not know, with the word that was typed', () => {
    assert.equal(complaint(['-q']), 'UnrecognizedOptionException: Unrecognized option: -q');
    assert.equal(complaint(['-sq']), 'UnrecognizedOptionException: Unrecognized option: -sq');
    assert.equal(complaint(['--all']), 'UnrecognizedOptionException: Unrecognized option: --all');
    assert.equal(complaint(['-5']), 'UnrecognizedOptionException: Unrecognized option: -5');
  });

  test('complains of a value that is missing, also in front of another option', () => {
    const expected = 'MissingArgumentException: Missing argument for option: v';
    assert.equal(complaint(['-v']), expected);
    assert.equal(complaint(['-v', '-s']), expected);
  });

  test('complains of two options of which one may be given', () => {
    assert.equal(
      complaint(['-n', '1', '-b', '2'], GROUP),
      "AlreadySelectedException: The option 'b' was specified but an option from this group has " +
        "already been selected: 'n'",
    );
  });

  test('complains when none of the options is given of which one must be', () => {
    assert.equal(
      complaint(['/a'], GROUP),
      'MissingOptionException: Missing required option: [-n nodes, -b bytes]',
    );
  });
});
