/** The sessions of docs/operations.md, run in their order, print what the document shows. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { findFreePorts } from '../../cluster/free-ports.ts';
import { deriveServers } from '../../cluster/layout.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { type Listener, RuntimeError } from '../../src/runtime/runtime.ts';
import { runProgram } from '../interop/support.ts';
import { outputsOf, scriptOf, sessionsOf } from '../support/doc-sessions.ts';
import { binDirectory } from '../support/zk-server.ts';

const document = await readFile(path.resolve('docs/operations.md'), 'utf8');
const { network } = createNodeRuntime();
let directory: string;
/** Ports of the document, and those that are free here. */
let ports: ReadonlyMap<string, string>;

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vivarium-docs-'));
  await mkdir(path.join(directory, 'bin'));
  for (const [name, program] of [
    ['vivarium', 'vivarium.js'],
    ['zkServer.sh', 'zkServer.sh'],
    ['zkCli.sh', 'zkCli.sh'],
  ] as const) {
    await symlink(path.join(binDirectory(), program), path.join(directory, 'bin', name));
  }
  // In this order: the two ports behind the first one are not looked for, and could be found.
  const [alone = 0] = await findFreePorts(network, 1);
  const first = await firstOfFreePorts();
  ports = new Map([
    ['2181', String(first)],
    ['2182', String(first + 1)],
    ['2183', String(first + 2)],
    ['2281', String(alone)],
  ]);
});

after(async () => {
  const environment = { PATH: `${directory}/bin:${process.env['PATH']}` };
  const stop = ['vivarium', 'ensemble', 'stop', '--dir', `${directory}/try`];
  await runProgram(['env', ...stop], { environment });
  await rm(directory, { recursive: true, force: true });
});

/** A client port for server 1 from which the ports of three servers can be counted. */
async function firstOfFreePorts(): Promise<number> {
  for (;;) {
    const [port = 0] = await findFreePorts(network, 1);
    const servers = deriveServers({ servers: 3, observers: 0 }, port);
    assert.ok(!('problem' in servers));
    const listeners: Listener[] = [];
    try {
      for (const server of servers) {
        for (const each of [server.clientPort, server.quorumPort, server.electionPort]) {
          const address = { host: '127.0.0.1', port: each };
          listeners.push(await network.listen(address, (stream) => stream.destroy()));
        }
      }
      return port;
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
    } finally {
      await Promise.all(listeners.map((listener) => listener.close()));
    }
  }
}

function withFreePorts(command: string): string {
  return command.replace(/\b2[12]8[123]\b/g, (port) => ports.get(port) ?? port);
}

function withPortsOfDocument(output: string): string {
  let text = output;
  for (const [shown, free] of ports) text = text.replaceAll(free, shown);
  return text.replaceAll(directory, '/home/you');
}

/** Who leads, zxids, process ids and counts differ from run to run. */
function level(text: string): string {
  return text
    .replace(/^server \d leads$/gm, 'server N leads')
    .replace(/pid \d+/g, 'pid N')
    .replace(/^(\d|127\.0\.0\.1:\d+)( +)(\w+)( .*)$/gm, (_line, id, _gap, role, rest: string) => {
      const cells = rest.replace(/ (0x[0-9a-f]+|\d+|-)(?= |$)/g, ' N').replace(/ +/g, ' ');
      return `${id} ${role === 'down' ? role : 'ROLE'}${cells}`;
    })
    .replace(/ +/g, ' ');
}

for (const [index, steps] of sessionsOf(document).entries()) {
  test(`docs/operations.md, session ${index + 1}: ${steps[0]?.command}`, async () => {
    assert.ok(steps.length > 0, 'a session without a command');
    const script = scriptOf(steps.map(({ command }) => withFreePorts(command)));
    const { stdout, stderr } = await runProgram(['sh', '-c', `cd ${directory} && ${script}`], {
      environment: { PATH: `${directory}/bin:${process.env['PATH']}` },
    });
    assert.equal(stderr, '');
    const outputs = outputsOf(stdout);
    for (const [i, { command, shown }] of steps.entries()) {
      assert.equal(level(withPortsOfDocument(outputs[i] ?? '')), level(shown), command);
    }
  });
}
