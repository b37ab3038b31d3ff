/**
 * An ensemble on this machine, one process per server: for trying out, for tests against real
 * processes, and for the command `vivarium ensemble`. All state is in one directory, so that any
 * later process can look at it, kill a server, restart it, or stop everything.
 */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { invariant } from '../src/base/assert.ts';
import { askStatus, type ServerStatus } from '../src/cli/server-status.ts';
import { createNodeRuntime } from '../src/runtime/node/node-runtime.ts';
import { type ByteStream, type Network, RuntimeError } from '../src/runtime/runtime.ts';
import { findFreePorts } from './free-ports.ts';
import {
  configFile,
  connectString,
  deriveServers,
  type EnsembleLayout,
  type EnsembleServer,
  HOST,
  logFile,
  participantCount,
  type ServerCounts,
  serversOnPorts,
  withObserver,
  writeConfigurations,
} from './layout.ts';
import {
  isAlive,
  type ServerProcess,
  type StartedProcess,
  signalProcess,
  startProcess,
  stopProcess,
  waitForEnd,
} from './server-process.ts';
import { readState, writeState } from './state-file.ts';

export interface LocalEnsembleOptions {
  readonly directory: string;
  readonly servers?: number | undefined;
  readonly observers?: number | undefined;
  /** The first client port; the others follow. `'free'`: any ports that are free now. */
  readonly clientPort?: number | 'free' | undefined;
  /** Further keys of `zoo.cfg` for all servers. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/** One server as it is now. */
export interface LocalServerStatus extends ServerStatus {
  readonly id: number;
  readonly port: number;
  /** undefined when its process does not run. */
  readonly pid: number | undefined;
}

/** A request that cannot be carried out here and now; the command line ends with `exitCode`. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  readonly code: 'LAYOUT' | 'PORT' | 'SERVER' | 'START';
  readonly exitCode: number;

  constructor(code: LaunchError['code'], message: string) {
    super(message);
    this.code = code;
    this.exitCode = code === 'PORT' ? 4 : code === 'START' ? 1 : 2;
  }
}

const STATUS_TIMEOUT_MS = 2000;
const STOP_GRACE_MS = 10_000;
/** For a server that was only told something new. */
const SERVING_AGAIN_MS = 60_000;
const POLL_MS = 50;
const LOG_TAIL_LINES = 5;
/** Roles of a server that does not yet do all that clients may ask. */
const UNREADY: ReadonlySet<ServerStatus['role']> = new Set(['down', 'looking', 'read-only']);

export class LocalEnsemble {
  readonly #prepared: EnsembleLayout;
  readonly #runtime = createNodeRuntime();
  readonly #started = new Map<number, StartedProcess>();

  private constructor(layout: EnsembleLayout) {
    this.#prepared = layout;
  }

  /** Read afresh each time: another command may have added a server. */
  get layout(): EnsembleLayout {
    return readState(this.#prepared.directory)?.layout ?? this.#prepared;
  }

  /**
   * The ensemble in a directory, made if there is none. An ensemble that is already there keeps its
   * shape and data; options that contradict it throw `LaunchError`.
   */
  static async prepare(options: LocalEnsembleOptions): Promise<LocalEnsemble> {
    const directory = path.resolve(options.directory);
    const found = readState(directory);
    // An ensemble none of whose servers ever ran has nothing to lose: it may still take another shape.
    if (found !== undefined && Object.keys(found.processes).length > 0) {
      const ensemble = new LocalEnsemble(found.layout);
      await ensemble.#addMissingObservers(options.observers);
      refuseOtherShape(ensemble.layout, options);
      return ensemble;
    }
    const counts = { servers: options.servers ?? 3, observers: options.observers ?? 0 };
    const servers =
      options.clientPort === 'free'
        ? await serversOnFreePorts(createNodeRuntime().network, counts)
        : deriveServers(counts, options.clientPort ?? 2181);
    if ('problem' in servers) throw new LaunchError('LAYOUT', servers.problem);
    const layout = { directory, servers, settings: options.settings ?? {} };
    writeConfigurations(layout);
    writeState({ layout, processes: {} });
    return new LocalEnsemble(layout);
  }

  /** The ensemble that is already in a directory. Throws `LaunchError` when there is none. */
  static open(directory: string): LocalEnsemble {
    const found = readState(path.resolve(directory));
    if (found !== undefined) return new LocalEnsemble(found.layout);
    throw new LaunchError(
      'LAYOUT',
      `${directory} holds no ensemble; start one with --dir ${directory}`,
    );
  }

  /** `host:port,...` of all servers, for clients. */
  get connectString(): string {
    return connectString(this.layout);
  }

  /** Ids of the servers whose processes run. */
  get running(): number[] {
    const ids = this.layout.servers.map(({ id }) => id);
    return ids.filter((id) => this.#processOf(id) !== undefined);
  }

  /** Starts every server that does not run. Throws `LaunchError` before the first start when a port is taken. */
  async start(): Promise<void> {
    const running = new Set(this.running);
    const stopped = this.layout.servers.filter(({ id }) => !running.has(id));
    for (const server of stopped) await this.#refuseTakenPorts(server);
    for (const server of stopped) await this.#launch(server.id);
  }

  /** Starts one server again on its data, stopping it before if it runs. */
  async restart(id: number): Promise<void> {
    const server = this.#required(id);
    await this.stopServer(id);
    await this.#refuseTakenPorts(server);
    await this.#launch(id);
  }

  /**
   * Adds an observer and resolves to its id. Every server must know every other, so those that run
   * are told by a restart, one after the other and the leader last; `onStep` is called with what is
   * being done.
   */
  async addObserver(onStep: (sentence: string) => void = () => undefined): Promise<number> {
    const running = this.running;
    const added = await this.#extendLayout();
    if (running.length === 0) return added.id;
    await this.#refuseTakenPorts(added);
    const leader = (await this.status()).find(({ role }) => role === 'leader')?.id;
    const order = running.filter((id) => id !== leader);
    if (leader !== undefined) order.push(leader);
    for (const id of order) {
      await this.restart(id);
      await this.waitUntilServing(SERVING_AGAIN_MS);
      onStep(`server ${id} knows server ${added.id}`);
    }
    await this.#launch(added.id);
    await this.waitUntilServing(SERVING_AGAIN_MS);
    return added.id;
  }

  /** Writes the new server into all configurations. */
  async #extendLayout(): Promise<EnsembleServer> {
    const [first = 0, second = 0, third = 0] = await findFreePorts(this.#runtime.network, 3);
    const layout = withObserver(this.layout, [first, second, third]);
    if ('problem' in layout) throw new LaunchError('LAYOUT', layout.problem);
    const added = layout.servers.at(-1);
    invariant(added !== undefined, 'an ensemble without a server');
    writeConfigurations(layout);
    writeState({ layout, processes: readState(layout.directory)?.processes ?? {} });
    return added;
  }

  /** More observers than there are may be asked for at a start from rest. */
  async #addMissingObservers(wanted: number | undefined): Promise<void> {
    if (wanted === undefined || this.running.length > 0) return;
    const count = () => this.layout.servers.length - participantCount(this.layout);
    while (count() < wanted) await this.#extendLayout();
  }

  /** Ends one server's process without warning. Returns its pid; throws `LaunchError` when it does not run. */
  async kill(id: number): Promise<number> {
    this.#required(id);
    const target = this.#processOf(id);
    if (target === undefined) throw new LaunchError('SERVER', `server ${id} does not run`);
    signalProcess(target, 'SIGKILL');
    await waitForEnd(target, STOP_GRACE_MS);
    return target.pid;
  }

  /** Ends one server in order; nothing happens when it does not run. */
  async stopServer(id: number): Promise<void> {
    this.#required(id);
    const target = this.#processOf(id);
    if (target !== undefined) await stopProcess(target, STOP_GRACE_MS);
  }

  /** Ends all servers in order, all at once. Resolves to the ids of those that ran. */
  async stop(): Promise<number[]> {
    const running = this.running;
    await Promise.all(running.map((id) => this.stopServer(id)));
    return running;
  }

  async status(): Promise<LocalServerStatus[]> {
    const { servers } = this.layout;
    const addresses = servers.map(({ clientPort }) => ({ host: HOST, port: clientPort }));
    const statuses = await askStatus(this.#runtime, addresses, STATUS_TIMEOUT_MS);
    return statuses.map((status, index) => {
      const { id = 0, clientPort: port = 0 } = servers[index] ?? {};
      return { ...status, id, port, pid: this.#processOf(id)?.pid };
    });
  }

  /**
   * Resolves when all servers whose processes run serve clients. Throws `LaunchError` when a process
   * ends meanwhile or the time is over; the message holds the last lines of its log.
   */
  async waitUntilServing(timeoutMs: number): Promise<LocalServerStatus[]> {
    const awaited = this.running;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const statuses = (await this.status()).filter(({ id }) => awaited.includes(id));
      const lost = statuses.find(({ pid }) => pid === undefined);
      if (lost !== undefined) throw this.#startFailure(lost.id, 'ended during the start');
      const late = statuses.find(({ role }) => UNREADY.has(role));
      if (late === undefined) return statuses;
      if (performance.now() > deadline) throw this.#startFailure(late.id, 'serves nobody yet');
      await sleep(POLL_MS);
    }
  }

  /**
   * Resolves when one server serves clients; without a majority, when it answers; or when the time is
   * over, with how it is then. Throws `LaunchError` when its process ends meanwhile.
   */
  async waitForServer(id: number, timeoutMs: number): Promise<LocalServerStatus> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const status = (await this.status()).find((each) => each.id === id);
      invariant(status !== undefined, 'a server that is waited for is none of the ensemble');
      if (status.pid === undefined) throw this.#startFailure(id, 'ended during the start');
      const isReady = this.#hasMajority ? !UNREADY.has(status.role) : status.role !== 'down';
      if (isReady || performance.now() > deadline) return status;
      await sleep(POLL_MS);
    }
  }

  get #hasMajority(): boolean {
    const running = new Set(this.running);
    const voters = this.layout.servers.filter(({ role }) => role === 'participant');
    return voters.filter(({ id }) => running.has(id)).length > voters.length / 2;
  }

  /** Resolves with a sentence when a process started by this object ends, whoever ended it; each is told once. */
  async nextEnd(): Promise<{ readonly id: number; readonly sentence: string }> {
    const ends = [...this.#started].map(async ([id, { process: target, ended }]) => {
      const end = await ended;
      const how = 'code' in end ? `with exit code ${end.code}` : `by ${end.signal}`;
      return { id, sentence: `server ${id} (pid ${target.pid}) ended ${how}` };
    });
    const first = await Promise.race(ends);
    this.#started.delete(first.id);
    return first;
  }

  /** Lets this program end while the servers go on. */
  release(): void {
    for (const started of this.#started.values()) started.release();
  }

  async #launch(id: number): Promise<void> {
    const command = [...serverProgram(), configFile(this.layout, id)];
    const started = await startProcess(command, logFile(this.layout, id));
    this.#started.set(id, started);
    const processes = readState(this.layout.directory)?.processes ?? {};
    writeState({ layout: this.layout, processes: { ...processes, [id]: started.process } });
  }

  /** Read afresh each time: another command may have restarted the server. */
  #processOf(id: number): ServerProcess | undefined {
    const target = readState(this.layout.directory)?.processes[id];
    return target !== undefined && isAlive(target) ? target : undefined;
  }

  #required(id: number): EnsembleServer {
    const server = this.layout.servers.find((candidate) => candidate.id === id);
    if (server !== undefined) return server;
    const ids = this.layout.servers.map((candidate) => candidate.id).join(', ');
    throw new LaunchError('SERVER', `there is no server ${id} in this ensemble, only ${ids}`);
  }

  async #refuseTakenPorts(server: EnsembleServer): Promise<void> {
    const { id, clientPort, quorumPort, electionPort } = server;
    for (const port of [clientPort, quorumPort, electionPort]) {
      try {
        const listener = await this.#runtime.network.listen({ host: HOST, port }, refuse);
        await listener.close();
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
        throw new LaunchError('PORT', portSentence(id, port, error));
      }
    }
  }

  #startFailure(id: number, what: string): LaunchError {
    const file = logFile(this.layout, id);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
    const tail = lines.slice(-LOG_TAIL_LINES).map((line) => `\n  ${line}`);
    return new LaunchError('START', `server ${id} ${what}; the end of ${file}:${tail.join('')}`);
  }
}

function refuse(stream: ByteStream): void {
  stream.attach({ onData: () => undefined, onClose: () => undefined });
  stream.destroy();
}

function portSentence(id: number, port: number, error: RuntimeError): string {
  if (error.code !== 'ADDRESS_IN_USE') return `server ${id} cannot use its port: ${error.message}`;
  return (
    `port ${port}, needed by server ${id}, is taken (by another ensemble, or by a ZooKeeper?): ` +
    'stop what listens there, or give another --client-port'
  );
}

function refuseOtherShape(layout: EnsembleLayout, options: LocalEnsembleOptions): void {
  const { servers } = layout;
  const participants = servers.filter(({ role }) => role === 'participant').length;
  const observers = servers.length - participants;
  const firstPort = servers[0]?.clientPort;
  const { clientPort } = options;
  const isSame =
    (options.servers ?? participants) === participants &&
    (options.observers ?? observers) === observers &&
    (clientPort === undefined || clientPort === 'free' || clientPort === firstPort);
  if (isSame) return;
  const shape = `${participants} servers and ${observers} observers on client port ${firstPort}`;
  const remedy = 'leave the options out, give another --dir, or delete this one';
  throw new LaunchError('LAYOUT', `${layout.directory} holds an ensemble of ${shape}; ${remedy}`);
}

async function serversOnFreePorts(
  network: Network,
  counts: ServerCounts,
): Promise<EnsembleServer[]> {
  const ports = await findFreePorts(network, 3 * (counts.servers + counts.observers));
  return serversOnPorts(counts, (index) => {
    const [clientPort = 0, quorumPort = 0, electionPort = 0] = ports.slice(3 * index);
    return { clientPort, quorumPort, electionPort };
  });
}

/** Program and arguments that run `vivarium server`: the program of this package, found from wherever this file was compiled to. */
export function serverProgram(): string[] {
  let at = import.meta.dirname;
  while (!existsSync(path.join(at, 'bin', 'vivarium.js')) && at !== path.dirname(at)) {
    at = path.dirname(at);
  }
  return [process.execPath, path.join(at, 'bin', 'vivarium.js'), 'server'];
}
