/** Whole servers in a simulated world, configured by the files an operator would write. */

import { loadConfig } from '../../src/server/load-config.ts';
import type { Log } from '../../src/server/logger.ts';
import { createServer, type Server } from '../../src/server/server.ts';
import { SimWorld } from '../../src/testing/sim-world.ts';

export interface LoggedEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export const DATA_DIR = '/data';

export class SimEnsemble {
  readonly world: SimWorld;
  /** By host name. */
  readonly servers = new Map<string, Server>();
  readonly events = new Map<string, LoggedEvent[]>();

  constructor(seed = 1) {
    this.world = new SimWorld(seed);
  }

  /** Lines of `server.N` for hosts zk1, zk2, ... */
  static lines(count: number, hostOf: (id: number) => string = (id) => `zk${id}`): string[] {
    return Array.from({ length: count }, (_, i) => `server.${i + 1}=${hostOf(i + 1)}:2888:3888`);
  }

  /** Writes `zoo.cfg` and `myid` on a host and starts a server there; rejects as `start` does. */
  async start(host: string, myid: number, lines: readonly string[]): Promise<Server> {
    const { world } = this;
    const runtime = world.runtimeFor(host);
    const basics = [`dataDir=${DATA_DIR}`, 'clientPort=2181', 'tickTime=2000'];
    const text = [...basics, 'initLimit=10', 'syncLimit=5', ...lines, ''].join('\n');
    await world.finish(runtime.storage.writeText('/zoo.cfg', text));
    await world.finish(runtime.storage.writeText(`${DATA_DIR}/myid`, `${myid}\n`));
    const config = await world.finish(loadConfig(runtime.storage, '/zoo.cfg'));
    const server = createServer(config, runtime, { log: this.#log(host) });
    await world.finish(server.start());
    this.servers.set(host, server);
    return server;
  }

  async stop(host: string): Promise<void> {
    const server = this.servers.get(host);
    this.servers.delete(host);
    if (server !== undefined) await this.world.finish(server.stop());
  }

  /** The host's process ends without a word. */
  crash(host: string): void {
    this.servers.delete(host);
    this.world.crash(host);
  }

  async startAll(count: number): Promise<void> {
    const lines = SimEnsemble.lines(count);
    for (let id = 1; id <= count; id++) await this.start(`zk${id}`, id, lines);
    await this.settled(count);
  }

  /** Waits for one leader and followers, so many in all, that serve. */
  async settled(count: number): Promise<void> {
    const isSettled = (): boolean => {
      const modes = [...this.servers.values()].map((server) => server.view.mode);
      const serving = modes.filter((mode) => mode !== undefined);
      return serving.length >= count && modes.includes(count === 1 ? serving[0] : 'leader');
    };
    const inTime = await this.world.runUntil(isSettled, 20_000);
    if (!inTime) throw new Error('no quorum came together');
  }

  logged(host: string, event: string): LoggedEvent[] {
    return (this.events.get(host) ?? []).filter((logged) => logged.event === event);
  }

  #log(host: string): Log {
    const events: LoggedEvent[] = this.events.get(host) ?? [];
    this.events.set(host, events);
    const at =
      (level: LoggedEvent['level']) =>
      (event: string, fields: object = {}): void => {
        events.push({ level, event, fields: { ...fields } });
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}
