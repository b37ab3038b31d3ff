/** The sessions in the shell that documents show, typed into a shell of ours, print what is shown. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { serverProgram } from '../../cluster/launch.ts';
import { Output } from '../../src/cli/shell/output.ts';
import { Shell } from '../../src/cli/shell/shell.ts';
import { runProgram } from '../interop/support.ts';
import { type Exchange, shellSessionsOf } from '../support/doc-sessions.ts';
import { type NodeServer, startNodeServer } from '../support/node-server.ts';

const SHELL = [...serverProgram().slice(0, -1), 'cli'];
/** One server for the sessions of one document: each goes on where the one before it ended. */
const DOCUMENTS = ['README.md', 'docs/cli.md'];
const HOST = /(?:localhost|127\.0\.0\.1):2181/g;

interface NodeJson {
  readonly data: string;
  readonly stat: Readonly<Record<string, unknown>>;
}

for (const name of DOCUMENTS) {
  const document = await readFile(path.resolve(name), 'utf8');
  let server: NodeServer;

  before(async () => {
    server = await startNodeServer({});
  });

  after(() => server.stop());

  for (const { greeting, exchanges } of shellSessionsOf(document)) {
    test(`${name}: ${exchanges[0]?.line}`, async () => {
      assert.ok(exchanges.length > 1, 'a session without a command');
      const said = await typed(`127.0.0.1:${server.port}`, exchanges);
      if (greeting !== '') assert.equal(said.greeting, greeting);
      for (const [at, { prompt, line, shown }] of exchanges.entries()) {
        const mine = said.exchanges[at];
        assert.equal(level(mine?.prompt ?? ''), level(prompt), line);
        assert.equal(level(mine?.shown ?? ''), level(shown), line);
      }
    });
  }

  for (const [, line = '', shown = ''] of document.matchAll(
    /^\$ vivarium cli (--json .*)\n(.*)$/gm,
  )) {
    test(`${name}: vivarium cli ${line}`, async () => {
      const words = ['-server', `127.0.0.1:${server.port}`, ...line.split(' ')];
      const { stdout } = await runProgram([...SHELL, ...words]);
      // What is shown is cut short.
      const example = JSON.parse(shown.replace(', ...', '')) as NodeJson;
      const answer = JSON.parse(stdout) as NodeJson;
      assert.equal(answer.data, example.data);
      const shownKeys = Object.keys(example.stat);
      assert.deepEqual(Object.keys(answer.stat).slice(0, shownKeys.length), shownKeys);
    });
  }
}

/** What a shell prints for these lines, one by one. */
async function typed(
  hosts: string,
  lines: readonly Exchange[],
): Promise<{ greeting: string; exchanges: Exchange[] }> {
  let text = '';
  const sink = { write: (piece: string): unknown => (text += piece) };
  const take = (): string => {
    const taken = text;
    text = '';
    return taken.trimEnd();
  };
  const out = new Output(sink, sink, false);
  const shell = new Shell({ hosts, sessionTimeoutMs: 10_000, readOnly: false, out });
  assert.ok(await shell.waitForConnection());
  const greeting = take();
  const exchanges: Exchange[] = [];
  for (const { line } of lines) {
    const { prompt } = shell;
    await shell.execute(line);
    exchanges.push({ prompt, line, shown: line === 'quit' ? '' : take() });
  }
  await shell.leave();
  return { greeting: greeting.trimStart(), exchanges };
}

/** Ports, zxids and times differ from run to run. */
function level(text: string): string {
  return text
    .trim()
    .replace(HOST, 'HOST')
    .replace(/127\.0\.0\.1:\d+/g, 'HOST')
    .replace(/([cmp]Zxid =) 0x[0-9a-f]+/g, '$1 ZXID')
    .replace(/zxid: \d+/g, 'zxid: ZXID')
    .replace(/(time =) .*/g, '$1 TIME');
}
