/** The simulated network: which hosts and ports there are, and the controls for its faults. */

import { invariant } from '../base/assert.ts';
import {
  type Address,
  type ByteStream,
  type Listener,
  type ListenOptions,
  type Network,
  RuntimeError,
} from '../runtime/runtime.ts';
import { type LinkDelay, SimLink, type SimNetworkOptions, SimPipe } from './sim-link.ts';
import type { SimProcess } from './sim-process.ts';
import { type SimScheduler, TraceKind } from './sim-scheduler.ts';
import { SimStream, type StreamHome } from './sim-stream.ts';

export interface CutOptions {
  /** Only what goes from the first host to the second is cut. Default false. */
  readonly oneWay?: boolean;
}

const LOOPBACK = '127.0.0.1';
const LOOPBACK_NAMES: readonly string[] = [LOOPBACK, 'localhost', '::1'];
const ANY_NAMES: readonly string[] = ['0.0.0.0', '::'];
const FIRST_FREE_PORT = 32_768;
const PORT_MAX = 65_535;

interface NetworkHost {
  readonly name: string;
  process: SimProcess | undefined;
  /** The machine is off. */
  isDark: boolean;
  readonly listeners: Map<number, SimListener>;
  readonly streams: Set<SimStream>;
  nextFreePort: number;
}

export class SimNetwork implements StreamHome {
  #options: SimNetworkOptions;
  readonly #scheduler: SimScheduler;
  readonly #hosts = new Map<string, NetworkHost>();
  readonly #links = new Map<string, Map<string, SimLink>>();

  constructor(scheduler: SimScheduler, options: SimNetworkOptions) {
    this.#scheduler = scheduler;
    this.#options = options;
  }

  get options(): SimNetworkOptions {
    return this.#options;
  }

  configure(options: Partial<SimNetworkOptions>): void {
    this.#options = { ...this.#options, ...options };
  }

  /** From now on bytes between the two stop on their way, without a word, until `heal`. */
  cut(from: string, to: string, options: CutOptions = {}): void {
    this.#link(from, to).isCut = true;
    if (options.oneWay !== true) this.#link(to, from).isCut = true;
  }

  /** Takes back cuts and clogs between two hosts, both ways; without names all there are. */
  heal(a?: string, b?: string): void {
    for (const [from, links] of this.#links) {
      for (const [to, link] of links) {
        const isMeant = a === undefined || (from === a && to === b) || (from === b && to === a);
        if (!isMeant) continue;
        link.isCut = false;
        link.unclog();
        link.opened(this.#options.resendMaxMs);
      }
    }
  }

  /** Cuts every way between hosts of different groups. */
  partition(...groups: ReadonlyArray<readonly string[]>): void {
    for (const group of groups) {
      for (const other of groups) {
        if (other === group) continue;
        for (const from of group) for (const to of other) this.cut(from, to, { oneWay: true });
      }
    }
  }

  /** What goes from one host to another stands still for so long, then comes at once. */
  clog(from: string, to: string, durationMs: number): void {
    this.#link(from, to).clog(Math.round(durationMs * 1000));
  }

  /** Delays of one direction between two hosts; undefined: those of the options. */
  setDelay(from: string, to: string, delay: LinkDelay | undefined): void {
    this.#link(from, to).delay = delay;
  }

  /** Resets every connection between two hosts, cut or not. Returns how many. */
  breakConnections(a: string, b: string): number {
    let count = 0;
    for (const stream of [...this.#host(a).streams]) {
      if (stream.remote.host !== b && stream.peer?.process.hostName !== b) continue;
      this.#break(stream);
      count++;
    }
    return count;
  }

  /** Open ends of connections on a host; one inside the host counts twice. */
  connectionCount(hostName: string): number {
    return this.#host(hostName).streams.size;
  }

  // The world's side ------------------------------------------------------------------------------

  start(process: SimProcess): Network {
    const host = this.#host(process.hostName);
    invariant(host.process === undefined, 'a host runs one process');
    host.process = process;
    this.#setDark(host, false);
    return {
      listen: (options, onStream) => this.#listen(host, process, options, onStream),
      connect: (address, timeoutMs) => this.#connect(host, process, address, timeoutMs),
    };
  }

  /** The process is dead; `silent`: and its machine with it. */
  stop(process: SimProcess, silent: boolean): void {
    const host = this.#host(process.hostName);
    host.process = undefined;
    host.listeners.clear();
    for (const stream of [...host.streams]) {
      // A kernel that closes a dead process's socket says end or reset, after the bytes it still
      // had or instead of them; which of them depends on what was unread.
      const farewells = ['end', 'reset', 'resetNow'] as const;
      const drawn = farewells[this.#scheduler.prng.between(0, farewells.length - 1)];
      stream.abandon(silent || drawn === undefined ? 'nothing' : drawn);
    }
    if (silent) this.#setDark(host, true);
  }

  sent(stream: SimStream): void {
    const { prng } = this.#scheduler;
    const { breakProbability, clogProbability, clogMaxMs } = this.#options;
    if (breakProbability > 0 && prng.chance(breakProbability)) this.#break(stream);
    if (clogProbability > 0 && prng.chance(clogProbability)) {
      const to = stream.peer?.process.hostName ?? stream.remote.host;
      this.clog(stream.process.hostName, to, prng.fraction() * clogMaxMs);
    }
  }

  closed(stream: SimStream): void {
    this.#host(stream.process.hostName).streams.delete(stream);
  }

  #break(stream: SimStream): void {
    this.#scheduler.trace.mix(TraceKind.streamControl);
    for (const end of [stream, stream.peer]) {
      if (end === undefined) continue;
      end.fail('STREAM_BROKEN', 'the connection broke');
      end.dropUnderWay();
    }
  }

  #listen(
    host: NetworkHost,
    process: SimProcess,
    options: ListenOptions,
    onStream: (stream: ByteStream) => void,
  ): Promise<Listener> {
    return process.later(0, () => {
      const name = options.host ?? '0.0.0.0';
      const isLoopback = LOOPBACK_NAMES.includes(name);
      if (!isLoopback && !ANY_NAMES.includes(name) && name !== host.name) {
        throw new RuntimeError('ADDRESS_UNAVAILABLE', `${name} is not an address of ${host.name}`);
      }
      const port = options.port === 0 ? freePort(host) : options.port;
      if (host.listeners.has(port)) {
        throw new RuntimeError('ADDRESS_IN_USE', `${name}:${port} is in use`);
      }
      const listener = new SimListener(process, { host: name, port }, isLoopback, onStream, () => {
        if (host.listeners.get(port) === listener) host.listeners.delete(port);
      });
      host.listeners.set(port, listener);
      return listener;
    });
  }

  #connect(
    host: NetworkHost,
    process: SimProcess,
    address: Address,
    timeoutMs: number,
  ): ByteStream {
    const isLoopback = LOOPBACK_NAMES.includes(address.host) || ANY_NAMES.includes(address.host);
    const target = isLoopback ? host : this.#hosts.get(address.host);
    const targetName = target?.name ?? address.host;
    const local = { host: isLoopback ? LOOPBACK : host.name, port: freePort(host) };
    const there = new SimPipe(this.#scheduler, this.#link(host.name, targetName), (segment) => {
      if (segment.kind === 'syn') acceptOrRefuse();
      else dialler.peer?.arrive(segment);
    });
    const back = new SimPipe(this.#scheduler, this.#link(targetName, host.name), (segment) =>
      dialler.arrive(segment),
    );
    const dialler = new SimStream(process, this, there, { local, remote: address });
    const acceptOrRefuse = (): void => {
      const listener = target?.listeners.get(address.port);
      if (dialler.isClosed || target === undefined) return;
      if (listener === undefined || (listener.isLoopback && !isLoopback)) {
        back.send('rst', this.#options);
        return;
      }
      const acceptor = new SimStream(listener.process, this, back, {
        local: { host: isLoopback ? LOOPBACK : target.name, port: address.port },
        remote: local,
      });
      acceptor.peer = dialler;
      dialler.peer = acceptor;
      target.streams.add(acceptor);
      listener.accept(acceptor);
    };
    if (!process.isAlive) return dialler;
    host.streams.add(dialler);
    if (target !== undefined) dialler.dial(timeoutMs);
    else process.after(0, () => dialler.fail('CONNECT_FAILED', 'no such host'));
    return dialler;
  }

  #setDark(host: NetworkHost, isDark: boolean): void {
    if (host.isDark === isDark) return;
    host.isDark = isDark;
    for (const other of this.#hosts.values()) {
      for (const link of [this.#link(host.name, other.name), this.#link(other.name, host.name)]) {
        link.isDark = host.isDark || other.isDark;
        link.opened(this.#options.resendMaxMs);
      }
    }
  }

  #host(name: string): NetworkHost {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      host = {
        name,
        process: undefined,
        isDark: false,
        listeners: new Map(),
        streams: new Set(),
        nextFreePort: FIRST_FREE_PORT,
      };
      this.#hosts.set(name, host);
    }
    return host;
  }

  #link(from: string, to: string): SimLink {
    let links = this.#links.get(from);
    if (links === undefined) {
      links = new Map();
      this.#links.set(from, links);
    }
    let link = links.get(to);
    if (link === undefined) {
      link = new SimLink(this.#scheduler);
      link.isDark = [from, to].some((name) => this.#hosts.get(name)?.isDark === true);
      links.set(to, link);
    }
    return link;
  }
}

class SimListener implements Listener {
  readonly address: Address;
  readonly process: SimProcess;
  readonly isLoopback: boolean;
  readonly #onStream: (stream: ByteStream) => void;
  readonly #release: () => void;
  #isClosed = false;

  constructor(
    process: SimProcess,
    address: Address,
    isLoopback: boolean,
    onStream: (stream: ByteStream) => void,
    release: () => void,
  ) {
    this.process = process;
    this.address = address;
    this.isLoopback = isLoopback;
    this.#onStream = onStream;
    this.#release = release;
  }

  /** The kernel accepts at once; the process hears of it when it runs. */
  accept(stream: SimStream): void {
    stream.accept();
    this.process.run(() => {
      if (this.#isClosed) {
        stream.abandon('reset');
        return;
      }
      this.#onStream(stream);
      invariant(stream.isAttached, 'an accepted stream was not attached');
    });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#release();
    return this.process.later(0, () => undefined);
  }
}

function freePort(host: NetworkHost): number {
  for (;;) {
    const port = host.nextFreePort;
    host.nextFreePort = port === PORT_MAX ? FIRST_FREE_PORT : port + 1;
    if (!host.listeners.has(port)) return port;
  }
}
