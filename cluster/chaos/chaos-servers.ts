/** The servers of a chaos run: real processes that are killed, frozen, damaged and started again. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askFourLetter } from '../../src/cli/four-letter-client.ts';
import { askStatus, type ServerStatus } from '../../src/cli/server-status.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { isSetAside } from '../../src/server/set-aside.ts';
import { serverProgram } from '../launch.ts';
import {
  isAlive,
  type StartedProcess,
  signalProcess,
  startProcess,
  stopProcess,
  waitForEnd,
} from '../server-process.ts';
import type { Links } from './links.ts';

/** Whose servers they are, and how one is started on its `zoo.cfg`. */
export interface ServerKind {
  readonly name: string;
  /** How long followers wait for a leader that says nothing. */
  readonly leaderTimeoutMs: number;
  command(config: string): string[];
}

const JAVA_CLASSPATH = '/etc/zookeeper/conf:/usr/share/java/zookeeper.jar';
const TICK_MS = 2000;
const SYNC_LIMIT = 5;

export const OURS: ServerKind = {
  name: 'Vivarium',
  leaderTimeoutMs: 1500,
  command: (config) => [...serverProgram(), `--config=${config}`],
};

export const APACHE: ServerKind = {
  name: 'Apache ZooKeeper',
  leaderTimeoutMs: TICK_MS * SYNC_LIMIT,
  command: (config) => [
    '/usr/bin/java',
    '-Xmx192m',
    '-Dzookeeper.root.logger=WARN,CONSOLE',
    '-cp',
    JAVA_CLASSPATH,
    'org.apache.zookeeper.server.quorum.QuorumPeerMain',
    config,
  ],
};

const GRACE_MS = 20_000;
const STATUS_TIMEOUT_MS = 400;
const POLL_MS = 20;
const START_MS = 60_000;
const LOG_TAIL_LINES = 4;

export class ChaosServers {
  readonly kind: ServerKind;
  readonly directory: string;
  readonly links: Links;
  readonly ids: readonly number[];
  /** Sentences about servers that ended though nobody ended them. */
  readonly endings: string[] = [];
  readonly #runtime = createNodeRuntime();
  readonly #processes = new Map<number, StartedProcess>();
  /** Servers that are ended on purpose, or may end. */
  readonly #ending = new Set<number>();

  /** `directory` must be empty; a server's own is made when it is first started. */
  constructor(kind: ServerKind, directory: string, links: Links, count: number) {
    this.kind = kind;
    this.directory = directory;
    this.links = links;
    this.ids = Array.from({ length: count }, (_, at) => at + 1);
  }

  dataDir(id: number): string {
    return path.join(this.directory, `server.${id}`, 'data');
  }

  /** `host:port,...` for clients. */
  get connectString(): string {
    return this.ids.map((id) => this.addressText(id)).join(',');
  }

  addressText(id: number): string {
    const { host, port } = this.links.forClients(id);
    return `${host}:${port}`;
  }

  /** The object is another one after each start. */
  life(id: number): object | undefined {
    return this.#processes.get(id);
  }

  isRunning(id: number): boolean {
    const started = this.#processes.get(id);
    return started !== undefined && isAlive(started.process);
  }

  pid(id: number): number {
    return this.#processes.get(id)?.process.pid ?? 0;
  }

  async startAll(): Promise<void> {
    for (const id of this.ids) if (!this.isRunning(id)) await this.start(id);
  }

  async start(id: number): Promise<void> {
    mkdirSync(this.dataDir(id), { recursive: true });
    writeFileSync(path.join(this.dataDir(id), 'myid'), `${id}\n`);
    const config = path.join(this.directory, `server.${id}`, 'zoo.cfg');
    writeFileSync(config, this.#configuration(id));
    const command = this.links.command(id, this.kind.command(config));
    const started = await startProcess(command, this.#logFile(id));
    this.#processes.set(id, started);
    this.#ending.delete(id);
    const watch = async (): Promise<void> => {
      const end = await started.ended;
      if (this.#ending.has(id) || this.#processes.get(id) !== started) return;
      const how = 'code' in end ? `with code ${end.code}` : `by ${end.signal}`;
      this.endings.push(`server ${id} ended by itself ${how}: ${this.#logTail(id)}`);
    };
    void watch();
  }

  /** From now to its next start the server may end by itself. */
  mayEnd(id: number): void {
    this.#ending.add(id);
  }

  async kill(id: number): Promise<void> {
    const started = this.#expectEnd(id);
    if (started === undefined) return;
    signalProcess(started.process, 'SIGKILL');
    await waitForEnd(started.process, GRACE_MS);
  }

  async stop(id: number): Promise<void> {
    const started = this.#expectEnd(id);
    if (started !== undefined) await stopProcess(started.process, GRACE_MS);
  }

  signal(id: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    const started = this.#processes.get(id);
    if (started !== undefined) signalProcess(started.process, signal);
  }

  /** Ends all, and waits for it. */
  async close(): Promise<void> {
    for (const id of this.ids) this.signal(id, 'SIGCONT');
    await Promise.all(this.ids.map((id) => this.kill(id)));
  }

  /** Takes away everything that the stopped server ever wrote. */
  wipe(id: number): void {
    for (const name of readdirSync(this.dataDir(id))) {
      rmSync(path.join(this.dataDir(id), name), { recursive: true });
    }
  }

  /** What an operator does from time to time: a server that set data aside eight times asks for it. */
  clearSetAside(id: number): void {
    for (const name of readdirSync(this.dataDir(id))) {
      if (isSetAside(name)) rmSync(path.join(this.dataDir(id), name), { recursive: true });
    }
  }

  status(): Promise<ServerStatus[]> {
    const addresses = this.ids.map((id) => this.links.forClients(id));
    return askStatus(this.#runtime, addresses, STATUS_TIMEOUT_MS);
  }

  /**
   * Whether all have applied the same and hold the same tree, as far as they say: the original tells
   * how far it is, and no digest. Waits for those that are behind.
   */
  async becomeEqual(): Promise<boolean> {
    const deadline = performance.now() + GRACE_MS;
    for (;;) {
      const asked = this.ids.map((id) => this.links.forClients(id));
      const answers = await Promise.all(
        asked.map((address) =>
          askFourLetter(this.#runtime, address, 'mntr', STATUS_TIMEOUT_MS).catch(() => 'none'),
        ),
      );
      const facts = answers.map((text) => text.match(/^zk_(last_zxid|tree_digest)\t.*$/gm));
      if (new Set(facts.map((found) => found?.join())).size === 1) return true;
      if (performance.now() > deadline) return false;
      await sleep(POLL_MS);
    }
  }

  /** The server that leads; the one of the latest epoch where two believe it. undefined: nobody. */
  async leader(): Promise<number | undefined> {
    const statuses = await this.status();
    let leader: number | undefined;
    let zxid = -1;
    for (const [index, status] of statuses.entries()) {
      if (status.role !== 'leader' || (status.zxid ?? 0) < zxid) continue;
      leader = this.ids[index];
      zxid = status.zxid ?? 0;
    }
    return leader;
  }

  async untilLeader(exceptId = 0): Promise<number> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      const leader = await this.leader();
      if (leader !== undefined && leader !== exceptId) return leader;
      if (performance.now() > deadline) throw new Error(`nobody leads: ${this.#tails()}`);
      await sleep(POLL_MS);
    }
  }

  /** Resolves when all serve, one as leader; throws when that takes longer than a minute. */
  async untilWhole(): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      const roles = (await this.status()).map(({ role }) => role);
      const isServing = roles.every((role) => role === 'leader' || role === 'follower');
      if (isServing && roles.filter((role) => role === 'leader').length === 1) return;
      if (performance.now() > deadline) {
        throw new Error(`the servers are ${roles.join(', ')}: ${this.#tails()}`);
      }
      await sleep(POLL_MS);
    }
  }

  #expectEnd(id: number): StartedProcess | undefined {
    const started = this.#processes.get(id);
    // Whoever ended before it was ended did so by itself.
    if (started !== undefined && isAlive(started.process)) this.#ending.add(id);
    return started;
  }

  #configuration(id: number): string {
    const own = this.links.own(id);
    const lines = [
      `tickTime=${TICK_MS}`,
      'initLimit=10',
      `syncLimit=${SYNC_LIMIT}`,
      `dataDir=${this.dataDir(id)}`,
      'admin.enableServer=false',
      'maxClientCnxns=0',
      'minSessionTimeout=1000',
      'maxSessionTimeout=120000',
      '4lw.commands.whitelist=*',
    ];
    for (const other of this.ids) {
      const { host, quorumPort, electionPort, clientPort } =
        other === id ? own : this.links.seenFrom(id, other);
      lines.push(`server.${other}=${host}:${quorumPort}:${electionPort};${host}:${clientPort}`);
    }
    return `${lines.join('\n')}\n`;
  }

  #logFile(id: number): string {
    return path.join(this.directory, `server.${id}`, 'output.log');
  }

  #logTail(id: number): string {
    if (!existsSync(this.#logFile(id))) return 'no output';
    const lines = readFileSync(this.#logFile(id), 'utf8').trimEnd().split('\n');
    return lines.slice(-LOG_TAIL_LINES).join(' | ');
  }

  #tails(): string {
    return this.ids.map((id) => `server ${id}: ${this.#logTail(id)}`).join('\n');
  }
}
