/**
 * Our shell beside the original's, on the original: what they print must be the same but for what
 * `DIFFERENCES` says, with reasons. And ours on ours: the same again.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serverProgram } from '../../cluster/launch.ts';
import { DIFFERENCES, type Difference, MORE_COMMANDS, SESSION, SINGLE } from './shell-session.ts';
import { APACHE, ENSEMBLE, runProgram, STANDALONE, type Target } from './support.ts';
import { type Printed, printedBy, QUIET, SKIP, ZKCLI, zkCli } from './zkcli.ts';

const OURS = [...serverProgram().slice(0, -1), 'cli'];
/** Prints a line on each stream, between the lines of two differences. */
const MARK = ['printwatches', 'delete /mark'];
const MARK_OUTPUT = 'printwatches is on';
const MARK_ERROR = 'Node does not exist: /mark';

function ours(server: string, input: string): Promise<Printed> {
  return printedBy(OURS, server, [], input);
}

const INPUT = SESSION.join('\n');

describe('vivarium cli', { skip: SKIP }, () => {
  let apache: Target;
  let server: string;
  let expected: Printed;

  before(async () => {
    apache = await APACHE.start();
    server = apache.servers[0] ?? '';
    expected = await zkCli(server, [], INPUT);
    assert.ok(expected.output.includes('some data with spaces'));
    assert.ok(expected.events.length > 10);
    assert.equal(expected.output.at(-1), '[zookeeper]');
  });

  after(() => apache.stop());

  test('prints in a session of many commands what the original prints', async () => {
    assert.ok(SESSION.length >= 60);
    assert.deepEqual(await ours(server, INPUT), expected);
  });

  test('prints of a single command, and ends with, what the original does', async () => {
    const run = async (program: readonly string[], words: readonly string[]) => {
      const command = [...program, '-server', server, ...words];
      const { stdout, stderr, exitCode } = await runProgram(command, { environment: QUIET });
      // Another thread of the original tells of its connection, before, amid or after the answer, or no longer.
      const answer = stdout.replace(/\nWATCHER::\n|\nWatchedEvent .*\n/g, '');
      return { answer, errors: stderr.replace(/^SLF4J: .*\n/gm, ''), exitCode };
    };
    const runAll = async (program: readonly string[]) => {
      const results = [];
      for (const words of SINGLE) results.push({ words, ...(await run(program, words)) });
      return results;
    };
    assert.deepEqual(await runAll(OURS), await runAll([ZKCLI]));
  });

  test('prints something else only where there is a reason', async () => {
    const lines = DIFFERENCES.flatMap((difference) => [...difference.lines, ...MARK]);
    const input = ['create /d x', ...MARK, ...lines, 'delete /d', 'quit'].join('\n');
    const original = parted(await plain([ZKCLI], input));
    const mine = parted(await plain(OURS, input));
    assert.deepEqual(original, DIFFERENCES.map(said('original')));
    assert.deepEqual(mine, DIFFERENCES.map(said('ours')));
  });

  test('has every command of the original in its list', async () => {
    const names = async (program: readonly string[]): Promise<string[]> => {
      const { errors } = await printedBy(program, server, ['nonsense']);
      const lines = errors.split('\n').filter((line) => line.startsWith('\t'));
      return lines.map((line) => line.trim().split(' ')[0] ?? '');
    };
    const known = [...(await names([ZKCLI])), ...MORE_COMMANDS];
    assert.deepEqual(await names(OURS), known.sort());
  });

  async function plain(program: readonly string[], input: string): Promise<Printed> {
    const command = [...program, '-server', server];
    const { stdout, stderr } = await runProgram(command, { input, environment: QUIET });
    const output = stdout.split('\n').filter((line) => line !== '' && line !== 'WATCHER::');
    return { output, events: [], errors: stderr.replace(/^SLF4J: .*\n/gm, '') };
  }

  for (const kind of [STANDALONE, ENSEMBLE]) {
    test(`prints on ${kind.name}, what the original prints on the original`, async () => {
      const target = await kind.start();
      try {
        const printed = await ours(target.servers[0] ?? '', INPUT);
        // Our servers say the transaction of an event, as those of 3.9 do.
        const events = printed.events.map((line) => line.replace(/ zxid: \d+$/, ''));
        assert.deepEqual({ ...printed, events }, expected);
      } finally {
        await target.stop();
      }
    });
  }
});

function said(who: 'original' | 'ours'): (difference: Difference) => readonly string[][] {
  return (difference) => difference[who].map((lines) => [...lines]);
}

/** Another thread of the original tells of its connection: before the first mark, or behind it when it is late. */
const CONNECTED = 'WatchedEvent state:SyncConnected type:None path:null';

/** What stands between two marks, on both streams; what is in front of the first and behind the last is left out. */
function parted({ output, errors }: Printed): string[][][] {
  const answers = output.filter((line) => line !== CONNECTED);
  const outputs = between(answers, MARK_OUTPUT);
  const complaints = between(errors.split('\n'), MARK_ERROR);
  return outputs.map((lines, index) => [lines, complaints[index] ?? []]);
}

function between(lines: readonly string[], mark: string): string[][] {
  const parts: string[][] = [[]];
  for (const line of lines) {
    if (line === mark) parts.push([]);
    else parts.at(-1)?.push(line);
  }
  return parts.slice(1, -1);
}
