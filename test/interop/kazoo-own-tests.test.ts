/**
 * kazoo's own tests, which Debian ships with it, on our servers; on the original first, to check
 * that they can pass. `kazoo_cluster.py` says which are left out and why, `kazoo_tests.txt` names
 * all that are run.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { LocalEnsemble, serverProgram } from '../../cluster/launch.ts';
import { configFile, type EnsembleLayout, logFile } from '../../cluster/layout.ts';
import { configuredKinds, ENSEMBLE, PATIENT, runProgram } from './support.ts';

const PYTHON = '/usr/bin/python3';
const KAZOO = '/usr/lib/python3/dist-packages/kazoo/tests';
const PLUGINS = path.resolve('test/interop');
const NAMES = readFileSync('test/interop/kazoo_tests.txt', 'utf8').trim().split('\n');
const NEEDED = [KAZOO, ...['pytest', 'mock', 'objgraph.py'].map(packageFile)];
const SKIP = NEEDED.every((file) => existsSync(file))
  ? false
  : "Debian's packages python3-kazoo, python3-pytest, python3-mock and python3-objgraph are not installed";
const STOPS_SERVERS = /update_host_list|request_queuing/;

/** Files whose tests are run by one process; most of their time is spent waiting. */
const GROUPS = [
  ['client', 'cache', 'connection', 'interrupt', 'threading_handler'],
  ['watchers', 'barrier', 'counter', 'election', 'party', 'queue'],
  ['partitioner', 'lock', 'lease'],
];
/** The same tests of the client with its threads replaced; once is enough. */
const OTHER_HANDLERS = ['eventlet_handler', 'gevent_handler'];
/** Some tests ask for the server's version, with a word that the original does not answer by default. */
const KINDS = configuredKinds(['zookeeper.4lw.commands.whitelist=*'], {
  '4lw.commands.whitelist': '*',
});

interface KazooServer {
  readonly port: number;
  readonly command?: readonly string[];
  readonly output?: string;
}

function packageFile(name: string): string {
  return path.join(KAZOO, '..', '..', name);
}

/** Runs the tests of some files and reports each; those of `kazoo_tests.txt` that belong to them, no fewer. */
async function runTests(
  t: TestContext,
  files: readonly string[],
  servers: readonly KazooServer[],
): Promise<void> {
  const environment = {
    KAZOO_SERVERS: JSON.stringify(servers),
    PYTHONPATH: PLUGINS,
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const command = [PYTHON, '-m', 'pytest', '-q', '-p', 'kazoo_cluster', '-p', 'no:cacheprovider'];
  const paths = files.map((file) => path.join(KAZOO, `test_${file}.py`));
  const { stdout } = await runProgram([...command, ...paths], { environment });
  const lines = stdout.split('\n').filter((line) => /^(not )?ok /.test(line));
  const failures = stdout.slice(stdout.indexOf('= FAILURES =') + 1);
  const stops = servers.some(({ command: own }) => own !== undefined);
  const expected = NAMES.filter((name) => {
    const [file = ''] = name.split(' ');
    return files.includes(file) && STOPS_SERVERS.test(name) === stops;
  });
  const seen = new Set<string>();
  for (const line of lines) {
    const name = line.replace(/^(not )?ok |: .*$/g, '');
    seen.add(name);
    await t.test(name, () => assert.ok(line.startsWith('ok '), `${line}\n${failures}`));
  }
  assert.deepEqual([...seen].sort(), [...expected].sort(), failures);
}

function ownServers(layout: EnsembleLayout): KazooServer[] {
  return layout.servers.map(({ id, clientPort }) => ({
    port: clientPort,
    command: [...serverProgram(), configFile(layout, id)],
    output: logFile(layout, id),
  }));
}

// Two at a time: nearly all of their time is spent waiting, on purpose or for each other.
describe("kazoo's own tests", { skip: SKIP, concurrency: 2 }, () => {
  for (const kind of KINDS) {
    test(`on ${kind.name}`, { skip: kind.skip }, async (t) => {
      const target = await kind.start();
      t.after(() => target.stop());
      const servers = target.servers.map((address) => ({ port: Number(address.split(':')[1]) }));
      const groups = kind.name === ENSEMBLE.name ? [...GROUPS, OTHER_HANDLERS] : GROUPS;
      await Promise.all(groups.map((files) => runTests(t, files, servers)));
    });
  }

  test('that stop and start our servers', async (t) => {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'vivarium-kazoo-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const settings = { ...PATIENT, '4lw.commands.whitelist': '*' };
    const { layout } = await LocalEnsemble.prepare({
      directory,
      servers: 3,
      clientPort: 'free',
      settings,
    });
    await runTests(t, ['client', ...OTHER_HANDLERS], ownServers(layout));
  });
});
