/** Servers for the tests with foreign clients: ours, alone and as three, and Apache's as the reference. */

import { type ExecFileException, execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePorts } from '../../cluster/free-ports.ts';
import { LocalEnsemble, serverProgram } from '../../cluster/launch.ts';
import { isAlive, startProcess, stopProcess } from '../../cluster/server-process.ts';
import { flagName } from '../../src/cli/config-flags.ts';
import { askStatus, hasQuorum } from '../../src/cli/server-status.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';

const JAVA = '/usr/bin/java';
const APACHE_CLASSPATH = '/etc/zookeeper/conf:/usr/share/java/zookeeper.jar';
const START_TIMEOUT_MS = 60_000;
/** The longest suites take half a minute on a quiet machine; this only ends what hangs. */
const PROGRAM_TIMEOUT_MS = 240_000;
/**
 * On a machine busy with other tests a server may get no processor for a second, and clients would
 * lose their connections in the middle of a check. The end of a process is noticed at once all the same.
 */
export const PATIENT = { peerTimeoutMs: '6000' };
/** Long enough that a session which a test leaves behind does not expire, and take a zxid, within it. */
export const SESSION_TIMEOUT_MAX_MS = 3_600_000;
const STOP_GRACE_MS = 10_000;
const POLL_MS = 50;

/** Running servers that clients can be pointed at. */
export interface Target {
  readonly name: string;
  /** `host:port` of each server. */
  readonly servers: readonly string[];
  /** Ends the servers and removes what they wrote. */
  stop(): Promise<void>;
}

/** Several servers, of which some can be stopped. */
export interface EnsembleTarget extends Target {
  /** `id`: from 1, in the order of `servers`. */
  stopServer(id: number): Promise<void>;
}

/** A way to start servers. */
export interface TargetKind {
  readonly name: string;
  /** Why it cannot be started on this machine; false when it can. */
  readonly skip: string | false;
  start(): Promise<Target>;
}

const APACHE_SKIP =
  existsSync('/usr/share/java/zookeeper.jar') && existsSync(JAVA)
    ? false
    : "Debian's packages zookeeper and default-jre-headless are not installed";

export const APACHE: TargetKind = {
  name: 'Apache ZooKeeper',
  skip: APACHE_SKIP,
  start: () => startApache(),
};

export const STANDALONE: TargetKind = {
  name: 'Vivarium, one server',
  skip: false,
  start: () => startStandalone(),
};

export const ENSEMBLE: TargetKind = {
  name: 'Vivarium, three servers',
  skip: false,
  start: () => startEnsemble(),
};

/** The same three kinds, with Java system properties for the original and configuration keys for ours. */
export function configuredKinds(
  properties: readonly string[],
  settings: Readonly<Record<string, string>>,
): readonly [original: TargetKind, standalone: TargetKind, ensemble: TargetKind] {
  return [
    { ...APACHE, start: () => startApache(properties) },
    { ...STANDALONE, start: () => startStandalone(settings) },
    { ...ENSEMBLE, start: () => startEnsemble(settings) },
  ];
}

/** `properties`: Java system properties, `name=value`. */
export async function startApache(properties: readonly string[] = []): Promise<Target> {
  const directory = await temporaryDirectory();
  const [port = 0] = await findFreePorts(createNodeRuntime().network, 1);
  const config = path.join(directory, 'zoo.cfg');
  await mkdir(path.join(directory, 'data'));
  const lines = [
    'tickTime=2000',
    `dataDir=${path.join(directory, 'data')}`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    `maxSessionTimeout=${SESSION_TIMEOUT_MAX_MS}`,
    'admin.enableServer=false',
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  const command = [
    JAVA,
    '-Xmx256m',
    ...properties.map((property) => `-D${property}`),
    '-Dzookeeper.root.logger=WARN,CONSOLE',
    `-Dzookeeper.log.dir=${directory}`,
    '-cp',
    APACHE_CLASSPATH,
    'org.apache.zookeeper.server.quorum.QuorumPeerMain',
    config,
  ];
  return await startOne(APACHE.name, directory, port, command);
}

/** `settings`: further keys of the configuration, by their names. */
export async function startStandalone(
  settings: Readonly<Record<string, string>> = {},
): Promise<Target> {
  const directory = await temporaryDirectory();
  const [port = 0] = await findFreePorts(createNodeRuntime().network, 1);
  const command = [
    ...serverProgram(),
    `--data-dir=${path.join(directory, 'data')}`,
    `--client-port=${port}`,
    '--client-port-address=127.0.0.1',
    ...Object.entries(settings).map(([key, value]) => `--${flagName(key)}=${value}`),
  ];
  return await startOne(STANDALONE.name, directory, port, command);
}

async function startOne(
  name: string,
  directory: string,
  port: number,
  command: readonly string[],
): Promise<Target> {
  const output = path.join(directory, 'output.log');
  const { process: server } = await startProcess(command, output);
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!hasQuorum(await askStatus(createNodeRuntime(), [{ host: '127.0.0.1', port }], 1000))) {
    if (!isAlive(server) || performance.now() > deadline) {
      throw new Error(`${name} did not start: ${await readFile(output, 'utf8')}`);
    }
    await sleep(POLL_MS);
  }
  return {
    name,
    servers: [`127.0.0.1:${port}`],
    stop: async () => {
      await stopProcess(server, STOP_GRACE_MS);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** `settings`: further keys of the configuration, beside those of a patient ensemble. */
export async function startEnsemble(
  settings: Readonly<Record<string, string>> = {},
): Promise<EnsembleTarget> {
  const directory = await temporaryDirectory();
  const ensemble = await LocalEnsemble.prepare({
    directory,
    servers: 3,
    clientPort: 'free',
    settings: { ...PATIENT, ...settings },
  });
  await ensemble.start();
  await ensemble.waitUntilServing(START_TIMEOUT_MS);
  return {
    name: ENSEMBLE.name,
    servers: ensemble.connectString.split(','),
    stopServer: (id) => ensemble.stopServer(id),
    stop: async () => {
      await ensemble.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function temporaryDirectory(): Promise<string> {
  return mkdtemp(path.join(os.tmpdir(), 'vivarium-interop-'));
}

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with `input` on its standard input. Rejects when it cannot be run or takes too long. */
export function runProgram(
  command: readonly string[],
  options: {
    readonly input?: string;
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Promise<ProgramResult> {
  const [program = '', ...args] = command;
  const env = { ...process.env, ...options.environment };
  return new Promise((resolve, reject) => {
    const settled = (error: ExecFileException | null, stdout: string, stderr: string): void => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
    };
    const child = execFile(program, args, { env, timeout: PROGRAM_TIMEOUT_MS }, settled);
    // A program may end before it has read its input, or without reading any.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}
