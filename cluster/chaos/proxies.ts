/**
 * All servers on the loopback interface, with a proxy in this program for every way from one server,
 * or from the clients, to another: for machines that allow no network namespaces. A cut way takes
 * connections and bytes, and delivers neither.
 */

import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import type { Address } from '../../src/runtime/runtime.ts';
import { findFreePorts } from '../free-ports.ts';
import type { Links, ServerAddress } from './links.ts';

const HOST = '127.0.0.1';
/** The number of all clients, among those of servers. */
const CLIENTS = 0;
const PORTS_OF_SERVER = 3;
const SLOW_MS = 40;
const SLOW_CHUNK_BYTES = 8192;

export class ProxyLinks implements Links {
  readonly kind = 'proxies';
  readonly #own: ServerAddress[] = [];
  readonly #count: number;
  /** By `from to`. */
  readonly #seen = new Map<string, ServerAddress>();
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #cuts = new Set<string>();
  readonly #slowed = new Set<number>();
  /** What goes on when a cut ends. */
  #waiting: (() => void)[] = [];

  private constructor(count: number) {
    this.#count = count;
  }

  static async create(count: number): Promise<ProxyLinks> {
    const links = new ProxyLinks(count);
    const need = PORTS_OF_SERVER * count * (count + 1);
    const ports = await findFreePorts(createNodeRuntime().network, need);
    const take = (): ServerAddress => {
      const [clientPort = 0, quorumPort = 0, electionPort = 0] = ports.splice(0, PORTS_OF_SERVER);
      return { host: HOST, clientPort, quorumPort, electionPort };
    };
    for (let id = 1; id <= count; id++) links.#own.push(take());
    for (let from = CLIENTS; from <= count; from++) {
      for (let to = 1; to <= count; to++) {
        if (from !== to) await links.#lay(from, to, take());
      }
    }
    return links;
  }

  own(id: number): ServerAddress {
    const address = this.#own[id - 1];
    if (address === undefined) throw new Error(`there is no server ${id}`);
    return address;
  }

  seenFrom(from: number, id: number): ServerAddress {
    return this.#seen.get(`${from} ${id}`) ?? this.own(id);
  }

  forClients(id: number): Address {
    return { host: HOST, port: this.seenFrom(CLIENTS, id).clientPort };
  }

  command(_id: number, command: readonly string[]): string[] {
    return [...command];
  }

  async cut(from: number, to: number): Promise<void> {
    this.#cuts.add(`${from} ${to}`);
  }

  async unplug(id: number): Promise<void> {
    for (let other = CLIENTS; other <= this.#count; other++) {
      this.#cuts.add(`${id} ${other}`);
      this.#cuts.add(`${other} ${id}`);
    }
  }

  async slow(id: number): Promise<void> {
    this.#slowed.add(id);
  }

  async mend(): Promise<void> {
    this.#cuts.clear();
    this.#slowed.clear();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const goOn of waiting) goOn();
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #lay(from: number, to: number, seen: ServerAddress): Promise<void> {
    this.#seen.set(`${from} ${to}`, seen);
    const own = this.own(to);
    const pairs = [
      [seen.clientPort, own.clientPort],
      [seen.quorumPort, own.quorumPort],
      [seen.electionPort, own.electionPort],
    ] as const;
    for (const [port, target] of pairs) {
      // A server that is not there refuses connections; its proxy does so a moment later.
      const server = createServer({ allowHalfOpen: true }, (near) => {
        this.#keep(near);
        this.#passing(from, to, () => this.#join(near, target, from, to));
      });
      this.#servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, HOST, resolve);
      });
    }
  }

  #join(near: Socket, target: number, from: number, to: number): void {
    const far = dial({ host: HOST, port: target, allowHalfOpen: true });
    this.#keep(far);
    this.#pipe(near, far, from, to);
    this.#pipe(far, near, to, from);
  }

  #pipe(source: Socket, sink: Socket, from: number, to: number): void {
    source.on('data', (bytes: Buffer) => {
      source.pause();
      this.#passing(from, to, () => {
        const delayMs = this.#slowed.has(from)
          ? SLOW_MS * Math.ceil(bytes.length / SLOW_CHUNK_BYTES)
          : 0;
        const forward = (): void => {
          sink.write(bytes, () => source.resume());
        };
        if (delayMs === 0) forward();
        else setTimeout(forward, delayMs);
      });
    });
    source.on('end', () => this.#passing(from, to, () => sink.end()));
    source.on('close', () => this.#passing(from, to, () => sink.destroySoon()));
  }

  /** Now, or when the way is open again. */
  #passing(from: number, to: number, then: () => void): void {
    if (!this.#cuts.has(`${from} ${to}`)) then();
    else this.#waiting.push(() => this.#passing(from, to, then));
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
