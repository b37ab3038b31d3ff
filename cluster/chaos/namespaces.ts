/**
 * Every server in a network namespace of its own: an address, a cable to one bridge, real TCP that
 * finds out about a cut as it would between machines. Needs root and iproute2, nothing else: a cut
 * in one direction is a wrong hardware address in the sender's neighbour table, so that its packets
 * leave and no one takes them.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Address } from '../../src/runtime/runtime.ts';
import type { Links, ServerAddress } from './links.ts';

const run = promisify(execFile);

const CLIENT_PORT = 2181;
const QUORUM_PORT = 2888;
const ELECTION_PORT = 3888;
/** Locally administered, and nobody's. */
const NOWHERE = '02:00:00:00:de:ad';
const CLIENTS_HOST_PART = 254;
/** A link as slow as this still carries heartbeats, but not a busy ensemble. */
const SLOW = ['rate', '400kbit', 'burst', '8kb', 'latency', '2000ms'];

/** Networks of this program so far, and a stride so that those of two programs hardly meet. */
let madeCount = 0;
const NUMBERS_OF_PROCESS = 101;
const NUMBERS = 1 << 22;

export class NamespaceLinks implements Links {
  readonly kind = 'namespaces';
  readonly #tag: string;
  readonly #net: string;
  readonly #count: number;
  readonly #cuts = new Set<string>();
  readonly #unplugged = new Set<number>();
  readonly #slowed = new Set<number>();

  private constructor(tag: string, net: string, count: number) {
    this.#tag = tag;
    this.#net = net;
    this.#count = count;
  }

  /** undefined where this machine does not allow it. */
  static async create(count: number): Promise<NamespaceLinks | undefined> {
    const number = (process.pid + NUMBERS_OF_PROCESS * madeCount++) % NUMBERS;
    const tag = number.toString(36);
    // Of the range for tests between networks: no machine routes it anywhere.
    const net = `198.${18 + (number & 1)}.${(number >>> 1) & 255}`;
    const links = new NamespaceLinks(tag, net, count);
    try {
      await links.#build();
      return links;
    } catch {
      await links.close();
      return undefined;
    }
  }

  own(id: number): ServerAddress {
    return {
      host: `${this.#net}.${id}`,
      clientPort: CLIENT_PORT,
      quorumPort: QUORUM_PORT,
      electionPort: ELECTION_PORT,
    };
  }

  seenFrom(_from: number, id: number): ServerAddress {
    return this.own(id);
  }

  forClients(id: number): Address {
    return { host: `${this.#net}.${id}`, port: CLIENT_PORT };
  }

  command(id: number, command: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.#space(id), ...command];
  }

  async cut(from: number, to: number): Promise<void> {
    this.#cuts.add(`${from} ${to}`);
    const neighbour = [this.own(to).host, 'lladdr', NOWHERE, 'dev', 'eth0', 'nud', 'permanent'];
    await this.#inside(from, 'neigh', 'replace', ...neighbour);
  }

  async unplug(id: number): Promise<void> {
    this.#unplugged.add(id);
    await run('ip', ['link', 'set', this.#cable(id), 'down']);
  }

  async slow(id: number): Promise<void> {
    this.#slowed.add(id);
    const args = ['-n', this.#space(id), 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', ...SLOW];
    await run('tc', args);
  }

  async mend(): Promise<void> {
    for (const cut of this.#cuts) {
      const [from = 0, to = 0] = cut.split(' ').map(Number);
      await this.#inside(from, 'neigh', 'del', this.own(to).host, 'dev', 'eth0');
    }
    this.#cuts.clear();
    for (const id of this.#unplugged) await run('ip', ['link', 'set', this.#cable(id), 'up']);
    this.#unplugged.clear();
    for (const id of this.#slowed) {
      await run('tc', ['-n', this.#space(id), 'qdisc', 'del', 'dev', 'eth0', 'root']);
    }
    this.#slowed.clear();
  }

  async close(): Promise<void> {
    // Each may or may not have come into being.
    for (let id = 1; id <= this.#count; id++) {
      await run('ip', ['link', 'del', this.#cable(id)]).catch(() => undefined);
      await run('ip', ['netns', 'del', this.#space(id)]).catch(() => undefined);
    }
    await run('ip', ['link', 'del', this.#bridge]).catch(() => undefined);
  }

  async #build(): Promise<void> {
    await run('ip', ['link', 'add', this.#bridge, 'type', 'bridge']);
    const clients = `${this.#net}.${CLIENTS_HOST_PART}/24`;
    await run('ip', ['addr', 'add', clients, 'dev', this.#bridge]);
    await run('ip', ['link', 'set', this.#bridge, 'up']);
    for (let id = 1; id <= this.#count; id++) {
      const space = this.#space(id);
      const peer = ['peer', 'name', 'eth0', 'netns', space];
      await run('ip', ['netns', 'add', space]);
      await run('ip', ['link', 'add', this.#cable(id), 'type', 'veth', ...peer]);
      await run('ip', ['link', 'set', this.#cable(id), 'master', this.#bridge, 'up']);
      await this.#inside(id, 'addr', 'add', `${this.own(id).host}/24`, 'dev', 'eth0');
      await this.#inside(id, 'link', 'set', 'lo', 'up');
      await this.#inside(id, 'link', 'set', 'eth0', 'up');
    }
  }

  get #bridge(): string {
    return `vvb${this.#tag}`;
  }

  #space(id: number): string {
    return `vv${this.#tag}-${id}`;
  }

  #cable(id: number): string {
    return `vvc${this.#tag}-${id}`;
  }

  async #inside(id: number, ...args: string[]): Promise<void> {
    await run('ip', ['-n', this.#space(id), ...args]);
  }
}
