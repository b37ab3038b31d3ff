/** Runs `zkServer.sh`, ours or the original's, in a directory of its own. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findFreePorts } from '../../cluster/free-ports.ts';
import { serverProgram } from '../../cluster/launch.ts';
import { askStatus, hasQuorum } from '../../src/cli/server-status.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { fourLetterWord, waitUntil } from '../interop/processes.ts';
import { type ProgramResult, runProgram } from '../interop/support.ts';

const SERVING_TIMEOUT_MS = 60_000;

/** Directory of the scripts of this package. */
export function binDirectory(): string {
  return path.dirname(serverProgram()[1] ?? '');
}

export class ZkServerKit {
  readonly directory: string;
  readonly port: number;
  readonly #script: string;

  private constructor(directory: string, port: number, script: string) {
    this.directory = directory;
    this.port = port;
    this.#script = script;
  }

  /** `script` gets the directory in which it may keep what it needs. */
  static async create(script: (directory: string) => Promise<string>): Promise<ZkServerKit> {
    const directory = await mkdtemp(path.join(tmpdir(), 'vivarium-zkserver-'));
    const [port = 0] = await findFreePorts(createNodeRuntime().network, 1);
    await mkdir(path.join(directory, 'conf'));
    await mkdir(path.join(directory, 'logs'));
    const kit = new ZkServerKit(directory, port, await script(directory));
    await kit.configure([`clientPort=${port}`]);
    return kit;
  }

  get config(): string {
    return path.join(this.directory, 'conf', 'zoo.cfg');
  }

  get pidFile(): string {
    return path.join(this.directory, 'data', 'zookeeper_server.pid');
  }

  /** Writes a configuration of these lines and of what both programs need. */
  async configure(lines: readonly string[]): Promise<void> {
    const all = [`dataDir=${path.join(this.directory, 'data')}`, 'tickTime=2000', ...lines];
    all.push('clientPortAddress=127.0.0.1', 'admin.enableServer=false');
    await writeFile(this.config, `${all.join('\n')}\n`);
  }

  run(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ProgramResult> {
    return runProgram([this.#script, ...args], {
      environment: {
        ZOOCFGDIR: path.join(this.directory, 'conf'),
        ZOO_LOG_DIR: path.join(this.directory, 'logs'),
        ...environment,
      },
    });
  }

  /** Standard output with what differs from run to run taken out. */
  async words(args: readonly string[]): Promise<string> {
    const { exitCode, stdout } = await this.run(args);
    const text = stdout
      .replaceAll(this.directory, 'DIR')
      .replaceAll(String(this.port), 'PORT')
      .replace(/process \d+/, 'process PID');
    return `${text}exit ${exitCode}`;
  }

  /** The script says STARTED before clients are served, as that of the original does. */
  async serving(): Promise<void> {
    const address = { host: '127.0.0.1', port: this.port };
    const isServing = async () => hasQuorum(await askStatus(createNodeRuntime(), [address], 1000));
    await waitUntil(isServing, SERVING_TIMEOUT_MS);
  }

  /** The original's script says STOPPED a second after it has asked the server to end, and may be early. */
  async stopped(): Promise<void> {
    const isSilent = async () => (await fourLetterWord(this.port, 'srvr')) === '';
    await waitUntil(isSilent, SERVING_TIMEOUT_MS);
  }

  async end(): Promise<void> {
    await this.run(['stop']);
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Our script. */
export function ownScript(): Promise<string> {
  return Promise.resolve(path.join(binDirectory(), 'zkServer.sh'));
}
