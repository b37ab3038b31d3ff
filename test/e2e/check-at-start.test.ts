/** What `vivarium check` reports as an error stops `vivarium server`, with the code of its kind. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { findFreePorts } from '../../cluster/free-ports.ts';
import { serverProgram } from '../../cluster/launch.ts';
import { startProcess, stopProcess } from '../../cluster/server-process.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { waitUntil } from '../interop/processes.ts';
import { runProgram } from '../interop/support.ts';

const root = await mkdtemp(path.join(tmpdir(), 'vivarium-start-'));
after(() => rm(root, { recursive: true, force: true }));

/** Exit codes and the words of both commands about one configuration. */
async function both(lines: readonly string[]) {
  const file = path.join(root, 'zoo.cfg');
  const [port = 0] = await findFreePorts(createNodeRuntime().network, 1);
  await writeFile(file, `${[...lines, `clientPort=${port}`].join('\n')}\n`);
  const program = serverProgram().slice(0, -1);
  const [checked, started] = await Promise.all([
    runProgram([...program, 'check', '--json', file]),
    runProgram(['timeout', '20', ...program, 'server', file]),
  ]);
  const findings: { severity: string; what: string }[] = JSON.parse(checked.stdout).findings;
  const errors = findings.filter(({ severity }) => severity === 'error').map(({ what }) => what);
  return { checked, started, errors };
}

test('a wrong value ends both, the server with 2', async () => {
  const { checked, started, errors } = await both([`dataDir=${root}/a`, 'tickTime=abc']);
  assert.equal(checked.exitCode, 1);
  assert.equal(started.exitCode, 2);
  assert.equal(errors.length, 1);
  assert.ok(started.stderr.includes(errors[0] ?? '?'), started.stderr);
});

test('a directory that cannot be made ends both, the server with 3', async () => {
  const { checked, started, errors } = await both(['dataDir=/proc/vivarium']);
  assert.equal(checked.exitCode, 1);
  assert.equal(started.exitCode, 3);
  assert.ok(started.stderr.includes(errors[0] ?? '?'), started.stderr);
});

test("Apache's data end both, the server with 3, and both name the command that imports them", async () => {
  await mkdir(path.join(root, 'b', 'version-2'), { recursive: true });
  await writeFile(path.join(root, 'b', 'version-2', 'snapshot.0'), '');
  const { checked, started, errors } = await both([`dataDir=${root}/b`]);
  assert.equal(checked.exitCode, 1);
  assert.equal(started.exitCode, 3);
  assert.ok(started.stderr.includes(errors[0] ?? '?'), started.stderr);
  for (const text of [checked.stdout, started.stderr]) assert.match(text, /vivarium import /);
});

test('a risk is logged with its remedy, and does not stop the server', async () => {
  const file = path.join(root, 'risk.cfg');
  const [port = 0] = await findFreePorts(createNodeRuntime().network, 1);
  await writeFile(file, `dataDir=${root}/c\nclientPort=${port}\ntickTme=9\n`);
  const command = ['sh', '-c', 'ulimit -n 1000 && exec "$@"', 'sh', ...serverProgram(), file];
  const output = path.join(root, 'risk.log');
  const { process: server } = await startProcess(command, output);
  const log = (): Promise<string> => readFile(output, 'utf8');
  await waitUntil(async () => /serving mode=standalone/.test(await log()), 60_000).finally(() =>
    stopProcess(server, 10_000),
  );
  assert.match(await log(), /WARN .*config-warning.*tickTme.*remedy=/);
  assert.match(await log(), /WARN .*risk.*may open 1000 files.*LimitNOFILE/);
});
