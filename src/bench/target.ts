/**
 * A service under load: one server or several, as processes of their own with fresh data, on free
 * ports of the loopback interface.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePorts } from '../../cluster/free-ports.ts';
import { invariant } from '../base/assert.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import type { Address } from '../runtime/runtime.ts';
import type { LeaderControl } from './failover.ts';
import { askWord } from './four-letter.ts';
import { type CommandLine, ServerProcess } from './server-process.ts';
import { SessionClient } from './session-client.ts';

const HOST = '127.0.0.1';
const DATA = 'data';
const READY_TIMEOUT_MS = 60_000;
/** Beside others that are busy. */
const LEARNER_TIMEOUT_MS = 180_000;
const POLL_MS = 10;
const OPEN_TIMEOUT_MS = 2000;

/** How a server of some kind is started on a configuration file. */
export interface ServerKind {
  /** Column of the report. */
  readonly name: string;
  /** `id` counts from 1. */
  command(id: number, configFile: string): CommandLine;
  /** Where the server leaves a CPU profile at the end of a measured window; undefined: nowhere. */
  profileFile(id: number): string | undefined;
}

/** A follower that is to lose its disk, and the servers beside it. */
export interface FollowerControl {
  readonly others: readonly Address[];
  /** Kills it; resolves when it is gone with all that it had stored. */
  empty(): Promise<void>;
  restart(): void;
  /** Resolves when it serves again. Rejects with a `TargetError`. */
  ready(): Promise<void>;
}

/** The target did not get where it should; `message` has the end of the log. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  readonly code = 'TARGET';
  readonly exitCode = 1;
}

export class Target {
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly #kind: ServerKind;
  readonly #directory: string;
  readonly #servers: readonly ServerProcess[];

  private constructor(
    kind: ServerKind,
    directory: string,
    addresses: readonly Address[],
    servers: readonly ServerProcess[],
  ) {
    this.name = kind.name;
    this.#kind = kind;
    this.addresses = addresses;
    this.#directory = directory;
    this.#servers = servers;
  }

  /**
   * Starts `serverCount` servers with their data below `parentDirectory` and `extraLines` in their
   * zoo.cfg; resolves when all of them serve.
   */
  static async start(
    kind: ServerKind,
    serverCount: number,
    parentDirectory: string,
    extraLines: readonly string[] = [],
  ): Promise<Target> {
    const directory = mkdtempSync(path.join(parentDirectory, `bench-${kind.name}-`));
    const ports = await findFreePorts(createNodeRuntime().network, serverCount * 3);
    const members = Array.from({ length: serverCount }, (_, at) => ({
      id: at + 1,
      clientPort: ports[at * 3] ?? 0,
      peerPorts: `${ports[at * 3 + 1]}:${ports[at * 3 + 2]}`,
    }));
    const memberLines = members.map(({ id, peerPorts }) => `server.${id}=${HOST}:${peerPorts}`);
    const lines = [...extraLines, ...(serverCount > 1 ? memberLines : [])];
    const servers = members.map(({ id, clientPort }) => {
      const home = path.join(directory, homeName(id));
      const dataDirectory = makeDataDirectory(home, id);
      const configFile = path.join(home, 'zoo.cfg');
      writeFileSync(configFile, configText(clientPort, dataDirectory, lines));
      return new ServerProcess(kind.command(id, configFile), home, path.join(home, 'server.log'));
    });
    const addresses = members.map(({ clientPort }) => ({ host: HOST, port: clientPort }));
    const target = new Target(kind, directory, addresses, servers);
    for (const server of servers) server.start();
    try {
      await target.ready();
    } catch (error) {
      await target.stop();
      throw error;
    }
    return target;
  }

  /** Kills whoever leads now, or is alone. */
  async leaderControl(): Promise<LeaderControl> {
    const at = await this.leader();
    const leader = at === undefined ? undefined : this.#servers[at];
    if (leader === undefined) throw new TargetError(`${this.name} has no leader`);
    return {
      kill: () => leader.signal('SIGKILL'),
      restart: () => leader.start(),
      ready: () => this.ready(),
    };
  }

  async followerControl(): Promise<FollowerControl> {
    const leader = await this.leader();
    const at = leader === 0 ? 1 : 0;
    const follower = this.#servers[at];
    if (follower === undefined) throw new TargetError(`${this.name} has no follower`);
    const home = path.join(this.#directory, homeName(at + 1));
    return {
      others: this.addresses.filter((_, other) => other !== at),
      empty: async () => {
        await follower.kill();
        rmSync(path.join(home, DATA), { recursive: true });
        makeDataDirectory(home, at + 1);
      },
      restart: () => follower.start(),
      ready: () => this.#untilServing(at, performance.now() + LEARNER_TIMEOUT_MS),
    };
  }

  /** Process ids of the servers that run. */
  get pids(): readonly number[] {
    return this.#servers.flatMap((server) => server.pid ?? []);
  }

  /** Resolves when every server serves. Rejects with a `TargetError`. */
  async ready(): Promise<void> {
    const deadlineMs = performance.now() + READY_TIMEOUT_MS;
    for (const at of this.#servers.keys()) await this.#untilServing(at, deadlineMs);
  }

  async #untilServing(at: number, deadlineMs: number): Promise<void> {
    const server = this.#servers[at];
    invariant(server !== undefined, 'a server that is not there');
    while (!(await this.#serves(at))) {
      const isLate = performance.now() > deadlineMs;
      if (isLate || !server.isRunning) {
        const what = isLate ? 'does not serve' : 'ended, or could not be started';
        throw new TargetError(`${this.name} server ${at + 1} ${what}:\n${server.logTail}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** Position of the server that leads, or that is alone; undefined while none does. */
  async leader(): Promise<number | undefined> {
    for (const [at, address] of this.addresses.entries()) {
      const answer = await askWord(address, 'srvr');
      if (/^Mode: (leader|standalone)$/m.test(answer)) return at;
    }
    return undefined;
  }

  signal(at: number, name: NodeJS.Signals): void {
    this.#servers[at]?.signal(name);
  }

  profileFile(at: number): string | undefined {
    return this.#kind.profileFile(at + 1);
  }

  /** Ends all servers at once, as a loss of power would; resolves when they are gone. */
  async kill(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
  }

  /** After `kill`: starts them on what they have stored. */
  restart(): void {
    for (const server of this.#servers) server.start();
  }

  /** Ends all servers and removes their data. */
  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** A server serves when it gives a session and answers a read. */
  async #serves(at: number): Promise<boolean> {
    const address = this.addresses[at];
    if (address === undefined) return false;
    try {
      const client = await SessionClient.open(address, OPEN_TIMEOUT_MS);
      await client.exists('/');
      await client.close();
      return true;
    } catch {
      // Not yet, or never: the caller's deadline decides.
      return false;
    }
  }
}

function homeName(id: number): string {
  return `server-${id}`;
}

/** Empty but for the server's number. */
function makeDataDirectory(home: string, id: number): string {
  const directory = path.join(home, DATA);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'myid'), `${id}\n`);
  return directory;
}

function configText(clientPort: number, dataDirectory: string, more: readonly string[]): string {
  const lines = [
    'tickTime=2000',
    'initLimit=10',
    'syncLimit=5',
    `dataDir=${dataDirectory}`,
    `clientPort=${clientPort}`,
    `clientPortAddress=${HOST}`,
    'maxClientCnxns=0',
    '4lw.commands.whitelist=*',
    ...more,
  ];
  return `${lines.join('\n')}\n`;
}
