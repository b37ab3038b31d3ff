/**
 * A deterministic world: hosts, their disks, clocks and network under one seed and one virtual
 * time. Two worlds with the same seed that are asked the same things do the same, event by event.
 */

import { invariant } from '../base/assert.ts';
import { Prng } from '../base/prng.ts';
import type { FaultSite } from '../runtime/fault-site.ts';
import type { Clock, Network, Runtime, Storage, Timers } from '../runtime/runtime.ts';
import { HostClock, SimClock, SimTimers } from './sim-clock.ts';
import {
  DEFAULT_STORAGE_OPTIONS,
  SimDisk,
  type SimStorageOptions,
  type UnsyncedFate,
} from './sim-disk.ts';
import { DEFAULT_NETWORK_OPTIONS, type SimNetworkOptions } from './sim-link.ts';
import { SimNetwork } from './sim-network.ts';
import { SimProcess } from './sim-process.ts';
import { SimScheduler, TraceKind } from './sim-scheduler.ts';
import { SimStorage } from './sim-storage.ts';

/** How many events in a row Node has no turn of its own. */
const MACHINE_TURN_EVENTS = 256;

export interface SimWorldOptions {
  readonly storage?: Partial<SimStorageOptions>;
  readonly network?: Partial<SimNetworkOptions>;
  /**
   * Runs by itself, as fast as it can, while somebody waits for a promise of the world. For tests
   * that want a store in memory and no say in time.
   */
  readonly selfRunning?: boolean;
}

export interface CrashOptions {
  /** Default `draw`. */
  readonly unsynced?: UnsyncedFate;
  /**
   * False: the machine lives and its kernel closes the process's connections. True: the machine is
   * gone without a word, and connections hang until it is back. Default false.
   */
  readonly silent?: boolean;
}

/** What one process of a simulated host is given. */
export interface SimRuntime extends Runtime {
  readonly hostName: string;
}

interface SimHost {
  readonly disk: SimDisk;
  readonly clock: HostClock;
  process: SimProcess | undefined;
  runtime: SimRuntime | undefined;
}

export class SimWorld {
  readonly seed: number;
  /** Where tests cut, clog and break. */
  readonly network: SimNetwork;
  readonly #scheduler: SimScheduler;
  readonly #hosts = new Map<string, SimHost>();
  readonly #storageOptions: SimStorageOptions;
  readonly #selfRunning: boolean;
  /** Called by a living process that passes a fault site; may crash its host. */
  onSite: (hostName: string, site: FaultSite) => void = () => undefined;
  #running = false;

  constructor(seed: number, options: SimWorldOptions = {}) {
    this.seed = seed;
    this.#selfRunning = options.selfRunning ?? false;
    this.#scheduler = new SimScheduler(seed, () => this.#wake());
    this.#storageOptions = { ...DEFAULT_STORAGE_OPTIONS, ...options.storage };
    this.network = new SimNetwork(this.#scheduler, {
      ...DEFAULT_NETWORK_OPTIONS,
      ...options.network,
    });
  }

  /** Virtual milliseconds since the world began. */
  get nowMs(): number {
    return this.#scheduler.nowUs / 1000;
  }

  get eventCount(): number {
    return this.#scheduler.eventCount;
  }

  /** Equal for two runs of one seed at the same point. */
  get traceHash(): string {
    return this.#scheduler.trace.hex;
  }

  /** The runtime of a host's living process; starts one when there is none. */
  runtimeFor(hostName: string): SimRuntime {
    const host = this.#host(hostName);
    if (host.runtime !== undefined) return host.runtime;
    const process = new SimProcess(hostName, this.#scheduler);
    const random = new Prng(this.#scheduler.prng.uint32());
    host.process = process;
    host.runtime = new ProcessRuntime(
      hostName,
      new SimClock(process, host.clock),
      new SimTimers(process, host.clock),
      this.network.start(process),
      new SimStorage(process, host.disk),
      random,
      (site) => {
        // Code of a killed process may still be running: it gets nowhere any more.
        if (process.isAlive) this.onSite(hostName, site);
      },
    );
    return host.runtime;
  }

  isUp(hostName: string): boolean {
    return this.#host(hostName).process !== undefined;
  }

  /** To look at, edit and damage; also of a host that is down. */
  disk(hostName: string): SimDisk {
    return this.#host(hostName).disk;
  }

  /** Nothing is read from or written to the host's disk for so long. */
  stallDisk(hostName: string, durationMs: number): void {
    this.disk(hostName).stalledUntilUs = this.#scheduler.nowUs + Math.round(durationMs * 1000);
  }

  /** Moves the host's wall clock; its monotonic clock goes on evenly. */
  setClockSkew(hostName: string, skewMs: number): void {
    this.#host(hostName).clock.skewMs = skewMs;
  }

  /** Makes the host's monotonic clock, and its timers, fast or slow from now on; 1 is right. */
  setClockRate(hostName: string, rate: number): void {
    invariant(rate > 0, 'a monotonic clock goes forward');
    this.#host(hostName).clock.setRate(rate, this.#scheduler.nowUs);
  }

  /** Kills the host's process at once. `runtimeFor` then starts another one on the same disk. */
  crash(hostName: string, options: CrashOptions = {}): void {
    const host = this.#host(hostName);
    invariant(host.process !== undefined, 'the host is down already');
    this.#scheduler.trace.mix(TraceKind.crash);
    host.process.kill();
    this.network.stop(host.process, options.silent ?? false);
    host.disk.crash(options.unsynced ?? 'draw');
    host.process = undefined;
    host.runtime = undefined;
  }

  /** The process stands still while time passes; what it misses waits for `resume`. */
  pause(hostName: string): void {
    this.#host(hostName).process?.pause();
  }

  resume(hostName: string): void {
    this.#host(hostName).process?.resume();
  }

  /** Fires the next event; false when nothing is pending. */
  async step(): Promise<boolean> {
    return await this.#exclusively(async () => {
      await machineTurn();
      const fired = this.#scheduler.fireNext();
      await machineTurn();
      return fired;
    });
  }

  async runFor(durationMs: number): Promise<void> {
    await this.runUntil(() => false, durationMs);
  }

  /**
   * Fires events until the condition holds, which is asked after each. False: so many milliseconds
   * passed without it.
   */
  async runUntil(condition: () => boolean, maxMs: number): Promise<boolean> {
    return await this.#exclusively(async () => {
      const scheduler = this.#scheduler;
      const endUs = scheduler.nowUs + Math.round(maxMs * 1000);
      // What the caller started before may be waiting in promises that are settled already.
      await machineTurn();
      for (let count = 1; !condition(); count++) {
        const dueUs = scheduler.nextDueUs();
        if (dueUs === undefined || dueUs > endUs) {
          scheduler.idleUntil(endUs);
          return condition();
        }
        scheduler.fireNext();
        // An event may have started a function that goes on in promises of its own: on a real
        // machine these come before the next event, so they do here.
        await (count % MACHINE_TURN_EVENTS === 0 ? machineTurn() : continuationsDone());
      }
      return true;
    });
  }

  /** Runs the world until the promise settles, and returns or throws what it settled to. */
  async finish<T>(promise: Promise<T>, maxMs = 60_000): Promise<T> {
    let isSettled = false;
    const mark = (): void => {
      isSettled = true;
    };
    promise.then(mark, mark);
    const settledInTime = await this.runUntil(() => isSettled, maxMs);
    invariant(settledInTime, 'the promise did not settle in the time given');
    return await promise;
  }

  #host(hostName: string): SimHost {
    const known = this.#hosts.get(hostName);
    if (known !== undefined) return known;
    const { prng } = this.#scheduler;
    const host: SimHost = {
      disk: new SimDisk(hostName, this.#storageOptions, prng),
      clock: new HostClock(prng.between(0, 1_000_000)),
      process: undefined,
      runtime: undefined,
    };
    this.#hosts.set(hostName, host);
    return host;
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    invariant(!this.#running, 'the world is running already');
    this.#running = true;
    try {
      return await work();
    } finally {
      this.#running = false;
    }
  }

  /** Called when somebody was given a promise. */
  #wake(): void {
    if (!this.#selfRunning || this.#running) return;
    this.#running = true;
    setImmediate(() => this.#runWhileAwaited());
  }

  #runWhileAwaited(): void {
    const scheduler = this.#scheduler;
    while (scheduler.openPromises > 0 && scheduler.fireNext()) {
      if (!scheduler.takePromiseSettled()) continue;
      setImmediate(() => this.#runWhileAwaited());
      return;
    }
    this.#running = false;
  }
}

class ProcessRuntime implements SimRuntime {
  readonly hostName: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly network: Network;
  readonly storage: Storage;
  readonly reached: (site: FaultSite) => void;
  readonly #random: Prng;

  constructor(
    hostName: string,
    clock: Clock,
    timers: Timers,
    network: Network,
    storage: Storage,
    random: Prng,
    reached: (site: FaultSite) => void,
  ) {
    this.hostName = hostName;
    this.clock = clock;
    this.timers = timers;
    this.network = network;
    this.storage = storage;
    this.reached = reached;
    this.#random = random;
  }

  randomBytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = this.#random.uint32() & 0xff;
    return bytes;
  }
}

/** Lets Node look after itself: timers of tests, messages of threads, rejections nobody handled. */
function machineTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * Node runs every continuation that is ready, and those they make ready, before the ticks that they
 * ask for; called from a continuation, that is. A fraction of what a turn of the machine costs.
 */
function continuationsDone(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
