/** A server of ours as a process, what it holds in memory, and a client that is served beside floods. */

import { strict as assert } from 'node:assert';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePorts } from '../../cluster/free-ports.ts';
import { serverProgram } from '../../cluster/launch.ts';
import { startProcess, stopProcess } from '../../cluster/server-process.ts';
import { OpCode } from '../../src/base/op-code.ts';
import { flagName } from '../../src/cli/config-flags.ts';
import { encodeWatchedRead } from '../../src/protocol/records/read-request.ts';
import { makeWriteRequest } from '../../src/protocol/records/write-request.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import type { Address } from '../../src/runtime/runtime.ts';
import { WireClient } from '../support/wire-client.ts';
import { fourLetterWord, waitUntil } from './processes.ts';

const START_TIMEOUT_MS = 30_000;
const ANSWER_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 10_000;
const SAMPLE_MS = 50;
const KIB = 1024;
const OPEN = [{ perms: 31, scheme: 'world', id: 'anyone' }];

export class FloodedServer {
  readonly address: Address;
  readonly #process: Awaited<ReturnType<typeof startProcess>>['process'];
  readonly #directory: string;

  private constructor(
    address: Address,
    process: Awaited<ReturnType<typeof startProcess>>['process'],
    directory: string,
  ) {
    this.address = address;
    this.#process = process;
    this.#directory = directory;
  }

  /** `settings`: keys of the configuration. */
  static async start(settings: Readonly<Record<string, string>>): Promise<FloodedServer> {
    const runtime = createNodeRuntime();
    const directory = await mkdtemp(path.join(os.tmpdir(), 'vivarium-floods-'));
    const [port = 0] = await findFreePorts(runtime.network, 1);
    const command = [
      ...serverProgram(),
      `--data-dir=${path.join(directory, 'data')}`,
      `--client-port=${port}`,
      '--client-port-address=127.0.0.1',
      ...Object.entries(settings).map(([key, value]) => `--${flagName(key)}=${value}`),
    ];
    const { process } = await startProcess(command, path.join(directory, 'output.log'));
    const server = new FloodedServer({ host: '127.0.0.1', port }, process, directory);
    const isServing = async (): Promise<boolean> =>
      (await fourLetterWord(port, 'srvr')).includes('Mode: standalone');
    await waitUntil(isServing, START_TIMEOUT_MS);
    return server;
  }

  /** Resident memory, in bytes. */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.#process.pid}/status`, 'utf8');
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    assert(kib !== undefined, 'the server has ended');
    return Number(kib) * KIB;
  }

  /** Of `mntr`, without the prefix. A flooded server on a busy machine may be asked again. */
  async metric(name: string): Promise<number> {
    let text = '';
    await waitUntil(async () => {
      text = await fourLetterWord(this.address.port, 'mntr');
      return text !== '';
    }, ANSWER_TIMEOUT_MS);
    const [, value] = new RegExp(`^zk_${name}\\t(\\d+)$`, 'm').exec(text) ?? [];
    assert(value !== undefined, `no metric ${name} in: ${text}`);
    return Number(value);
  }

  async logLines(): Promise<number> {
    return (await readFile(path.join(this.#directory, 'output.log'), 'utf8')).split('\n').length;
  }

  connect(): Promise<WireClient> {
    return WireClient.connect(createNodeRuntime(), this.address);
  }

  async stop(): Promise<void> {
    await stopProcess(this.#process, STOP_GRACE_MS);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export interface Besides {
  /** Operations of the client that behaves; all of them succeeded. */
  readonly operations: number;
  readonly slowestMs: number;
  /** Of the server while the flood lasted. */
  readonly peakBytes: number;
}

/** Runs a flood while a client creates, reads and deletes one node after the other. */
export async function besides(server: FloodedServer, flood: () => Promise<void>): Promise<Besides> {
  const client = await server.connect();
  let isOver = false;
  let operations = 0;
  let slowestMs = 0;
  let peakBytes = 0;
  const timed = async (operation: Promise<{ error: number } | number>): Promise<void> => {
    const sinceMs = performance.now();
    const result = await operation;
    slowestMs = Math.max(slowestMs, performance.now() - sinceMs);
    assert.equal(typeof result === 'number' ? result : result.error, 0);
    operations += 1;
  };
  const behave = async (): Promise<void> => {
    for (let i = 0; !isOver; i++) {
      const at = `/steady${i}`;
      await timed(client.write(makeWriteRequest(OpCode.create, { path: at, acl: OPEN })));
      await timed(client.call(OpCode.exists, (writer) => encodeWatchedRead(writer, at, false)));
      await timed(client.write(makeWriteRequest(OpCode.delete, { path: at })));
    }
  };
  const sample = async (): Promise<void> => {
    while (!isOver) {
      peakBytes = Math.max(peakBytes, await server.residentBytes());
      await sleep(SAMPLE_MS);
    }
  };
  const run = async (): Promise<void> => {
    try {
      await flood();
    } finally {
      isOver = true;
    }
  };
  await Promise.all([run(), behave(), sample()]);
  client.close();
  return { operations, slowestMs, peakBytes };
}
