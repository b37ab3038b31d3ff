/** Three of Apache's servers on this machine, for tests that compare roles. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { findFreePorts } from '../../cluster/free-ports.ts';
import { type ServerProcess, startProcess, stopProcess } from '../../cluster/server-process.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { fourLetterWord, waitUntil } from './processes.ts';
import type { EnsembleTarget } from './support.ts';

const COUNT = 3;
const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 10_000;

/**
 * `settings`: further lines of each `zoo.cfg`; `properties`: Java system properties, `name=value`.
 * Resolves when all three serve.
 */
export async function startApacheEnsemble(
  settings: readonly string[],
  properties: readonly string[] = [],
): Promise<EnsembleTarget> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'vivarium-apache-'));
  const ports = await findFreePorts(createNodeRuntime().network, 3 * COUNT);
  const ids = Array.from({ length: COUNT }, (_, at) => at + 1);
  const port = (id: number, which: number): number => ports[(id - 1) * 3 + which] ?? 0;
  const members = ids.map(
    (id) => `server.${id}=127.0.0.1:${port(id, 1)}:${port(id, 2)};127.0.0.1:${port(id, 0)}`,
  );
  const processes: ServerProcess[] = [];
  for (const id of ids) {
    const data = path.join(directory, String(id));
    await mkdir(data);
    await writeFile(path.join(data, 'myid'), `${id}\n`);
    const config = path.join(data, 'zoo.cfg');
    const lines = [
      'tickTime=2000',
      'initLimit=10',
      'syncLimit=5',
      `dataDir=${data}`,
      'admin.enableServer=false',
      ...settings,
      ...members,
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    const command = [
      '/usr/bin/java',
      '-Xmx192m',
      ...properties.map((property) => `-D${property}`),
      '-cp',
      '/etc/zookeeper/conf:/usr/share/java/zookeeper.jar',
      'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      config,
    ];
    processes.push((await startProcess(command, path.join(data, 'output.log'))).process);
  }
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((process) => stopProcess(process, STOP_GRACE_MS)));
    await rm(directory, { recursive: true, force: true });
  };
  const clientPorts = ids.map((id) => port(id, 0));
  try {
    await waitUntil(async () => {
      const answers = await Promise.all(clientPorts.map((one) => fourLetterWord(one, 'srvr')));
      return answers.every((answer) => /^Mode: (leader|follower)$/m.test(answer));
    }, START_TIMEOUT_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  const stopServer = async (id: number): Promise<void> => {
    const process = processes[id - 1];
    if (process !== undefined) await stopProcess(process, STOP_GRACE_MS);
  };
  const servers = clientPorts.map((one) => `127.0.0.1:${one}`);
  return { name: 'Apache ZooKeeper', servers, stopServer, stop };
}
